use super::{Lowered, Operator};
use crate::{Shape, ValueId};

/// The batch itself.
pub(super) struct Input;

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Input
    }
}
