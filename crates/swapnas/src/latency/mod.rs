//! How long the operations of a space's networks take on this machine: tables for limits of latency.
//!
//! An operation takes as long as the network around it takes less without it. So each is measured twice: in a small network
//! of what comes before it in networks of the space, and in the same one without it. What the runtime does for every call
//! is in both, and so is what it makes one operation of: a normalisation that is folded into the convolution before it
//! takes nothing. Operations that networks have in several surroundings are measured in the most frequent ones, and the
//! table has the mean, each counted as often as networks have it. Numbers below zero are noise and become zero.
//!
//! A whole network takes longer than all its pieces, which find their numbers in the processor's nearest caches. So ten
//! networks are measured as a whole, and all times are multiplied by one number, the median of what they take longer.
//! Others check the table.

mod operations;
mod piece;
mod runtime;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use swapnas_graph::option::PYTHON;
use swapnas_graph::{Graph, GraphError, plain, plain_sentence};
use swapnas_metrics::Progress;
use swapnas_search::{LatencyTable, Operation, SearchError};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

use crate::{Ranking, WriteError, sample, spearman};

pub use operations::Operations;
pub use runtime::{Runtime, UnknownRuntime};

use piece::Surroundings;
use runtime::{Process, Trouble};

/// How many networks are measured as a whole to find how much longer they take than their pieces.
const SCALE: usize = 10;

/// So many networks are measured in turns, if they have no more parameters together than this.
const TOGETHER: usize = 10;
const PARAMS_TOGETHER: u64 = 50_000_000;

/// What to measure, and how.
#[derive(Clone)]
pub struct Latency {
    /// The space.
    pub space: &'static dyn Space,
    /// The network that its architectures are built into.
    pub network: NetworkConfig,
    /// What runs networks.
    pub runtime: Runtime,
    /// The Python that has it.
    pub python: PathBuf,
    /// With how many threads.
    pub threads: usize,
    /// How many images, or texts, at once.
    pub batch: usize,
    /// For how many seconds each network is run, but for at least fifteen runs.
    pub seconds: f64,
    /// How many networks are measured as a whole, to be compared with what the table says of them.
    pub check: usize,
    /// Seed of the architectures.
    pub seed: u64,
}

/// What measures, while it runs.
pub struct Session(Process);

/// Times that cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// No Python.
    #[error("`{}` does not start: {source}; name a Python with {PYTHON}", plain(python))]
    Python {
        /// What was to be started.
        python: PathBuf,
        /// Why it was not.
        source: std::io::Error,
    },
    /// A package is not there.
    #[error(
        "`{}` has no {}; install it (`{0} -m pip install {1}`), or name another Python with {PYTHON}",
        plain(python),
        plain(package)
    )]
    Missing {
        /// The Python.
        python: PathBuf,
        /// The package.
        package: String,
    },
    /// The program does not do what is asked for.
    #[error("{}", plain_sentence(.0))]
    Refused(String),
    /// The program ended before its time.
    #[error("`{}` ended before all was measured: {}", plain(python), plain_sentence(what))]
    Ended {
        /// The Python.
        python: PathBuf,
        /// The last thing that it said.
        what: String,
    },
    /// An operation that cannot be measured.
    #[error("{operation} cannot be measured with {runtime}: {}", plain_sentence(what))]
    Operation {
        /// The operation, as the table has it.
        operation: String,
        /// What was to run it.
        runtime: Runtime,
        /// Why it did not.
        what: String,
    },
    /// A network that cannot be measured.
    #[error("the network of {} cannot be measured with {runtime}: {}", plain(arch), plain_sentence(what))]
    Whole {
        /// The architecture.
        arch: String,
        /// What was to run it.
        runtime: Runtime,
        /// Why it did not.
        what: String,
    },
    /// A network that cannot be built.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A network of an operation that cannot be built.
    #[error(transparent)]
    Piece(#[from] GraphError),
    /// The table lacks something.
    #[error(transparent)]
    Table(Box<SearchError>),
    /// There is no place for networks.
    #[error("cannot make a temporary folder: {0}")]
    Folder(std::io::Error),
    /// A network cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<SearchError> for LatencyError {
    fn from(error: SearchError) -> Self {
        LatencyError::Table(Box::new(error))
    }
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How long each operation takes.
    pub table: LatencyTable,
    /// How many times longer networks take than their operations did in pieces, by which these were multiplied.
    pub scale: f64,
    /// What ran them, with its version.
    pub runtime: String,
    /// Networks that were measured as a whole.
    pub checks: Vec<Check>,
}

/// A network that was measured as a whole.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its architecture.
    pub arch: Arch,
    /// Milliseconds that it takes.
    pub measured: f64,
    /// Milliseconds that it takes by the table.
    pub predicted: f64,
}

impl Latency {
    /// The operations that networks of the space have.
    ///
    /// # Errors
    /// If networks cannot be built.
    pub fn operations(&self) -> Result<Operations, LatencyError> {
        Ok(Operations::of(self.space, &self.network, self.seed)?)
    }

    /// Starts what measures.
    ///
    /// # Errors
    /// If there is no Python with the runtime.
    pub fn start(&self) -> Result<Session, LatencyError> {
        Process::start(&self.python, self.runtime, self.threads, self.batch).map(Session)
    }

    /// How many steps there are for [`measure`](Self::measure).
    pub fn steps(&self, operations: &Operations) -> usize {
        operations.measurements() + SCALE + self.check
    }

    /// Measures operations, and networks to check the table with. `progress` is told of each; if it stops, there is no
    /// table, or a table with fewer checks.
    ///
    /// # Errors
    /// If a network cannot be run.
    pub fn measure(
        &self,
        session: Session,
        operations: &Operations,
        progress: &dyn Progress,
    ) -> Result<Option<Measured>, LatencyError> {
        match self.measured(session.0, operations, progress) {
            Ok(measured) => Ok(Some(measured)),
            Err(Trouble::Stopped) => Ok(None),
            Err(Trouble::Program(error)) => Err(error),
            Err(Trouble::Network(_, what)) => Err(LatencyError::Refused(what)),
        }
    }

    fn measured(
        &self,
        mut process: Process,
        operations: &Operations,
        progress: &dyn Progress,
    ) -> Result<Measured, Trouble> {
        let runtime = process.version().to_owned();
        let times = self.times(operations, &mut process, progress)?;
        let of_scale = |scale: f64| -> Result<LatencyTable, SearchError> {
            let mut table = LatencyTable::default();
            for (operation, ms) in &times {
                table.insert(operation, scale * ms)?;
            }
            Ok(table)
        };
        let mut archs = sample(self.space, SCALE + self.check, self.seed);
        let others = archs.split_off(SCALE);
        let table = of_scale(1.0).map_err(program)?;
        let mut checks = Vec::new();
        self.check(&archs, &table, &mut process, progress, &mut checks)?;
        let scale = median(checks.iter().map(|check| check.measured / check.predicted));
        let scale = scale.filter(|scale| scale.is_finite()).unwrap_or(1.0);
        let table = of_scale(scale).map_err(program)?;
        let mut checks = Vec::new();
        match self.check(&others, &table, &mut process, progress, &mut checks) {
            Ok(()) | Err(Trouble::Stopped) => Ok(Measured { table, scale, runtime, checks }),
            Err(trouble) => Err(trouble),
        }
    }

    /// The milliseconds of each operation, in pieces.
    fn times<'a>(
        &self,
        operations: &'a Operations,
        process: &mut Process,
        progress: &dyn Progress,
    ) -> Result<Vec<(&'a Operation, f64)>, Trouble> {
        let Latency { space, network, runtime, .. } = *self;
        let [one, two] = piece::tails(network.input, space.vocabulary()).map_err(program)?;
        let tail = difference(&process.measure(&[&two, &one], self.seconds, progress)?).max(0.0);
        let mut times = Vec::with_capacity(operations.len());
        for (operation, places) in operations.chosen() {
            let (mut sum, mut count) = (0.0, 0);
            for place in places {
                let graph = space.network(&place.arch, &network).map_err(program)?;
                count += place.count;
                if let Some(piece) = Surroundings::of(&graph).piece(place.value).map_err(program)? {
                    let measured = process.measure(&[&piece.with, &piece.without], self.seconds, progress);
                    let measured = measured.map_err(|trouble| {
                        let operation = operation.to_string();
                        trouble.of(|_, what| LatencyError::Operation { operation, runtime, what })
                    })?;
                    sum += place.count as f64 * (difference(&measured) + f64::from(piece.tails) * tail);
                }
                progress.advance(1.0);
            }
            times.push((operation, (sum / count as f64).max(0.0)));
        }
        Ok(times)
    }

    /// Measures networks as a whole, in their canonical forms, as searches have them.
    fn check(
        &self,
        archs: &[Arch],
        table: &LatencyTable,
        process: &mut Process,
        progress: &dyn Progress,
        checks: &mut Vec<Check>,
    ) -> Result<(), Trouble> {
        let archs: Vec<Arch> = archs.iter().map(|arch| self.space.canonical(arch)).collect();
        let mut rest = &archs[..];
        while !rest.is_empty() {
            let mut graphs: Vec<Graph> = Vec::new();
            let mut params = 0;
            for arch in rest.iter().take(TOGETHER) {
                let graph = self.space.network(arch, &self.network).map_err(program)?;
                params += graph.parameter_count();
                if params > PARAMS_TOGETHER && !graphs.is_empty() {
                    break;
                }
                graphs.push(graph);
            }
            let (now, later) = rest.split_at(graphs.len());
            let networks: Vec<&Graph> = graphs.iter().collect();
            let measured = process.measure(&networks, self.seconds, progress).map_err(|trouble| {
                trouble.of(|number, what| {
                    let arch = self.space.print(&now[number]);
                    LatencyError::Whole { arch, runtime: self.runtime, what }
                })
            })?;
            for ((arch, graph), measured) in now.iter().zip(&graphs).zip(measured) {
                let predicted = table.latency(graph).map_err(program)?;
                checks.push(Check { arch: arch.clone(), measured, predicted });
            }
            progress.advance(now.len() as f64);
            rest = later;
        }
        Ok(())
    }
}

impl Trouble {
    /// The same, with what is said of a network that cannot be measured.
    fn of(self, error: impl FnOnce(usize, String) -> LatencyError) -> Self {
        match self {
            Trouble::Network(number, what) => Trouble::Program(error(number, what)),
            trouble => trouble,
        }
    }
}

fn program(error: impl Into<LatencyError>) -> Trouble {
    Trouble::Program(error.into())
}

/// How much longer the first of two networks takes.
fn difference(ms: &[f64]) -> f64 {
    ms[0] - ms[1]
}

/// The median, if there are numbers.
fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        count if count % 2 == 1 => Some(numbers[middle]),
        _ => Some((numbers[middle - 1] + numbers[middle]) / 2.0),
    }
}

impl Measured {
    /// Spearman's rho of what the table says of networks and what they take; `None` for fewer than two networks, or
    /// where all are the same.
    pub fn spearman(&self) -> Option<f64> {
        let numbers = |of: fn(&Check) -> f64| self.checks.iter().map(of).collect::<Vec<f64>>();
        let predicted = Ranking::of_numbers("latency", &numbers(|check| check.predicted));
        spearman(&predicted, &numbers(|check| check.measured))
    }

    /// The median of how far the table is off, as a part of what networks take; `None` if none was measured.
    pub fn median_error(&self) -> Option<f64> {
        median(self.checks.iter().map(|check| (check.predicted / check.measured - 1.0).abs()))
    }
}
