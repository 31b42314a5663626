use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use crate::{Param, ParamKind, plain, read_json};

/// Named tensors of `f32`, as read from a safetensors file.
#[derive(Clone, Debug, Default)]
pub struct Tensors {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    /// Where tensors have a number that is infinite or none.
    flaws: BTreeMap<String, usize>,
    /// Tensors of other types, which cannot be weights or images.
    others: BTreeMap<String, Dtype>,
}

/// Dimensions and numbers, the last dimension running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Numbers.
    pub numbers: Vec<f32>,
}

/// A file of tensors that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TensorsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", plain(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no safetensors file.
    #[error("{} is not a valid safetensors file: {}", plain(path), plain(&cause.to_string()))]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: safetensors::SafeTensorError,
    },
    /// Its header says something twice.
    #[error("{}: the header has {what}; write the file anew, with a name for each tensor", plain(path))]
    Twice {
        /// The file.
        path: PathBuf,
        /// What is there twice, and where.
        what: String,
    },
    /// A tensor that a network needs is not there.
    #[error(
        "{} has no tensor '{}', which the network needs with shape {expected:?}",
        plain(path),
        plain(name)
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Shape of the tensor.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the network's parameter.
    #[error(
        "{}: tensor '{}' has shape {found:?}, but the network needs {expected:?}",
        plain(path),
        plain(name)
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Shape in the network.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A tensor has numbers of another type.
    #[error(
        "{}: tensor '{}' is of type {found}; save it in 32-bit floats, as tensor.float() in PyTorch",
        plain(path),
        plain(name)
    )]
    Type {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Its type.
        found: Dtype,
    },
    /// A tensor has a number that is infinite or none.
    #[error(
        "{}: {} is {value}; a network cannot be run with that: replace it by a finite number",
        plain(path), place(name, shape, *index)
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Which of its numbers, the last dimension running fastest.
        index: usize,
        /// The number.
        value: f32,
    },
}

/// Name of the tensor of images.
const IMAGES: &str = "input";

/// Where a number of a tensor is, in words for images: `tensor 'stem.0.weight' at [3, 0, 1, 1]`.
fn place(name: &str, shape: &[usize], index: usize) -> String {
    let mut rest = index;
    let mut indices = vec![0; shape.len()];
    for (place, size) in indices.iter_mut().zip(shape).rev() {
        *place = rest % size;
        rest /= size;
    }
    match (name, &indices[..]) {
        (IMAGES, [image, channel, row, column]) => {
            format!("image {image}, channel {channel}, row {row}, column {column} of tensor '{IMAGES}'")
        }
        _ => format!("tensor '{}' at {indices:?}", plain(name)),
    }
}

impl Tensors {
    /// Tensors by their names; `path` is what messages call the file.
    pub fn new(path: PathBuf, tensors: BTreeMap<String, Tensor>) -> Self {
        let flaw = |(name, tensor): (&String, &Tensor)| {
            let place = tensor.numbers.iter().position(|number| !number.is_finite())?;
            Some((name.clone(), place))
        };
        let flaws = tensors.iter().filter_map(flaw).collect();
        Tensors { path, tensors, flaws, others: BTreeMap::new() }
    }

    /// Reads all tensors of type `F32` of a safetensors file; others cannot be weights or images.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid.
    pub fn read(path: &Path) -> Result<Self, TensorsError> {
        let bytes =
            std::fs::read(path).map_err(|source| TensorsError::Read { path: path.to_owned(), source })?;
        Tensors::from_bytes(path, &bytes)
    }

    /// The same of a file whose bytes are at hand; `path` is what messages call it.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, TensorsError> {
        let path = path.to_owned();
        let file = match SafeTensors::deserialize(bytes) {
            Ok(file) => file,
            Err(cause) => return Err(TensorsError::Format { path, cause }),
        };
        if let Some(Err(error)) = header(bytes).map(read_json) {
            return Err(TensorsError::Twice { path, what: error.to_string() });
        }
        let mut tensors = BTreeMap::new();
        let mut others = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                others.insert(name, view.dtype());
                continue;
            }
            let (numbers, _) = view.data().as_chunks::<4>();
            let numbers = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
            tensors.insert(name, Tensor { shape: view.shape().to_vec(), numbers });
        }
        Ok(Tensors { others, ..Tensors::new(path, tensors) })
    }

    /// The file they were read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A tensor by name, whatever its numbers are.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The images, which are the tensor `input`, if there is one.
    ///
    /// # Errors
    /// If it is of another type, or one of its numbers is infinite or none.
    pub fn images(&self) -> Result<Option<&Tensor>, TensorsError> {
        self.finite(IMAGES)
    }

    /// The numbers of a parameter.
    ///
    /// # Errors
    /// If there is no tensor of its name, one of another shape or type, or one with a number that is infinite or
    /// none.
    pub fn param(&self, param: &Param) -> Result<&[f32], TensorsError> {
        let tensor = self.finite(&param.name)?.ok_or_else(|| TensorsError::Missing {
            path: self.path.clone(),
            name: param.name.clone(),
            expected: param.shape.clone(),
        })?;
        // A convolution along tokens has one row of taps, and one dimension less in a file.
        let along_tokens = match (param.kind, &param.shape[..]) {
            (ParamKind::ConvWeight, &[out, inputs, 1, taps]) => tensor.shape == [out, inputs, taps],
            _ => false,
        };
        if tensor.shape != param.shape && !along_tokens {
            return Err(TensorsError::Shape {
                path: self.path.clone(),
                name: param.name.clone(),
                expected: param.shape.clone(),
                found: tensor.shape.clone(),
            });
        }
        Ok(&tensor.numbers)
    }

    /// A tensor with which networks can be run.
    fn finite(&self, name: &str) -> Result<Option<&Tensor>, TensorsError> {
        let (path, owned) = (|| self.path.clone(), || name.to_owned());
        if let Some(found) = self.others.get(name) {
            return Err(TensorsError::Type { path: path(), name: owned(), found: *found });
        }
        let Some(tensor) = self.get(name) else { return Ok(None) };
        match self.flaws.get(name) {
            None => Ok(Some(tensor)),
            Some(&index) => Err(TensorsError::NotFinite {
                path: path(),
                name: owned(),
                shape: tensor.shape.clone(),
                index,
                value: tensor.numbers[index],
            }),
        }
    }
}

/// The JSON at the beginning of a safetensors file, behind its length in eight bytes.
fn header(bytes: &[u8]) -> Option<&str> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Param, ParamKind};

    /// The bytes of a file with this header, and so many bytes of numbers.
    fn file(header: &str, numbers: &[f32]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes
    }

    fn read(header: &str, numbers: &[f32]) -> Result<Tensors, TensorsError> {
        Tensors::from_bytes(Path::new("x.safetensors"), &file(header, numbers))
    }

    const IMAGES_2X1X2X2: &str = r#"{"input":{"dtype":"F32","shape":[2,1,2,2],"data_offsets":[0,32]}}"#;

    #[test]
    fn numbers_that_are_none_are_named_with_their_place() {
        for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
            let mut numbers = [0.5; 8];
            numbers[7] = value;
            let error = read(IMAGES_2X1X2X2, &numbers).unwrap().images().unwrap_err().to_string();
            let expected = format!(
                "x.safetensors: image 1, channel 0, row 1, column 1 of tensor 'input' is {shown}; a network \
                 cannot be run with that: replace it by a finite number"
            );
            assert_eq!(error, expected);
        }
        assert!(read(IMAGES_2X1X2X2, &[f32::MAX; 8]).unwrap().images().unwrap().is_some());
        let weights = r#"{"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;
        let tensors = read(weights, &[0.0, 1.0, 2.0, 3.0, f32::NAN, f32::NAN]).unwrap();
        let kind = ParamKind::LinearWeight;
        let param = |name: &str| Param {
            name: name.into(),
            shape: vec![2, 3],
            kind,
            fan_in: 1,
            fan_out: 1,
            key: Key(0),
        };
        let error = tensors.param(&param("a.weight")).unwrap_err().to_string();
        insta::assert_snapshot!(error, @"x.safetensors: tensor 'a.weight' at [1, 1] is NaN; a network cannot be run with that: replace it by a finite number");
        assert!(tensors.images().unwrap().is_none() && tensors.param(&param("b")).is_err());
    }

    #[test]
    fn shapes_agree_but_for_the_row_of_a_convolution_along_tokens() {
        let tensor = |shape: Vec<usize>| {
            let numbers = vec![0.5; shape.iter().product()];
            let tensors = [("w".to_owned(), Tensor { shape, numbers })].into();
            Tensors::new(PathBuf::from("x"), tensors)
        };
        let param = |kind, shape: &[usize]| Param {
            name: "w".to_owned(),
            shape: shape.to_vec(),
            kind,
            fan_in: 1,
            fan_out: 1,
            key: Key::of(0),
        };
        let along = param(ParamKind::ConvWeight, &[4, 1, 1, 5]);
        assert!(tensor(vec![4, 1, 5]).param(&along).is_ok());
        assert!(tensor(vec![4, 1, 1, 5]).param(&along).is_ok());
        assert!(tensor(vec![4, 5]).param(&along).is_err());
        assert!(tensor(vec![4, 5, 1]).param(&along).is_err());
        let linear = param(ParamKind::LinearWeight, &[1, 8]);
        assert!(tensor(vec![1, 8]).param(&linear).is_ok());
        assert!(tensor(vec![8, 1]).param(&linear).is_err());
    }

    #[test]
    fn other_types_are_named() {
        let half = r#"{"input":{"dtype":"F16","shape":[1,1,2,4],"data_offsets":[0,16]}}"#;
        let error = read(half, &[0.0; 4]).unwrap().images().unwrap_err().to_string();
        insta::assert_snapshot!(error, @"x.safetensors: tensor 'input' is of type F16; save it in 32-bit floats, as tensor.float() in PyTorch");
    }

    #[test]
    fn what_is_there_twice_is_refused() {
        let entry = r#""input":{"dtype":"F32","shape":[2,1,2,2],"data_offsets":[0,32]}"#;
        let error = read(&format!("{{{entry},{entry}}}"), &[0.0; 8]).unwrap_err().to_string();
        insta::assert_snapshot!(error, @"x.safetensors: the header has the key `input` twice at line 1 column 72; write the file anew, with a name for each tensor");
        for bytes in [&b""[..], &[255; 40], &file("{", &[]), &file("\u{1b}", &[0.0])] {
            let error = Tensors::from_bytes(Path::new("x.safetensors"), bytes).unwrap_err().to_string();
            assert!(error.starts_with("x.safetensors is not a valid safetensors file: "), "{error}");
            assert!(!error.contains('\u{1b}'));
        }
    }
}
