use std::ffi::CString;

use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use swapnas::statistics::Spread;
use swapnas::{
    Arch, Columns, Correlation, Finding, InputSpec, Outcome, Progress, Ranking, Refusals, Remedy, Scored,
    Scorer, Scoring, ScoringOptions, plain, refused, saturation_warnings, score_readable, scored, values,
};

use crate::correlation;
use crate::elsewhere::{Elsewhere, Found, measure};
use crate::errors::Raise;
use crate::options::{self, Options, array_object, extract, number};
use crate::space::{PySpace, items, read_all, read_each};
use crate::threads::Threads;
use crate::watch::{Audience, interrupted, watched};

/// Scores architectures of one space: in any order and on any number of threads with the same result to the bit.
///
/// space: the space, or its name; swapnas.spaces() lists them.
/// metrics: names such as "swap,params" or a list of them, rank(a,b) and logrank(a,b) included, or "all";
///     swap-plus, swap, params and macs unless given, of networks of texts blocks, az-expressivity, swap, params and
///     macs. swapnas.metrics() lists them.
/// inputs: the images: "spectral" (the default), "gaussian", "cifar10:PATH", "images:DIR", "npy:FILE", "zipf" (texts), an array
///     of shape (images, channels, rows, columns) of finite real numbers (uint8 is divided by 255), or a pair of an array and labels.
/// skip_bad: whether pictures of "images:DIR" that cannot be used are left out with a warning; without it they are
///     an error, which lists them.
/// batch: number of images. An array of exactly as many keeps its order; from a larger one they are drawn.
/// repeats: sets of weights that each network is scored with; each metric's own number unless given.
/// seed: the seed of images and weights.
/// init: how weights are drawn: "gaussian", "kaiming-normal", "kaiming-uniform", "xavier-normal",
///     "xavier-uniform" or "pytorch"; each metric's own way unless given.
/// weights: "shared", if equal parts of networks have equal weights, or "independent".
/// precision: "f32", or "f64" to check it.
/// network, channels, cells, size, classes: the network that is scored: "benchmark" or "swap", channels of its
///     first stage, its cells (or cells of each stage), the images (height and width as one number, or channels,
///     height and width; tokens of texts), its classes. Unless given, it is the small one of the SWAP paper for
///     darts, elsewhere the benchmark's with 8 channels and images of 32x32, or a part of the width for transformers.
/// threads: all cores unless given.
#[pyclass(frozen, name = "Scorer", module = "swapnas")]
pub(crate) struct PyScorer {
    scoring: Scoring,
    columns: Columns,
    scorer: Scorer,
    threads: Threads,
    /// The arguments by name, but for images in memory: for pickle.
    options: Py<PyDict>,
}

#[pymethods]
impl PyScorer {
    #[new]
    #[pyo3(
        signature = (space = None, **options),
        text_signature = "(space='darts', *, metrics=None, inputs=None, \
                          skip_bad=False, batch=16, repeats=None, seed=0, weights='shared', init=None, \
                          precision='f32', network=None, channels=None, cells=None, size=None, classes=None, threads=None)"
    )]
    fn new(
        py: Python<'_>,
        space: Option<&Bound<'_, PyAny>>,
        options: Option<Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut taken = Options::new(options.as_ref())?;
        let scoring = taken.scoring(options::space(space)?)?;
        let threads = Threads::new(taken.threads()?);
        taken.finish()?;
        let columns = scoring.columns().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let pool = threads.pool()?;
        let scorer = py.detach(|| pool.install(|| scoring.scorer())).map_err(Raise::raise)?;
        warn(py, scoring.options.inputs.warning())?;
        let options = options.map_or_else(|| Ok(PyDict::new(py)), |options| options.copy())?;
        if matches!(scoring.options.inputs, InputSpec::Array(_)) {
            options.del_item("inputs")?;
        }
        Ok(PyScorer { scoring, columns, scorer, threads, options: options.unbind() })
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&'static str,), Bound<'py, PyDict>)> {
        let options = self.options.bind(py).copy()?;
        if let InputSpec::Array(array) = &self.scoring.options.inputs {
            options.set_item("inputs", array_object(py, array)?)?;
        }
        Ok(((self.scoring.space.name(),), options))
    }

    fn __repr__(&self) -> String {
        let metrics = self.metrics().join(",");
        let metrics = plain(&metrics);
        format!("<swapnas.Scorer of {}: {metrics}, network {}>", self.scoring.space.name(), self.network())
    }

    /// The space of the architectures.
    #[getter]
    fn space(&self) -> PySpace {
        PySpace(self.scoring.space)
    }

    /// The metrics and aggregates, in their order.
    #[getter]
    fn metrics(&self) -> Vec<String> {
        self.columns.iter().map(ToString::to_string).collect()
    }

    /// The network that is scored, in words.
    #[getter]
    fn network(&self) -> String {
        self.scoring.space.describe(self.scorer.network())
    }

    /// Scores a list of architectures, each a text in any encoding of the space, a dictionary, a number, or an
    /// object whose text is an encoding, such as a Genotype.
    ///
    /// progress is a function of the numbers of networks done and in all, False for no bar, or True for one of tqdm,
    /// which notebooks show anyway. Ctrl-C lets the networks at hand be finished and raises swapnas.Interrupted, which
    /// has all that was finished.
    ///
    /// What cannot be scored is refused: it has its place in the list, and `refused` says why. With strict=True the
    /// first such is an error. Unless it is given, a list of one is strict and a longer one is not.
    #[pyo3(signature = (archs, *, strict = None, progress = None))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        strict: Option<bool>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.score_with(py, archs, strict, progress, None)
    }

    /// How well each metric orders architectures by their accuracies: a dictionary of swapnas.Correlation.
    ///
    /// columns: a dictionary of further numbers by names, one for each architecture, of which larger ones are taken
    ///     to be better; None and NaN are not ranked.
    /// compare: whether `comparison` of the result says how metrics and columns correlate with each other.
    /// seeds: with how many seeds to score, from that of the scorer on; `spearman_over_seeds` says how Spearman's rho
    ///     varies, and all else is of the first one.
    #[pyo3(
        signature = (archs, accuracies, *, columns = None, compare = false, seeds = None, progress = None),
        text_signature = "($self, archs, accuracies, *, columns=None, compare=False, seeds=1, progress=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
    fn correlate<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        accuracies: &Bound<'py, PyAny>,
        columns: Option<Bound<'py, PyAny>>,
        compare: bool,
        seeds: Option<Bound<'py, PyAny>>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.correlate_with(py, archs, accuracies, columns, (compare, true), seeds, progress, None)
    }

    /// What is found of architectures, for the process that has them scored here.
    fn _measure(&self, py: Python<'_>, archs: &Bound<'_, PyAny>, strict: bool) -> PyResult<Vec<Found>> {
        measure(py, &self.scorer, &*self.threads.pool()?, archs, strict)
    }

    /// What `score` returns, of architectures that a function has scored elsewhere.
    #[pyo3(signature = (function, archs, *, strict, progress))]
    fn _score_elsewhere<'py>(
        &self,
        py: Python<'py>,
        function: Bound<'py, PyAny>,
        archs: &Bound<'py, PyAny>,
        strict: Option<bool>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.score_with(py, archs, strict, progress, Some(Elsewhere::new(function)))
    }

    /// What `correlate` returns, of architectures that a function has scored elsewhere.
    #[pyo3(signature = (function, archs, accuracies, *, columns, compare, seeds, progress))]
    #[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
    fn _correlate_elsewhere<'py>(
        &self,
        py: Python<'py>,
        function: Bound<'py, PyAny>,
        archs: &Bound<'py, PyAny>,
        accuracies: &Bound<'py, PyAny>,
        columns: Option<Bound<'py, PyAny>>,
        compare: bool,
        seeds: Option<Bound<'py, PyAny>>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let elsewhere = Some(Elsewhere::new(function));
        self.correlate_with(py, archs, accuracies, columns, (compare, true), seeds, progress, elsewhere)
    }
}

impl PyScorer {
    fn name(&self, arch: &Arch) -> String {
        self.scoring.space.print(arch)
    }

    /// Scores here, unless it is done elsewhere.
    fn score_with<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        strict: Option<bool>,
        progress: Option<Bound<'py, PyAny>>,
        elsewhere: Option<Elsewhere>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (archs, refusals) = read_each(self.scoring.space, archs, strict)?;
        let audience = Audience::of(py, progress)?;
        let pool = self.threads.pool()?;
        let score = |archs: &[Arch], progress: &dyn Progress| -> PyResult<Vec<Option<Finding>>> {
            let Some(elsewhere) = &elsewhere else {
                let found = self.scorer.score_each(archs, refusals, progress).map_err(Raise::raise)?;
                let finding =
                    |outcome: Outcome| -> Finding { outcome.map_err(|refused| refused.to_string()) };
                return Ok(found.into_iter().map(|found| found.map(finding)).collect());
            };
            let mut found = vec![None; archs.len()];
            let with = (&[self.scoring.options.seed][..], refusals == Refusals::Errors);
            elsewhere.score(
                self.scoring.space,
                archs,
                with,
                self.metrics_computed(),
                &mut found,
                progress,
            )?;
            Ok(found)
        };
        let (found, raised) = watched(py, archs.len(), &audience, |progress| {
            pool.install(|| score_readable(&archs, progress, |archs| score(archs, progress)))
        });
        let name = |index: usize| match &archs[index] {
            Ok(arch) => self.name(arch),
            Err(unread) => unread.name.clone(),
        };
        let batch = (self.scoring.options.batch, Remedy::Build);
        let space = Some(self.scoring.space.name());
        Results::new(py, &self.columns, space, name, found?, batch, raised)?.objects(py, name)
    }

    /// How many metrics are computed.
    fn metrics_computed(&self) -> usize {
        self.columns.metrics().len()
    }

    /// Correlates, and compares if the first flag says so; metrics are among what is correlated if the second does.
    #[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
    fn correlate_with<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        accuracies: &Bound<'py, PyAny>,
        columns: Option<Bound<'py, PyAny>>,
        (compares, has_metrics): (bool, bool),
        seeds: Option<Bound<'py, PyAny>>,
        progress: Option<Bound<'py, PyAny>>,
        elsewhere: Option<Elsewhere>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let archs = read_all(self.scoring.space, archs)?;
        let accuracies = numbers(accuracies, archs.len())?;
        let taken = if has_metrics { self.metrics() } else { Vec::new() };
        let given = correlation::columns(columns.as_ref(), archs.len(), &taken)?;
        let seeds = seeds.map(|seeds| number(&seeds, "seeds", 1..=10_000)).transpose()?.unwrap_or(1) as u64;
        let first = self.scoring.options.seed;
        first.checked_add(seeds - 1).ok_or_else(|| {
            PyValueError::new_err(format!("seeds={seeds} goes beyond the largest seed; give a smaller seed"))
        })?;

        let audience = Audience::of(py, progress)?;
        let pool = self.threads.pool()?;
        let score = |progress: &dyn Progress| -> PyResult<Vec<Vec<Option<Scored>>>> {
            if let Some(elsewhere) = &elsewhere {
                let mut found = vec![None; archs.len() * seeds as usize];
                let with: Vec<u64> = (first..first + seeds).collect();
                let metrics = self.metrics_computed();
                elsewhere.score(self.scoring.space, &archs, (&with, true), metrics, &mut found, progress)?;
                let scored = |finding: &Option<Finding>| finding.clone()?.ok();
                return Ok(found
                    .chunks(archs.len())
                    .map(|round| round.iter().map(scored).collect())
                    .collect());
            }
            let mut rounds = vec![self.scorer.score(&archs, progress).map_err(Raise::raise)?];
            for seed in first + 1..first + seeds {
                if progress.stopped() {
                    break;
                }
                let options = ScoringOptions { seed, ..self.scoring.options.clone() };
                let scorer = Scoring { options, ..self.scoring.clone() }.scorer().map_err(Raise::raise)?;
                rounds.push(scorer.score(&archs, progress).map_err(Raise::raise)?);
            }
            Ok(rounds)
        };
        let total = archs.len() * seeds as usize;
        let (rounds, raised) = watched(py, total, &audience, |progress| pool.install(|| score(progress)));
        let mut rounds = rounds?.into_iter();
        let name = |index: usize| self.name(&archs[index]);
        let scored = rounds.next().unwrap_or_default().into_iter().map(|scored| scored.map(Ok)).collect();
        let batch = (self.scoring.options.batch, Remedy::Build);
        let space = Some(self.scoring.space.name());
        let results = Results::new(py, &self.columns, space, name, scored, batch, raised)?;

        let networks: Vec<&Scored> = results.networks().collect();
        let params: Vec<u64> = networks.iter().map(|scored| scored.params).collect();
        let metrics = |networks: &[&Scored]| {
            if has_metrics { Ranking::of_metrics(&self.columns, networks) } else { Vec::new() }
        };
        let correlate = || {
            let mut rankings = metrics(&networks);
            let count = rankings.len();
            rankings.extend(given);
            let mut correlations: Vec<Correlation> = rankings
                .iter()
                .map(|ranking| swapnas::correlate(ranking, &accuracies, Some(&params), first))
                .collect();
            if seeds > 1 {
                let mut rhos: Vec<Vec<f64>> =
                    correlations[..count].iter().map(|found| found.spearman.into_iter().collect()).collect();
                for scored in rounds {
                    let networks: Vec<&Scored> = scored.iter().flatten().collect();
                    for (ranking, rhos) in metrics(&networks).iter().zip(&mut rhos) {
                        rhos.extend(swapnas::spearman(ranking, &accuracies));
                    }
                }
                for (correlation, rhos) in correlations.iter_mut().zip(&rhos) {
                    correlation.spearman_over_seeds = Spread::of(rhos);
                }
            }
            let comparison = compares.then(|| swapnas::compare(&rankings));
            (rankings, correlations, comparison)
        };
        let (rankings, correlations, comparison) = py.detach(|| pool.install(correlate));
        correlation::objects_of(py, &rankings, &correlations, comparison, (accuracies, params))
    }
}

/// Scores architectures: what swapnas.Scorer(space, ...).score(archs) returns, whose arguments are taken as well.
#[pyfunction]
#[pyo3(
    signature = (archs, space = None, *, strict = None, progress = None, **options),
    text_signature = "(archs, space='darts', *, strict=None, progress=None, **options)"
)]
pub(crate) fn score<'py>(
    py: Python<'py>,
    archs: &Bound<'py, PyAny>,
    space: Option<&Bound<'py, PyAny>>,
    strict: Option<bool>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    PyScorer::new(py, space, options)?.score(py, archs, strict, progress)
}

/// How well each metric orders architectures by their accuracies: what swapnas.Scorer(space,
/// ...).correlate(archs, accuracies) returns, whose arguments are taken as well. With columns but without metrics,
/// only the columns are correlated.
#[pyfunction]
#[pyo3(
    signature = (archs, accuracies, space = None, *, columns = None, compare = false, seeds = None, progress = None, **options),
    text_signature = "(archs, accuracies, space='darts', *, columns=None, compare=False, seeds=1, progress=None, **options)"
)]
#[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
pub(crate) fn correlate<'py>(
    py: Python<'py>,
    archs: &Bound<'py, PyAny>,
    accuracies: &Bound<'py, PyAny>,
    space: Option<&Bound<'py, PyAny>>,
    columns: Option<Bound<'py, PyAny>>,
    compare: bool,
    seeds: Option<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let metrics = options.as_ref().map(|options| options.get_item("metrics")).transpose()?.flatten();
    let has_metrics = columns.is_none() || metrics.is_some_and(|metrics| !metrics.is_none());
    let options = match options {
        Some(options) => options.copy()?,
        None => PyDict::new(py),
    };
    if !has_metrics {
        // Networks are built to count their parameters.
        options.set_item("metrics", "params")?;
    }
    let scorer = PyScorer::new(py, space, Some(options))?;
    scorer.correlate_with(py, archs, accuracies, columns, (compare, has_metrics), seeds, progress, None)
}

/// The accuracies of `count` networks.
fn numbers(accuracies: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<f64>> {
    let mut numbers = Vec::with_capacity(count);
    for (index, accuracy) in items(accuracies, "accuracies")?.enumerate() {
        let number: f64 = extract(&accuracy?, &format!("accuracy number {index}"))?;
        if !number.is_finite() {
            let what = format!("accuracy number {index} is {number}; leave it out");
            return Err(PyValueError::new_err(what));
        }
        numbers.push(number);
    }
    if numbers.len() != count {
        let found = numbers.len();
        let what = format!("there are {count} architectures, but {found} accuracies; give one for each");
        return Err(PyValueError::new_err(what));
    }
    if count < 2 {
        return Err(PyValueError::new_err("a correlation takes two architectures"));
    }
    Ok(numbers)
}

/// What was found of networks.
pub(crate) struct Results<'a> {
    columns: &'a Columns,
    /// The space that they are of, if they are of one.
    space: Option<&'static str>,
    found: Vec<Option<Finding>>,
}

impl<'a> Results<'a> {
    /// Of networks with these names that were scored with so many images, about which something can be done. If the
    /// work was stopped, what was finished goes with the exception that is raised.
    pub(crate) fn new(
        py: Python<'_>,
        columns: &'a Columns,
        space: Option<&'static str>,
        name: impl Fn(usize) -> String,
        found: Vec<Option<Finding>>,
        (batch, remedy): (usize, Remedy),
        raised: Option<PyErr>,
    ) -> PyResult<Self> {
        let results = Results { columns, space, found };
        if let Some(raised) = raised {
            let message = "stopped; what was finished is in `scored`".to_owned();
            return Err(interrupted(raised, message, "scored", results.objects(py, name)?, py));
        }
        let refused = refused(&results.found).map(|refused| format!("{refused}; `refused` of each says why"));
        warn(py, refused.into_iter().chain(saturation_warnings(batch, remedy, results.networks())))?;
        Ok(results)
    }

    /// Those that were scored.
    fn networks(&self) -> impl Iterator<Item = &Scored> {
        scored(&self.found)
    }

    /// As a swapnas.Scores.
    pub(crate) fn objects<'py>(
        &self,
        py: Python<'py>,
        name: impl Fn(usize) -> String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let classes = py.import("swapnas._results")?;
        let class = classes.getattr("Scored")?;
        let objects = PyList::empty(py);
        for (index, (found, values)) in self.found.iter().zip(values(self.columns, &self.found)).enumerate() {
            let (Some(found), Some(values)) = (found, values) else {
                objects.append(py.None())?;
                continue;
            };
            let (scores, deviations, reasons) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
            for (column, value) in self.columns.iter().zip(values) {
                let name = column.to_string();
                match value {
                    Ok(score) => {
                        scores.set_item(&name, score.mean)?;
                        // The ranks that aggregates are made of have no deviation.
                        if !column.is_aggregate() {
                            deviations.set_item(&name, score.std)?;
                        }
                    }
                    Err(reason) => {
                        scores.set_item(&name, py.None())?;
                        reasons.set_item(&name, reason.to_string())?;
                    }
                }
            }
            let scored = found.as_ref().ok();
            let sizes = scored.map(|&Scored { params, macs, units, .. }| [params, macs, units]);
            let saturation = scored.and_then(|scored| scored.saturation);
            let saturated = saturation.is_some_and(|saturation| saturation.is_saturated());
            let refused = found.as_ref().err();
            let [params, macs, units] = sizes.map_or([None; 3], |sizes| sizes.map(Some));
            let sizes = (name(index), params, macs, units).into_pyobject(py)?;
            let rest = (scores, deviations, reasons, saturated, refused, self.space).into_pyobject(py)?;
            objects.append(class.call1(sizes.add(rest)?.cast_into::<PyTuple>()?)?)?;
        }
        classes.getattr("Scores")?.call1((objects,))
    }
}

/// Warnings of the library, as those of Python.
pub(crate) fn warn(py: Python<'_>, warnings: impl IntoIterator<Item = String>) -> PyResult<()> {
    for warning in warnings {
        let warning = CString::new(warning)?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &warning, 1)?;
    }
    Ok(())
}
