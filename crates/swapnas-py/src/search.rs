use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::ThreadPool;
use swapnas::options::SEARCH;
use swapnas::search::{Ended, LatencyTable, Search, SearchError};
use swapnas::{Level, Remedy, SearchOptions, Searching, free_folder, results, saturation_warnings};

use crate::elsewhere::{Cluster, Elsewhere};
use crate::errors::Raise;
use crate::options::{self, Options};
use crate::scorer::warn;
use crate::space::object;
use crate::threads::Threads;
use crate::watch::{Audience, interrupted, watched};

/// How many of the best are returned and written, unless it is said.
const TOP: usize = 5;

/// Searches a space, by SWAP-NAS unless told otherwise; returns a swapnas.SearchResult.
///
/// Architectures are scored as by swapnas.Scorer, whose arguments are taken as well; the search goes by the first
/// metric: swap-plus unless given.
///
/// folder: where run.db, best.json, history.csv and report.html go; it must not hold a run yet.
/// algorithm: "swap-nas", "aging", "random", "exhaustive" or "nsga2".
/// population, sample, cycles, mutations: architectures that it works on, how many of them are drawn in a cycle,
///     cycles, mutants of a cycle.
/// min_params, max_params, max_macs, max_latency: limits of the network that is to be trained; counts may be written
///     as "3.3M".
/// latency_table: a CSV file with the columns op, input and ms.
/// second_objective: "params", "macs" or "latency": what the front, and nsga2, weigh the score against.
/// target_params: the size that the network to be trained should have; sets mu and sigma of swap-reg.
/// final_channels, final_cells, final_size: of the network to be trained.
/// budget_seconds: when to end before the algorithm does.
/// top: how many of the best are returned and written.
///
/// Ctrl-C raises swapnas.Interrupted, whose `folder` is the one with which swapnas.resume goes on.
#[pyfunction]
#[pyo3(
    signature = (space = None, *, folder = None, progress = None, **options),
    text_signature = "(space='darts', *, folder=None, progress=None, metrics=None, inputs=None, \
                      skip_bad=False, batch=16, repeats=None, seed=0, weights='shared', init=None, \
                      precision='f32', network=None, channels=None, cells=None, size=None, classes=None, \
                      algorithm='swap-nas', population=20, sample=10, cycles=200, mutations=5, \
                      second_objective='params', target_params=None, min_params=None, max_params=None, \
                      max_macs=None, max_latency=None, latency_table=None, final_channels=None, \
                      final_cells=None, final_size=None, budget_seconds=None, top=5, threads=None)"
)]
pub(crate) fn search<'py>(
    py: Python<'py>,
    space: Option<&Bound<'py, PyAny>>,
    folder: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    search_by(py, space, folder, progress, options, None)
}

/// The same, evaluated elsewhere: `start` gets the settings of the search, as text, and returns the function that has
/// architectures evaluated.
#[pyfunction]
#[pyo3(signature = (start, space = None, *, folder = None, progress = None, **options))]
pub(crate) fn search_elsewhere<'py>(
    py: Python<'py>,
    start: &Bound<'py, PyAny>,
    space: Option<&Bound<'py, PyAny>>,
    folder: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    search_by(py, space, folder, progress, options, Some(start))
}

fn search_by<'py>(
    py: Python<'py>,
    space: Option<&Bound<'py, PyAny>>,
    folder: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
    start: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut taken = Options::new(options)?;
    let given: Vec<&str> =
        SEARCH.iter().map(|row| row.name).filter(|name| taken.has(&name.replace('-', "_"))).collect();
    let mut options = SearchOptions::default();
    taken.read(SEARCH.iter(), &mut options)?;
    options.algorithm.check_numbers(|name| given.contains(&name)).map_err(Raise::raise)?;
    if let Some(file) = taken.take::<PathBuf>("latency_table")? {
        options.latency = Some(LatencyTable::read(&file).map_err(Raise::raise)?);
    }
    let searching = Searching { scoring: taken.scoring(options::space(space)?)?, options };
    let run = Run::take(py, &mut taken, progress)?;
    taken.finish()?;
    let folder = folder.or_else(free_folder).ok_or_else(|| {
        PyOSError::new_err("there are too many folders called swapnas-search-N; give one as folder")
    })?;
    let level = Level::from_env().map_err(Raise::raise)?;
    let pool = run.threads.pool()?;
    let configuration = py.detach(|| pool.install(|| searching.configuration()));
    let (configuration, target) = configuration.map_err(Raise::raise)?;
    warn(py, target.and_then(|target| target.warning()))?;
    run.run(py, || Search::create(&folder, configuration, level), start)
}

/// Continues the search in a folder with its own settings; it ends as one that was never stopped.
///
/// metrics: where the search goes by metrics of one's own, these again; nothing else changes.
#[pyfunction]
#[pyo3(
    signature = (folder, *, progress = None, **options),
    text_signature = "(folder, *, progress=None, metrics=None, budget_seconds=None, top=5, threads=None)"
)]
pub(crate) fn resume<'py>(
    py: Python<'py>,
    folder: PathBuf,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    resume_by(py, folder, progress, options, None)
}

/// The same, evaluated elsewhere, as by `search_elsewhere`.
#[pyfunction]
#[pyo3(signature = (start, folder, *, progress = None, **options))]
pub(crate) fn resume_elsewhere<'py>(
    py: Python<'py>,
    start: &Bound<'py, PyAny>,
    folder: PathBuf,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    resume_by(py, folder, progress, options, Some(start))
}

fn resume_by<'py>(
    py: Python<'py>,
    folder: PathBuf,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
    start: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut taken = Options::new(options)?;
    let proxies = taken.metrics()?.map(|(_, proxies)| proxies).unwrap_or_default();
    let run = Run::take(py, &mut taken, progress)?;
    taken.finish()?;
    let level = Level::from_env().map_err(Raise::raise)?;
    run.run(py, || Search::resume_with(&folder, proxies, level), start)
}

/// What may be different each time that a search is continued.
pub(crate) struct Run {
    threads: Threads,
    budget: Option<Duration>,
    /// How many of the best are returned and written.
    pub(crate) top: usize,
    audience: Audience,
}

impl Run {
    /// On so many threads, until the search comes to its end.
    pub(crate) fn new(
        py: Python<'_>,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let audience = Audience::of(py, progress)?;
        Ok(Run { threads: Threads::new(threads), budget: None, top: TOP, audience })
    }

    fn take(py: Python<'_>, options: &mut Options<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let seconds = options.take::<f64>("budget_seconds")?;
        let budget = seconds.map(Duration::try_from_secs_f64).transpose().map_err(|_| {
            PyValueError::new_err("budget_seconds is a number from 0 on; leave it out for no limit")
        })?;
        let top = options.number("top", 1_000_000)?.unwrap_or(TOP);
        Ok(Run { budget, top, ..Run::new(py, options.threads()?, progress)? })
    }

    /// Lets a search run, here unless `start` has it evaluated elsewhere, and returns what was found.
    fn run<'py>(
        &self,
        py: Python<'py>,
        search: impl FnOnce() -> Result<Search, SearchError> + Send,
        start: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pool = self.pool()?;
        let mut search = py.detach(|| pool.install(search)).map_err(Raise::raise)?;
        if let Some(start) = start {
            search = evaluated_by(search, start)?;
        }
        let (ended, raised) = self.work(py, &mut search)?;
        let folder = search.folder();
        if let Some(raised) = raised {
            let message = format!("stopped; go on with swapnas.resume({:?})", folder.display().to_string());
            return Err(interrupted(raised, message, "folder", folder, py));
        }
        let scored = search.archive().entries().iter().map(|entry| &entry.scored);
        let settings = search.scorer().settings();
        warn(
            py,
            saturation_warnings(settings.batch, Remedy::Build, scored)
                .into_iter()
                .chain(settings.inputs.warning()),
        )?;
        let found = object(py, &results::best_json(&search, ended, self.top))?;
        let class = py.import("swapnas._results")?.getattr("SearchResult")?;
        class.call_method1("_of", (folder, found))
    }

    /// Lets a search run, and writes what was found, however it ended; returns how it did, and what was raised.
    pub(crate) fn work(&self, py: Python<'_>, search: &mut Search) -> PyResult<(Ended, Option<PyErr>)> {
        let pool = self.pool()?;
        let total = match search.configuration().evaluations() {
            Some(evaluations) => evaluations,
            None => usize::try_from(search.candidates().space().size()).unwrap_or(usize::MAX),
        };
        let ((ended, written), raised) = watched(py, total, &self.audience, |progress| {
            pool.install(|| {
                let ended = search.run(progress, self.budget);
                let written = results::write(search, *ended.as_ref().unwrap_or(&Ended::Stopped), self.top);
                (ended, written)
            })
        });
        let ended = ended.map_err(Raise::raise)?;
        written.map_err(Raise::raise)?;
        Ok((ended, raised))
    }

    /// The threads to work on.
    pub(crate) fn pool(&self) -> PyResult<Arc<ThreadPool>> {
        self.threads.pool()
    }
}

/// The search with its architectures evaluated by the function that `start` returns.
fn evaluated_by(search: Search, start: &Bound<'_, PyAny>) -> PyResult<Search> {
    let configuration = serde_json::json!(search.configuration()).to_string();
    let elsewhere = Elsewhere::new(start.call1((configuration,))?);
    let (space, settings) = (search.candidates().space(), search.scorer().settings());
    let (seed, metrics) = (settings.seed, settings.metrics.len());
    Ok(search.evaluated_by(Cluster { elsewhere, space, seed, metrics }))
}
