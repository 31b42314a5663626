//! Parts of messages.

use swapnas_graph::{Padding, Window};

use crate::onnx::proto::{
    Attribute, AttributeType, DataType, Dimension, DimensionValue, Tensor, TensorShape, TensorType, Type,
    ValueInfo,
};

/// What the network takes or returns: for each sample, so many of the first dimensions of the shape.
pub(super) fn value_info(name: &str, kind: DataType, dims: &[usize]) -> ValueInfo {
    let sizes = dims.iter().map(|size| DimensionValue::Size(*size as i64));
    let values = std::iter::once(DimensionValue::Name("batch".to_owned())).chain(sizes);
    let dim = values.map(|value| Dimension { value: Some(value) }).collect();
    let tensor_type = TensorType { elem_type: kind.into(), shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

/// The attributes of a window. Average pools of this version have no dilation.
pub(super) fn windowed(window: &Window, dilated: bool) -> Vec<Attribute> {
    let Padding { top, left, bottom, right } = window.padding;
    let pair = |numbers: [usize; 2]| numbers.map(|number| number as i64).to_vec();
    let mut attributes = vec![
        ints("kernel_shape", pair(window.kernel)),
        ints("strides", pair(window.stride)),
        ints("pads", [top, left, bottom, right].map(i64::from).to_vec()),
    ];
    attributes.extend(dilated.then(|| ints("dilations", pair(window.dilation))));
    attributes
}

pub(super) fn floats(name: String, dims: &[usize], numbers: impl ExactSizeIterator<Item = f32>) -> Tensor {
    // No larger than it must be: weights may be most of the memory that there is.
    let mut raw_data = Vec::with_capacity(numbers.len() * size_of::<f32>());
    numbers.for_each(|number| raw_data.extend_from_slice(&number.to_le_bytes()));
    Tensor {
        name,
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: DataType::Float.into(),
        raw_data: raw_data.into(),
        ..Tensor::default()
    }
}

/// What a constant is.
pub(super) fn constant(tensor: Tensor) -> Attribute {
    let name = "value".to_owned();
    Attribute { name, t: Some(tensor), r#type: AttributeType::Tensor.into(), ..Attribute::default() }
}

pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: AttributeType::Int.into(), ..Attribute::default() }
}

pub(super) fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, r#type: AttributeType::Ints.into(), ..Attribute::default() }
}

pub(super) fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, r#type: AttributeType::Float.into(), ..Attribute::default() }
}
