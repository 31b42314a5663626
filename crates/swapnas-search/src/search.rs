use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use swapnas_graph::Level;
use swapnas_metrics::{Progress, Proxies, Scored, Scorer};
use swapnas_spaces::{Arch, Space};

use crate::algorithm::Algorithm;
use crate::{
    AlgorithmKind, Archive, Candidates, Configuration, Evaluated, Evaluator, SearchError, SearchOptions,
    SecondObjective, Store,
};

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

/// What a search takes besides a space and an algorithm.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the run.
    pub folder: PathBuf,
    /// Everything else that the result depends on. What it says of the space and of the algorithm is not looked at,
    /// but for [`Configuration::one_cell`].
    pub configuration: Configuration,
    /// The instructions to use; the result does not depend on them.
    pub level: Level,
}

/// A search with its run folder.
pub struct Search {
    configuration: Configuration,
    scorer: Scorer,
    /// What scores in place of the scorer, if anything does.
    evaluator: Option<Box<dyn Evaluator>>,
    candidates: Candidates,
    algorithm: Box<dyn Algorithm>,
    archive: Archive,
    /// The step with which each entry of the archive came.
    steps: Vec<usize>,
    step: usize,
    /// What the algorithm asks for and has not been told of yet.
    asked: Vec<Arch>,
    /// Evaluations of an earlier process that the algorithm has not asked for again yet.
    known: HashMap<Arch, Evaluated>,
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
        let space = configuration.space()?;
        let configuration = configuration.fitted(space)?;
        let parts = Parts::new(&configuration, space, configuration.algorithm()?, level)?;
        if configuration.search.algorithm != AlgorithmKind::Exhaustive {
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
        Search::resume_with(folder, Proxies::default(), level)
    }

    /// Continues a run whose metrics name these.
    ///
    /// # Errors
    /// If the folder holds no run that can be continued, or one that names others.
    pub fn resume_with(folder: &Path, proxies: Proxies, level: Level) -> Result<Self, SearchError> {
        let (mut store, configuration) = Store::open(folder)?;
        let configuration = Configuration { proxies, ..configuration };
        let parts = Parts::new(&configuration, configuration.space()?, configuration.algorithm()?, level)?;
        let known = parts.known(&mut store)?;
        Ok(parts.search(configuration, store, known))
    }

    /// A search of any space by any algorithm. If the folder holds a run of the same settings, it goes on from there,
    /// with an algorithm that is about to begin: it is told again what is known.
    ///
    /// # Errors
    /// If the options cannot be used, the folder cannot, or it holds a run of other settings.
    pub fn with(
        space: &'static dyn Space,
        algorithm: impl Algorithm + 'static,
        options: Options,
    ) -> Result<Self, SearchError> {
        let Options { folder, configuration, level } = options;
        let (name, algorithm) = (space.name().to_owned(), Box::new(algorithm));
        let space = configuration.part_of(space);
        let search = SearchOptions { algorithm: AlgorithmKind::Own, ..configuration.search };
        let configuration = Configuration { space: name, search, ..configuration };
        let configuration = configuration.fitted(space)?;
        let parts = Parts::new(&configuration, space, algorithm, level)?;
        if !Store::is_in(&folder) {
            let store = Store::create(&folder, &configuration)?;
            return Ok(parts.search(configuration, store, HashMap::new()));
        }
        let (mut store, stored) = Store::open(&folder)?;
        // Functions are not kept with a run.
        if (Configuration { proxies: configuration.proxies.clone(), ..stored }) != configuration {
            return Err(SearchError::OtherRun(folder));
        }
        let known = parts.known(&mut store)?;
        Ok(parts.search(configuration, store, known))
    }

    /// Has architectures evaluated elsewhere. The run is the same: it can be resumed by another evaluator, or by none.
    #[must_use]
    pub fn evaluated_by(self, evaluator: impl Evaluator + 'static) -> Self {
        Search { evaluator: Some(Box::new(evaluator)), ..self }
    }

    /// Lets the algorithm run to its end, until `progress` stops it, or until the time is up. Whatever is
    /// evaluated by then is in the store, and another call goes on from there.
    ///
    /// # Errors
    /// If networks cannot be scored, or the store cannot be written.
    pub fn run(&mut self, progress: &dyn Progress, budget: Option<Duration>) -> Result<Ended, SearchError> {
        let start = Instant::now();
        self.run_until(progress, &|| budget.is_some_and(|budget| start.elapsed() >= budget))
    }

    /// The same, where `time_is_up` says when that is. It is asked wherever `progress` is: before every network.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_until(
        &mut self,
        progress: &dyn Progress,
        time_is_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Ended, SearchError> {
        let until = Until { progress, time_is_up };
        loop {
            if until.stopped() {
                return Ok(until.ended());
            }
            if self.asked.is_empty() {
                self.asked = self.algorithm.ask(&self.archive, &mut self.candidates)?;
            }
            if self.asked.is_empty() {
                if self.archive.entries().is_empty() {
                    return Err(SearchError::NoneWithin(self.configuration.search.limits.to_string()));
                }
                self.check_known(|_| false)?;
                return Ok(Ended::Complete);
            }
            if !self.evaluate(&until)? {
                return Ok(until.ended());
            }
            let asked = std::mem::take(&mut self.asked);
            let place = |arch| self.archive.place(arch).expect("it has just been evaluated");
            let places: Vec<usize> = asked.iter().map(place).collect();
            self.algorithm.tell(&self.archive, &places);
            if self.step == 0 && self.archive.ranking().is_empty() {
                return Err(self.undefined());
            }
            self.step += 1;
        }
    }

    /// Brings the architectures that are asked for into the archive; `false` if the work was stopped before all
    /// were scored. What was scored is in the store, also if the evaluator has failed.
    fn evaluate(&mut self, progress: &dyn Progress) -> Result<bool, SearchError> {
        let mut new: Vec<Arch> = Vec::new();
        for arch in &self.asked {
            if self.archive.place(arch).is_none() && !new.contains(arch) {
                new.push(arch.clone());
            } else {
                progress.advance(1.0);
            }
        }
        let unknown: Vec<Arch> = new.iter().filter(|arch| !self.known.contains_key(arch)).cloned().collect();
        progress.advance((new.len() - unknown.len()) as f64);
        let mut scored = vec![None; unknown.len()];
        let evaluated = match &self.evaluator {
            Some(evaluator) => evaluator.evaluate(&unknown, &mut scored, progress),
            None => self.scorer.evaluate(&unknown, &mut scored, progress),
        };
        let scored: Vec<(Arch, Scored)> =
            unknown.into_iter().zip(scored).filter_map(|(arch, scored)| Some((arch, scored?))).collect();
        let candidates = &self.candidates;
        let entry = |(arch, scored): (Arch, Scored)| {
            let sizes = candidates.sizes(&arch)?;
            Ok(Evaluated { arch, scored, sizes })
        };
        let entries: Vec<Evaluated> =
            scored.into_par_iter().map(entry).collect::<Result<_, SearchError>>()?;
        let (space, place) = (self.candidates.space(), self.archive.entries().len());
        self.store.save(space, &self.scorer.settings().metrics, &entries)?;
        self.evaluated += entries.len();
        self.known.extend(entries.into_iter().map(|entry| (entry.arch.clone(), entry)));
        evaluated?;
        if new.iter().any(|arch| !self.known.contains_key(arch)) {
            return Ok(false);
        }
        // A process begins a step when it has written the one before, so that what it left belongs to one step.
        if !new.is_empty() && self.store.is_new(place) {
            self.check_known(|arch| new.contains(arch))?;
        }
        self.store.step(space, self.step, place, &new)?;
        let entries = new.iter().map(|arch| self.known.remove(arch).expect("all are known by now"));
        self.archive.add(entries.collect::<Vec<Evaluated>>());
        self.steps.resize(self.archive.entries().len(), self.step);
        Ok(true)
    }

    /// Refuses evaluations of an earlier process that the algorithm would not have asked for.
    fn check_known(&self, is_asked: impl Fn(&Arch) -> bool) -> Result<(), SearchError> {
        match self.known.keys().filter(|arch| !is_asked(arch)).min() {
            Some(arch) => {
                let arch = self.candidates.space().print(arch);
                Err(self.store.damaged(format!("the evaluation of {arch} is of no step of the search")))
            }
            None => Ok(()),
        }
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

/// The search as the scorer sees it: stopped by whoever watches it, or when the time is up.
struct Until<'a> {
    progress: &'a dyn Progress,
    time_is_up: &'a (dyn Fn() -> bool + Sync),
}

impl Until<'_> {
    /// Which of both it was.
    fn ended(&self) -> Ended {
        if self.progress.stopped() { Ended::Stopped } else { Ended::OutOfTime }
    }
}

impl Progress for Until<'_> {
    fn advance(&self, networks: f64) {
        self.progress.advance(networks);
    }

    fn stopped(&self) -> bool {
        self.progress.stopped() || (self.time_is_up)()
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
    fn new(
        configuration: &Configuration,
        space: &'static dyn Space,
        algorithm: Box<dyn Algorithm>,
        level: Level,
    ) -> Result<Self, SearchError> {
        let SearchOptions { second, latency, .. } = &configuration.search;
        if *second == SecondObjective::Latency && latency.is_none() {
            return Err(SearchError::NoLatencyTable);
        }
        Ok(Parts {
            scorer: configuration.scorer_of(space, level)?,
            candidates: configuration.candidates_of(space)?,
            algorithm,
            archive: Archive::new(configuration.columns()?, second.cost()),
        })
    }

    /// What an earlier process evaluated.
    fn known(&self, store: &mut Store) -> Result<HashMap<Arch, Evaluated>, SearchError> {
        store.load(&self.candidates, self.scorer.network(), &self.scorer.settings().metrics)
    }

    fn search(self, configuration: Configuration, store: Store, known: HashMap<Arch, Evaluated>) -> Search {
        let Parts { scorer, candidates, algorithm, archive } = self;
        Search {
            configuration,
            scorer,
            evaluator: None,
            candidates,
            algorithm,
            archive,
            steps: Vec::new(),
            step: 0,
            asked: Vec::new(),
            known,
            evaluated: 0,
            store,
        }
    }
}
