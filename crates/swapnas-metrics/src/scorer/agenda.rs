//! What has to be done to every network.

use swapnas_graph::Init;

use super::{ScoreError, Settings};
use crate::definition::{Compute, Needs};
use crate::patterns::Of;

/// The metrics by what they are computed from.
pub(super) struct Agenda {
    /// Those that read the graph alone.
    pub of_graph: Vec<usize>,
    /// Those that read patterns.
    pub of_patterns: Vec<PlannedMetric>,
    /// Whether some of these read patterns of samples.
    pub of_samples: bool,
    /// Those that read passes, by the passes that they share.
    pub of_passes: Vec<Passes>,
    /// How weights are drawn for the patterns.
    pub pattern_init: Init,
    /// What must be at hand.
    pub needs: Needs,
    /// The largest number of repeats.
    pub repeats: u32,
}

/// Metrics that share passes.
pub(super) struct Passes {
    /// How weights are drawn.
    pub init: Init,
    /// Whether the passes keep every value of the network.
    pub open: bool,
    pub entries: Vec<PlannedMetric>,
}

/// A metric by its place in the settings.
#[derive(Clone, Copy)]
pub(super) struct PlannedMetric {
    pub metric: usize,
    /// How many sets of weights it is averaged over.
    pub repeats: u32,
}

/// A metric of passes costs about so many forward passes.
const PASSES: u64 = 5;

impl Agenda {
    pub(super) fn new(settings: &Settings) -> Result<Self, ScoreError> {
        if settings.repeats == Some(0) {
            return Err(ScoreError::NoRepeats(0));
        }
        let mut agenda = Agenda {
            of_graph: Vec::new(),
            of_patterns: Vec::new(),
            of_samples: false,
            of_passes: Vec::new(),
            pattern_init: Init::default(),
            needs: Needs::NONE,
            repeats: 1,
        };
        for (index, metric) in settings.metrics.iter().enumerate() {
            agenda.needs = agenda.needs.or(metric.needs());
            let Some((repeats, init)) = settings.weights_for(metric) else {
                agenda.of_graph.push(index);
                continue;
            };
            let entry = PlannedMetric { metric: index, repeats };
            let compute = metric.compute();
            if let Compute::Patterns { of, .. } = compute {
                agenda.of_samples |= of == Of::Samples;
                // The same for all of them: their patterns are those of one run.
                agenda.pattern_init = init;
                agenda.of_patterns.push(entry);
            } else {
                let open = matches!(compute, Compute::Proxy(_));
                match agenda.of_passes.iter_mut().find(|passes| passes.init == init && passes.open == open) {
                    Some(passes) => passes.entries.push(entry),
                    None => agenda.of_passes.push(Passes { init, open, entries: vec![entry] }),
                }
            }
            agenda.repeats = agenda.repeats.max(repeats);
        }
        Ok(agenda)
    }

    /// Whether there are metrics of passes that keep every value, or of those that do not.
    pub(super) fn has_passes(&self, open: bool) -> bool {
        self.of_passes.iter().any(|passes| passes.open == open)
    }

    /// About how many forward passes of one image a network takes.
    pub(super) fn passes(&self, batch: usize) -> u64 {
        let patterns = self.of_patterns.iter().map(|entry| u64::from(entry.repeats)).max().unwrap_or(0);
        let entries = self.of_passes.iter().flat_map(|passes| &passes.entries);
        let passes: u64 = entries.map(|entry| u64::from(entry.repeats) * PASSES).sum();
        (patterns + passes) * batch as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::definition::Compute;
    use crate::metrics;

    #[test]
    fn all_metrics_of_patterns_draw_weights_alike() {
        let of_patterns =
            metrics::all().iter().filter(|metric| matches!(metric.compute, Compute::Patterns { .. }));
        let inits: HashSet<_> = of_patterns.map(|metric| metric.init).collect();
        assert_eq!(inits.len(), 1, "{inits:?}");
    }
}
