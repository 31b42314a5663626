//! How tangents pass a normalisation.

use swapnas_lanes::{Element, Lane};

use super::dropped::times;
use super::{Normalised, StatisticsOver, products};
use crate::ParamId;
use crate::grad::frame::{Frame, Tangents};
use crate::grad::jobs::Scratch;

/// How tangents pass a normalisation: `by_tangent * tangent + by_value * value + constant`.
pub(in crate::grad) struct NormTangent<E> {
    pub(in crate::grad) by_tangent: Vec<Lane<E>>,
    pub(in crate::grad) by_value: Vec<Lane<E>>,
    pub(in crate::grad) constant: Vec<Lane<E>>,
    /// mean(t) of every cell.
    pub(super) mean: Vec<f64>,
    /// mean(t x') of every cell.
    pub(super) product: Vec<f64>,
    /// The tangent of the weight of each channel.
    pub(super) weight: Vec<f64>,
}

impl<E: Element> NormTangent<E> {
    pub(in crate::grad) fn new(
        frame: &Frame<'_, E>,
        tangents: &Tangents<'_, E>,
        norm: usize,
        scratch: &mut Scratch<E>,
    ) -> Self {
        let (norm, normalised) = (frame.plan.norms[norm], &frame.norms[norm]);
        let Normalised { cells, inverse, mean: at, weight, factors, .. } = normalised;
        let channels = cells.channels;
        let (mut mean, mut product) = (vec![0.0; cells.count()], vec![0.0; cells.count()]);
        if norm.slot > 0 && cells.statistics != StatisticsOver::None {
            let tangent = |block| {
                frame.tangent_planes(tangents, norm.slot, block).expect("all slots but the batch have one")
            };
            let by = |block| normalised.plain(frame.planes(norm.slot, block), block);
            let (sums, products) = products(frame, cells, scratch, tangent, by);
            (mean, product) = (cells.means(&sums), cells.means(&products));
        }
        let params = norm.params.filter(|_| cells.statistics != StatisticsOver::None);
        let read = |id: ParamId| tangents.direction.get(id).iter().map(|x| x.to_f64()).collect();
        let (weight_tangent, bias_tangent): (Vec<f64>, Vec<f64>) = match params {
            Some((weight, bias)) => (read(weight), read(bias)),
            None => (vec![0.0; channels], vec![0.0; channels]),
        };
        let by_normal = |cell: usize, c: usize| weight_tangent[c] - weight[c] * inverse[cell] * product[cell];
        NormTangent {
            by_tangent: times(cells.spread(|cell, c| weight[c] * inverse[cell]), factors),
            by_value: times(cells.spread(|cell, c| by_normal(cell, c) * inverse[cell]), factors),
            constant: times(
                cells.spread(|cell, c| {
                    bias_tangent[c]
                        - weight[c] * inverse[cell] * mean[cell]
                        - by_normal(cell, c) * inverse[cell] * at[cell]
                }),
                factors,
            ),
            mean,
            product,
            weight: weight_tangent,
        }
    }
}
