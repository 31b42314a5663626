use super::{Lowered, Operator, Work};
use crate::{Shape, ValueId};

/// Zeros.
pub(super) struct Zero;

impl Operator for Zero {
    fn name(&self) -> &'static str {
        "zero"
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Zero)
    }
}
