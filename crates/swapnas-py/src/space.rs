use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyString};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde_json::Value;
use swapnas::export::Format;
use swapnas::{Arch, ParseError, Refusals, Space, Unread, drawing, plain, write_file};

use crate::errors::Raise;
use crate::options::{extract, number};

/// A search space: its encodings, and moves between architectures.
#[pyclass(frozen, name = "Space", module = "swapnas")]
pub(crate) struct PySpace(pub(crate) &'static dyn Space);

#[pymethods]
impl PySpace {
    #[new]
    fn new(name: &str) -> PyResult<Self> {
        Ok(PySpace(swapnas::space(name).map_err(Raise::raise)?))
    }

    fn __getnewargs__(&self) -> (&'static str,) {
        (self.0.name(),)
    }

    fn __repr__(&self) -> String {
        format!("swapnas.Space(\"{}\")", self.0.name())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PySpace>().is_ok_and(|other| other.get().0.name() == self.0.name())
    }

    fn __hash__(&self) -> u64 {
        swapnas::Key::of(self.0.name()).0
    }

    /// The name, as functions take it.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// What the space is and where it comes from.
    #[getter]
    fn description(&self) -> &'static str {
        self.0.description()
    }

    /// The number of architectures.
    #[getter]
    fn size(&self) -> u128 {
        self.0.size()
    }

    /// The networks into which architectures are built, the default one first.
    #[getter]
    fn networks(&self) -> Vec<&'static str> {
        self.0.presets().iter().map(|preset| preset.name()).collect()
    }

    /// The ways of writing an architecture by name, each with what it means; the first is the canonical one.
    #[getter]
    fn encodings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let encodings = PyDict::new(py);
        for encoding in self.0.encodings() {
            encodings.set_item(encoding.name, encoding.description)?;
        }
        Ok(encodings)
    }

    /// Architectures drawn uniformly; the first of them do not depend on how many follow.
    #[pyo3(signature = (count, seed = None))]
    #[pyo3(text_signature = "($self, count, seed=0)")]
    fn sample(
        &self,
        py: Python<'_>,
        count: &Bound<'_, PyAny>,
        seed: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<String>> {
        let count = number(count, "count", 0..=10_000_000)?;
        let seed = self::seed(seed)?;
        Ok(py.detach(|| swapnas::sample(self.0, count, seed).iter().map(|arch| self.0.print(arch)).collect()))
    }

    /// The architecture in the canonical encoding.
    fn parse(&self, arch: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.0.print(&read(self.0, arch)?))
    }

    /// The architecture in the encoding of that name.
    fn convert(&self, arch: &Bound<'_, PyAny>, encoding: &str) -> PyResult<String> {
        self.0.print_as(&read(self.0, arch)?, encoding).map_err(Raise::raise)
    }

    /// The architecture as a dictionary of named parts.
    fn to_dict<'py>(&self, py: Python<'py>, arch: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        object(py, &self.0.to_json(&read(self.0, arch)?))
    }

    /// The architecture that stands for all that compute the same function.
    fn canonical(&self, py: Python<'_>, arch: &Bound<'_, PyAny>) -> PyResult<String> {
        let arch = read(self.0, arch)?;
        Ok(py.detach(|| self.0.print(&self.0.canonical(&arch))))
    }

    /// All architectures that differ in a single gene.
    fn neighbours(&self, py: Python<'_>, arch: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let arch = read(self.0, arch)?;
        Ok(py.detach(|| self.0.neighbours(&arch).iter().map(|arch| self.0.print(arch)).collect()))
    }

    /// One of the neighbours.
    #[pyo3(signature = (arch, seed = None))]
    #[pyo3(text_signature = "($self, arch, seed=0)")]
    fn mutate(&self, arch: &Bound<'_, PyAny>, seed: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self::seed(seed)?);
        Ok(self.0.print(&self.0.mutate(&read(self.0, arch)?, &mut rng)))
    }

    /// An architecture that has every gene from one of two.
    #[pyo3(signature = (a, b, seed = None))]
    #[pyo3(text_signature = "($self, a, b, seed=0)")]
    fn crossover(
        &self,
        a: &Bound<'_, PyAny>,
        b: &Bound<'_, PyAny>,
        seed: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self::seed(seed)?);
        Ok(self.0.print(&self.0.crossover(&read(self.0, a)?, &read(self.0, b)?, &mut rng)))
    }

    /// What an architecture looks like, as a swapnas.Drawing; also written to a file if there is a path.
    #[pyo3(signature = (arch, path = None))]
    fn draw<'py>(
        &self,
        py: Python<'py>,
        arch: &Bound<'py, PyAny>,
        path: Option<PathBuf>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let svg = drawing::svg(&self.0.diagrams(&read(self.0, arch)?));
        if let Some(path) = path {
            if Format::of(&path) != Some(Format::Svg) {
                let path = plain(&path).to_string();
                let what = format!("cannot draw {path}: the name of a drawing ends in .svg");
                return Err(PyValueError::new_err(what));
            }
            write_file(&path, svg.as_bytes()).map_err(Raise::raise)?;
        }
        py.import("swapnas._html")?.getattr("Drawing")?.call1((svg,))
    }

    /// What notebooks show.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("swapnas._html")?.call_method1("space", (slf,))
    }

    /// All architectures of a space that is small enough to go through.
    fn all(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let all = self.0.all().ok_or_else(|| {
            let (name, size) = (self.0.name(), self.0.size());
            PyValueError::new_err(format!("{name} has {size} architectures; take a sample of them"))
        })?;
        Ok(py.detach(|| all.map(|arch| self.0.print(&arch)).collect()))
    }
}

/// The seed of random numbers.
fn seed(seed: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
    seed.map_or(Ok(0), |seed| extract(seed, "seed"))
}

/// The names of the search spaces.
#[pyfunction]
pub(crate) fn spaces() -> Vec<&'static str> {
    swapnas::spaces().iter().map(|space| space.name()).collect()
}

/// The metrics by name, each with what it is.
#[pyfunction]
pub(crate) fn metrics(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let metrics = PyDict::new(py);
    for definition in swapnas::metrics() {
        metrics.set_item(definition.name, definition.summary)?;
    }
    Ok(metrics)
}

/// An architecture as people hold it: a text in some encoding, a number, a dictionary as of JSON, or an object
/// whose text is an encoding, such as a `Genotype`.
pub(crate) fn read(space: &dyn Space, arch: &Bound<'_, PyAny>) -> PyResult<Arch> {
    parse(space, arch)?.map_err(|error| {
        let error = error.raise();
        let reason = error.value(arch.py());
        PyValueError::new_err(format!("{}: {reason}", swapnas_cli::unread(&text(arch))))
    })
}

/// The same, with a text that is of no architecture told from what is no text.
fn parse(space: &dyn Space, arch: &Bound<'_, PyAny>) -> PyResult<Result<Arch, ParseError>> {
    Ok(if let Ok(text) = arch.cast::<PyString>() {
        space.parse(&text.to_cow()?)
    } else if let Ok(dict) = arch.cast::<PyDict>() {
        let text: String = arch.py().import("json")?.call_method1("dumps", (dict,))?.extract()?;
        let value = swapnas::read_json(&text)
            .map_err(|error| PyTypeError::new_err(format!("the architecture is no JSON: {error}")))?;
        space.parse_json(&value)
    } else {
        space.parse(&arch.str()?.to_cow()?)
    })
}

/// What was given for an architecture, as a text.
fn text(arch: &Bound<'_, PyAny>) -> String {
    arch.str().map(|text| text.to_string()).unwrap_or_default()
}

/// Architectures one after the other; what is wrong with one is said with its number.
pub(crate) fn read_all(space: &dyn Space, archs: &Bound<'_, PyAny>) -> PyResult<Vec<Arch>> {
    let mut read_archs = Vec::new();
    for (index, arch) in items(archs, "architectures")?.enumerate() {
        read_archs.push(numbered(index, read(space, &arch?), archs.py())?);
    }
    Ok(read_archs)
}

/// Architectures one after the other; those that cannot be read are refused, or an error if the list is `strict`.
pub(crate) fn read_each(
    space: &dyn Space,
    archs: &Bound<'_, PyAny>,
    strict: Option<bool>,
) -> PyResult<(Vec<Result<Arch, Unread>>, Refusals)> {
    let archs: Vec<Bound<'_, PyAny>> = items(archs, "architectures")?.collect::<PyResult<_>>()?;
    let refusals = Refusals::of(strict, archs.len());
    let read = |(index, arch): (usize, &Bound<'_, PyAny>)| match refusals {
        Refusals::Errors => numbered(index, read(space, arch), arch.py()).map(Ok),
        Refusals::Kept => {
            let arch_or_error = parse(space, arch)?;
            Ok(arch_or_error.map_err(|error| Unread { name: text(arch), reason: error.to_string() }))
        }
    };
    Ok((archs.iter().enumerate().map(read).collect::<PyResult<_>>()?, refusals))
}

/// Says of what is wrong with an architecture which one of a list it is.
fn numbered(index: usize, read: PyResult<Arch>, py: Python<'_>) -> PyResult<Arch> {
    read.map_err(|error| {
        let message = format!("number {index} of the list: {}", error.value(py));
        if error.is_instance_of::<PyValueError>(py) { PyValueError::new_err(message) } else { error }
    })
}

/// The members of a list or of anything else that is gone through, but not the parts of a single thing.
pub(crate) fn items<'py>(list: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyIterator>> {
    let single = list.is_instance_of::<PyString>()
        || list.is_instance_of::<PyBytes>()
        || list.is_instance_of::<PyDict>();
    let members = list.try_iter().ok().filter(|_| !single);
    members.ok_or_else(|| PyTypeError::new_err(format!("give a list of {what}, not {}", kind(list))))
}

/// What an object is, as messages say it.
fn kind(object: &Bound<'_, PyAny>) -> String {
    object
        .get_type()
        .name()
        .map_or_else(|_| "this".to_owned(), |name| format!("a single {}", plain(&name.to_string())))
}

/// JSON as objects of Python.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (value.to_string(),))
}
