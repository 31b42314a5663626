//! Arguments that are given by name.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use swapnas::{Array, ImageSize, InputSpec, Scoring, Shape, Sharing};

use crate::errors::Raise;

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
        let taken: Result<T, PyErr> = value.extract().map_err(Into::into);
        taken.map(Some).map_err(|error| {
            let py = value.py();
            if error.is_instance_of::<PyOverflowError>(py) {
                PyValueError::new_err(format!("{name} cannot be {value}"))
            } else {
                PyTypeError::new_err(format!("{name}: {}", error.value(py)))
            }
        })
    }

    /// Takes a number of a range.
    pub(crate) fn number(&mut self, name: &'static str, most: usize) -> PyResult<Option<usize>> {
        let number = self.take::<usize>(name)?;
        match number {
            Some(n) if !(1..=most).contains(&n) => {
                Err(PyValueError::new_err(format!("{name} cannot be {n}; give a number from 1 to {most}")))
            }
            _ => Ok(number),
        }
    }

    /// Takes an argument that is read from a text.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> PyResult<Option<T>> {
        let text = self.take::<String>(name)?;
        let read = text.map(|text| text.parse::<T>()).transpose();
        read.map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
    }

    /// Refuses arguments that nobody has asked for.
    pub(crate) fn finish(self) -> PyResult<()> {
        let Some(name) = self.given.iter().flat_map(PyDictMethods::keys).next() else { return Ok(()) };
        let known = self.known.join(", ");
        Err(PyTypeError::new_err(format!("there is no argument `{name}`; those by name are {known}")))
    }

    /// How to score.
    pub(crate) fn scoring(&mut self, space: &str) -> PyResult<Scoring> {
        let default = Scoring::new(swapnas::space(space).map_err(Raise::raise)?);
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
            network: self.parse("network")?,
            channels: self.number("channels", 2048)?,
            cells: self.number("cells", 256)?,
            size: self.image_size("size")?,
            classes: self.number("classes", 1_000_000)?,
            space: default.space,
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

/// Metrics as one text, or as a list of texts.
fn list(metrics: &Bound<'_, PyAny>) -> PyResult<String> {
    match metrics.extract::<String>() {
        Ok(text) => Ok(text),
        Err(_) => metrics.extract::<Vec<String>>().map(|names| names.join(",")).map_err(|_| {
            PyTypeError::new_err("metrics is a text such as \"swap,params\" or a list of such names")
        }),
    }
}

/// Images: a text that says where they come from, an array, or a pair of an array and labels.
fn images(inputs: &Bound<'_, PyAny>) -> PyResult<InputSpec> {
    if let Ok(text) = inputs.cast::<PyString>() {
        return text.to_cow()?.parse().map_err(|error| PyValueError::new_err(format!("inputs: {error}")));
    }
    let (images, labels) = match inputs.cast::<PyTuple>() {
        Ok(pair) => pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?,
        Err(_) => (inputs.clone(), inputs.py().None().into_bound(inputs.py())),
    };
    let numpy = inputs.py().import("numpy")?;
    let labels = if labels.is_none() {
        None
    } else {
        Some(numpy.call_method1("asarray", (labels,))?.call_method0("tolist")?.extract()?)
    };
    let options = PyDict::new(inputs.py());
    options.set_item("dtype", "float32")?;
    let array = numpy.call_method("ascontiguousarray", (images,), Some(&options))?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let dims = <[usize; 4]>::try_from(shape).map_err(|shape| {
        let what = "images are an array of shape (images, channels, rows, columns), not one of shape";
        PyValueError::new_err(format!("{what} {shape:?}"))
    })?;
    let bytes = array.call_method0("tobytes")?;
    let (numbers, _) = bytes.extract::<&[u8]>()?.as_chunks::<4>();
    let numbers = numbers.iter().map(|number| f32::from_ne_bytes(*number)).collect();
    Ok(InputSpec::Array(Arc::new(Array::new(dims, numbers, labels).map_err(Raise::raise)?)))
}
