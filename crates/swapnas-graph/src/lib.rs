//! Neural networks as graphs, and their execution over lanes of samples.
//!
//! A [`Graph`] is built once per architecture by a [`GraphBuilder`], which infers every shape,
//! merges common subexpressions and names modules and parameters as PyTorch does. A [`Plan`] says how
//! to compute what is wanted of a graph ([`Want`]); an [`Executor`] runs plans on a [`Batch`] of
//! images with [`Weights`] that are drawn or loaded, and shows the signs of all ReLUs to an
//! [`Observer`]. Gradients are in [`grad`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use swapnas_graph::{
//!     Batch, Conv, Draw, Executor, GraphBuilder, Init, Level, Plan, Shape, Want, Weights, Window,
//! };
//!
//! let mut b = GraphBuilder::new(Shape::new(1, 4, 4));
//! let x = b.conv2d("conv", b.input(), Conv::new(8, Window::square(3)))?;
//! let x = b.relu("relu", x)?;
//! let logits = b.global_avg_pool("pool", x)?;
//! let graph = Arc::new(b.finish(&[logits]));
//! assert_eq!(graph.parameter_count(), 8 * 3 * 3);
//!
//! let plan = Plan::new(graph, &Want { signs: false, values: vec![logits] });
//! let batch = Batch::<f32>::from_nchw(2, Shape::new(1, 4, 4), &[0.5; 32])?;
//! let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 0, repeat: 0, network: None });
//! let mut executor = Executor::new(Level::best());
//! executor.run(&plan, &batch, weights, None, &mut ())?;
//! assert_eq!(executor.value(&plan, &batch, logits).unwrap().len(), 2 * 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod builder;
mod count;
mod division;
mod element;
mod error;
mod exec;
mod finite;
mod flops;
pub mod grad;
mod graph;
mod id;
mod init;
mod json;
mod key;
mod lower;
mod magnitude;
mod nearest;
mod op;
pub mod option;
mod plain;
mod plan;
mod shape;
mod statistics;
mod tensors;
mod window;

pub use batch::{Batch, BatchError};
pub use builder::GraphBuilder;
pub use element::Element;
pub use error::GraphError;
pub use exec::{Block, Executor, Observer, RunError, Signs, ValueCache, Weights};
pub use flops::Flops;
pub use graph::{Graph, Module, ModuleKind, Node, Param, ParamKind};
pub use id::{ParamId, ValueId};
pub use init::{Draw, Init, UnknownInit};
pub use json::read_json;
pub use key::Key;
pub use lower::{Relu, Want};
pub use nearest::nearest;
pub use op::{AvgPool, BatchNorm, Conv, Conv2d, Epsilon, Linear, MaxPool, Op, Slice, tensor};
pub use plain::{Plain, plain, plain_lines, plain_sentence};
pub use plan::Plan;
pub use shape::Shape;
pub use statistics::FixedStatistics;
pub use swapnas_lanes::activation::{OnnxInput, OnnxNode};
pub use swapnas_lanes::kernels::moments::Moments;
pub use swapnas_lanes::{Activation, Level, LevelError, MOST_DIMS, Strided};
pub use tensors::{Tensor, Tensors, TensorsError};
pub use window::{Padding, Window};
