//! Networks made ready.

use std::sync::Arc;

use swapnas_graph::{Draw, Graph, Init, Key, Param, Plan, Want, Weights};

use super::{GraphScorer, ScoreError, Sharing};
use crate::definition::Needs;
use crate::patterns::SAMPLES;
use crate::trial::Network;

/// A network, made ready to be run.
pub(super) struct Planned {
    /// For patterns.
    pub plan: Plan,
    /// For all other passes, if there are any.
    pub network: Option<Network>,
    /// Whose weights it has; `None` if they are shared.
    pub owner: Option<Key>,
    /// Networks of which this is the same need to be run but once.
    pub key: Key,
}

impl Planned {
    pub(super) fn graph(&self) -> &Graph {
        self.plan.graph()
    }
}

impl GraphScorer {
    /// Makes a network ready. Its `own` key is that of its weights, if they are not shared.
    pub(super) fn plan(
        &self,
        graph: Arc<Graph>,
        own: Key,
        network: impl FnOnce(Arc<Graph>, Needs) -> Network,
    ) -> Result<Planned, ScoreError> {
        self.check_memory_of_weights(&graph)?;
        let network = (!self.agenda.of_passes.is_empty()).then(|| network(graph.clone(), self.agenda.needs));
        let want = Want { signs: !self.agenda.of_patterns.is_empty(), values: Vec::new() };
        let plan = Plan::new(graph, &want);
        self.check_memory(&plan)?;
        let (owner, key) = match self.settings.sharing {
            // Tensors are found by names, of which keys know nothing.
            _ if self.tensors.is_some() => (None, own),
            Sharing::Independent => (Some(own), own),
            // Patterns are the same where the ReLUs are, whatever else there is.
            Sharing::Shared if network.is_none() => (None, key_of_relus(&plan)),
            Sharing::Shared => (None, plan.graph().key()),
        };
        Ok(Planned { plan, network, owner, key })
    }

    /// Finds out whether there is memory for the values of a network.
    fn check_memory(&self, plan: &Plan) -> Result<(), ScoreError> {
        let blocks = self.settings.batch.div_ceil(SAMPLES);
        let mut lanes = plan.lanes_per_block();
        if !self.agenda.of_passes.is_empty() {
            // At least the largest one, and its gradient.
            let largest = plan.graph().nodes().iter().map(|node| node.shape.elements()).max();
            lanes = lanes.max(largest.unwrap_or_default().saturating_mul(2));
        }
        let numbers = lanes.saturating_mul(blocks).saturating_mul(SAMPLES);
        self.settings.precision.check_memory("the values of a network", numbers)
    }

    /// Finds out whether there is memory for the weights of a network.
    fn check_memory_of_weights(&self, graph: &Graph) -> Result<(), ScoreError> {
        let lengths = graph.params().iter().map(Param::len);
        let numbers = if !self.agenda.of_passes.is_empty() {
            // Weights and their gradients.
            lengths.fold(0, usize::saturating_add)
        } else if !self.agenda.of_patterns.is_empty() {
            // One layer at a time: as it is drawn, and in the order of the kernel.
            lengths.max().unwrap_or_default()
        } else {
            0
        };
        self.settings.precision.check_memory("the weights of a network", numbers.saturating_mul(2))
    }

    /// How weights of a network are drawn.
    pub(super) fn draw(&self, init: Init, repeat: u32, planned: &Planned) -> Weights<'_> {
        match &self.tensors {
            Some(tensors) => Weights::Loaded(tensors),
            None => Weights::Drawn(Draw {
                init,
                seed: self.settings.seed,
                repeat: repeat.into(),
                network: planned.owner,
            }),
        }
    }
}

/// Names what the ReLUs of a network compute, in whatever order.
fn key_of_relus(plan: &Plan) -> Key {
    let mut keys: Vec<Key> = plan.relus().iter().map(|relu| relu.key).collect();
    keys.sort_unstable();
    Key::of(keys)
}
