use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use swapnas::onnx::{self, InputProblem, Model, ModelError, ReadError, Reading};
use swapnas::{Columns, Refusals, Remedy, ScoreError, Scoring, Settings, Unread, plain, score_readable};

use crate::errors::{Raise, in_python};
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
                let reason = self.words(&reason(&source)).into_owned();
                match refusals {
                    Refusals::Errors => {
                        let message = in_python(&format!("{}: {reason}", plain(&name)));
                        Err(PyValueError::new_err(message))
                    }
                    Refusals::Kept => Ok(Err(Unread { name, reason })),
                }
            }
            Err(error) if refusals == Refusals::Errors => Err(error.raise()),
            Err(error) => Ok(Err(Unread { name, reason: error.reason() })),
        }
    }

    /// What is said of options in terms of what there is for modules.
    fn words<'a>(&self, message: &'a str) -> Cow<'a, str> {
        match self.origin {
            Origin::Files => message.into(),
            Origin::Modules => message.replace("a --size", "an --input").replace("--size", "--input").into(),
        }
    }

    /// The exception for networks of which one, or none, can be scored: it names a module that is alone.
    fn raise(&self, py: Python<'_>, error: ScoreError, models: &[Result<Model, Unread>]) -> PyErr {
        let named = (self.origin == Origin::Modules && error.is_of_one_network()).then_some(models);
        let said = self.words(&error.to_string()).into_owned();
        let raised = error.raise();
        let Some([Ok(model)]) = named else { return raised };
        let message = in_python(&format!("{}: {said}", plain(model.path())));
        PyErr::from_type(raised.get_type(py), message)
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
        let (found, raised) = watched(py, models.len(), &audience, |progress| {
            let score = |models: &[Model]| onnx::score_each(models, &self.settings, refusals, progress);
            pool.install(|| score_readable(models, progress, score))
        });
        let name = |index: usize| match &models[index] {
            Ok(model) => model.path().display().to_string(),
            Err(unread) => unread.name.clone(),
        };
        let mut found = found.map_err(|error| self.raise(py, error, models))?;
        for reason in found.iter_mut().flatten().filter_map(|finding| finding.as_mut().err()) {
            *reason = self.words(reason).into_owned();
        }
        let batch = (self.scoring.options.batch, Remedy::Show);
        let results = Results::new(py, &self.columns, None, name, found, batch, raised)?;
        // Those of modules are exported with all that they have.
        let read: Vec<Model> = models.iter().flatten().cloned().collect();
        let lacking = if self.origin == Origin::Files { onnx::warning(&read) } else { None };
        warn(py, lacking.into_iter().chain(self.settings.inputs.warning()))?;
        results.objects(py, name)
    }
}

/// Why a file has no network that can be scored.
fn reason(error: &ReadError) -> String {
    match error {
        ReadError::Input(InputProblem::Open { what }) => {
            format!("the file leaves the {what} of the images open; give them, as in size=(3, 224, 224)")
        }
        ReadError::Input(InputProblem::Length) => {
            "the file leaves the length of the texts open; give the number of tokens, as in size=128"
                .to_owned()
        }
        ReadError::Input(InputProblem::Texts) => {
            "the network takes texts, not images; give the number of tokens, as in size=128".to_owned()
        }
        error => error.to_string(),
    }
}
