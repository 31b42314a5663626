use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOp, TensorOperator, fits};
use crate::magnitude::{self, Magnitude};
use crate::{GraphError, Key, ParamId, Shape};

/// The elements of a parameter, the same for every sample: a position embedding, a class token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Which.
    pub id: ParamId,
}

impl Parameter {
    /// Whether a parameter of these dimensions can be a value.
    pub(crate) fn check(dims: &[usize], shape: Shape) -> Result<(), GraphError> {
        fits("parameter", dims.iter().product(), shape)
    }
}

impl TensorOperator for Parameter {
    fn name(&self) -> &'static str {
        "parameter"
    }

    fn attributes(&self) -> Option<Key> {
        Some(Key::of(()))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [Some(self.id), None]
    }

    fn with_params(&self, [weight, _]: [Option<ParamId>; 2]) -> Option<TensorOp> {
        Some(TensorOp::Parameter(Parameter { id: weight? }))
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Parameter {
    fn magnitude(&self, _bounds: &[f64], params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(magnitude::of_numbers(params[0]))
    }

    fn forward(&self, at: At<'_, E>, _inputs: &[R], out: &mut [Lane<E>]) {
        let numbers = at.params.numbers[0].expect("a parameter has numbers");
        match R::of_param(numbers, at.params.directions[0]) {
            Some(numbers) => {
                for (out, number) in out.iter_mut().zip(numbers) {
                    *out = Lane::splat(*number);
                }
            }
            None => out.fill(Lane::ZERO),
        }
    }

    fn backward(&self, _at: At<'_, E>, _way: Way<'_, R>, _out: &mut [Lane<E>]) {
        unreachable!("nothing is read");
    }

    fn of_params(&self, _at: At<'_, E>, _inputs: &[R], gradient: R, found: &mut [Vec<Lane<E>>; 2]) {
        if let Some(gradient) = gradient.moving() {
            found[0].copy_from_slice(gradient);
        }
    }
}
