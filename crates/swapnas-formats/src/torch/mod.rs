//! Networks as PyTorch code.
//!
//! [`module`] writes a graph as one Python file that imports nothing but `torch`. Its class `Network` has
//! the modules that the graph lists, under the same paths, so that a `state_dict` of the benchmark's own
//! code can be loaded, and one of ours. Values have the dimensions of images throughout, tokens being pixels of one
//! row; layers of tokens get them channels last. Modules whose results nobody reads are there, but are not called.
//!
//! ```
//! use swapnas_formats::torch;
//! use swapnas_graph::{Conv, GraphBuilder, Shape, Window};
//!
//! let mut b = GraphBuilder::new(Shape::new(3, 32, 32));
//! let x = b.input();
//! let x = b.conv2d("stem", x, Conv::new(16, Window::square(3)))?;
//! let x = b.relu("act", x)?;
//! let x = b.mean(x)?;
//! let logits = b.linear("classifier", x, 10, true)?;
//! b.container(b.input(), logits);
//! let code = torch::module(&b.finish(&[logits]), "A small network.")?;
//! assert!(code.contains("self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)"));
//! assert!(code.contains("return self.classifier(x.mean((2, 3)))"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod chain;
mod class;
mod constant;
mod expr;
mod layer;
mod name;
mod norm;
mod tensor;
#[cfg(test)]
mod tests;
mod tree;

use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{Graph, Op};

use crate::arrangement::Arrangement;

/// A network that cannot be written as PyTorch code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorchError {
    /// The graph returns nothing.
    #[error("the network returns nothing, so there is nothing for `forward` to return")]
    NoOutput,
    /// A pool that PyTorch does not have.
    #[error(
        "{module}: PyTorch has no average pool that leaves out a padding that differs from side to side or \
         is more than half of the kernel; count the padding, or pad less"
    )]
    Padding {
        /// Path of the module.
        module: String,
    },
    /// An average pool that leaves out pixels between those that it reads.
    #[error("{module}: PyTorch has no average pool with dilation {}x{}; use a dense window", dilation[0], dilation[1])]
    Dilation {
        /// Path of the module.
        module: String,
        /// Its dilation.
        dilation: [usize; 2],
    },
    /// A matrix product that adds several elements up in one place.
    #[error(
        "value {value}: the matrix product has several elements in one place, which PyTorch cannot say; give each its own"
    )]
    Overlap {
        /// Number of the node.
        value: usize,
    },
    /// A module of a name that is something else in PyTorch.
    #[error(
        "{module}: PyTorch's modules have something of their own of that name; give the module another one"
    )]
    Taken {
        /// Path of the module.
        module: String,
    },
    /// A parameter that is named as one of a layer, which has no such.
    #[error(
        "{parameter}: the layer of that name has no such parameter; give the parameter a name outside of layers"
    )]
    Foreign {
        /// Its name.
        parameter: String,
    },
    /// A value that no module and no function computes from what its module is given.
    #[error("{module}: value {value} is computed by no module within it and is not handed to it")]
    Unreachable {
        /// Path of the module, or "the network" for all of it.
        module: String,
        /// Number of the node.
        value: usize,
    },
}

/// The network as Python code, with `about` as a comment at its beginning.
///
/// The class `Network` takes images `(batch, channels, height, width)`, or tokens `(batch, length)` if it is one of texts,
/// and returns the first output of the
/// graph, of shape `(batch, classes)` for one of a linear layer. Batch normalisations keep running
/// statistics, as PyTorch's do.
///
/// # Errors
/// If the graph has something that PyTorch has not, or its modules do not compute its first output.
pub fn module(graph: &Graph, about: &str) -> Result<String, TorchError> {
    if graph.outputs().is_empty() {
        return Err(TorchError::NoOutput);
    }
    for (value, node) in graph.values() {
        if let Op::Tensor(TensorOp::Product(product)) = &node.op
            && !Arrangement::of(&product.out, node.shape).is_all()
        {
            return Err(TorchError::Overlap { value: value.index() });
        }
    }
    class::file(graph, about)
}
