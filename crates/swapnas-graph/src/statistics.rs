use std::collections::HashMap;
use std::sync::Arc;

use swapnas_lanes::Level;

use crate::grad::{ChannelStatistics, RunningStatistics};
use crate::{Batch, Executor, Graph, Plan, RunError, ValueId, Want, Weights};

/// Mean and biased variance of each channel that batch normalisations see: what a network runs with once it
/// no longer takes them from the batch at hand.
#[derive(Clone, Debug, Default)]
pub struct FixedStatistics {
    channels: HashMap<ValueId, Vec<(f64, f64)>>,
}

impl FixedStatistics {
    /// The run that they are taken from: that of everything the outputs depend on.
    pub fn plan(graph: Arc<Graph>) -> Plan {
        let want = Want { signs: false, values: graph.outputs().to_vec() };
        Plan::new(graph, &want)
    }

    /// Those of one batch, for [such a run](Self::plan). With them, a network gives for this batch what it
    /// gives with the batch's own.
    ///
    /// # Errors
    /// If the batch does not fit the network or weights are missing.
    pub fn measure(plan: &Plan, weights: Weights<'_>, batch: &Batch, level: Level) -> Result<Self, RunError> {
        let mut executor = Executor::new(level).parallel(true);
        executor.run(plan, batch, weights, None, &mut ())?;
        Ok(FixedStatistics { channels: executor.statistics(plan).collect() })
    }

    /// Mean and variance of each channel that the batch normalisation with this result sees; `None` if they
    /// were not measured, as where no output depends on it.
    pub fn of(&self, result: ValueId) -> Option<&[(f64, f64)]> {
        self.channels.get(&result).map(Vec::as_slice)
    }
}

impl From<&RunningStatistics> for FixedStatistics {
    /// Those of a trained network.
    fn from(running: &RunningStatistics) -> Self {
        let pairs = |(value, statistics): (ValueId, &ChannelStatistics)| {
            let pairs = statistics.mean.iter().copied().zip(statistics.variance.iter().copied());
            (value, pairs.collect())
        };
        FixedStatistics { channels: running.iter().map(pairs).collect() }
    }
}
