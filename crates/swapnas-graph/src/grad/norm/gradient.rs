//! How gradients pass a normalisation back, and their tangents.

use swapnas_lanes::kernels::chain::Argument;
use swapnas_lanes::{Element, Lane, Layout, Planes};

use super::dropped::times;
use super::{NormTangent, Normalised, products};
use crate::grad::frame::Frame;
use crate::grad::jobs::Scratch;

/// How gradients pass a normalisation back.
pub(in crate::grad) struct NormGradient<E> {
    /// `by_gradient * gradient + by_value * value + constant`.
    pub(in crate::grad) by_gradient: Vec<Lane<E>>,
    pub(in crate::grad) by_value: Vec<Lane<E>>,
    pub(in crate::grad) constant: Vec<Lane<E>>,
    pub(in crate::grad) tangent: Option<NormGradientTangent<E>>,
    /// Gradients of weight and bias, sample by sample, `[block][channel]`.
    pub(in crate::grad) weight: Vec<Lane<E>>,
    pub(in crate::grad) bias: Vec<Lane<E>>,
}

/// How the tangents of gradients pass back: a combination of the gradient's tangent, the gradient, the
/// value and its tangent.
pub(in crate::grad) struct NormGradientTangent<E> {
    pub(in crate::grad) by_gradient_tangent: Vec<Lane<E>>,
    pub(in crate::grad) by_gradient: Vec<Lane<E>>,
    pub(in crate::grad) by_value: Vec<Lane<E>>,
    pub(in crate::grad) by_tangent: Vec<Lane<E>>,
    pub(in crate::grad) constant: Vec<Lane<E>>,
    /// Tangents of the gradients of weight and bias, of every channel over the batch.
    pub(in crate::grad) weight: Vec<f64>,
    pub(in crate::grad) bias: Vec<f64>,
}

impl<E: Element> NormGradient<E> {
    /// For a normalisation that takes statistics, from the gradient of the result, `[block]` of the slot's layout, and its tangent.
    pub(in crate::grad) fn new(
        frame: &Frame<'_, E>,
        norm: usize,
        gradient: &[Lane<E>],
        gradient_tangent: Option<&[Lane<E>]>,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let slot = frame.plan.norms[norm].slot;
        let normalised = &frame.norms[norm];
        let Normalised { cells, inverse, mean: at, weight, factors, .. } = normalised;
        let layout = frame.plan.layout(slot);
        let by = |block| normalised.plain(frame.planes(slot, block), block);
        // Where a result is left out, so is its gradient; sums are of single samples.
        let dropped = |(sums, products)| (times(sums, factors), times(products, factors));
        let (sums, products_lanes) =
            dropped(products(frame, cells, scratch, |block| planes(gradient, layout, block), by));
        let (mean, product) = (cells.means(&sums), cells.means(&products_lanes));
        let back = |cell: usize, c: usize| weight[c] * inverse[cell];
        let tangent = match (gradient_tangent, &frame.tangents) {
            (Some(gradient_tangent), Some(tangents)) => {
                let by = |block| normalised.plain(frame.planes(slot, block), block);
                let change = |block| planes(gradient_tangent, layout, block);
                let (t_sums, t_products) = dropped(products(frame, cells, scratch, change, by));
                let with_tangent = if slot > 0 {
                    let tangent = |block| Argument {
                        planes: frame
                            .tangent_planes(tangents, slot, block)
                            .expect("all slots but the batch have one"),
                        scaling: None,
                    };
                    let gradient = |block| planes(gradient, layout, block);
                    cells.means(&dropped(products(frame, cells, scratch, gradient, tangent)).1)
                } else {
                    vec![0.0; cells.count()]
                };
                Some(NormGradientTangent::new(
                    normalised,
                    &tangents.norms[norm],
                    Means { gradient: mean.clone(), product: product.clone(), with_tangent },
                    (cells.means(&t_sums), cells.means(&t_products)),
                ))
            }
            _ => None,
        };
        NormGradient {
            by_gradient: times(cells.spread(back), factors),
            by_value: cells.spread(|cell, c| -back(cell, c) * inverse[cell] * product[cell]),
            constant: cells
                .spread(|cell, c| back(cell, c) * (inverse[cell] * at[cell] * product[cell] - mean[cell])),
            tangent,
            weight: products_lanes,
            bias: sums,
        }
    }
}

/// Means over a channel of the gradient g: of g, g x' and g t.
struct Means {
    gradient: Vec<f64>,
    product: Vec<f64>,
    with_tangent: Vec<f64>,
}

impl<E: Element> NormGradientTangent<E> {
    fn new(
        normalised: &Normalised<E>,
        tangent: &NormTangent<E>,
        means: Means,
        (mean_tangent, product_with_tangent): (Vec<f64>, Vec<f64>),
    ) -> Self {
        let Normalised { cells, inverse: r, mean: at, weight: w, factors, .. } = normalised;
        let Means { gradient: mean, product, with_tangent } = means;
        let k = &tangent.product;
        // The tangent of mean(g x').
        let product_tangent: Vec<f64> = (0..cells.count())
            .map(|i| {
                product_with_tangent[i]
                    + r[i] * (with_tangent[i] - tangent.mean[i] * mean[i] - k[i] * product[i])
            })
            .collect();
        let back = |i: usize, c: usize| w[c] * r[i];
        let back_tangent = |i: usize, c: usize| tangent.weight[c] * r[i] - w[c] * r[i] * r[i] * k[i];
        let by_normal = |i: usize, c: usize| {
            back(i, c) * (r[i] * product[i] * k[i] - product_tangent[i]) - back_tangent(i, c) * product[i]
        };
        let mut totals = (vec![0.0; cells.channels], vec![0.0; cells.channels]);
        for cell in 0..cells.count() {
            totals.0[cell % cells.channels] += cells.numbers() * product_tangent[cell];
            totals.1[cell % cells.channels] += cells.numbers() * mean_tangent[cell];
        }
        NormGradientTangent {
            by_gradient_tangent: times(cells.spread(back), factors),
            by_gradient: times(cells.spread(back_tangent), factors),
            by_value: cells.spread(|i, c| by_normal(i, c) * r[i]),
            by_tangent: cells.spread(|i, c| -back(i, c) * r[i] * product[i]),
            constant: cells.spread(|i, c| {
                back(i, c) * (r[i] * product[i] * tangent.mean[i] - mean_tangent[i])
                    - back_tangent(i, c) * mean[i]
                    - by_normal(i, c) * r[i] * at[i]
            }),
            weight: totals.0,
            bias: totals.1,
        }
    }
}

fn planes<E: Element>(lanes: &[Lane<E>], layout: Layout, block: usize) -> Planes<'_, Lane<E>> {
    Planes::new(&lanes[block * layout.lanes()..], layout)
}
