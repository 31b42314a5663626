//! Scoring the networks of one chunk on all threads.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Element, Executor, ValueCache};

use super::agenda::Entry;
use super::plan::Planned;
use super::scored::finite;
use super::{GraphScorer, Progress, ScoreError, Sharing};
use crate::Undefined;
use crate::definition::{Compute, Precise};
use crate::observe::PatternCollector;
use crate::patterns::Counts;
use crate::trial::{Engines, Material, Trial};
use crate::undefined::Failure;

/// Memory of the values that networks share, for each thread.
const CACHE_BYTES: usize = 48 << 20;

/// Networks that are scored together.
pub(super) struct Work<'a, E: Element> {
    pub scorer: &'a GraphScorer,
    pub material: &'a Material<E>,
    pub networks: &'a [&'a Planned],
    pub memories: &'a Memories<E>,
    pub progress: &'a dyn Progress,
}

/// The values of metrics, by metric, as far as they are computed from passes.
type Values = Vec<Option<Result<f64, Undefined>>>;

/// What all repeats say of a network.
#[derive(Default)]
pub(super) struct Measured {
    /// How many patterns it has, for as many repeats as metrics read patterns, or why there are none to count.
    pub counts: Vec<Result<Counts, Undefined>>,
    /// For every repeat.
    pub values: Vec<Values>,
}

/// What one repeat says of a network.
type Repeat = (Option<Result<Counts, Undefined>>, Values);

/// What tasks do their work in, one after the other.
pub(super) struct Memory<E: Element> {
    executor: Executor<E>,
    patterns: PatternCollector,
    cache: ValueCache<E>,
    engines: Engines<E>,
}

/// As many memories as threads, kept from task to task: what the system hands out anew, page by page, is slow,
/// and what is given back to the allocator is not always used again.
pub(super) type Memories<E> = Mutex<Vec<Memory<E>>>;

impl<E: Precise> Work<'_, E> {
    /// What is said of every network that is done before the work is stopped.
    pub(super) fn measure(&self) -> Result<Vec<Option<Measured>>, ScoreError> {
        let (networks, repeats) = (self.networks.len(), self.scorer.agenda.repeats);
        // A task is one repeat of some of the networks. Networks that share weights stay together as
        // far as there is work for every thread.
        let threads = rayon::current_num_threads();
        let alone = repeats as usize * networks < threads;
        let groups = (4 * threads).div_ceil(repeats as usize).min(networks).max(1);
        let group = |index: usize| index * networks / groups..(index + 1) * networks / groups;
        let tasks: Vec<(u32, Range<usize>)> =
            (0..groups).flat_map(|g| (0..repeats).map(move |repeat| (repeat, group(g)))).collect();
        let runs: Vec<Vec<Repeat>> = if alone {
            let mut memory = self.memory(true);
            let run = |(repeat, group)| self.run(&mut memory, repeat, group);
            tasks.into_iter().map(run).collect::<Result<_, _>>()?
        } else {
            let lock = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
            let run = |(repeat, group): (u32, Range<usize>)| {
                let kept = lock().pop();
                let mut memory = kept.unwrap_or_else(|| self.memory(false));
                let measured = self.run(&mut memory, repeat, group);
                lock().push(memory);
                measured
            };
            tasks.into_par_iter().map(run).collect::<Result<_, _>>()?
        };
        let mut measured: Vec<Option<Measured>> = Vec::with_capacity(networks);
        let mut runs = runs.into_iter();
        for range in (0..groups).map(group) {
            let mut of_group: Vec<_> = runs.by_ref().take(repeats as usize).map(Vec::into_iter).collect();
            measured.extend(range.map(|_| {
                let repeats: Vec<Option<Repeat>> = of_group.iter_mut().map(Iterator::next).collect();
                let repeats: Vec<Repeat> = repeats.into_iter().collect::<Option<_>>()?;
                let (counts, values): (Vec<_>, Vec<_>) = repeats.into_iter().unzip();
                Some(Measured { counts: counts.into_iter().flatten().collect(), values })
            }));
        }
        Ok(measured)
    }

    /// With `parallel`, each layer is divided over the threads.
    fn memory(&self, parallel: bool) -> Memory<E> {
        let level = self.scorer.settings.level;
        Memory {
            executor: Executor::new(level).parallel(parallel),
            patterns: PatternCollector::new(self.material.first.images.samples()),
            cache: ValueCache::new(CACHE_BYTES),
            engines: Engines::new(level, parallel),
        }
    }

    /// One repeat of a group of networks: of its first ones, if the work is stopped.
    fn run(
        &self,
        memory: &mut Memory<E>,
        repeat: u32,
        group: Range<usize>,
    ) -> Result<Vec<Repeat>, ScoreError> {
        let GraphScorer { settings, agenda, tensors, .. } = self.scorer;
        let networks = &self.networks[group];
        let Memory { executor, patterns, cache, engines } = memory;
        let needs_patterns = due(&agenda.of_patterns, repeat).next().is_some();
        let shares = settings.sharing == Sharing::Shared && tensors.is_none() && networks.len() > 1;
        let mut cache = (needs_patterns && shares).then_some(cache);
        if let Some(cache) = &mut cache {
            // Its values are of other weights.
            cache.clear();
            for planned in networks {
                cache.expect(&planned.plan);
                patterns.expect(&planned.plan);
            }
        }
        let mut measured = Vec::with_capacity(networks.len());
        for planned in networks {
            if self.progress.stopped() {
                break;
            }
            let mut counts = None;
            if needs_patterns {
                let weights = self.scorer.draw(agenda.pattern_init, repeat, planned);
                let images = &self.material.first.images;
                patterns.begin();
                let run = executor.run(&planned.plan, images, weights, cache.as_deref_mut(), patterns);
                patterns.release(&planned.plan);
                counts = Some(match run.map_err(Failure::from) {
                    Ok(()) => Ok(patterns.patterns().counts(agenda.of_samples)),
                    Err(Failure::Undefined(reason)) => Err(reason),
                    Err(Failure::Run(error)) => return Err(error.into()),
                    Err(Failure::Gradient(error)) => return Err(error.into()),
                });
            }
            let values = self.passes(planned, repeat, engines)?;
            measured.push((counts, values));
            self.progress.advance(1.0 / f64::from(agenda.repeats));
        }
        Ok(measured)
    }

    fn passes(&self, planned: &Planned, repeat: u32, engines: &mut Engines<E>) -> Result<Values, ScoreError> {
        let GraphScorer { settings, agenda, .. } = self.scorer;
        let Some(network) = &planned.network else { return Ok(Vec::new()) };
        let mut values = vec![None; settings.metrics.len()];
        for (init, entries) in &agenda.of_passes {
            let mut due = due(entries, repeat).peekable();
            if due.peek().is_none() {
                continue;
            }
            let drawn = self.scorer.draw(*init, repeat, planned);
            let weights = ParamSet::load(planned.graph(), drawn)?;
            let mut trial = Trial::new(network, self.material, &weights, drawn, engines);
            for index in due {
                let metric = &settings.metrics[index];
                let Compute::Passes { single, double, .. } = metric.definition().compute else { continue };
                let value = match E::of(single, double)(&mut trial, metric.values()) {
                    Ok(value) => finite(value),
                    Err(Failure::Undefined(reason)) => Err(reason),
                    Err(Failure::Run(error)) => return Err(error.into()),
                    Err(Failure::Gradient(error)) => return Err(error.into()),
                };
                values[index] = Some(value);
            }
        }
        Ok(values)
    }
}

/// The metrics that take part in a repeat.
fn due(entries: &[Entry], repeat: u32) -> impl Iterator<Item = usize> {
    entries.iter().filter(move |entry| repeat < entry.repeats).map(|entry| entry.metric)
}
