use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use swapnas::graph::option::{INPUT, OptionName, SIZE, Spelling, spelled};
use swapnas::onnx::{self, Model, ModelError, Reading};
use swapnas::{Columns, Refusals, Remedy, ScoreError, Scoring, Settings, Unread, plain, score_readable};

use crate::errors::{Raise, as_argument};
use crate::options::{self, Options};
use crate::scorer::{Results, warn};
use crate::space::items;
use crate::threads::Threads;
use crate::watch::{Audience, watched};

/// Scores networks of ONNX files: a list of paths, or of the contents of files as bytes.
///
/// Networks are scored as by swapnas.Scorer, whose arguments metrics, inputs, skip_bad, batch, repeats, seed, init, weights,
/// precision, size and threads are taken as well: weights are drawn, and batch normalisations have the statistics
/// of the batch. `arch` of the results is the path, or the number in the list.
///
/// A file that cannot be read or scored is refused: it has its place in the list, and `refused` says why. With
/// strict=True the first such is an error. Unless it is given, a list of one is strict and a longer one is not.
#[pyfunction]
#[pyo3(
    signature = (files, *, strict = None, progress = None, **options),
    text_signature = "(files, *, strict=None, progress=None, metrics=None, inputs=None, \
                      skip_bad=False, batch=16, repeats=None, seed=0, weights='shared', init=None, \
                      precision='f32', size=None, threads=None)"
)]
pub(crate) fn score_onnx<'py>(
    py: Python<'py>,
    files: &Bound<'py, PyAny>,
    strict: Option<bool>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let how = How::new(options, Origin::Files)?;
    let files = items(files, "paths or contents of ONNX files")?.collect::<PyResult<Vec<_>>>()?;
    let refusals = Refusals::of(strict, files.len());
    let mut models = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let (name, model) = match file.cast::<PyBytes>() {
            Ok(bytes) => (index.to_string(), how.model(py, &index.to_string(), bytes, HashSet::new())),
            Err(_) => {
                let path: PathBuf = file.extract().map_err(|_| {
                    let found = file.get_type().to_string();
                    PyTypeError::new_err(format!(
                        "number {index} of the list is neither a path nor bytes, but {}",
                        plain(&found)
                    ))
                })?;
                let model = py.detach(|| Model::read(&path, how.scoring.images()));
                (path.display().to_string(), model)
            }
        };
        models.push(how.settle(name, model, refusals)?);
    }
    how.score(py, &models, refusals, progress)
}

/// Scores modules of PyTorch: a list of their names, each with the contents of an ONNX file and the names of their
/// buffers, or with the reason why there is no file.
#[pyfunction]
#[pyo3(signature = (exported, strict, progress, options))]
pub(crate) fn score_exported<'py>(
    py: Python<'py>,
    exported: Vec<(String, Bound<'py, PyAny>, HashSet<String>)>,
    strict: bool,
    progress: Option<Bound<'py, PyAny>>,
    options: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let how = How::new(Some(options), Origin::Modules)?;
    let refusals = if strict { Refusals::Errors } else { Refusals::Kept };
    let mut models = Vec::with_capacity(exported.len());
    for (name, found, buffers) in exported {
        models.push(match found.cast::<PyBytes>() {
            Ok(bytes) => {
                let model = how.model(py, &name, bytes, buffers);
                how.settle(name, model, refusals)?
            }
            Err(_) => Err(Unread { name, reason: found.extract()? }),
        });
    }
    how.score(py, &models, refusals, progress)
}

/// Where networks come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Files,
    Modules,
}

impl Origin {
    /// How options are spelled: images of modules have the shape `input`.
    fn spelling(self) -> Spelling {
        fn of_modules(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
            as_argument(if option == SIZE { INPUT } else { option }, numbers, f)
        }
        match self {
            Origin::Files => as_argument,
            Origin::Modules => of_modules,
        }
    }
}

/// How networks are scored that are of no space.
struct How {
    origin: Origin,
    scoring: Scoring,
    columns: Columns,
    settings: Settings,
    threads: Threads,
}

impl How {
    fn new(options: Option<&Bound<'_, PyDict>>, origin: Origin) -> PyResult<Self> {
        let mut taken = Options::new(options)?;
        let scoring = taken.scoring_of_networks(options::space(None)?)?;
        let threads = Threads::new(taken.threads()?);
        taken.finish()?;
        let columns = scoring.columns().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let settings = scoring.settings(&columns).map_err(Raise::raise)?;
        Ok(How { origin, scoring, columns, settings, threads })
    }

    fn model(
        &self,
        py: Python<'_>,
        name: &str,
        contents: &Bound<'_, PyBytes>,
        buffers: HashSet<String>,
    ) -> Result<Model, ModelError> {
        let contents = contents.as_bytes().to_vec();
        let reading = Reading { images: self.scoring.images(), buffers };
        py.detach(|| Model::of(name.into(), contents, reading))
    }

    /// What was read, or why not, unless that is an error.
    fn settle(
        &self,
        name: String,
        model: Result<Model, ModelError>,
        refusals: Refusals,
    ) -> PyResult<Result<Model, Unread>> {
        match model {
            Ok(model) => Ok(Ok(model)),
            Err(ModelError::Onnx { source, .. }) => {
                let reason = spelled(self.origin.spelling(), || source.to_string());
                match refusals {
                    Refusals::Errors => Err(PyValueError::new_err(format!("{}: {reason}", plain(&name)))),
                    Refusals::Kept => Ok(Err(Unread { name, reason })),
                }
            }
            Err(error) if refusals == Refusals::Errors => Err(error.raise()),
            Err(error) => Ok(Err(Unread { name, reason: error.reason() })),
        }
    }

    /// The exception for networks of which one, or none, can be scored: it names a module that is alone.
    fn raise(&self, py: Python<'_>, error: ScoreError, models: &[Result<Model, Unread>]) -> PyErr {
        let named = (self.origin == Origin::Modules && error.is_of_one_network()).then_some(models);
        let spelling = self.origin.spelling();
        let said = spelled(spelling, || error.to_string());
        let raised = error.raise_with(spelling);
        let Some([Ok(model)]) = named else { return raised };
        PyErr::from_type(raised.get_type(py), format!("{}: {said}", plain(model.path())))
    }

    fn score<'py>(
        &self,
        py: Python<'py>,
        models: &[Result<Model, Unread>],
        refusals: Refusals,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let audience = Audience::of(py, progress)?;
        let pool = self.threads.pool()?;
        let spelling = self.origin.spelling();
        let (found, raised) = watched(py, models.len(), &audience, |progress| {
            let score = |models: &[Model]| onnx::score_each(models, &self.settings, refusals, progress);
            // Why some are refused is said there.
            pool.install(|| spelled(spelling, || score_readable(models, progress, score)))
        });
        let name = |index: usize| match &models[index] {
            Ok(model) => model.path().display().to_string(),
            Err(unread) => unread.name.clone(),
        };
        let found = found.map_err(|error| self.raise(py, error, models))?;
        let batch = (self.scoring.options.batch, Remedy::Show);
        let results =
            spelled(spelling, || Results::new(py, &self.columns, None, name, found, batch, raised))?;
        // Those of modules are exported with all that they have.
        let read: Vec<Model> = models.iter().flatten().cloned().collect();
        let lacking = if self.origin == Origin::Files { onnx::warning(&read) } else { None };
        warn(py, lacking.into_iter().chain(self.settings.inputs.warning()))?;
        spelled(spelling, || results.objects(py, name))
    }
}
