//! What an activation is to a network. What it computes is in [`swapnas_lanes::activation`].

use super::{Lowered, Operator, Sizes};
use crate::flops::Flops;
use crate::{Activation, Key, Shape, ValueId};

impl Operator for Activation {
    fn name(&self) -> &'static str {
        Activation::name(*self)
    }

    fn attributes(&self) -> Key {
        self.number().map_or(Key::of(()), Key::of)
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        Flops { relu: sizes.output.elements() as u64, ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Activate(*self)
    }
}
