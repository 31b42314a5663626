use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use swapnas::onnx::{self, Model};
use swapnas::plain;

use crate::errors::Raise;
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
#[pyfunction]
#[pyo3(
    signature = (files, *, progress = None, **options),
    text_signature = "(files, *, progress=None, metrics=None, inputs=None, skip_bad=False, batch=16, repeats=None, seed=0, \
                      init=None, weights='shared', precision='f32', size=None, threads=None)"
)]
pub(crate) fn score_onnx<'py>(
    py: Python<'py>,
    files: &Bound<'py, PyAny>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let mut taken = Options::new(options)?;
    let scoring = taken.scoring_of_networks(options::space(None)?)?;
    let threads = Threads::new(taken.threads()?);
    taken.finish()?;
    let columns = scoring.columns().map_err(|error| PyValueError::new_err(error.to_string()))?;
    let settings = scoring.settings(&columns).map_err(Raise::raise)?;
    let audience = Audience::of(progress)?;
    let mut models = Vec::new();
    for (index, file) in items(files, "paths or contents of ONNX files")?.enumerate() {
        let file = file?;
        models.push(match file.cast::<PyBytes>() {
            Ok(bytes) => {
                let (contents, name) = (bytes.as_bytes().to_vec(), index.to_string());
                py.detach(|| Model::of(name.into(), contents, scoring.images())).map_err(Raise::raise)?
            }
            Err(_) => {
                let path: PathBuf = file.extract().map_err(|_| {
                    let found = file.get_type().to_string();
                    PyTypeError::new_err(format!(
                        "number {index} of the list is neither a path nor bytes, but {}",
                        plain(&found)
                    ))
                })?;
                py.detach(|| Model::read(&path, scoring.images())).map_err(Raise::raise)?
            }
        });
    }
    let pool = threads.pool()?;
    let (scored, raised) = watched(py, models.len(), &audience, |progress| {
        pool.install(|| onnx::score(&models, &settings, progress))
    });
    let name = |index: usize| models[index].path().display().to_string();
    let results = Results::new(py, &columns, name, scored.map_err(Raise::raise)?, scoring.batch, raised)?;
    warn(py, onnx::warning(&models).into_iter().chain(settings.inputs.warning()))?;
    results.objects(py, name)
}
