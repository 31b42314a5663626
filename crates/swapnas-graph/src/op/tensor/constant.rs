use std::sync::Arc;

use swapnas_lanes::{Element, Lane, Real};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits};
use crate::magnitude::{self, Magnitude};
use crate::{GraphError, Shape};

/// Numbers that are no parameter, the same for every sample: a mask, a table of sines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    /// The elements of the result.
    pub numbers: Arc<[Real]>,
}

impl Constant {
    /// Whether there are as many numbers as elements.
    pub(crate) fn check(&self, shape: Shape) -> Result<(), GraphError> {
        fits("constant", self.numbers.len(), shape)
    }
}

impl TensorOperator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Constant {
    fn magnitude(&self, _bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(self.numbers.iter().map(|x| x.number().abs()).fold(0.0, magnitude::larger))
    }

    fn forward(&self, _at: At<'_, E>, _inputs: &[R], out: &mut [Lane<E>]) {
        let moves = R::of_param(&[], None).is_none();
        for (out, number) in out.iter_mut().zip(&*self.numbers) {
            let number = if moves { E::ZERO } else { E::from_f64(number.number()) };
            *out = Lane::splat(number);
        }
    }

    fn backward(&self, _at: At<'_, E>, _way: Way<'_, R>, _out: &mut [Lane<E>]) {
        unreachable!("nothing is read");
    }
}
