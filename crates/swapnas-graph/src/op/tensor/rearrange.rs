use swapnas_lanes::kernels::arrange;
use swapnas_lanes::{Element, Lane, Strided};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits, reaches};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape};

/// The elements of a view, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rearrange {
    /// Which of them, in which order.
    pub view: Strided,
}

impl Rearrange {
    /// Whether the view is of a value of that shape and has as many elements as the result.
    pub(crate) fn check(&self, input: Shape, shape: Shape) -> Result<(), GraphError> {
        fits("rearrangement", self.view.len(), shape)?;
        reaches("rearrangement", self.view.end(), input)
    }

    /// The same with fewer dimensions, where that is possible.
    pub(crate) fn merged(&self) -> Self {
        Rearrange { view: self.view.merged() }
    }

    /// Whether elements stay where they are.
    pub(crate) fn is_all_in_order(&self) -> bool {
        self.view == Strided::contiguous(self.view.sizes()).expect("a view that there is")
    }
}

impl TensorOperator for Rearrange {
    fn name(&self) -> &'static str {
        "rearrangement"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Rearrange {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(bounds[0])
    }

    fn forward(&self, _at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        match inputs[0].moving() {
            Some(from) => arrange::gather(from, &self.view, out),
            None => out.fill(Lane::ZERO),
        }
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        if let Some(gradient) = way.gradient.moving() {
            arrange::scatter(at.level, gradient, &self.view, out);
        }
    }
}
