use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use swapnas::export::{Export, Format, NetworkOverrides};

use crate::errors::Raise;
use crate::options::{self, Options};
use crate::space::read;
use crate::threads::Threads;

/// The architecture as a network to be trained, a description or a drawing: as a text or bytes, or in a file.
///
/// format: "torch", "onnx", "json", "dot" or "svg"; as the end of the path says unless given.
/// network, channels, cells, classes: the network: "benchmark" or "swap", channels of its first stage, cells (or
///     cells of each stage), classes.
/// input: channels, height and width of the images, or one number for height and width.
/// seed: the seed of the weights of an ONNX file.
#[pyfunction]
#[pyo3(
    signature = (arch, space = None, *, path = None, **options),
    text_signature = "(arch, space='darts', *, path=None, format=None, network='benchmark', channels=None, \
                      cells=None, classes=None, input=None, seed=0)"
)]
pub(crate) fn export<'py>(
    py: Python<'py>,
    arch: &Bound<'py, PyAny>,
    space: Option<&Bound<'py, PyAny>>,
    path: Option<PathBuf>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut taken = Options::new(options)?;
    let space = options::space(space)?;
    let format = Format::choose(taken.parse("format")?, path.as_deref()).map_err(Raise::raise)?;
    let changes = NetworkOverrides {
        preset: taken.parse("network")?,
        channels: taken.number("channels", 2048)?,
        cells: taken.number("cells", 256)?,
        classes: taken.number("classes", 1_000_000)?,
        size: taken.image_size("input")?,
    };
    let seed = taken.take("seed")?.unwrap_or(0);
    taken.finish()?;
    let arch = read(space, arch)?;
    let export = Export { space, arch: &arch, network: changes.network(space), seed };
    // A process that was forked has none of the threads of the one before.
    let pool = Threads::new(None).pool()?;
    if let Some(path) = path {
        py.detach(|| pool.install(|| export.write(format, &path))).map_err(Raise::raise)?;
        return Ok(py.None().into_bound(py));
    }
    let contents = py.detach(|| pool.install(|| export.contents(format))).map_err(Raise::raise)?;
    match String::from_utf8(contents) {
        Ok(text) if format.is_text() => Ok(PyString::new(py, &text).into_any()),
        Ok(text) => Ok(PyBytes::new(py, text.as_bytes()).into_any()),
        Err(error) => Ok(PyBytes::new(py, error.as_bytes()).into_any()),
    }
}
