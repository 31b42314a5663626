//! Paths that are left out: drop path (Larsson et al., FractalNet, ICLR 2017), as DARTS uses it.

use std::collections::BTreeMap;

use swapnas_lanes::{Element, Lane, SAMPLES};

use crate::{Graph, Op, ValueId};

/// Results of normalisations that a training pass leaves out for some samples.
///
/// A network's branches end with a batch normalisation that nothing but sums reads. The result of such a branch is
/// multiplied with 0 for samples that drop it, and for the others with what makes up for that.
#[derive(Clone, Debug, Default)]
pub struct DroppedPaths {
    /// For every sample, by the value that the normalisation returns.
    factors: BTreeMap<ValueId, Vec<f64>>,
}

impl DroppedPaths {
    /// The values that can be dropped: results of batch normalisations that are read by sums of several values, and by
    /// nothing else.
    pub fn branches(graph: &Graph) -> Vec<ValueId> {
        let mut summed = vec![false; graph.nodes().len()];
        let mut read_otherwise = summed.clone();
        for node in graph.nodes() {
            let sums = matches!(node.op, Op::Add) && node.inputs.len() > 1;
            for input in &node.inputs {
                summed[input.index()] |= sums;
                read_otherwise[input.index()] |= !sums;
            }
        }
        for output in graph.outputs() {
            read_otherwise[output.index()] = true;
        }
        let is_branch = |value: ValueId| summed[value.index()] && !read_otherwise[value.index()];
        let norms = graph.values().filter(|(_, node)| matches!(node.op, Op::BatchNorm(_)));
        norms.map(|(value, _)| value).filter(|value| is_branch(*value)).collect()
    }

    /// Leaves a branch out for some samples: what its result is multiplied with for each sample of the batch.
    pub fn set(&mut self, value: ValueId, factors: Vec<f64>) {
        self.factors.insert(value, factors);
    }

    /// The same as lanes, one for each block; none if the branch is there for all samples.
    ///
    /// # Panics
    /// If they are of a batch of another size.
    pub(super) fn factors<E: Element>(&self, value: ValueId, samples: usize) -> Vec<Lane<E>> {
        let Some(factors) = self.factors.get(&value) else { return Vec::new() };
        assert_eq!(factors.len(), samples, "a factor for each sample");
        let lane = |factors: &[f64]| {
            let mut lane = Lane::ZERO;
            for (to, from) in lane.0.iter_mut().zip(factors) {
                *to = E::from_f64(*from);
            }
            lane
        };
        factors.chunks(SAMPLES).map(lane).collect()
    }
}

/// Lanes `[block][channel]` times the factors of their samples; as they are if there are none.
pub(super) fn times<E: Element>(mut lanes: Vec<Lane<E>>, factors: &[Lane<E>]) -> Vec<Lane<E>> {
    if let Some(channels) = lanes.len().checked_div(factors.len()) {
        for (block, factor) in lanes.chunks_exact_mut(channels.max(1)).zip(factors) {
            for (x, factor) in block.iter_mut().flat_map(|lane| lane.0.iter_mut().zip(factor.0)) {
                *x = *x * factor;
            }
        }
    }
    lanes
}
