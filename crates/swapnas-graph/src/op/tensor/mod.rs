//! Operations on the elements of single samples in whatever order they lie: what transformers are made of, and
//! transposed convolutions. A file for each.
//!
//! A value is all elements of a sample one after the other, channel by channel, whatever dimensions it has for those
//! who think of it as tokens, heads or matrices. [`Strided`](crate::Strided) views say which elements are meant, so
//! that transposing, splitting into heads, or taking a part costs nothing but a view. Values are read and written whole,
//! block by block.
//!
//! Executor and differentiator share what is computed here, which is written once for values and for their tangents
//! (`run.rs`).
//!
//! To add one is to write its file, to name it here four times (as a module, as a public name, as a [`TensorOp`] and in
//! `kernels`), and to give [`GraphBuilder`](crate::GraphBuilder) a method for it. Then the compiler asks for what it is in
//! ONNX and PyTorch.

mod constant;
mod embedding;
mod function;
mod join;
mod mean;
mod normalise;
mod parameter;
mod pick;
mod product;
mod rearrange;
pub(crate) mod run;
mod softmax;
mod transposed;

use swapnas_lanes::{Element, Lane};

pub use constant::Constant;
pub use embedding::Embedding;
pub use function::Function;
pub use join::Join;
pub use mean::Mean;
pub use normalise::{Norm, Normalise};
pub use parameter::Parameter;
pub use pick::Pick;
pub use rearrange::Rearrange;
pub use softmax::Softmax;
pub use swapnas_lanes::Real;
pub use swapnas_lanes::kernels::line::Axis;
pub use swapnas_lanes::kernels::product::Product;
pub use transposed::ConvTranspose;

pub(crate) use product::check as check_product;

use run::{Kernels, Operand};

use super::{Lowered, Op, Operator, Sizes, Work};
use crate::flops::Flops;
use crate::magnitude::Magnitude;
use crate::{GraphError, Key, ParamId, Shape, ValueId};

/// An operation on the elements of single samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TensorOp {
    /// The elements of a parameter, the same for every sample: a position embedding, a class token.
    Parameter(Parameter),
    /// Numbers that are no parameter, the same for every sample: a mask, a table of sines.
    Constant(Constant),
    /// The elements of a view.
    Rearrange(Rearrange),
    /// The elements at some places.
    Pick(Pick),
    /// Values joined along a dimension.
    Join(Join),
    /// The product of two matrices, or of many pairs.
    Product(Box<Product>),
    /// e^x divided by its sum along a dimension.
    Softmax(Softmax),
    /// A normalisation of each sample by itself.
    Normalise(Normalise),
    /// The mean along a dimension.
    Mean(Mean),
    /// A function of each element.
    Function(Function),
    /// Rows of a table.
    Embedding(Embedding),
    /// A convolution taken from what it returns to what it reads.
    ConvTranspose(ConvTranspose),
}

/// What is to be known of an operation to build, count and plan networks.
trait TensorOperator {
    /// The name used in messages.
    fn name(&self) -> &'static str;

    /// What it is besides its name and its parameters, if that is not all it has.
    fn attributes(&self) -> Option<Key> {
        None
    }

    /// The parameters it reads: the weight, and the bias.
    fn params(&self) -> [Option<ParamId>; 2] {
        [None; 2]
    }

    /// The same with other parameters, for each that it has; none if it has none.
    fn with_params(&self, _params: [Option<ParamId>; 2]) -> Option<TensorOp> {
        None
    }

    /// Multiply-accumulates for one sample.
    fn macs(&self) -> u64 {
        0
    }

    /// Operations of one sample in the torchstat convention.
    fn flops(&self) -> Flops {
        Flops::default()
    }

    /// Lanes that it takes for a block besides what it reads and writes.
    fn room(&self) -> usize {
        0
    }

    /// Whether networks have it as a module of its own, not as a function of values.
    fn is_module(&self) -> bool {
        false
    }

    /// Whether it is a layer as convolutions are, with a matrix of weights.
    fn is_layer(&self) -> bool {
        false
    }
}

impl TensorOp {
    /// What is known of it whatever it is computed of.
    fn operator(&self) -> &dyn TensorOperator {
        self.kernels::<f32, &[Lane<f32>]>()
    }

    fn kernels<'a, E: Element, R: Operand<'a, E>>(&self) -> &dyn Kernels<'a, E, R> {
        match self {
            TensorOp::Parameter(op) => op,
            TensorOp::Constant(op) => op,
            TensorOp::Rearrange(op) => op,
            TensorOp::Pick(op) => op,
            TensorOp::Join(op) => op,
            TensorOp::Product(op) => &**op,
            TensorOp::Softmax(op) => op,
            TensorOp::Normalise(op) => op,
            TensorOp::Mean(op) => op,
            TensorOp::Function(op) => op,
            TensorOp::Embedding(op) => op,
            TensorOp::ConvTranspose(op) => op,
        }
    }

    /// The name used in messages.
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }

    /// The parameters it reads: the weight, and the bias.
    pub(crate) fn params(&self) -> [Option<ParamId>; 2] {
        self.operator().params()
    }

    /// Multiply-accumulates for one sample; only matrix products and transposed convolutions have any.
    pub fn macs(&self) -> u64 {
        self.operator().macs()
    }

    /// Lanes that it takes for a block besides what it reads and writes.
    pub(crate) fn room(&self) -> usize {
        self.operator().room()
    }

    /// Whether networks have it as a module of its own, not as a function of values.
    pub fn is_module(&self) -> bool {
        self.operator().is_module()
    }

    /// Whether it is a layer as convolutions are, with a matrix of weights.
    pub(crate) fn is_layer(&self) -> bool {
        self.operator().is_layer()
    }

    /// How large numbers can be, given those of the inputs and the numbers of the parameters.
    pub(crate) fn magnitude<E: Element>(&self, bounds: &[f64], params: [&[E]; 2]) -> Magnitude {
        self.kernels::<E, &[Lane<E>]>().magnitude(bounds, params)
    }
}

impl Operator for TensorOp {
    fn name(&self) -> &'static str {
        TensorOp::name(self)
    }

    fn attributes(&self) -> Key {
        self.operator().attributes().unwrap_or_else(|| Key::of(self))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        TensorOp::params(self)
    }

    fn with_params(&self, params: [Option<ParamId>; 2]) -> Option<Op> {
        self.operator().with_params(params).map(Op::Tensor)
    }

    fn macs(&self, _sizes: &Sizes<'_>) -> u64 {
        TensorOp::macs(self)
    }

    fn flops(&self, _sizes: &Sizes<'_>) -> Flops {
        self.operator().flops()
    }

    fn lowered(&self, value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Tensor(value))
    }
}

/// Whether so many elements are all of a value.
fn fits(op: &'static str, elements: usize, shape: Shape) -> Result<(), GraphError> {
    if elements == shape.elements() && elements > 0 {
        return Ok(());
    }
    Err(unfit(op, format!("{elements} elements"), shape))
}

/// Whether a value has so many elements.
fn reaches(op: &'static str, elements: usize, input: Shape) -> Result<(), GraphError> {
    if elements <= input.elements() {
        return Ok(());
    }
    Err(unfit(op, format!("{elements} elements"), input))
}

/// Whether a dimension is one of a value.
fn has_axis(op: &'static str, axis: Axis, input: Shape) -> Result<(), GraphError> {
    let Axis { outer, len, inner } = axis;
    if axis.elements() == input.elements() && axis.elements() > 0 {
        return Ok(());
    }
    Err(unfit(op, format!("{outer} x {len} x {inner} elements"), input))
}

fn unfit(op: &'static str, expected: String, input: Shape) -> GraphError {
    GraphError::Channels { node: String::new(), op, expected, input }
}
