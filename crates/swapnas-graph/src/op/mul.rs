use swapnas_lanes::kernels::sums;
use swapnas_lanes::{Element, Lane, Level, Planes};

use super::{Lowered, Operator, Work};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape, ValueId};

/// Product of two values; the second may be 1x1 and then scales whole channels.
pub(crate) struct Mul;

impl Mul {
    /// The shape of the product of values of these shapes.
    pub(crate) fn shape([first, other]: [Shape; 2]) -> Result<Shape, GraphError> {
        if other == first || other == Shape::new(first.channels, 1, 1) {
            return Ok(first);
        }
        Err(GraphError::ShapeMismatch { node: String::new(), op: "multiplication", first, other })
    }

    pub(super) fn magnitude(bounds: &[f64]) -> Magnitude {
        Magnitude::plain(bounds.iter().product())
    }

    /// The gradient of a factor that scales whole channels, a lane for each, from the gradient of the result times the
    /// other one.
    pub(crate) fn of_scales<E: Element>(level: Level, product: Planes<'_, Lane<E>>) -> Vec<Lane<E>> {
        let layout = product.layout();
        let mut totals = vec![Lane::ZERO; layout.channels];
        sums::sum(level, product, 0..layout.rows, layout.columns, &mut totals);
        totals
    }
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        "multiplication"
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Multiply)
    }
}
