use swapnas_lanes::kernels::line::{self, Axis};
use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, has_axis};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape};

/// e^x divided by its sum along a dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Softmax {
    /// Along what.
    pub axis: Axis,
}

impl Softmax {
    /// Whether values of that shape have the dimension.
    pub(crate) fn check(&self, input: Shape) -> Result<(), GraphError> {
        has_axis("softmax", self.axis, input)
    }
}

impl TensorOperator for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Softmax {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude { result: 1.0, within: bounds[0] }
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        line::softmax(at.level, self.axis, inputs[0], out);
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        line::softmax_gradient(at.level, self.axis, way.result, way.gradient, out);
    }
}
