//! Batch normalisation. It is not written but applied by whoever reads it (`exec/step.rs`); gradients and statistics of
//! other kinds than those of the batch are in `grad/norm/`.

use std::fmt;

use super::{Lowered, Op, Operator, Sizes};
use crate::flops::Flops;
use crate::{Key, ParamId, Shape, ValueId};

/// (x - mean) / sqrt(variance + eps) with mean and biased variance over batch and pixels of each channel, then times
/// weight plus bias if there are any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchNorm {
    /// Weight and bias, each `[channels]`.
    pub affine: Option<(ParamId, ParamId)>,
    /// eps.
    pub epsilon: Epsilon,
}

/// What a batch normalisation adds to the variance, so that it divides by no zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epsilon(u64);

impl Epsilon {
    /// A finite number from 0 on.
    pub fn new(number: f64) -> Option<Self> {
        (number >= 0.0 && number.is_finite()).then_some(Epsilon(number.to_bits()))
    }

    /// The number.
    pub const fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Default for Epsilon {
    /// 1e-5, as PyTorch has it unless told otherwise.
    fn default() -> Self {
        Epsilon(1e-5f64.to_bits())
    }
}

impl fmt::Debug for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch norm"
    }

    fn attributes(&self) -> Key {
        if self.epsilon == Epsilon::default() { Key::of(()) } else { Key::of(self.epsilon) }
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [self.affine.map(|(weight, _)| weight), self.affine.map(|(_, bias)| bias)]
    }

    fn with_params(&self, [weight, bias]: [Option<ParamId>; 2]) -> Option<Op> {
        Some(Op::BatchNorm(BatchNorm { affine: weight.zip(bias), epsilon: self.epsilon }))
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        let of_each = if self.affine.is_some() { 2 } else { 1 };
        Flops { batch_norm: sizes.output.elements() as u64 * of_each, ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Normalise { params: self.affine, epsilon: self.epsilon }
    }
}
