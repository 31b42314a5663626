//! Networks that other processes score.
//!
//! What is found of a network goes from one process to another as numbers of Python, which are those of Rust to the bit,
//! and as the reasons why there is none, so that ranks, statistics and searches are made of it as of what is found here.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator};
use rayon::ThreadPool;
use swapnas::search::{Configuration, Evaluator, SearchError};
use swapnas::{
    Arch, Ceiling, Finding, Level, Outcome, Progress, Refusals, Saturation, Score, Scored, Scorer, Space,
    Undefined,
};

use crate::errors::Raise;
use crate::proxy;
use crate::space::read_all;
use crate::threads::Threads;
use crate::watch::{Audience, watched};

/// What is found of a network, on its way.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) enum Found {
    /// Parameters, multiply-accumulates, units, the metrics, and the saturation.
    Scored(u64, u64, u64, Vec<Value>, Option<Saturated>),
    /// Why it was refused.
    Refused(String),
}

/// A metric, on its way.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) enum Value {
    /// Mean and deviation.
    Score(f64, f64),
    /// Why it is undefined.
    Reason(String),
}

/// The ratio of a saturation, and whether the batch is what bounds it.
type Saturated = (f64, bool);

impl From<Outcome> for Found {
    fn from(outcome: Outcome) -> Self {
        let value = |score: Result<Score, Undefined>| match score {
            Ok(Score { mean, std }) => Value::Score(mean, std),
            Err(reason) => Value::Reason(reason.to_string()),
        };
        match outcome {
            Ok(Scored { params, macs, units, scores, saturation }) => {
                let saturated = |of: Saturation| (of.ratio, of.ceiling == Ceiling::Batch);
                Found::Scored(
                    params,
                    macs,
                    units,
                    scores.into_iter().map(value).collect(),
                    saturation.map(saturated),
                )
            }
            Err(refused) => Found::Refused(refused.to_string()),
        }
    }
}

impl From<Found> for Finding {
    fn from(found: Found) -> Self {
        let score = |value| match value {
            Value::Score(mean, std) => Ok(Score { mean, std }),
            Value::Reason(reason) => Err(Undefined::Recorded(reason)),
        };
        match found {
            Found::Scored(params, macs, units, values, saturated) => {
                let saturation = |(ratio, is_of_batch)| Saturation {
                    ratio,
                    ceiling: if is_of_batch { Ceiling::Batch } else { Ceiling::Units },
                };
                let scores = values.into_iter().map(score).collect();
                Ok(Scored { params, macs, units, scores, saturation: saturated.map(saturation) })
            }
            Found::Refused(reason) => Err(reason),
        }
    }
}

/// Scores architectures for another process. If it is `strict`, the first that cannot be scored is an error.
pub(crate) fn measure(
    py: Python<'_>,
    scorer: &Scorer,
    pool: &ThreadPool,
    archs: &Bound<'_, PyAny>,
    strict: bool,
) -> PyResult<Vec<Found>> {
    let archs = read_all(scorer.space(), archs)?;
    let refusals = Refusals::of(Some(strict), archs.len());
    let (outcomes, raised) = watched(py, archs.len(), &Audience::Nobody, |progress| {
        pool.install(|| scorer.score_each(&archs, refusals, progress))
    });
    if let Some(raised) = raised {
        return Err(raised);
    }
    Ok(outcomes.map_err(Raise::raise)?.into_iter().flatten().map(Found::from).collect())
}

/// Scores for a search of another process, of which it is told the configuration, and the metrics again if some are
/// functions.
#[pyclass(frozen, module = "swapnas._swapnas")]
pub(crate) struct SearchScorer {
    scorer: Scorer,
    threads: Threads,
}

#[pymethods]
impl SearchScorer {
    #[new]
    fn new(
        py: Python<'_>,
        configuration: &str,
        metrics: Option<Bound<'_, PyAny>>,
        threads: usize,
    ) -> PyResult<Self> {
        let configuration: Configuration = serde_json::from_str(configuration)
            .map_err(|error| PyValueError::new_err(format!("these are no settings of a search: {error}")))?;
        let functions = metrics.map(|metrics| proxy::metrics(&metrics)).transpose()?;
        let proxies = functions.map(|(_, proxies)| proxies).unwrap_or_default();
        let configuration = Configuration { proxies, ..configuration };
        let level = Level::from_env().map_err(Raise::raise)?;
        let threads = Threads::new(Some(threads));
        let pool = threads.pool()?;
        let scorer = py.detach(|| pool.install(|| configuration.scorer(level))).map_err(Raise::raise)?;
        Ok(SearchScorer { scorer, threads })
    }

    fn _measure(&self, py: Python<'_>, archs: &Bound<'_, PyAny>, strict: bool) -> PyResult<Vec<Found>> {
        measure(py, &self.scorer, &*self.threads.pool()?, archs, strict)
    }
}

/// A function of Python that has other processes score. It gets the texts of architectures, the seeds to score all of
/// them with, and whether a network that cannot be scored is an error. It returns an iterator of lists, empty ones while
/// nothing is new, of what is found and its place: that of the architecture, behind those of the seeds before.
pub(crate) struct Elsewhere(Py<PyAny>);

impl Elsewhere {
    pub(crate) fn new(function: Bound<'_, PyAny>) -> Self {
        Elsewhere(function.unbind())
    }

    /// Has architectures scored by so many metrics; what is done when the work is stopped, or when one cannot be scored,
    /// is found.
    pub(crate) fn score(
        &self,
        space: &dyn Space,
        archs: &[Arch],
        (seeds, strict): (&[u64], bool),
        metrics: usize,
        found: &mut [Option<Finding>],
        progress: &dyn Progress,
    ) -> PyResult<()> {
        if archs.is_empty() || progress.stopped() {
            return Ok(());
        }
        let names: Vec<String> = archs.iter().map(|arch| space.print(arch)).collect();
        let start = |py: Python<'_>| -> PyResult<Py<PyIterator>> {
            Ok(self.0.bind(py).call1((names, seeds.to_vec(), strict))?.try_iter()?.unbind())
        };
        let results = Python::attach(start)?;
        loop {
            let next = Python::attach(|py| -> PyResult<Option<Vec<(usize, Found)>>> {
                let Some(next) = results.bind(py).clone().next() else { return Ok(None) };
                Ok(Some(next?.extract()?))
            });
            let Some(next) = next? else { return Ok(()) };
            for (place, one) in next {
                let finding = Finding::from(one);
                let is_whole = finding.as_ref().map_or(!strict, |scored| scored.scores.len() == metrics);
                let Some(empty) = found.get_mut(place).filter(|_| is_whole) else {
                    return Err(PyRuntimeError::new_err(
                        "what was scored elsewhere is not what was asked for",
                    ));
                };
                *empty = Some(finding);
                progress.advance(1.0);
            }
            if progress.stopped() {
                return Python::attach(|py| results.call_method0(py, "close").map(drop));
            }
        }
    }
}

/// Has the architectures of a search evaluated elsewhere.
pub(crate) struct Cluster {
    pub elsewhere: Elsewhere,
    pub space: &'static dyn Space,
    pub seed: u64,
    pub metrics: usize,
}

impl Evaluator for Cluster {
    fn evaluate(
        &self,
        archs: &[Arch],
        found: &mut [Option<Scored>],
        progress: &dyn Progress,
    ) -> Result<(), SearchError> {
        let mut findings: Vec<Option<Finding>> = vec![None; archs.len()];
        let with = (&[self.seed][..], true);
        let scored = self.elsewhere.score(self.space, archs, with, self.metrics, &mut findings, progress);
        for (place, finding) in found.iter_mut().zip(findings) {
            *place = finding.and_then(Result::ok);
        }
        scored.map_err(|error| SearchError::Evaluator(error.into()))
    }
}
