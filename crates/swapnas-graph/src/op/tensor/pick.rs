use std::sync::Arc;

use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits, unfit};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape};

/// The elements at some places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pick {
    /// The places, in the order of the result.
    pub places: Arc<[u32]>,
}

impl Pick {
    /// Whether a value of that shape has the places, as many as the result.
    pub(crate) fn check(&self, input: Shape, shape: Shape) -> Result<(), GraphError> {
        fits("selection", self.places.len(), shape)?;
        match self.places.iter().find(|place| **place as usize >= input.elements()) {
            Some(place) => Err(unfit("selection", format!("element {place}"), input)),
            None => Ok(()),
        }
    }
}

impl TensorOperator for Pick {
    fn name(&self) -> &'static str {
        "selection"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Pick {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(bounds[0])
    }

    fn forward(&self, _at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        match inputs[0].moving() {
            Some(from) => {
                for (out, place) in out.iter_mut().zip(&*self.places) {
                    *out = from[*place as usize];
                }
            }
            None => out.fill(Lane::ZERO),
        }
    }

    fn backward(&self, _at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        for (gradient, place) in way.gradient.moving().unwrap_or_default().iter().zip(&*self.places) {
            let to = &mut out[*place as usize];
            *to = *to + *gradient;
        }
    }
}
