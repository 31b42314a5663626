use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use swapnas_graph::Level;
use swapnas_proxies::{Progress, Scorer};
use swapnas_spaces::Arch;

use crate::algorithm::Algorithm;
use crate::{AlgorithmKind, Archive, Candidates, Configuration, Entry, SearchError, SecondObjective, Store};

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The algorithm has nothing more to ask.
    Complete,
    /// The time was up.
    OutOfTime,
    /// Somebody stopped it.
    Stopped,
}

/// A search with its run folder.
pub struct Search {
    configuration: Configuration,
    scorer: Scorer,
    candidates: Candidates,
    algorithm: Box<dyn Algorithm>,
    archive: Archive,
    /// The step with which each entry of the archive came.
    steps: Vec<usize>,
    step: usize,
    /// Evaluations of an earlier process that the algorithm has not asked for again yet.
    known: HashMap<Arch, Entry>,
    /// How many evaluations this process has made.
    evaluated: usize,
    store: Store,
}

impl Search {
    /// A new search in a folder that holds no run yet.
    ///
    /// # Errors
    /// If the configuration cannot be used, or the folder cannot.
    pub fn create(folder: &Path, configuration: Configuration, level: Level) -> Result<Self, SearchError> {
        // What is wrong with the configuration is found before the folder is touched.
        let parts = Parts::new(&configuration, level)?;
        if configuration.algorithm != AlgorithmKind::Exhaustive {
            // Of those that are drawn, one can be. The search's own random numbers stay as they are.
            parts.candidates.clone().sample()?;
        }
        let store = Store::create(folder, &configuration)?;
        Ok(parts.search(configuration, store, HashMap::new()))
    }

    /// Continues the run in a folder.
    ///
    /// # Errors
    /// If the folder holds no run that can be continued.
    pub fn resume(folder: &Path, level: Level) -> Result<Self, SearchError> {
        let (store, configuration) = Store::open(folder)?;
        let parts = Parts::new(&configuration, level)?;
        let known = store.load(parts.candidates.space(), &parts.scorer.settings().metrics)?;
        Ok(parts.search(configuration, store, known))
    }

    /// Lets the algorithm run to its end, until `progress` stops it, or until the time is up. Whatever is
    /// evaluated by then is in the store.
    ///
    /// # Errors
    /// If networks cannot be scored, or the store cannot be written.
    pub fn run(&mut self, progress: &dyn Progress, budget: Option<Duration>) -> Result<Ended, SearchError> {
        let start = Instant::now();
        loop {
            if progress.stopped() {
                return Ok(Ended::Stopped);
            }
            if budget.is_some_and(|budget| start.elapsed() >= budget) {
                return Ok(Ended::OutOfTime);
            }
            let asked = self.algorithm.ask(&self.archive, &mut self.candidates)?;
            if asked.is_empty() {
                if self.archive.entries().is_empty() {
                    return Err(SearchError::NoneWithin(self.configuration.limits.to_string()));
                }
                return Ok(Ended::Complete);
            }
            if !self.evaluate(&asked, progress)? {
                return Ok(Ended::Stopped);
            }
            let place = |arch| self.archive.place(arch).expect("it has just been evaluated");
            let places: Vec<usize> = asked.iter().map(place).collect();
            self.algorithm.tell(&self.archive, &places);
            if self.step == 0 && self.archive.ranking().is_empty() {
                return Err(self.undefined());
            }
            self.step += 1;
        }
    }

    /// Brings architectures into the archive; `false` if the work was stopped before all were scored.
    fn evaluate(&mut self, asked: &[Arch], progress: &dyn Progress) -> Result<bool, SearchError> {
        let mut new: Vec<Arch> = Vec::new();
        for arch in asked {
            if self.archive.place(arch).is_none() && !new.contains(arch) {
                new.push(arch.clone());
            } else {
                progress.advance(1.0);
            }
        }
        let unknown: Vec<Arch> = new.iter().filter(|arch| !self.known.contains_key(arch)).cloned().collect();
        progress.advance((new.len() - unknown.len()) as f64);
        let scored = self.scorer.score(&unknown, progress)?;
        let candidates = &self.candidates;
        let sizes: Vec<_> =
            unknown.par_iter().map(|arch| candidates.sizes(arch)).collect::<Result<_, SearchError>>()?;
        let entries = unknown.into_iter().zip(scored).zip(sizes);
        let entries: Vec<Entry> = entries
            .filter_map(|((arch, scored), sizes)| Some(Entry { arch, scored: scored?, sizes }))
            .collect();
        let space = self.candidates.space();
        self.store.save(space, &self.scorer.settings().metrics, &entries)?;
        self.evaluated += entries.len();
        self.known.extend(entries.into_iter().map(|entry| (entry.arch.clone(), entry)));
        if new.iter().any(|arch| !self.known.contains_key(arch)) {
            return Ok(false);
        }
        self.store.step(space, self.step, self.archive.entries().len(), &new)?;
        let entries = new.iter().map(|arch| self.known.remove(arch).expect("all are known by now"));
        self.archive.add(entries.collect::<Vec<Entry>>());
        self.steps.resize(self.archive.entries().len(), self.step);
        Ok(true)
    }

    fn undefined(&self) -> SearchError {
        let values = self.archive.values();
        let reason = values[0].iter().find_map(|value| value.as_ref().err()).map(ToString::to_string);
        SearchError::Undefined { count: self.archive.entries().len(), reason: reason.unwrap_or_default() }
    }

    /// Everything that the result depends on.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What scores networks.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// What draws architectures, and knows the network that is to be trained.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// Everything that was evaluated.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The step of the algorithm with which an entry of the archive came.
    pub fn step_of(&self, place: usize) -> usize {
        self.steps[place]
    }

    /// The architectures that the algorithm works on, by their places in the archive.
    pub fn population(&self) -> &[usize] {
        self.algorithm.population()
    }

    /// How many evaluations this process has made, those that were known not counted.
    pub fn evaluated(&self) -> usize {
        self.evaluated
    }

    /// The folder of the run.
    pub fn folder(&self) -> &Path {
        self.store.folder()
    }
}

/// What a configuration is made into.
struct Parts {
    scorer: Scorer,
    candidates: Candidates,
    algorithm: Box<dyn Algorithm>,
    archive: Archive,
}

impl Parts {
    fn new(configuration: &Configuration, level: Level) -> Result<Self, SearchError> {
        let space = configuration.space()?;
        if configuration.second == SecondObjective::Latency && configuration.latency.is_none() {
            return Err(SearchError::NoLatencyTable);
        }
        let (limits, latency) = (configuration.limits, configuration.latency.clone());
        let trained = configuration.trained()?;
        Ok(Parts {
            scorer: Scorer::new(space, configuration.scored()?, configuration.settings(level)?)?,
            candidates: Candidates::new(space, trained, limits, latency, configuration.seed)?,
            algorithm: configuration.algorithm()?,
            archive: Archive::new(configuration.columns()?, configuration.second.cost()),
        })
    }

    fn search(self, configuration: Configuration, store: Store, known: HashMap<Arch, Entry>) -> Search {
        let Parts { scorer, candidates, algorithm, archive } = self;
        Search {
            configuration,
            scorer,
            candidates,
            algorithm,
            archive,
            steps: Vec::new(),
            step: 0,
            known,
            evaluated: 0,
            store,
        }
    }
}
