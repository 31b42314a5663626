use std::ffi::CString;

use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use swapnas::{Columns, Score, Scored, Scorer, Scoring, Undefined, saturation_warnings};

use crate::correlation::object_of;
use crate::errors::{Raise, in_python};
use crate::options::Options;
use crate::space::{PySpace, read_all};
use crate::threads::Threads;
use crate::watch::{Audience, interrupted, watched};

/// Scores architectures of one space: in any order and on any number of threads with the same result to the bit.
///
/// space: the name of the space; swapnas.spaces() lists them.
/// metrics: names such as "swap,params" or a list of them, rank(a,b) and logrank(a,b) included; swap, swap-reg,
///     params and macs unless given. swapnas.metrics() lists them.
/// inputs: the images: "spectral" (the default), "gaussian", "cifar10:PATH", "images:DIR", "npy:FILE", an array
///     of shape (images, channels, rows, columns), or a pair of an array and labels.
/// batch: number of images. An array of exactly as many keeps its order; from a larger one they are drawn.
/// repeats: sets of weights that each network is scored with; each metric's own number unless given.
/// seed: the seed of images and weights.
/// init: how weights are drawn: "gaussian", "kaiming-normal", "kaiming-uniform", "xavier-normal",
///     "xavier-uniform" or "pytorch"; each metric's own way unless given.
/// weights: "shared", if equal parts of networks have equal weights, or "independent".
/// precision: "f32", or "f64" to check it.
/// network, channels, cells, size, classes: the network that is scored: "benchmark" or "swap", channels of its
///     first stage, its cells (or cells of each stage), height and width of the images, its classes; as the
///     space has them unless given.
/// threads: all cores unless given.
#[pyclass(frozen, name = "Scorer", module = "swapnas")]
pub(crate) struct PyScorer {
    scoring: Scoring,
    columns: Columns,
    scorer: Scorer,
    threads: Threads,
    /// What it was made of, for pickle.
    made_of: (String, Option<Py<PyDict>>),
}

#[pymethods]
impl PyScorer {
    #[new]
    #[pyo3(
        signature = (space = "darts", **options),
        text_signature = "(space='darts', *, metrics=None, inputs=None, batch=16, repeats=None, seed=0, init=None, \
                          weights='shared', precision='f32', network=None, channels=None, cells=None, size=None, classes=None, threads=None)"
    )]
    fn new(py: Python<'_>, space: &str, options: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut taken = Options::new(options.as_ref())?;
        let scoring = taken.scoring(space)?;
        let threads = Threads::new(taken.threads()?);
        taken.finish()?;
        let columns = scoring.columns().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let pool = threads.pool()?;
        let scorer = py.detach(|| pool.install(|| scoring.scorer())).map_err(Raise::raise)?;
        let options = options.map(|options| options.copy().map(Bound::unbind)).transpose()?;
        Ok(PyScorer { scoring, columns, scorer, threads, made_of: (space.to_owned(), options) })
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> ((String,), Bound<'py, PyDict>) {
        let (space, options) = &self.made_of;
        let options = options.as_ref().map_or_else(|| PyDict::new(py), |options| options.bind(py).clone());
        ((space.clone(),), options)
    }

    fn __repr__(&self) -> String {
        let metrics = self.metrics().join(",");
        format!("<swapnas.Scorer of {}: {metrics}, network {}>", self.scoring.space.name(), self.network())
    }

    #[getter]
    fn space(&self) -> PySpace {
        PySpace(self.scoring.space)
    }

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
    /// progress is a function of the numbers of networks done and in all, or False for no bar. Ctrl-C raises
    /// swapnas.Interrupted, which has what was finished by then.
    #[pyo3(signature = (archs, *, progress = None))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        Ok(self.run(py, archs, progress)?.0)
    }

    /// How well each metric orders architectures by their accuracies: a dictionary of swapnas.Correlation.
    #[pyo3(signature = (archs, accuracies, *, progress = None))]
    fn correlate<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        accuracies: Vec<f64>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let count = archs.len()?;
        if count != accuracies.len() {
            let accuracies = accuracies.len();
            let what =
                format!("there are {count} architectures, but {accuracies} accuracies; give one for each");
            return Err(PyValueError::new_err(what));
        }
        if count < 2 {
            return Err(PyValueError::new_err("a correlation takes two architectures"));
        }
        if let Some(index) = accuracies.iter().position(|accuracy| !accuracy.is_finite()) {
            let what = format!("accuracy number {index} is {}; leave it out", accuracies[index]);
            return Err(PyValueError::new_err(what));
        }
        let (_, values, params) = self.run(py, archs, progress)?;
        let seed = self.scoring.seed;
        let pool = self.threads.pool()?;
        let correlations = PyDict::new(py);
        for (column, values) in self.columns.iter().zip(&values) {
            let correlate = || swapnas::correlate(column.direction(), values, &accuracies, &params, seed);
            let correlation = py.detach(|| pool.install(correlate));
            correlations.set_item(column.to_string(), object_of(py, &correlation)?)?;
        }
        Ok(correlations)
    }
}

/// By column, the values of all networks.
type Values = Vec<Vec<Result<Score, Undefined>>>;

impl PyScorer {
    /// Scores architectures: what is known of each, its values by column, and its number of parameters.
    fn run<'py>(
        &self,
        py: Python<'py>,
        archs: &Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyList>, Values, Vec<u64>)> {
        let space = self.scoring.space;
        let archs = read_all(space, archs)?;
        let audience = Audience::of(progress)?;
        let pool = self.threads.pool()?;
        let (scored, raised) = watched(py, archs.len(), &audience, |progress| {
            pool.install(|| self.scorer.score(&archs, progress))
        });
        let scored = scored.map_err(Raise::raise)?;
        let done: Vec<&Scored> = scored.iter().flatten().collect();
        let values: Values = self.columns.iter().map(|column| self.columns.values(column, &done)).collect();
        let class = py.import("swapnas._results")?.getattr("Scored")?;
        let found = PyList::empty(py);
        let mut place = 0;
        for (arch, scored) in archs.iter().zip(&scored) {
            let Some(scored) = scored else {
                found.append(py.None())?;
                continue;
            };
            let (scores, deviations, reasons) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
            for (column, values) in self.columns.iter().zip(&values) {
                let name = column.to_string();
                match &values[place] {
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
            place += 1;
            let &Scored { params, macs, units, saturation, .. } = scored;
            let saturated = saturation.is_some_and(|saturation| saturation.is_saturated());
            let arch = space.print(arch);
            found
                .append(class.call1((arch, params, macs, units, scores, deviations, reasons, saturated))?)?;
        }
        if let Some(raised) = raised {
            return Err(interrupted(py, raised, found.into_any()));
        }
        for warning in saturation_warnings(self.scoring.batch, done.iter().copied()) {
            let warning = CString::new(in_python(&warning))?;
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &warning, 1)?;
        }
        Ok((found, values, done.iter().map(|scored| scored.params).collect()))
    }
}
