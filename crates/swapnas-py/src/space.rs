use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde_json::Value;
use swapnas::{Arch, Space};

use crate::errors::Raise;

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

    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    #[getter]
    fn description(&self) -> &'static str {
        self.0.description()
    }

    #[getter]
    fn size(&self) -> u128 {
        self.0.size()
    }

    #[getter]
    fn networks(&self) -> Vec<&'static str> {
        self.0.presets().iter().map(|preset| preset.name()).collect()
    }

    #[getter]
    fn encodings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let encodings = PyDict::new(py);
        for encoding in self.0.encodings() {
            encodings.set_item(encoding.name, encoding.description)?;
        }
        Ok(encodings)
    }

    /// `count` architectures drawn uniformly.
    #[pyo3(signature = (count, seed = 0))]
    fn sample(&self, count: usize, seed: u64) -> Vec<String> {
        swapnas::sample(self.0, count, seed).iter().map(|arch| self.0.print(arch)).collect()
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
    fn canonical(&self, arch: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.0.print(&self.0.canonical(&read(self.0, arch)?)))
    }

    /// All architectures that differ in a single gene.
    fn neighbours(&self, arch: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let neighbours = self.0.neighbours(&read(self.0, arch)?);
        Ok(neighbours.iter().map(|arch| self.0.print(arch)).collect())
    }

    /// One of the neighbours.
    #[pyo3(signature = (arch, seed = 0))]
    fn mutate(&self, arch: &Bound<'_, PyAny>, seed: u64) -> PyResult<String> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Ok(self.0.print(&self.0.mutate(&read(self.0, arch)?, &mut rng)))
    }

    /// An architecture that has every gene from one of two.
    #[pyo3(signature = (a, b, seed = 0))]
    fn crossover(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, seed: u64) -> PyResult<String> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Ok(self.0.print(&self.0.crossover(&read(self.0, a)?, &read(self.0, b)?, &mut rng)))
    }

    /// All architectures of a space that is small enough to go through.
    fn all(&self) -> PyResult<Vec<String>> {
        let all = self.0.all().ok_or_else(|| {
            let (name, size) = (self.0.name(), self.0.size());
            PyValueError::new_err(format!("{name} has {size} architectures; take a sample of them"))
        })?;
        Ok(all.map(|arch| self.0.print(&arch)).collect())
    }
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
    let result = if let Ok(text) = arch.cast::<PyString>() {
        space.parse(&text.to_cow()?)
    } else if let Ok(dict) = arch.cast::<PyDict>() {
        let text: String = arch.py().import("json")?.call_method1("dumps", (dict,))?.extract()?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| PyTypeError::new_err(format!("the architecture is no JSON: {error}")))?;
        space.parse_json(&value)
    } else {
        space.parse(&arch.str()?.to_cow()?)
    };
    result.map_err(|error| {
        let text = arch.str().map(|text| text.to_string()).unwrap_or_default();
        let error = error.raise();
        let reason = error.value(arch.py());
        PyValueError::new_err(format!("{}: {reason}", swapnas_cli::unread(&text)))
    })
}

/// Architectures one after the other; what is wrong with one is said with its number.
pub(crate) fn read_all(space: &dyn Space, archs: &Bound<'_, PyAny>) -> PyResult<Vec<Arch>> {
    if archs.is_instance_of::<PyString>() || archs.is_instance_of::<PyDict>() {
        return Err(PyTypeError::new_err("give a list of architectures, not a single one"));
    }
    let mut read_archs = Vec::new();
    for (index, arch) in archs.try_iter()?.enumerate() {
        let read = read(space, &arch?).map_err(|error| {
            PyValueError::new_err(format!("number {index} of the list: {}", error.value(archs.py())))
        });
        read_archs.push(read?);
    }
    Ok(read_archs)
}

/// JSON as objects of Python.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (value.to_string(),))
}
