//! Neural networks as graphs, and their execution over lanes of samples.
//!
//! A [`Graph`] is built once per architecture by a [`GraphBuilder`], which infers every shape,
//! merges common subexpressions and names modules and parameters as PyTorch does. A [`Plan`] says how
//! to compute what is wanted of a graph ([`Want`]); an [`Executor`] runs plans on a [`Batch`] of
//! images with [`Weights`] that are drawn or loaded, and shows the signs of all ReLUs to an
//! [`Observer`]. Gradients are in [`grad`].

mod batch;
mod builder;
mod count;
mod division;
mod element;
mod error;
mod exec;
pub mod grad;
mod graph;
mod init;
mod json;
mod key;
mod magnitude;
mod nearest;
mod op;
mod plain;
mod plan;
mod shape;
mod statistics;
pub mod tensor;
mod tensors;

pub use batch::{Batch, BatchError};
pub use builder::{Conv, GraphBuilder};
pub use count::Flops;
pub use element::Element;
pub use error::GraphError;
pub use exec::{Block, Executor, Observer, RunError, Signs, ValueCache, Weights};
pub use graph::{Graph, Module, ModuleKind, Node, Param, ParamId, ParamKind, ValueId};
pub use init::{Draw, Init, UnknownInit};
pub use json::read_json;
pub use key::Key;
pub use nearest::nearest;
pub use op::{Activation, Epsilon, Op, Padding, Window};
pub use plain::{Plain, plain, plain_lines, plain_sentence};
pub use plan::{Plan, Relu, Want};
pub use shape::Shape;
pub use statistics::Statistics;
pub use swapnas_lanes::kernels::moments::Moments;
pub use swapnas_lanes::{Level, LevelError, MOST_DIMS, Strided};
pub use tensors::{Tensor, Tensors, TensorsError};
