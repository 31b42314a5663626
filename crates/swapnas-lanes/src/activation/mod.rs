//! Activation functions, a file for each: its value with the first and second derivative, how large it can be, whether
//! its signs are counted, and what it is called in messages, in ONNX files and in PyTorch.
//!
//! Kernels apply them in passes that they make anyway ([`rows`](crate::kernels::rows)) and take gradients through them
//! ([`chain`](crate::kernels::chain)). To add one is to write its file and to name it here four times: as a module, as
//! an [`Activation`], in [`Activation::EACH`] and in `with_curve`.

pub(crate) mod gelu;
pub(crate) mod hard_sigmoid;
pub(crate) mod hard_swish;
mod identity;
pub(crate) mod leaky_relu;
mod onnx;
pub(crate) mod relu;
pub(crate) mod relu6;
pub(crate) mod sigmoid;
pub(crate) mod silu;

pub use onnx::{OnnxInput, OnnxNode};

pub(crate) use identity::Identity;

use crate::simd::Simd;
use crate::{Element as _, Real};

/// Activation functions, each applied element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x * sigmoid(x), also called swish.
    Silu,
    /// x * Phi(x) with the exact Gaussian distribution function, as PyTorch's default.
    Gelu,
    /// x * min(max(x + 3, 0), 6) / 6.
    HardSwish,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// min(max(x + 3, 0), 6) / 6.
    HardSigmoid,
    /// x where it is above 0, slope * x elsewhere.
    LeakyRelu {
        /// The slope of negative numbers, 0.01 for PyTorch and ONNX unless told otherwise.
        slope: Real,
    },
}

/// An expression with the [`Curve`] of an activation by that name, compiled for each of them.
macro_rules! with_curve {
    ($activation:expr, $curve:ident => $result:expr) => {{
        use $crate::activation::Activation;
        macro_rules! with {
            ($of:expr) => {{
                let $curve = $of;
                $result
            }};
        }
        match $activation {
            Activation::Relu => with!($crate::activation::relu::Relu),
            Activation::Relu6 => with!($crate::activation::relu6::Relu6),
            Activation::Silu => with!($crate::activation::silu::Silu),
            Activation::Gelu => with!($crate::activation::gelu::Gelu),
            Activation::HardSwish => with!($crate::activation::hard_swish::HardSwish),
            Activation::Sigmoid => with!($crate::activation::sigmoid::Sigmoid),
            Activation::HardSigmoid => with!($crate::activation::hard_sigmoid::HardSigmoid),
            Activation::LeakyRelu { slope } => with!($crate::activation::leaky_relu::LeakyRelu { slope }),
        }
    }};
}

pub(crate) use with_curve;

/// Asks a node of ONNX for the number that an attribute has, or else for the one given.
pub type OnnxNumbers<'a> = &'a mut dyn FnMut(&'static str, f64) -> f64;

/// A function with its first and second derivative.
pub(crate) trait Curve: Copy {
    /// The function.
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V;

    /// Its derivative. Where that jumps, it is the one that PyTorch takes: that of the left side at 0, of the flat side
    /// at the other ends.
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V;

    /// Its second derivative.
    fn second_derivative<S: Simd>(self, simd: S, x: S::V) -> S::V;
}

/// What is to be known of an activation besides.
trait Facts: Copy {
    /// The name used in messages.
    fn name(self) -> &'static str;

    /// See [`Activation::number`].
    fn number(self) -> Option<Real> {
        None
    }

    /// See [`Activation::is_gate`].
    fn is_gate(self) -> bool;

    /// See [`Activation::is_piecewise_linear`].
    fn is_piecewise_linear(self) -> bool {
        false
    }

    /// See [`Activation::bound`].
    fn bound(self, bound: f64) -> f64;

    /// See [`Activation::torch`].
    fn torch(self) -> String;

    /// See [`Activation::onnx`].
    fn onnx(self) -> Vec<OnnxNode>;

    /// See [`Activation::of_onnx`].
    fn of_onnx(self, _operator: &str, _number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        None
    }
}

impl Activation {
    /// Each of them; of those with a number, one.
    pub const EACH: [Activation; 8] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Silu,
        Activation::Gelu,
        Activation::HardSwish,
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::LeakyRelu { slope: Real::new(0.01).unwrap() },
    ];

    /// The name used in messages.
    pub fn name(self) -> &'static str {
        with_curve!(self, curve => curve.name())
    }

    /// The number that it has besides its name, if it has one.
    pub fn number(self) -> Option<Real> {
        with_curve!(self, curve => curve.number())
    }

    /// Whether it lets positive numbers through and holds back negative ones: ReLU and its kin. The signs of what such
    /// activations are given make up sample-wise patterns.
    pub fn is_gate(self) -> bool {
        with_curve!(self, curve => curve.is_gate())
    }

    /// Whether the second derivative need not be taken, since it vanishes wherever there is one.
    pub fn is_piecewise_linear(self) -> bool {
        with_curve!(self, curve => curve.is_piecewise_linear())
    }

    /// How large it can be in magnitude, of numbers that are no larger than `bound`.
    pub fn bound(self, bound: f64) -> f64 {
        with_curve!(self, curve => curve.bound(bound))
    }

    /// The module of PyTorch, as in `nn.ReLU()`.
    pub fn torch(self) -> String {
        with_curve!(self, curve => curve.torch())
    }

    /// The nodes of ONNX that compute it, the last of them the result.
    pub fn onnx(self) -> Vec<OnnxNode> {
        with_curve!(self, curve => curve.onnx())
    }

    /// The activation that an operator of ONNX computes whose attributes are numbers, if it is one; or what is
    /// supported, if these are others.
    pub fn of_onnx(operator: &str, number: OnnxNumbers<'_>) -> Option<Result<Self, &'static str>> {
        Activation::EACH
            .into_iter()
            .find_map(|activation| with_curve!(activation, curve => curve.of_onnx(operator, &mut *number)))
    }
}

/// The same number for every sample.
#[inline(always)]
fn number<S: Simd>(simd: S, x: f64) -> S::V {
    simd.splat(S::E::from_f64(x))
}
