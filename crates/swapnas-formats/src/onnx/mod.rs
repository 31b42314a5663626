//! Networks as ONNX files.
//!
//! [`export`] writes every node of a graph, so that all parameters are there under their names. Batch
//! normalisations run with fixed statistics, as ONNX has them outside of training: those that are given, for
//! which [`FixedStatistics::measure`] takes them from a batch.
//!
//! [`read`] makes a graph of such a file, or of one that another program wrote.

mod export;
mod proto;
mod read;
#[cfg(test)]
mod tests;

use swapnas_graph::{FixedStatistics, Padding, TensorsError, Weights, Window};

pub use export::{check, export};
pub use read::{
    Images, InputProblem, Limit, NodeName, Problem, ReadError, Reading, read, read_with_weights,
    read_with_weights_beside,
};

/// The version of the operators: the lowest one that has all that is needed.
pub const OPSET: i64 = 17;

/// The version of the format that came with it.
const IR_VERSION: i64 = 8;

/// Whether a window may lie within the padding, where a pool has nothing to look at.
fn leaves_the_image(window: &Window) -> bool {
    let reach = |axis: usize| (window.kernel[axis] as i64 - 1) * window.dilation[axis] as i64 + 1;
    let Padding { top, left, bottom, right } = window.padding;
    [(top, 0), (bottom, 0), (left, 1), (right, 1)]
        .into_iter()
        .any(|(padding, axis)| i64::from(padding) >= reach(axis))
}

/// What is in a file beside the graph.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The parameters.
    pub weights: Weights<'a>,
    /// What batch normalisations subtract and divide by; mean 0 and variance 1 where there are none.
    pub statistics: &'a FixedStatistics,
    /// For the readers of the file.
    pub about: &'a str,
}

/// A network that cannot be written as ONNX.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The graph returns nothing.
    #[error("the network returns nothing, so the file would have no output")]
    NoOutput,
    /// The file would have more bytes than its format allows.
    #[error(
        "the network has {parameters} parameters, but an ONNX file cannot be larger than 2 GB; use fewer channels"
    )]
    TooLarge {
        /// Parameters of the network.
        parameters: u64,
    },
    /// A pool that does not read all of its input.
    #[error("{module}: the {op} with kernel {}x{} cuts pixels away, which ONNX cannot say; give it a padding of 0 or more", kernel[0], kernel[1])]
    Cut {
        /// Path of the module.
        module: String,
        /// The operation.
        op: &'static str,
        /// Its kernel.
        kernel: [usize; 2],
    },
    /// A pool that looks at padding alone.
    #[error(
        "{module}: the {op} has windows that lie within its padding, which ONNX Runtime refuses; give it less padding \
         than its kernel is wide"
    )]
    Outside {
        /// Path of the module.
        module: String,
        /// The operation.
        op: &'static str,
    },
    /// A matrix product that adds several elements up in one place.
    #[error(
        "{module}: the matrix product has several elements in one place, which ONNX cannot say; give each its own"
    )]
    Overlap {
        /// Path of the module.
        module: String,
    },
    /// An average pool that leaves out pixels between those that it reads.
    #[error(
        "{module}: the average pool has dilation {}x{}, but ONNX has only 1x1 before version 19 of its \
         operators, and the file is of version {OPSET}; use a dense window",
        dilation[0], dilation[1]
    )]
    Dilation {
        /// Path of the module.
        module: String,
        /// Its dilation.
        dilation: [usize; 2],
    },
    /// Weights are missing or have another shape.
    #[error(transparent)]
    Weights(#[from] TensorsError),
}
