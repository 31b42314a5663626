//! Networks made ready.

use std::sync::Arc;

use swapnas_graph::{Draw, Graph, Init, Key, Plan, Want, Weights};

use super::work::CACHE_BYTES;
use super::{GraphScorer, ScoreError, Sharing};
use crate::PatternSet;
use crate::definition::Needs;
use crate::patterns::SAMPLES;
use crate::trial::{Network, Sizes, Takes, product};

/// A network, made ready to be run.
pub(super) struct Planned {
    /// For patterns.
    pub plan: Plan,
    /// For all other passes, if there are any.
    pub network: Option<Network>,
    /// For passes that keep every value, if there are any.
    pub open: Option<Network>,
    /// Whose weights it has; `None` if they are shared.
    pub owner: Option<Key>,
    /// Networks of which this is the same need to be run but once.
    pub key: Key,
    /// What one thread takes of memory to run it.
    pub bytes: usize,
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
        let network = self.agenda.has_passes(false).then(|| network(graph.clone(), self.agenda.needs));
        let open = self.agenda.has_passes(true).then(|| Network::open(graph.clone()));
        let want = Want { signs: !self.agenda.of_patterns.is_empty(), values: Vec::new() };
        let plan = Plan::new(graph, &want);
        let (owner, key) = match self.settings.sharing {
            // Tensors are found by names, of which keys know nothing.
            _ if self.tensors.is_some() => (None, own),
            Sharing::Independent => (Some(own), own),
            // Patterns are the same where the ReLUs are, whatever else there is.
            Sharing::Shared if network.is_none() && open.is_none() => (None, key_of_relus(&plan)),
            Sharing::Shared => (None, plan.graph().key()),
        };
        let mut planned = Planned { plan, network, open, owner, key, bytes: 0 };
        planned.bytes = self.bytes(&planned, 1);
        Ok(planned)
    }

    /// What it takes of memory to run a network with so many threads that work on it together.
    pub(super) fn bytes(&self, planned: &Planned, threads: usize) -> usize {
        let Planned { plan, network, open, .. } = planned;
        let (number, batch) = (self.settings.precision.bytes(), self.settings.batch);
        let mut parts = Vec::new();
        if !self.agenda.of_patterns.is_empty() {
            let lanes = [plan.lanes_per_block(), batch.div_ceil(SAMPLES), SAMPLES * number];
            parts.push(product(lanes));
            let units = plan.relus().iter().map(|relu| relu.shape.elements()).fold(0, usize::saturating_add);
            parts.push(product([units, batch.div_ceil(SAMPLES), SAMPLES.div_ceil(8)]));
            parts.push(PatternSet::bytes(batch, units));
            parts.push(plan.bytes_of_weights(number));
            if self.shares() {
                parts.push(CACHE_BYTES);
            }
        }
        for (open, network) in [(false, network), (true, open)] {
            let Some(network) = network else { continue };
            let sizes = Sizes { network, batch, number, threads };
            let passes = self.agenda.of_passes.iter().filter(|passes| passes.open == open);
            let entries = passes.flat_map(|passes| &passes.entries);
            let takes = entries.map(|entry| self.settings.metrics[entry.metric].takes(&sizes));
            parts.push(sizes.total(takes.fold(Takes::default(), Takes::and)));
        }
        parts.into_iter().fold(0, usize::saturating_add)
    }

    /// Whether networks have values in common.
    pub(super) fn shares(&self) -> bool {
        !self.agenda.of_patterns.is_empty()
            && self.settings.sharing == Sharing::Shared
            && self.tensors.is_none()
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
