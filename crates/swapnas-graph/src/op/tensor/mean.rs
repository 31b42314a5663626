use swapnas_lanes::kernels::line::{self, Axis};
use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits, has_axis};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape};

/// The mean along a dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mean {
    /// Along what.
    pub axis: Axis,
}

impl Mean {
    /// Whether values of that shape have the dimension, and the result an element for each line.
    pub(crate) fn check(&self, input: Shape, shape: Shape) -> Result<(), GraphError> {
        has_axis("mean", self.axis, input)?;
        fits("mean", self.axis.lines(), shape)
    }
}

impl TensorOperator for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Mean {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude { result: bounds[0], within: bounds[0] * self.axis.len as f64 }
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        match inputs[0].moving() {
            Some(from) => line::mean(at.level, self.axis, from, out),
            None => out.fill(Lane::ZERO),
        }
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        if let Some(gradient) = way.gradient.moving() {
            line::mean_gradient(at.level, self.axis, gradient, out);
        }
    }
}
