//! Averages of the statistics of many batches, which a trained network normalises with.

use std::collections::BTreeMap;

use swapnas_lanes::Element;

use crate::grad::Pass;
use crate::{Graph, Op, ValueId};

/// Mean and variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStatistics {
    /// Mean of each channel.
    pub mean: Vec<f64>,
    /// Variance of each channel, unbiased (divided by one less than the number of numbers), as PyTorch keeps it.
    pub variance: Vec<f64>,
}

/// Running averages of mean and variance of what the batch normalisations of a network read (Ioffe and Szegedy, 2015).
///
/// Means begin at 0 and variances at 1, as in PyTorch.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningStatistics {
    norms: BTreeMap<ValueId, ChannelStatistics>,
}

impl RunningStatistics {
    /// Those of a network that has seen no batch.
    pub fn new(graph: &Graph) -> Self {
        let norms = graph.values().filter(|(_, node)| matches!(node.op, Op::BatchNorm(_)));
        let fresh =
            |channels: usize| ChannelStatistics { mean: vec![0.0; channels], variance: vec![1.0; channels] };
        RunningStatistics { norms: norms.map(|(value, node)| (value, fresh(node.shape.channels))).collect() }
    }

    /// Moves them towards the statistics of a batch: `momentum` is the share of the batch. Normalisations that the pass
    /// has not made stay as they are.
    pub fn update<E: Element>(&mut self, pass: &Pass<'_, E>, momentum: f64) {
        let toward = |x: &mut f64, y: f64| *x += momentum * (y - *x);
        for (value, statistics) in &mut self.norms {
            for (channel, moments) in pass.moments(*value).into_iter().flatten().enumerate() {
                let unbiased = moments.variance() * moments.count / (moments.count - 1.0).max(1.0);
                toward(&mut statistics.mean[channel], moments.mean);
                toward(&mut statistics.variance[channel], unbiased);
            }
        }
    }

    /// What the normalisation that returns `value` uses; `None` if this is no normalisation.
    pub fn get(&self, value: ValueId) -> Option<&ChannelStatistics> {
        self.norms.get(&value)
    }

    /// All of them in the order of their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ValueId, &ChannelStatistics)> {
        self.norms.iter().map(|(value, statistics)| (*value, statistics))
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (ValueId, &mut ChannelStatistics)> {
        self.norms.iter_mut().map(|(value, statistics)| (*value, statistics))
    }
}
