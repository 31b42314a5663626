//! Arguments that are given by name.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use pyo3::exceptions::{PyImportError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use swapnas::{Array, ImageSize, InputSpec, Scoring, Shape, Sharing, Space};

use crate::errors::Raise;
use crate::space::PySpace;

/// The arguments of a function by name, from which they are taken one by one.
pub(crate) struct Options<'py> {
    given: Option<Bound<'py, PyDict>>,
    /// Those that were asked for.
    known: Vec<&'static str>,
}

impl<'py> Options<'py> {
    pub(crate) fn new(given: Option<&Bound<'py, PyDict>>) -> PyResult<Self> {
        Ok(Options { given: given.map(PyDictMethods::copy).transpose()?, known: Vec::new() })
    }

    /// Takes an argument; `None` of Python is the same as none.
    pub(crate) fn any(&mut self, name: &'static str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.known.push(name);
        let Some(given) = &self.given else { return Ok(None) };
        let value = given.get_item(name)?;
        if value.is_some() {
            given.del_item(name)?;
        }
        Ok(value.filter(|value| !value.is_none()))
    }

    /// Takes an argument of some type.
    pub(crate) fn take<T>(&mut self, name: &'static str) -> PyResult<Option<T>>
    where
        T: for<'a> FromPyObject<'a, 'py>,
        for<'a> <T as FromPyObject<'a, 'py>>::Error: Into<PyErr>,
    {
        let Some(value) = self.any(name)? else { return Ok(None) };
        extract(&value, name).map(Some)
    }

    /// Takes a number from 1 on.
    pub(crate) fn number(&mut self, name: &'static str, most: usize) -> PyResult<Option<usize>> {
        self.number_from(1, name, most)
    }

    /// Takes a number of a range.
    pub(crate) fn number_from(
        &mut self,
        least: usize,
        name: &'static str,
        most: usize,
    ) -> PyResult<Option<usize>> {
        self.any(name)?.map(|value| number(&value, name, least..=most)).transpose()
    }

    /// Takes an argument that is read from a text.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> PyResult<Option<T>> {
        let text = self.take::<String>(name)?;
        let read = text.map(|text| text.parse::<T>()).transpose();
        read.map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
    }

    /// Whether an argument is given, and is not `None`.
    pub(crate) fn has(&self, name: &str) -> bool {
        let value = self.given.as_ref().and_then(|given| given.get_item(name).ok().flatten());
        value.is_some_and(|value| !value.is_none())
    }

    /// Refuses arguments that nobody has asked for.
    pub(crate) fn finish(self) -> PyResult<()> {
        let Some(name) = self.given.iter().flat_map(PyDictMethods::keys).next() else { return Ok(()) };
        let known = self.known.join(", ");
        Err(PyTypeError::new_err(format!("there is no argument `{name}`; those by name are {known}")))
    }

    /// How to score.
    pub(crate) fn scoring(&mut self, space: &'static dyn Space) -> PyResult<Scoring> {
        Ok(Scoring {
            network: self.parse("network")?,
            channels: self.number("channels", 2048)?,
            cells: self.number("cells", 256)?,
            classes: self.number("classes", 1_000_000)?,
            ..self.scoring_of_networks(space)?
        })
    }

    /// How to score networks that are what they are.
    pub(crate) fn scoring_of_networks(&mut self, space: &'static dyn Space) -> PyResult<Scoring> {
        let default = Scoring::new(space);
        Ok(Scoring {
            metrics: self.any("metrics")?.map(|metrics| list(&metrics)).transpose()?,
            inputs: match self.any("inputs")? {
                Some(inputs) => images(&inputs)?,
                None => default.inputs,
            },
            batch: self.number("batch", 4096)?.unwrap_or(default.batch),
            repeats: self.number("repeats", 1_000_000)?.map(|repeats| repeats as u32),
            seed: self.take("seed")?.unwrap_or(default.seed),
            init: self.parse("init")?,
            sharing: match self.take::<String>("weights")?.as_deref() {
                Some("shared") | None => Sharing::Shared,
                Some("independent") => Sharing::Independent,
                Some(other) => {
                    let what = format!("weights cannot be `{other}`; give shared or independent");
                    return Err(PyValueError::new_err(what));
                }
            },
            precision: self.parse("precision")?.unwrap_or(default.precision),
            size: self.image_size("size")?,
            ..default
        })
    }

    /// Takes the size of images: height and width as one number, or channels, height and width.
    pub(crate) fn image_size(&mut self, name: &'static str) -> PyResult<Option<ImageSize>> {
        let Some(size) = self.any(name)? else { return Ok(None) };
        let taken = match size.extract::<usize>() {
            Ok(side) => Some((ImageSize::Side(side), [side; 3])),
            Err(_) => size.extract::<[usize; 3]>().ok().map(|sizes| {
                let [channels, height, width] = sizes;
                (ImageSize::Shape(Shape::new(channels, height, width)), sizes)
            }),
        };
        let fits = taken.filter(|(_, sizes)| sizes.iter().all(|size| (1..=2048).contains(size)));
        fits.map(|(size, _)| Some(size)).ok_or_else(|| {
            PyValueError::new_err(format!(
                "{name} is height and width as one number, or channels, height and width, each from 1 to 2048"
            ))
        })
    }

    /// The threads to work on.
    pub(crate) fn threads(&mut self) -> PyResult<Option<usize>> {
        self.number("threads", 1024)
    }
}

/// An argument of some type.
pub(crate) fn extract<'py, T>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
    for<'a> <T as FromPyObject<'a, 'py>>::Error: Into<PyErr>,
{
    let taken: Result<T, PyErr> = value.extract().map_err(Into::into);
    taken.map_err(|error| {
        let py = value.py();
        if error.is_instance_of::<PyOverflowError>(py) {
            PyValueError::new_err(format!("{name} cannot be {value}"))
        } else {
            PyTypeError::new_err(format!("{name}: {}", error.value(py)))
        }
    })
}

/// A number of a range.
pub(crate) fn number(value: &Bound<'_, PyAny>, name: &str, range: RangeInclusive<usize>) -> PyResult<usize> {
    let fits = match extract::<usize>(value, name) {
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => return Err(error),
        number => number.ok().filter(|number| range.contains(number)),
    };
    fits.ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        PyValueError::new_err(format!("{name} cannot be {value}; give a number from {least} to {most}"))
    })
}

/// The space of that name, or the space itself; that of DARTS unless given.
pub(crate) fn space(space: Option<&Bound<'_, PyAny>>) -> PyResult<&'static dyn Space> {
    let name = match space.map(|space| (space, space.cast::<PySpace>())) {
        Some((_, Ok(space))) => return Ok(space.get().0),
        Some((name, Err(_))) => extract::<String>(name, "space")?,
        None => "darts".to_owned(),
    };
    swapnas::space(&name).map_err(Raise::raise)
}

/// Metrics as one text, or as a list of texts.
fn list(metrics: &Bound<'_, PyAny>) -> PyResult<String> {
    match metrics.extract::<String>() {
        Ok(text) => Ok(text),
        Err(_) => match metrics.extract::<Vec<String>>() {
            Ok(names) if names.is_empty() => Err(PyValueError::new_err("metrics is an empty list")),
            Ok(names) => Ok(names.join(",")),
            Err(_) => {
                let what = "metrics is a text such as \"swap,params\" or a list of such names";
                Err(PyTypeError::new_err(what))
            }
        },
    }
}

/// Images: a text that says where they come from, an array, or a pair of an array and labels.
fn images(inputs: &Bound<'_, PyAny>) -> PyResult<InputSpec> {
    let py = inputs.py();
    if let Ok(text) = inputs.cast::<PyString>() {
        return text.to_cow()?.parse().map_err(|error| PyValueError::new_err(format!("inputs: {error}")));
    }
    if inputs.hasattr("__fspath__")? {
        return Err(PyTypeError::new_err(format!(
            "inputs: a path does not say what is there; give \"npy:{inputs}\", \"images:{inputs}\" or \"cifar10:{inputs}\""
        )));
    }
    let pair = inputs.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    let (images, labels) = match pair {
        Some(pair) => (pair.get_item(0)?, Some(pair.get_item(1)?).filter(|labels| !labels.is_none())),
        None => (inputs.clone(), None),
    };
    let numpy = py.import("numpy").map_err(|error| {
        PyImportError::new_err(format!("inputs: images in memory take NumPy ({})", error.value(py)))
    })?;
    let labels = labels.map(|labels| -> PyResult<Vec<usize>> {
        let labels = numpy.call_method1("asarray", (labels,))?.call_method0("tolist")?;
        labels.extract().map_err(|_| {
            PyValueError::new_err("inputs: labels are a list of classes, whole numbers counted from 0")
        })
    });
    let labels = labels.transpose()?;
    let options = PyDict::new(py);
    options.set_item("dtype", "float32")?;
    let array = numpy.call_method("ascontiguousarray", (images,), Some(&options)).map_err(|error| {
        PyTypeError::new_err(format!(
            "inputs is a text, an array or a pair of an array and labels: {}",
            error.value(py)
        ))
    })?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let dims = <[usize; 4]>::try_from(shape).map_err(|shape| {
        let what = "inputs: images are an array of shape (images, channels, rows, columns), not one of shape";
        PyValueError::new_err(format!("{what} {shape:?}"))
    })?;
    let bytes = array.call_method0("tobytes")?;
    let (numbers, _) = bytes.extract::<&[u8]>()?.as_chunks::<4>();
    let numbers = numbers.iter().map(|number| f32::from_ne_bytes(*number)).collect();
    Ok(InputSpec::Array(Arc::new(Array::new(dims, numbers, labels).map_err(Raise::raise)?)))
}

/// Images in memory as they were given: an array, or a pair of an array and labels.
pub(crate) fn array_object<'py>(py: Python<'py>, array: &Array) -> PyResult<Bound<'py, PyAny>> {
    let Shape { channels, height, width } = array.shape();
    let bytes: Vec<u8> = array.values().iter().flat_map(|value| value.to_ne_bytes()).collect();
    let numpy = py.import("numpy")?;
    let flat = numpy.call_method1("frombuffer", (PyBytes::new(py, &bytes), "float32"))?;
    let images = flat.call_method1("reshape", ((array.count(), channels, height, width),))?;
    match array.labels() {
        Some(labels) => Ok((images, labels).into_pyobject(py)?.into_any()),
        None => Ok(images),
    }
}
