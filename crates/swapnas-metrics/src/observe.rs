use std::collections::HashMap;

use swapnas_graph::{Key, Observer, Plan, Relu, Signs};

use crate::PatternSet;

/// Collects the patterns of one network after another.
///
/// Networks that share weights often share ReLUs as well. Their patterns are kept from the first
/// network that has them to the last, so that neither the units nor what leads to them has to be
/// computed again.
pub(crate) struct PatternCollector {
    /// The patterns of the network at hand.
    patterns: PatternSet,
    /// How many of the networks to come have a ReLU.
    expected: HashMap<Key, u32>,
    known: HashMap<Key, PatternSet>,
    free: Vec<PatternSet>,
}

impl PatternCollector {
    pub(crate) fn new(samples: usize) -> Self {
        PatternCollector {
            patterns: PatternSet::new(samples),
            expected: HashMap::new(),
            known: HashMap::new(),
            free: Vec::new(),
        }
    }

    /// Announces a network.
    pub(crate) fn expect(&mut self, plan: &Plan) {
        // Sets of wide patterns are large, and joining them takes as long as making them.
        if self.patterns.is_dense() {
            for relu in plan.relus() {
                *self.expected.entry(relu.key).or_default() += 1;
            }
        }
    }

    /// Begins a network.
    pub(crate) fn begin(&mut self) {
        self.patterns.clear();
    }

    /// The patterns of the network that was run.
    pub(crate) fn patterns(&self) -> &PatternSet {
        &self.patterns
    }

    /// A network is done: patterns that no other has are forgotten.
    pub(crate) fn release(&mut self, plan: &Plan) {
        for relu in plan.relus() {
            let Some(uses) = self.expected.get_mut(&relu.key) else { continue };
            *uses -= 1;
            if *uses == 0 {
                self.expected.remove(&relu.key);
                self.free.extend(self.known.remove(&relu.key));
            }
        }
    }
}

/// The patterns of one network by itself.
impl Observer for PatternSet {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, _relu: &Relu, signs: Signs<'_>) {
        self.add(signs);
    }
}

impl Observer for PatternCollector {
    fn wants(&mut self, relu: &Relu) -> bool {
        match self.known.get(&relu.key) {
            Some(known) => {
                self.patterns.union(known);
                false
            }
            None => true,
        }
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        if self.expected.get(&relu.key).is_none_or(|&uses| uses < 2) {
            self.patterns.add(signs);
            return;
        }
        let mut set = self.free.pop().unwrap_or_else(|| PatternSet::new(signs.samples()));
        set.clear();
        set.add(signs);
        self.patterns.union(&set);
        self.known.insert(relu.key, set);
    }
}
