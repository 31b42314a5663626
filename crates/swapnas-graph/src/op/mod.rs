//! Operators, a file for each: what it has besides its inputs, the shape of what it returns, how much it counts, how
//! large its numbers can be, what the executor and the differentiator make of it, and its kernels forward and back as
//! far as these are its own.
//!
//! Nothing here knows of graphs, plans or passes. An operator with a kernel of its own is best one that reads and writes
//! whole blocks, and what adding one takes is said in [`tensor`]. The others are what convolutional networks are made of:
//! the executor works through them in bands of rows and leaves some of them pending, and so knows them ([`Work`]).

mod activation;
mod add;
mod batch_norm;
mod concat;
mod conv;
mod input;
mod linear;
mod lowered;
mod mean;
mod mul;
mod pool;
mod slice;
pub mod tensor;
mod zero;

pub use batch_norm::{BatchNorm, Epsilon};
pub use conv::{Conv, Conv2d};
pub use linear::Linear;
pub use pool::{AvgPool, MaxPool};
pub use slice::Slice;

pub(crate) use add::Add;
pub(crate) use concat::Concat;
pub(crate) use lowered::{Lowered, Work};
pub(crate) use mean::GlobalAvgPool;
pub(crate) use mul::Mul;
pub(crate) use pool::Pooling;

use input::Input;
use tensor::TensorOp;
use zero::Zero;

use crate::flops::Flops;
use crate::{Activation, GraphError, Key, ParamId, Shape, ValueId, Window};

/// What a node computes from its inputs.
///
/// Nodes know nothing of batches; only [`Op::BatchNorm`] mixes samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The image.
    Input,
    /// Zeros of the node's shape.
    Zero,
    /// Convolution.
    Conv2d(Conv2d),
    /// Batch normalisation.
    BatchNorm(BatchNorm),
    /// An activation function.
    Act(Activation),
    /// Maximum over a window.
    MaxPool(MaxPool),
    /// Mean over a window.
    AvgPool(AvgPool),
    /// Mean over all pixels of a channel.
    GlobalAvgPool,
    /// A fully connected layer.
    Linear(Linear),
    /// Sum of any number of values of one shape.
    Add,
    /// Product of two values; the second may be 1x1 and then scales whole channels.
    Mul,
    /// Values joined along the channels.
    Concat,
    /// Some channels of a value.
    Slice(Slice),
    /// An operation on the elements of single samples in whatever order they lie.
    Tensor(TensorOp),
}

/// What is to be known of an operator to build, count and plan networks.
pub(crate) trait Operator {
    /// The name used in messages.
    fn name(&self) -> &'static str;

    /// What it is besides its name and parameters.
    fn attributes(&self) -> Key {
        Key::of(())
    }

    /// The parameters it reads: the weight, and the bias.
    fn params(&self) -> [Option<ParamId>; 2] {
        [None; 2]
    }

    /// The same with other parameters, for each that it has; none if it has none.
    fn with_params(&self, _params: [Option<ParamId>; 2]) -> Option<Op> {
        None
    }

    /// Multiply-accumulates of one sample.
    fn macs(&self, _sizes: &Sizes<'_>) -> u64 {
        0
    }

    /// Operations of one sample in the torchstat convention.
    fn flops(&self, _sizes: &Sizes<'_>) -> Flops {
        Flops::default()
    }

    /// What the kernels do where `value` is computed by it from an image of this shape.
    fn lowered(&self, value: ValueId, input: Shape) -> Lowered;
}

/// What the counts of an operator depend on besides itself.
pub(crate) struct Sizes<'a> {
    /// Shape of the first thing that is read.
    pub input: Shape,
    /// Shape of the result.
    pub output: Shape,
    /// Dimensions of the weight.
    pub weight: &'a [usize],
}

impl Op {
    fn operator(&self) -> &dyn Operator {
        match self {
            Op::Input => &Input,
            Op::Zero => &Zero,
            Op::Conv2d(op) => op,
            Op::BatchNorm(op) => op,
            Op::Act(op) => op,
            Op::MaxPool(op) => op,
            Op::AvgPool(op) => op,
            Op::GlobalAvgPool => &GlobalAvgPool,
            Op::Linear(op) => op,
            Op::Add => &Add,
            Op::Mul => &Mul,
            Op::Concat => &Concat,
            Op::Slice(op) => op,
            Op::Tensor(op) => op,
        }
    }

    /// The name used in messages.
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }

    /// What it is besides its name and parameters, as a key of the values it computes.
    pub fn attributes(&self) -> Key {
        self.operator().attributes()
    }

    /// The parameters it reads, weights first.
    pub fn params(&self) -> impl Iterator<Item = ParamId> + use<> {
        self.weight_and_bias().into_iter().flatten()
    }

    /// The parameters it reads: what it takes as weight, and what as bias.
    pub fn weight_and_bias(&self) -> [Option<ParamId>; 2] {
        self.operator().params()
    }

    /// The same with other parameters, in their order: `other` gives one for each.
    pub(crate) fn with_params(&self, mut other: impl FnMut(ParamId) -> ParamId) -> Op {
        let params = self.weight_and_bias().map(|id| id.map(&mut other));
        self.operator().with_params(params).unwrap_or_else(|| self.clone())
    }

    pub(crate) fn macs(&self, sizes: &Sizes<'_>) -> u64 {
        self.operator().macs(sizes)
    }

    pub(crate) fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        self.operator().flops(sizes)
    }

    pub(crate) fn lowered(&self, value: ValueId, input: Shape) -> Lowered {
        self.operator().lowered(value, input)
    }
}

/// The shape of what is seen of each channel of an image through a window.
pub(crate) fn windowed(op: &'static str, window: &Window, input: Shape) -> Result<Shape, GraphError> {
    let Some((height, width)) = window.output(input.height, input.width) else {
        return Err(GraphError::WindowTooLarge { node: String::new(), op, kernel: window.kernel, input });
    };
    Ok(Shape { height, width, ..input })
}

/// The first of some values, and whether the others are like it.
fn alike(
    op: &'static str,
    shapes: &[Shape],
    is_like: impl Fn(Shape, Shape) -> bool,
) -> Result<Shape, GraphError> {
    let Some(&first) = shapes.first() else {
        return Err(GraphError::NoInputs { node: String::new(), op });
    };
    match shapes.iter().find(|other| !is_like(first, **other)) {
        Some(&other) => Err(GraphError::ShapeMismatch { node: String::new(), op, first, other }),
        None => Ok(first),
    }
}
