use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use crate::Param;

/// Named tensors of `f32`, as read from a safetensors file.
#[derive(Clone, Debug, Default)]
pub struct Tensors {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
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
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no safetensors file.
    #[error("{} is not a valid safetensors file: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: safetensors::SafeTensorError,
    },
    /// A tensor that a network needs is not there.
    #[error("{} has no tensor '{name}', which the network needs with shape {expected:?}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Shape of the tensor.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the network's parameter.
    #[error("{}: tensor '{name}' has shape {found:?}, but the network needs {expected:?}", path.display())]
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
}

impl Tensors {
    /// Tensors by their names; `path` is what messages call the file.
    pub fn new(path: PathBuf, tensors: BTreeMap<String, Tensor>) -> Self {
        Tensors { path, tensors }
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
        let file = SafeTensors::deserialize(bytes)
            .map_err(|source| TensorsError::Format { path: path.to_owned(), source })?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                continue;
            }
            let (numbers, _) = view.data().as_chunks::<4>();
            let numbers = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
            tensors.insert(name, Tensor { shape: view.shape().to_vec(), numbers });
        }
        Ok(Tensors { path: path.to_owned(), tensors })
    }

    /// The file they were read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A tensor by name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The numbers of a parameter.
    ///
    /// # Errors
    /// If there is no tensor of its name, or one of another shape.
    pub fn param(&self, param: &Param) -> Result<&[f32], TensorsError> {
        let tensor = self.get(&param.name).ok_or_else(|| TensorsError::Missing {
            path: self.path.clone(),
            name: param.name.clone(),
            expected: param.shape.clone(),
        })?;
        if tensor.shape != param.shape {
            return Err(TensorsError::Shape {
                path: self.path.clone(),
                name: param.name.clone(),
                expected: param.shape.clone(),
                found: tensor.shape.clone(),
            });
        }
        Ok(&tensor.numbers)
    }
}
