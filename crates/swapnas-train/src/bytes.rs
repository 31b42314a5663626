//! Tensors on their way into a safetensors file.

use std::borrow::Cow;

use safetensors::{Dtype, View};

/// A tensor as bytes.
pub(crate) struct Bytes {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Bytes {
    /// Numbers in double precision, which every number of a training fits in.
    pub(crate) fn doubles(numbers: impl ExactSizeIterator<Item = f64>) -> Self {
        let shape = vec![numbers.len()];
        Bytes { dtype: Dtype::F64, shape, bytes: numbers.flat_map(f64::to_le_bytes).collect() }
    }

    /// Numbers in single precision.
    pub(crate) fn floats(numbers: &[f32], shape: Vec<usize>) -> Self {
        Bytes { dtype: Dtype::F32, shape, bytes: numbers.iter().flat_map(|x| x.to_le_bytes()).collect() }
    }

    /// A single whole number.
    pub(crate) fn whole(number: i64) -> Self {
        Bytes { dtype: Dtype::I64, shape: Vec::new(), bytes: number.to_le_bytes().to_vec() }
    }
}

impl View for Bytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
