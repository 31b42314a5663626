//! Operations on the elements of single samples in whatever order they lie: what transformers are made of, and
//! transposed convolutions.
//!
//! A value is all elements of a sample one after the other, channel by channel, whatever dimensions it has for those
//! who think of it as tokens, heads or matrices. [`Strided`] views say which elements are meant, so that transposing,
//! splitting into heads, or taking a part costs nothing but a view. Values are read and written whole, block by block.
//!
//! Executor and differentiator share what is computed here (`run.rs`), which is written once for values and for their
//! tangents.

mod build;
mod function;
pub(crate) mod run;
mod transposed;

use std::sync::Arc;

use swapnas_lanes::{Element, Strided};

pub use build::Norm;
pub use function::Function;
pub use swapnas_lanes::Real;
pub use swapnas_lanes::kernels::line::Axis;
pub use swapnas_lanes::kernels::product::Product;
pub use transposed::ConvTranspose;

use crate::magnitude::{self, Magnitude};
use crate::{Epsilon, Key, ParamId};

/// An operation on the elements of single samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TensorOp {
    /// The elements of a parameter, the same for every sample: a position embedding, a class token.
    Parameter(ParamId),
    /// Numbers that are no parameter, the same for every sample: a mask, a table of sines.
    Constant(Arc<[Real]>),
    /// The elements of a view.
    Rearrange(Strided),
    /// The elements at these places.
    Pick(Arc<[u32]>),
    /// Values joined along a dimension with so many elements before and behind it.
    Join {
        /// Elements of the dimensions before it.
        outer: usize,
        /// Elements of the dimensions behind it.
        inner: usize,
    },
    /// The product of two matrices, or of many pairs.
    Product(Box<Product>),
    /// e^x divided by its sum along a dimension.
    Softmax(Axis),
    /// A normalisation of each sample by itself.
    Normalise(Normalise),
    /// The mean along a dimension.
    Mean(Axis),
    /// A function of each element.
    Function(Function),
    /// Rows of a table, `[row, feature]`, whose numbers are the elements. The result has a channel for each feature. A
    /// row that the table has not makes no number, which is an error of the run.
    Embedding(ParamId),
    /// A convolution taken from what it returns to what it reads.
    ConvTranspose(ConvTranspose),
}

/// Layer, group, instance or RMS normalisation.
///
/// `(x - mean) / sqrt(variance + eps)` with mean and biased variance along a dimension, or without subtracting the
/// mean, `x / sqrt(mean of x^2 + eps)`; then times weight plus bias if there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Normalise {
    /// Along what.
    pub axis: Axis,
    /// eps.
    pub epsilon: Epsilon,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Factors.
    pub weight: Option<ParamId>,
    /// Summands.
    pub bias: Option<ParamId>,
    /// So many elements that follow each other have the same weight and bias.
    pub alike: usize,
}

impl TensorOp {
    /// The name used in messages.
    pub fn name(&self) -> &'static str {
        match self {
            TensorOp::Parameter(_) => "parameter",
            TensorOp::Constant(_) => "constant",
            TensorOp::Rearrange(_) => "rearrangement",
            TensorOp::Pick(_) => "selection",
            TensorOp::Join { .. } => "joined values",
            TensorOp::Product(_) => "matrix product",
            TensorOp::Softmax(_) => "softmax",
            TensorOp::Normalise(_) => "normalisation",
            TensorOp::Mean(_) => "mean",
            TensorOp::Function(_) => "function",
            TensorOp::Embedding(_) => "embedding",
            TensorOp::ConvTranspose(_) => "transposed convolution",
        }
    }

    /// The parameters it reads: the weight, and the bias.
    pub(crate) fn params(&self) -> [Option<ParamId>; 2] {
        match *self {
            TensorOp::Parameter(id) | TensorOp::Embedding(id) => [Some(id), None],
            TensorOp::Normalise(Normalise { weight, bias, .. }) => [weight, bias],
            TensorOp::ConvTranspose(ConvTranspose { weight, bias, .. }) => [Some(weight), bias],
            _ => [None; 2],
        }
    }

    /// The same, to be changed.
    pub(crate) fn params_mut(&mut self) -> [Option<&mut ParamId>; 2] {
        match self {
            TensorOp::Parameter(id) | TensorOp::Embedding(id) => [Some(id), None],
            TensorOp::Normalise(Normalise { weight, bias, .. }) => [weight.as_mut(), bias.as_mut()],
            TensorOp::ConvTranspose(ConvTranspose { weight, bias, .. }) => [Some(weight), bias.as_mut()],
            _ => [None, None],
        }
    }

    /// Multiply-accumulates for one sample; only matrix products and transposed convolutions have any.
    pub fn macs(&self) -> u64 {
        match self {
            TensorOp::Product(product) => product.macs(),
            TensorOp::ConvTranspose(of) => of.macs(),
            _ => 0,
        }
    }

    /// Lanes that it takes for a block besides what it reads and writes: weights of a tap, and pixels with channels last.
    pub(crate) fn room(&self) -> usize {
        match self {
            TensorOp::ConvTranspose(of) => {
                let pixels = of.input.elements().max(of.output.elements());
                of.weights_of_tap().saturating_add(pixels)
            }
            _ => 0,
        }
    }

    /// What it is besides its name and its parameters.
    pub(crate) fn attributes(&self) -> Key {
        match self {
            TensorOp::Parameter(_) | TensorOp::Embedding(_) => Key::of(()),
            TensorOp::Normalise(Normalise { axis, epsilon, centred, weight, bias, alike }) => {
                Key::of((axis, epsilon, centred, weight.is_some(), bias.is_some(), alike))
            }
            TensorOp::ConvTranspose(ConvTranspose { window, groups, bias, input, output, .. }) => {
                Key::of((window, groups, bias.is_some(), input, output))
            }
            other => Key::of(other),
        }
    }

    /// How large numbers can be, given those of the inputs and the numbers of the parameters.
    pub(crate) fn magnitude<E: Element>(&self, bounds: &[f64], params: [&[E]; 2]) -> Magnitude {
        let first = bounds.first().copied().unwrap_or(0.0);
        match self {
            TensorOp::Parameter(_) => Magnitude::plain(magnitude::of_numbers(params[0])),
            // Where a row is asked for that there is not, there is no number, so they are looked at.
            TensorOp::Embedding(_) => Magnitude::plain(f64::INFINITY),
            TensorOp::Constant(numbers) => {
                Magnitude::plain(numbers.iter().map(|x| x.number().abs()).fold(0.0, magnitude::larger))
            }
            TensorOp::Rearrange(_) | TensorOp::Pick(_) => Magnitude::plain(first),
            TensorOp::Join { .. } => Magnitude::plain(bounds.iter().copied().fold(0.0, magnitude::larger)),
            TensorOp::Product(product) => {
                let terms = product.a.sizes().last().map_or(0, |terms| *terms);
                Magnitude::plain(bounds.iter().product::<f64>() * terms as f64)
            }
            TensorOp::Softmax(_) => Magnitude { result: 1.0, within: first },
            TensorOp::Normalise(of) => {
                let len = of.axis.len as f64;
                let weight = if of.weight.is_some() { magnitude::of_numbers(params[0]) } else { 1.0 };
                let bias = if of.bias.is_some() { magnitude::of_numbers(params[1]) } else { 0.0 };
                Magnitude { result: len.sqrt() * weight + bias, within: first * first * len }
            }
            TensorOp::Mean(axis) => Magnitude { result: first, within: first * axis.len as f64 },
            TensorOp::Function(function) => function.magnitude(first),
            TensorOp::ConvTranspose(of) => {
                let bias = if of.bias.is_some() { magnitude::of_numbers(params[1]) } else { 0.0 };
                Magnitude::weighted(first, of.largest_sum(params[0]), bias)
            }
        }
    }
}
