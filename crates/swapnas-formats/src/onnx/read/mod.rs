//! ONNX files as networks.
//!
//! Nodes are read one after the other. What depends on no image is computed at once: weights in other forms,
//! and shapes, in which the size of the batch stays open. Most other nodes are a call of the builder. Some
//! wait until it is known what becomes of them: a layer for its bias, zeros around an image for the window
//! that reads it, and the parts that exporters take activations to.

mod activations;
mod arithmetic;
mod attributes;
mod beside;
mod constant;
mod error;
mod functions;
mod input;
mod layers;
mod norms;
mod numbers;
mod operators;
mod parts;
mod pools;
mod products;
mod reader;
mod resize;
mod shapes;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod texts;
mod value;
mod views;

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;

pub use error::{InputProblem, Limit, NodeName, Problem, ReadError};
pub use input::{Images, Reading};

use super::proto::Model;
use swapnas_graph::{Graph, Tensor, Tensors};

/// The first version of operators that broadcast as they do today.
const FIRST_VERSION: i64 = 7;

/// The most rows or columns of an image.
const MOST_SIDE: u128 = 8192;

/// The most parameters of a network: more than any file of weights can have.
const MOST_PARAMETERS: u128 = 1 << 31;

/// The most operations of a network.
const MOST_VALUES: u128 = 1 << 18;

/// The most elements of a value.
const MOST_ELEMENTS: u128 = 1 << 40;

/// The most that a network computes of an image: multiply-accumulates, taps of pools, and elements of all else.
const MOST_WORK: u128 = 1 << 56;

/// The network of an ONNX file.
///
/// Its parameters are the initialisers that layers and batch normalisations read; one that several of them
/// read is a parameter of each, since exporters store equal ones once. Running statistics are none, and batch
/// normalisations have those of the batch. The numbers drawn for a parameter depend on what its layer is and
/// what it reads, back to the images: not on names and, but for layers that agree in all this, not on the order
/// of nodes. So files of equal networks get equal weights, and networks that begin alike share those of their
/// beginning.
///
/// The first output is taken for the logits, without a softmax or sigmoid at the end. The second output of the
/// graph is what the last layer on the way to them reads.
///
/// # Errors
/// If the bytes are no ONNX file, or the network is none of convolutions: the message names the node.
pub fn read(file: Vec<u8>, reading: impl Into<Reading>) -> Result<Graph, ReadError> {
    let model = decode(file)?;
    Ok(parts(&model, &reading.into())?.graph)
}

/// The same with the numbers of its parameters.
///
/// # Errors
/// Besides, if these are in another file or of another type than single or double precision.
pub fn read_with_weights(file: Vec<u8>, reading: impl Into<Reading>) -> Result<(Graph, Tensors), ReadError> {
    with_weights(&decode(file)?, &reading.into())
}

/// The same of a file in a folder where the files are that have its numbers, if it has not all of them itself.
///
/// # Errors
/// Besides, if a number is in none of these: files that are named must be in the folder, and not be reached by `..`.
pub fn read_with_weights_beside(
    file: Vec<u8>,
    folder: &Path,
    reading: impl Into<Reading>,
) -> Result<(Graph, Tensors), ReadError> {
    let mut model = decode(file)?;
    beside::bring(&mut model, folder)?;
    with_weights(&model, &reading.into())
}

fn with_weights(model: &Model, reading: &Reading) -> Result<(Graph, Tensors), ReadError> {
    let reader::Parts { graph, params } = parts(model, reading)?;
    let mut tensors = BTreeMap::new();
    for (param, constant) in graph.params().iter().zip(params) {
        let name = || constant.name().unwrap_or(&param.name).to_owned();
        let numbers = constant
            .numbers()
            .map_err(|reason| ReadError::Weights { name: error::quote(&name()), reason })?;
        tensors.insert(param.name.clone(), Tensor { shape: param.shape.clone(), numbers });
    }
    Ok((graph, Tensors::new("the ONNX file".into(), tensors)))
}

/// The message in the file; tensors stay where they are.
fn decode(file: Vec<u8>) -> Result<Model, ReadError> {
    Model::decode(Bytes::from(file)).map_err(|error| ReadError::Format(error.to_string()))
}

fn parts<'m>(model: &'m Model, reading: &'m Reading) -> Result<reader::Parts<'m>, ReadError> {
    let graph = model.graph.as_ref().ok_or(ReadError::NoGraph)?;
    let operators = model.opset_import.iter().find(|set| is_onnx(&set.domain));
    let version = match operators.map(|set| set.version) {
        Some(version) if version < FIRST_VERSION => return Err(ReadError::Version(version)),
        Some(version) => version,
        None if graph.node.is_empty() => return Err(ReadError::NoGraph),
        // A file that does not say it is of a writer that knows only what is new.
        None => i64::MAX,
    };
    reader::read(graph, version, reading)
}

/// Whether operators of a domain are those of ONNX itself.
fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}
