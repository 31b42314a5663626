use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits, unfit};
use crate::magnitude::{self, Magnitude};
use crate::{GraphError, Shape};

/// Values joined along a dimension with so many elements before and behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    /// Elements of the dimensions before it.
    pub outer: usize,
    /// Elements of the dimensions behind it.
    pub inner: usize,
}

impl Join {
    /// Whether values of these shapes can be taken apart like that, and are as many elements together as the result.
    pub(crate) fn check(&self, values: &[Shape], shape: Shape) -> Result<(), GraphError> {
        let around = self.outer * self.inner;
        for &input in values {
            if around == 0 || !input.elements().is_multiple_of(around) || input.elements() == 0 {
                return Err(unfit("joined values", format!("rows of {around} elements"), input));
            }
        }
        fits("joined values", values.iter().map(|input| input.elements()).sum(), shape)
    }
}

impl TensorOperator for Join {
    fn name(&self) -> &'static str {
        "joined values"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Join {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        Magnitude::plain(bounds.iter().copied().fold(0.0, magnitude::larger))
    }

    fn forward(&self, _at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        let Join { outer, inner } = *self;
        let row = out.len() / outer;
        let mut first = 0;
        for input in inputs {
            let part = input.len() / outer;
            for (number, out) in out.chunks_exact_mut(row).enumerate() {
                let out = &mut out[first..first + part];
                match input.moving() {
                    Some(from) => out.copy_from_slice(&from[number * part..][..part]),
                    None => out.fill(Lane::ZERO),
                }
            }
            first += part;
        }
        debug_assert!(row.is_multiple_of(inner) && first == row);
    }

    fn backward(&self, _at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        let Way { which, inputs, gradient, .. } = way;
        let part = |input: &R| input.len() / self.outer;
        let (row, first): (usize, usize) =
            (inputs.iter().map(part).sum(), inputs[..which].iter().map(part).sum());
        let part = part(&inputs[which]);
        let rows = gradient.moving().unwrap_or_default().chunks_exact(row);
        for (gradient, out) in rows.zip(out.chunks_exact_mut(part)) {
            for (out, gradient) in out.iter_mut().zip(&gradient[first..]) {
                *out = *out + *gradient;
            }
        }
    }
}
