use swapnas_lanes::kernels::product::Product;
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Level};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOperator, fits, reaches, unfit};
use crate::magnitude::Magnitude;
use crate::{GraphError, Shape};

/// Whether the matrices are those of values of these shapes and can be multiplied, and the result is all of `shape`.
pub(crate) fn check(product: &Product, [a, b]: [Shape; 2], shape: Shape) -> Result<(), GraphError> {
    fits("matrix product", product.out.len(), shape)?;
    if !product.fits() || product.out.end() != shape.elements() {
        let expected = format!("matrices that can be multiplied, not {product:?}");
        return Err(unfit("matrix product", expected, shape));
    }
    reaches("matrix product", product.a.end(), a)?;
    reaches("matrix product", product.b.end(), b)
}

impl TensorOperator for Product {
    fn name(&self) -> &'static str {
        "matrix product"
    }

    fn macs(&self) -> u64 {
        Product::macs(self)
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Product {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        let terms = self.a.sizes().last().map_or(0, |terms| *terms);
        Magnitude::plain(bounds.iter().product::<f64>() * terms as f64)
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        multiply(at.level, self, R::factors(inputs[0], inputs[1]), out);
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        let Way { which, inputs, gradient, .. } = way;
        if which == 0 {
            multiply(at.level, &self.back_to_a(), R::factors(gradient, inputs[1]), out);
        } else {
            multiply(at.level, &self.back_to_b(), R::factors(inputs[0], gradient), out);
        }
    }
}

/// Writes the sum of one or two products.
pub(super) fn multiply<E: Element>(
    level: Level,
    product: &Product,
    factors: [Option<[&[Lane<E>]; 2]>; 2],
    out: &mut [Lane<E>],
) {
    out.fill(Lane::ZERO);
    for [a, b] in factors.into_iter().flatten() {
        product.run(level, a, b, WriteMode::Sum, out);
    }
}
