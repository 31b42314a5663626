use std::ops::Range;

use super::{Lowered, Operator, Work, alike};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape, ValueId};

/// Values joined along the channels.
pub(crate) struct Concat;

impl Concat {
    /// The shape of values of these shapes one after the other.
    pub(crate) fn shape(values: &[Shape]) -> Result<Shape, GraphError> {
        let is_like = |a: Shape, b: Shape| (a.height, a.width) == (b.height, b.width);
        let first = alike("concatenation", values, is_like)?;
        Ok(first.with_channels(values.iter().map(|shape| shape.channels).sum()))
    }

    pub(super) fn magnitude(bounds: &[f64]) -> Magnitude {
        Magnitude::plain(bounds.iter().copied().fold(0.0, f64::max))
    }

    /// The channels of each part in the whole.
    pub(crate) fn channels(parts: impl Iterator<Item = Shape>) -> impl Iterator<Item = Range<usize>> {
        parts.scan(0, |end, part| {
            let first = *end;
            *end += part.channels;
            Some(first..*end)
        })
    }
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concatenation"
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Concat)
    }
}
