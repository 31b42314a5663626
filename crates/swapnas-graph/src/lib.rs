//! Neural networks as graphs.
//!
//! A [`Graph`] is built once per architecture by a [`GraphBuilder`], which infers every shape,
//! merges common subexpressions and names modules and parameters as PyTorch does.

mod builder;
mod count;
mod error;
mod graph;
mod key;
mod op;
mod shape;

pub use builder::{Conv, GraphBuilder};
pub use count::Flops;
pub use error::GraphError;
pub use graph::{Graph, Module, ModuleKind, Node, Param, ParamId, ParamKind, ValueId};
pub use key::Key;
pub use op::{Activation, Op, Padding, Window};
pub use shape::Shape;
