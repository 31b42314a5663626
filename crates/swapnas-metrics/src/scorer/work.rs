//! Scoring the networks of one chunk on all threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Element, Executor, ValueCache};

use super::agenda::{Passes, PlannedMetric};
use super::plan::Planned;
use super::scored::finite;
use super::{GraphScorer, Progress, Refusals, Refused, ScoreError, Settings};
use crate::definition::{Compute, Precise};
use crate::memory::fitting;
use crate::observe::PatternCollector;
use crate::patterns::Counts;
use crate::trial::{Engines, SharedInputs, Trial};
use crate::undefined::Failure;
use crate::{MemoryError, Metric, Undefined, check_memory, proxy};

/// Memory of the values that networks share, for each thread.
pub(super) const CACHE_BYTES: usize = 48 << 20;

/// Multiply-accumulates that the networks of a group take with all sets of weights, more or less, unless one
/// takes more: a second or two of work, which is what may be lost when somebody stops it.
const GROUP_MACS: u64 = 200_000_000_000;

/// Networks that are scored together.
pub(super) struct GroupWork<'a, E: Element> {
    pub scorer: &'a GraphScorer,
    pub shared: &'a SharedInputs<E>,
    pub dues: &'a [Due],
    pub memories: &'a Mutex<Memories<E>>,
    pub refusals: Refusals,
    pub progress: &'a dyn Progress,
}

/// A network that is to be run.
pub(super) struct Due {
    pub planned: Planned,
    /// How many of what is to be scored it stands for.
    pub copies: usize,
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

/// What repeats say of some networks, or why they are not scored.
type Repeats = Vec<Result<Repeat, Refused>>;

/// What tasks do their work in, one after the other.
pub(super) struct Memory<E: Element> {
    executor: Executor<E>,
    patterns: PatternCollector,
    cache: ValueCache<E>,
    engines: Engines<E>,
}

/// As many memories as threads, kept from task to task: what the system hands out anew, page by page, is slow,
/// and what is given back to the allocator is not always used again.
#[derive(Default)]
pub(super) struct Memories<E: Element> {
    kept: Vec<Memory<E>>,
    /// Bytes that each of them may grow to, and how many there may be.
    granted: (usize, usize),
    /// Bytes for which there was room.
    admitted: usize,
}

impl<E: Element> Memories<E> {
    /// How many may grow to so many bytes, one for each thread if there is room.
    fn grant(&mut self, bytes: usize, threads: usize) -> Result<usize, MemoryError> {
        if self.granted.1 == 0 || bytes > self.granted.0 {
            // What they hold already can be had for larger ones.
            self.kept.clear();
            let workers = fitting(WHAT, bytes, threads)?;
            self.granted = (bytes, workers);
        }
        Ok(self.granted.1)
    }

    /// Whether one of them may grow to so many bytes.
    pub(super) fn admit(&mut self, bytes: usize) -> Result<(), MemoryError> {
        if bytes > self.admitted {
            self.kept.clear();
            check_memory(WHAT, bytes)?;
            self.admitted = bytes;
        }
        Ok(())
    }
}

/// What memory is asked for.
const WHAT: &str = "the values and weights of a network";

/// How threads do their work.
enum Workers {
    /// All of them one network after the other.
    Together,
    /// So many of them each its own.
    Each(usize),
}

impl Measured {
    /// About how many bytes of it there are for a network, and as many once more while they are put together.
    pub(super) fn bytes(settings: &Settings, repeats: u32) -> usize {
        let values = settings.metrics.len() * size_of::<Option<Result<f64, Undefined>>>();
        let repeat = size_of::<Repeat>() + size_of::<Counts>() + values;
        (repeats as usize).saturating_mul(2 * repeat)
    }
}

impl<E: Precise> GroupWork<'_, E> {
    /// What is said of every network that is done before the work is stopped.
    pub(super) fn measure(&self) -> Result<Vec<Option<Result<Measured, Refused>>>, ScoreError> {
        // A task is one repeat of a group of networks. They are done in order, all repeats of a group one after
        // the other, so that little is under way at any time.
        let repeats = self.scorer.agenda.repeats;
        let groups = self.groups();
        let tasks = groups.len() * repeats as usize;
        let left: Vec<AtomicU32> = self.dues.iter().map(|_| AtomicU32::new(repeats)).collect();
        let next = AtomicUsize::new(0);
        let work = |memory: &mut Memory<E>| -> Result<Vec<(usize, Repeats)>, ScoreError> {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tasks {
                    return Ok(done);
                }
                let (group, repeat) = (&groups[index / repeats as usize], (index % repeats as usize) as u32);
                match self.run(memory, repeat, group.clone(), &left) {
                    Ok(runs) => done.push((index, runs)),
                    Err(error) => {
                        // Nobody begins another task.
                        next.store(tasks, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        let lock = || self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = |_| {
            let kept = lock().kept.pop();
            let mut memory = kept.unwrap_or_else(|| self.memory(false));
            let done = work(&mut memory);
            lock().kept.push(memory);
            done
        };
        let mut done: Vec<(usize, Repeats)> = match self.workers(tasks)? {
            Workers::Together => work(&mut self.memory(true))?,
            Workers::Each(count) => {
                let workers = (0..count).into_par_iter().with_max_len(1);
                workers.map(worker).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
            }
        };
        done.sort_unstable_by_key(|(index, _)| *index);
        let mut measured = Vec::with_capacity(self.dues.len());
        let mut runs = done.into_iter().map(|(_, runs)| runs.into_iter());
        for group in groups {
            let mut of_group: Vec<_> = runs.by_ref().take(repeats as usize).collect();
            measured.extend(group.map(|_| {
                let repeats: Vec<Option<_>> = of_group.iter_mut().map(Iterator::next).collect();
                let repeats: Repeats = repeats.into_iter().collect::<Option<_>>()?;
                let repeats: Result<Vec<Repeat>, Refused> = repeats.into_iter().collect();
                Some(repeats.map(|repeats| {
                    let (counts, values): (Vec<_>, Vec<_>) = repeats.into_iter().unzip();
                    Measured { counts: counts.into_iter().flatten().collect(), values }
                }))
            }));
        }
        Ok(measured)
    }

    /// How threads do so many tasks: as many as there is memory for.
    fn workers(&self, tasks: usize) -> Result<Workers, ScoreError> {
        let threads = rayon::current_num_threads();
        let bytes = self.dues.iter().map(|due| due.planned.bytes).max().unwrap_or(0);
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let lacking = |error| ScoreError::Memory { error, remedy: self.scorer.remedy };
        let alone = tasks < threads;
        if !alone {
            let workers = memories.grant(bytes, threads).map_err(lacking)?;
            if workers > 1 || threads == 1 {
                return Ok(Workers::Each(workers));
            }
        }
        // Threads that work on one network together need some room of their own.
        let together = |Due { planned, .. }: &Due| self.scorer.bytes(planned, threads);
        memories.kept.clear();
        memories.granted = (0, 0);
        match check_memory(WHAT, self.dues.iter().map(together).max().unwrap_or(0)) {
            Ok(()) => Ok(Workers::Together),
            Err(_) => Ok(Workers::Each(memories.grant(bytes, 1).map_err(lacking)?)),
        }
    }

    /// Divides the networks into groups. Those that share weights stay together as far as there is work for
    /// every thread, and as not too much is under way at a time.
    fn groups(&self) -> Vec<Range<usize>> {
        let (networks, threads) = (self.dues.len(), rayon::current_num_threads());
        let GraphScorer { settings, agenda, .. } = self.scorer;
        let most = if self.scorer.shares() {
            let groups = (4 * threads).div_ceil(agenda.repeats as usize).min(networks).max(1);
            networks.div_ceil(groups)
        } else {
            1
        };
        let passes = agenda.passes(settings.batch);
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut macs = 0_u64;
        for (index, Due { planned, .. }) in self.dues.iter().enumerate() {
            let cost = planned.graph().macs().saturating_mul(passes);
            macs = macs.saturating_add(cost);
            match groups.last_mut() {
                Some(group) if group.len() < most && macs <= GROUP_MACS => group.end += 1,
                _ => {
                    groups.push(index..index + 1);
                    macs = cost;
                }
            }
        }
        groups
    }

    /// With `parallel`, each layer is divided over the threads.
    fn memory(&self, parallel: bool) -> Memory<E> {
        let level = self.scorer.settings.level;
        Memory {
            executor: Executor::new(level).parallel(parallel),
            patterns: PatternCollector::new(self.shared.first.images.samples()),
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
        left: &[AtomicU32],
    ) -> Result<Repeats, ScoreError> {
        if self.progress.stopped() {
            return Ok(Vec::new());
        }
        let agenda = &self.scorer.agenda;
        let (dues, left) = (&self.dues[group.clone()], &left[group]);
        let Memory { executor, patterns, cache, engines } = memory;
        let needs_patterns = due(&agenda.of_patterns, repeat).next().is_some();
        let mut cache = (needs_patterns && self.scorer.shares() && dues.len() > 1).then_some(cache);
        if let Some(cache) = &mut cache {
            // Its values are of other weights.
            cache.clear();
            for Due { planned, .. } in dues {
                cache.expect(&planned.plan);
                patterns.expect(&planned.plan);
            }
        }
        let mut measured = Vec::with_capacity(dues.len());
        for (Due { planned, copies }, left) in dues.iter().zip(left) {
            if self.progress.stopped() {
                break;
            }
            let mut counts = Ok(None);
            if needs_patterns {
                let weights = self.scorer.draw(agenda.pattern_init, repeat, planned);
                let images = &self.shared.first.images;
                patterns.begin();
                let run = executor.run(&planned.plan, images, weights, cache.as_deref_mut(), patterns);
                patterns.release(&planned.plan);
                let run = run.map(|()| patterns.patterns().counts(agenda.of_samples));
                let metric = &self.scorer.settings.metrics[agenda.of_patterns[0].metric];
                counts = self.settled(run.map_err(Failure::from), metric).map(Some);
            }
            let found = counts.and_then(|counts| Ok((counts, self.passes(planned, repeat, engines)?)));
            measured.push(self.refusals.settle(found)?);
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.progress.advance(*copies as f64);
            }
        }
        Ok(measured)
    }

    fn passes(&self, planned: &Planned, repeat: u32, engines: &mut Engines<E>) -> Result<Values, ScoreError> {
        let GraphScorer { settings, agenda, .. } = self.scorer;
        if agenda.of_passes.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = vec![None; settings.metrics.len()];
        for Passes { init, open, entries } in &agenda.of_passes {
            let mut due = due(entries, repeat).peekable();
            let network = if *open { &planned.open } else { &planned.network };
            let (Some(network), true) = (network, due.peek().is_some()) else { continue };
            let drawn = self.scorer.draw(*init, repeat, planned);
            let weights = ParamSet::load(planned.graph(), drawn)
                .map_err(|error| ScoreError::of_run(error, self.scorer.remedy))?;
            let mut trial = Trial::new(network, self.shared, &weights, drawn, engines);
            for index in due {
                let metric = &settings.metrics[index];
                let value = match metric.compute() {
                    Compute::Passes { single, double, .. } => {
                        E::of(single, double)(&mut trial, metric.values())
                    }
                    Compute::Proxy(proxy) => proxy::measure(proxy, &mut trial),
                    Compute::Graph(_) | Compute::Patterns { .. } => continue,
                };
                values[index] = Some(self.settled(value, metric)?.and_then(finite));
            }
        }
        Ok(values)
    }
    /// A value, or why there is none; what else went wrong keeps the network from being scored.
    fn settled<T>(
        &self,
        result: Result<T, Failure>,
        metric: &Metric,
    ) -> Result<Result<T, Undefined>, ScoreError> {
        let remedy = self.scorer.remedy;
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Failure::Undefined(reason)) => Ok(Err(reason)),
            Err(Failure::Run(error)) => Err(ScoreError::of_run(error, remedy)),
            Err(Failure::Gradient(error)) => Err(ScoreError::of_gradient(error, remedy)),
            Err(Failure::Proxy(source)) => Err(ScoreError::Proxy { metric: metric.to_string(), source }),
        }
    }
}

/// The metrics that take part in a repeat.
fn due(entries: &[PlannedMetric], repeat: u32) -> impl Iterator<Item = usize> {
    entries.iter().filter(move |entry| repeat < entry.repeats).map(|entry| entry.metric)
}
