//! Scoring the networks of one chunk on all threads.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Element, Executor, ValueCache};

use super::agenda::Entry;
use super::plan::Planned;
use super::{Progress, Saturation, Score, ScoreError, Scored, Scorer, Sharing};
use crate::Undefined;
use crate::definition::{Compute, Precise};
use crate::observe::PatternCollector;
use crate::trial::{Engines, Material, Trial};
use crate::undefined::Failure;

/// Memory of the values that networks share, for each thread.
const CACHE_BYTES: usize = 48 << 20;

/// Networks that are scored together.
pub(super) struct Work<'a, E> {
    pub scorer: &'a Scorer,
    pub material: &'a Material<E>,
    pub networks: &'a [&'a Planned],
    pub progress: &'a dyn Progress,
}

/// What one repeat says of a network: the metrics that have as many repeats.
struct Measured {
    values: Vec<Option<Result<f64, Undefined>>>,
    patterns: Option<usize>,
}

/// What tasks do their work in, one after the other.
struct Memory<E: Element> {
    executor: Executor<E>,
    patterns: PatternCollector,
    engines: Engines<E>,
}

impl<E: Precise> Work<'_, E> {
    /// The scores of all networks that are done before the work is stopped.
    pub(super) fn score(&self) -> Result<Vec<Option<Scored>>, ScoreError> {
        let (networks, repeats) = (self.networks.len(), self.scorer.agenda.repeats);
        // A task is one repeat of some of the networks. Networks that share weights stay together as
        // far as there is work for every thread.
        let threads = rayon::current_num_threads();
        let alone = repeats as usize * networks < threads;
        let groups = (4 * threads).div_ceil(repeats as usize).min(networks).max(1);
        let group = |index: usize| index * networks / groups..(index + 1) * networks / groups;
        let tasks: Vec<(u32, Range<usize>)> =
            (0..groups).flat_map(|g| (0..repeats).map(move |repeat| (repeat, group(g)))).collect();
        // As many memories as threads, kept from task to task: what the system hands out anew, page by
        // page, is slow, and what is given back to the allocator is not always used again.
        let memories = Mutex::new(Vec::new());
        let lock = || memories.lock().unwrap_or_else(PoisonError::into_inner);
        let run = |(repeat, group): (u32, Range<usize>)| {
            let kept = lock().pop();
            let mut memory = kept.unwrap_or_else(|| self.memory(alone));
            let measured = self.run(&mut memory, repeat, group);
            lock().push(memory);
            measured
        };
        let runs: Vec<Vec<Option<Measured>>> = if alone {
            tasks.into_iter().map(run).collect::<Result<_, _>>()?
        } else {
            tasks.into_par_iter().map(run).collect::<Result<_, _>>()?
        };
        let mut scored = Vec::with_capacity(networks);
        for (runs, range) in runs.chunks_exact(repeats as usize).zip((0..groups).map(group)) {
            for (place, planned) in self.networks[range].iter().enumerate() {
                let measured: Option<Vec<&Measured>> = runs.iter().map(|run| run[place].as_ref()).collect();
                scored.push(measured.map(|measured| self.summary(planned, &measured)));
            }
        }
        Ok(scored)
    }

    fn summary(&self, planned: &Planned, repeats: &[&Measured]) -> Scored {
        let graph = planned.graph();
        let scores = (0..self.scorer.agenda.metrics)
            .map(|metric| {
                let values = repeats.iter().filter_map(|measured| measured.values[metric].clone());
                Ok(Score::of(&values.collect::<Result<Vec<f64>, _>>()?))
            })
            .collect();
        let units = graph.relu_units();
        let patterns: Vec<f64> = repeats.iter().filter_map(|m| m.patterns).map(|n| n as f64).collect();
        let saturation = (!patterns.is_empty() && units > 0).then(|| {
            let samples = self.material.first.images.samples();
            Saturation::new(Score::of(&patterns).mean, units, samples)
        });
        Scored { params: graph.parameter_count(), macs: graph.macs(), units, scores, saturation }
    }

    /// With `parallel`, each layer is divided over the threads.
    fn memory(&self, parallel: bool) -> Memory<E> {
        let level = self.scorer.settings.level;
        Memory {
            executor: Executor::new(level).parallel(parallel),
            patterns: PatternCollector::new(self.material.first.images.samples()),
            engines: Engines::new(level, parallel),
        }
    }

    /// One repeat of a group of networks.
    fn run(
        &self,
        memory: &mut Memory<E>,
        repeat: u32,
        group: Range<usize>,
    ) -> Result<Vec<Option<Measured>>, ScoreError> {
        let Scorer { settings, agenda, tensors, .. } = self.scorer;
        let networks = &self.networks[group];
        let Memory { executor, patterns, engines } = memory;
        let needs_patterns = due(&agenda.of_patterns, repeat).next().is_some();
        let shares = settings.sharing == Sharing::Shared && tensors.is_none() && networks.len() > 1;
        let mut cache = None;
        if needs_patterns && shares {
            let cache = cache.insert(ValueCache::new(CACHE_BYTES));
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
            let mut values = vec![None; agenda.metrics];
            let mut count = None;
            if needs_patterns {
                let weights = self.scorer.draw(agenda.pattern_init, repeat, planned);
                let images = &self.material.first.images;
                patterns.begin();
                executor.run(&planned.plan, images, weights, cache.as_mut(), patterns)?;
                patterns.release(&planned.plan);
                count = Some(patterns.patterns().len());
            }
            self.graph_and_patterns(planned, repeat, patterns, &mut values);
            self.passes(planned, repeat, engines, &mut values)?;
            measured.push(Some(Measured { values, patterns: count }));
            self.progress.advance(1.0 / f64::from(agenda.repeats));
        }
        measured.resize_with(networks.len(), || None);
        Ok(measured)
    }

    fn graph_and_patterns(
        &self,
        planned: &Planned,
        repeat: u32,
        patterns: &PatternCollector,
        values: &mut [Option<Result<f64, Undefined>>],
    ) {
        let Scorer { settings, agenda, .. } = self.scorer;
        let graph = planned.graph();
        let of_graph = agenda.of_graph.iter().copied().filter(|_| repeat == 0);
        for index in of_graph.chain(due(&agenda.of_patterns, repeat)) {
            let metric = &settings.metrics[index];
            let value = match metric.definition().compute {
                Compute::Graph(compute) => compute(graph),
                Compute::Patterns(compute) => compute(graph, patterns.patterns(), metric.values()),
                Compute::Passes { .. } => continue,
            };
            values[index] = Some(value.and_then(finite));
        }
    }

    fn passes(
        &self,
        planned: &Planned,
        repeat: u32,
        engines: &mut Engines<E>,
        values: &mut [Option<Result<f64, Undefined>>],
    ) -> Result<(), ScoreError> {
        let Scorer { settings, agenda, .. } = self.scorer;
        let Some(network) = &planned.network else { return Ok(()) };
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
        Ok(())
    }
}

/// The metrics that take part in a repeat.
fn due(entries: &[Entry], repeat: u32) -> impl Iterator<Item = usize> {
    entries.iter().filter(move |entry| repeat < entry.repeats).map(|entry| entry.metric)
}

fn finite(value: f64) -> Result<f64, Undefined> {
    if value.is_finite() { Ok(value) } else { Err(Undefined::NotFinite(value)) }
}
