use super::{Lowered, Operator, Work, alike};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape, ValueId};

/// Sum of any number of values of one shape.
pub(crate) struct Add;

impl Add {
    /// The shape of the sum of values of these shapes.
    pub(crate) fn shape(values: &[Shape]) -> Result<Shape, GraphError> {
        alike("addition", values, |first, other| first == other)
    }

    pub(super) fn magnitude(bounds: &[f64]) -> Magnitude {
        Magnitude::plain(bounds.iter().sum())
    }
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "addition"
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Combine)
    }
}
