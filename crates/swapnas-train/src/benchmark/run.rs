//! Making a benchmark, and opening it.

mod table;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;
use swapnas_graph::{Level, plain, read_json};
use swapnas_metrics::{MemoryError, Progress};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

use super::journal::{self, Journal, JournalError, Training};
use super::{Plan, PlanError, sample};
use crate::{Dataset, Settings, TrainError, Trainer, file};

const PLAN: &str = "plan.json";
const JOURNAL: &str = "networks.jsonl";
const TABLE: &str = "table.csv";

/// A benchmark that cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The plan cannot be followed.
    #[error(transparent)]
    Plan(Box<PlanError>),
    /// A network cannot be built.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// What was trained cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file cannot be read or written.
    #[error("{}: {cause}", plain(path))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The folder has no benchmark.
    #[error("{} has no benchmark", plain(folder))]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// The plan in the folder cannot be read.
    #[error("{}: {why}", plain(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The folder has another benchmark.
    #[error(
        "{} has another benchmark, with {difference}: give the options that it was begun with, or \
         another folder",
        plain(folder)
    )]
    Other {
        /// The folder.
        folder: PathBuf,
        /// What differs: its name, what it is in the folder, and what is asked for.
        difference: String,
    },
    /// There is not as much memory as a training takes.
    #[error("{0}; take fewer threads, a smaller batch or a smaller network")]
    Memory(MemoryError),
    /// The images do not fit the networks, or another setting does not.
    #[error(transparent)]
    Train(Box<TrainError>),
}

impl From<PlanError> for BenchmarkError {
    fn from(error: PlanError) -> Self {
        BenchmarkError::Plan(Box::new(error))
    }
}

impl From<TrainError> for BenchmarkError {
    fn from(error: TrainError) -> Self {
        BenchmarkError::Train(Box::new(error))
    }
}

/// A benchmark, as far as it has been made.
#[derive(Clone, Debug)]
pub struct Benchmark {
    folder: PathBuf,
    plan: Plan,
    trained: Vec<Training>,
}

/// What a network has come to over the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The architecture.
    pub arch: String,
    /// Its parameters.
    pub params: u64,
    /// Its multiply-accumulates for an image.
    pub macs: u64,
    /// Mean seconds of a training.
    pub seconds: f64,
    /// The accuracy at the end by seed.
    pub accuracies: Vec<f64>,
    /// The mean accuracy over the seeds after each epoch.
    pub epochs: Vec<f64>,
}

impl Row {
    /// The mean accuracy at the end.
    pub fn accuracy(&self) -> f64 {
        self.accuracies.iter().sum::<f64>() / self.accuracies.len() as f64
    }
}

impl Benchmark {
    /// What it is made of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The file of the table.
    pub fn table(&self) -> PathBuf {
        self.folder.join(TABLE)
    }

    /// The networks that could not be trained to the end, with the reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.trained.iter().filter_map(|trained| Some((trained.arch.as_str(), trained.failed.as_deref()?)))
    }

    /// Writes the table of what is there.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_table(&self) -> Result<(), BenchmarkError> {
        write(&self.table(), &table::csv(self))
    }

    /// How many networks have been trained with every seed, or could not be.
    pub fn networks(&self) -> usize {
        let failed = self.failed().map(|(arch, _)| arch).collect::<HashSet<_>>();
        self.rows().len() + failed.len()
    }

    /// The accuracies at the end of these networks, in the order of [`rows`](Self::rows), for each by seed.
    pub fn accuracies(&self) -> Vec<Vec<f64>> {
        self.rows().into_iter().map(|row| row.accuracies).collect()
    }

    /// Networks that have been trained with every seed, from the smallest to the largest.
    pub fn rows(&self) -> Vec<Row> {
        let mut by_arch: BTreeMap<(u64, &str), Vec<&Training>> = BTreeMap::new();
        for trained in &self.trained {
            by_arch.entry((trained.params, &trained.arch)).or_default().push(trained);
        }
        let row = |((params, arch), mut trained): ((u64, &str), Vec<&Training>)| {
            trained.sort_by_key(|trained| trained.seed);
            let whole = trained.len() == self.plan.seeds && trained.iter().all(|t| t.failed.is_none());
            let count = trained.len() as f64;
            let mean = |epoch: usize| trained.iter().map(|t| t.epochs[epoch].accuracy).sum::<f64>() / count;
            whole.then(|| Row {
                arch: arch.to_owned(),
                params,
                macs: trained[0].macs,
                seconds: trained.iter().map(|trained| trained.seconds).sum::<f64>() / count,
                accuracies: trained.iter().filter_map(|t| Some(t.epochs.last()?.accuracy)).collect(),
                epochs: (0..self.plan.settings.epochs).map(mean).collect(),
            })
        };
        by_arch.into_iter().filter_map(row).collect()
    }
}

/// Opens what is there of a benchmark.
///
/// # Errors
/// If the folder has none, or a damaged one.
pub fn open(folder: &Path) -> Result<Benchmark, BenchmarkError> {
    let plan = read_plan(folder)?.ok_or_else(|| BenchmarkError::None { folder: folder.to_owned() })?;
    let trained = journal::read(&folder.join(JOURNAL))?;
    check(&plan, &trained, folder)?;
    Ok(Benchmark { folder: folder.to_owned(), plan, trained })
}

/// Makes a benchmark in a folder, or goes on with the one that is there. If it is stopped, all networks that have been
/// trained by then stay.
///
/// # Errors
/// If the plan cannot be followed, the folder has another benchmark, or files cannot be written. A network that cannot
/// be trained is no error; the benchmark has the reason.
pub fn create(
    folder: &Path,
    plan: &Plan,
    level: Level,
    progress: &dyn Progress,
) -> Result<Benchmark, BenchmarkError> {
    plan.check()?;
    let space = plan.space()?;
    let data = plan.data()?;
    let config = plan.network(data.classes())?;
    fs::create_dir_all(folder).map_err(|cause| BenchmarkError::File { path: folder.to_owned(), cause })?;
    match read_plan(folder)? {
        Some(there) => same(folder, &there, plan)?,
        None => {
            let json = serde_json::to_vec_pretty(plan).expect("numbers and texts");
            write(&folder.join(PLAN), &json)?;
        }
    }
    let (journal, trained) = Journal::open(&folder.join(JOURNAL))?;
    check(plan, &trained, folder)?;
    let archs = sample::stratified(space, &config, plan.networks, plan.seed)?;
    progress.advance(trained.len() as f64 / plan.seeds as f64);
    let known: HashSet<(&str, u64)> = trained.iter().map(|t| (t.arch.as_str(), t.seed)).collect();
    let seeds = (0..plan.seeds as u64).map(|seed| plan.settings.seed.wrapping_add(seed));
    let tasks: Vec<(&Arch, u64)> = seeds
        .flat_map(|seed| archs.iter().map(move |arch| (arch, seed)))
        .filter(|(arch, seed)| !known.contains(&(space.print(arch).as_str(), *seed)))
        .collect();
    let shared = Mutex::new((journal, trained.clone()));
    let threads = rayon::current_num_threads();
    let work = Trainings {
        space,
        config,
        data: &data,
        plan,
        level,
        at_once: threads.min(tasks.len()).max(1),
        progress,
    };
    let one = |(arch, seed): &(&Arch, u64)| -> Result<(), BenchmarkError> {
        if let Some(trained) = work.train(arch, *seed)? {
            let mut shared = shared.lock().expect("nobody panics with the lock");
            shared.0.add(&trained)?;
            shared.1.push(trained);
            progress.advance(1.0 / plan.seeds as f64);
        }
        Ok(())
    };
    // Networks are trained side by side; the last ones, if they are fewer than threads, have several threads each.
    tasks.par_iter().try_for_each(one)?;
    let (_, trained) = shared.into_inner().expect("nobody panics with the lock");
    let benchmark = Benchmark { folder: folder.to_owned(), plan: plan.clone(), trained };
    benchmark.write_table()?;
    Ok(benchmark)
}

/// What all trainings have in common.
struct Trainings<'a> {
    space: &'static dyn Space,
    config: NetworkConfig,
    data: &'a Dataset,
    plan: &'a Plan,
    level: Level,
    /// Trainings at a time.
    at_once: usize,
    progress: &'a dyn Progress,
}

impl Trainings<'_> {
    /// Trains a network; `None` if it is stopped before the end.
    fn train(&self, arch: &Arch, seed: u64) -> Result<Option<Training>, BenchmarkError> {
        if self.progress.stopped() {
            return Ok(None);
        }
        let start = Instant::now();
        let graph = self.space.network(arch, &self.config)?;
        let (params, macs) = (graph.parameter_count(), graph.macs());
        let settings = Settings { seed, ..self.plan.settings };
        let mut trainer = Trainer::<f32>::new(graph, settings, self.level)?
            .parallel(self.at_once < rayon::current_num_threads());
        trainer.check_memory(self.at_once).map_err(BenchmarkError::Memory)?;
        let mut failed = None;
        while !trainer.is_done() && failed.is_none() {
            match trainer.epoch(self.data, &mut || !self.progress.stopped()) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(error @ TrainError::Diverged { .. }) => failed = Some(error.to_string()),
                Err(other) => return Err(other.into()),
            }
        }
        let arch = self.space.print(arch);
        let (seconds, epochs) = (start.elapsed().as_secs_f64(), trainer.history().to_vec());
        Ok(Some(Training { arch, seed, params, macs, seconds, epochs, failed }))
    }
}

fn read_plan(folder: &Path) -> Result<Option<Plan>, BenchmarkError> {
    let path = folder.join(PLAN);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(BenchmarkError::File { path, cause }),
    };
    let plan = read_json(&text).map_err(|error| error.to_string());
    let plan = plan.and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()));
    plan.map(Some).map_err(|why| BenchmarkError::Damaged { path, why: plain(&why).to_string() })
}

/// An error if the plan in the folder is another one, with the first thing in which it differs.
fn same(folder: &Path, there: &Plan, asked: &Plan) -> Result<(), BenchmarkError> {
    if there == asked {
        return Ok(());
    }
    let json = |plan: &Plan| serde_json::to_value(plan).expect("numbers and texts");
    let (there, asked) = (json(there), json(asked));
    let mut at = String::new();
    let (mut a, mut b) = (&there, &asked);
    // Down to what is no object.
    while let (Some(of_a), Some(of_b)) = (a.as_object(), b.as_object()) {
        let Some(name) = of_a.keys().chain(of_b.keys()).find(|name| of_a.get(*name) != of_b.get(*name))
        else {
            break;
        };
        at = name.clone();
        (a, b) = (of_a.get(name).unwrap_or_default(), of_b.get(name).unwrap_or_default());
    }
    let difference = format!("{} {} and not {b}", plain(&at), plain(&a.to_string()));
    Err(BenchmarkError::Other { folder: folder.to_owned(), difference })
}

/// An error if something that was trained is not of the plan.
fn check(plan: &Plan, trained: &[Training], folder: &Path) -> Result<(), BenchmarkError> {
    let wrong = |line: usize, why: &str| {
        let path = folder.join(JOURNAL);
        Err(JournalError::Line { path, line: line + 1, why: why.to_owned() }.into())
    };
    let mut known = HashSet::new();
    for (line, trained) in trained.iter().enumerate() {
        if trained.failed.is_none() && trained.epochs.len() != plan.settings.epochs {
            return wrong(line, "it has another number of epochs than the plan");
        }
        let offset = trained.seed.wrapping_sub(plan.settings.seed);
        if offset >= plan.seeds as u64 {
            return wrong(line, "its seed is none of the plan");
        }
        if !known.insert((&trained.arch, trained.seed)) {
            return wrong(line, "the network was trained with this seed before");
        }
    }
    Ok(())
}

fn write(path: &Path, contents: &[u8]) -> Result<(), BenchmarkError> {
    file::write(path, contents).map_err(|cause| BenchmarkError::File { path: path.to_owned(), cause })
}
