//! Arguments that are given by name.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use pyo3::exceptions::{PyImportError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PyModule, PyString, PyTuple};
use swapnas::options::{Row, SCORING, TRAINING, Takes};
use swapnas::{
    Array, ArrayError, ImageSize, InputSpec, Place, Proxies, Scoring, ScoringOptions, Shape, Space, Training,
    TrainingOptions, plain,
};

use crate::errors::Raise;
use crate::proxy;
use crate::space::PySpace;

/// The arguments of a function by name, from which they are taken one by one.
pub(crate) struct Options<'py> {
    given: Option<Bound<'py, PyDict>>,
    /// Those that were asked for.
    known: Vec<Cow<'static, str>>,
}

impl<'py> Options<'py> {
    pub(crate) fn new(given: Option<&Bound<'py, PyDict>>) -> PyResult<Self> {
        Ok(Options { given: given.map(PyDictMethods::copy).transpose()?, known: Vec::new() })
    }

    /// Takes an argument; `None` of Python is the same as none.
    pub(crate) fn any(&mut self, name: impl Into<Cow<'static, str>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = name.into();
        let value = match &self.given {
            Some(given) => given.get_item(&*name)?,
            None => None,
        };
        if let (Some(given), true) = (&self.given, value.is_some()) {
            given.del_item(&*name)?;
        }
        if !self.known.contains(&name) {
            self.known.push(name);
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
        Err(PyTypeError::new_err(format!(
            "there is no argument `{}`; those by name are {known}",
            plain(&name.to_string())
        )))
    }

    /// How to train.
    pub(crate) fn training(&mut self, space: &'static dyn Space) -> PyResult<Training> {
        let mut options = TrainingOptions::default();
        // Images in memory have no text.
        if let Some(inputs) = self.inputs()? {
            options.inputs = inputs;
        }
        self.read(TRAINING.iter(), &mut options)?;
        options.flip = self.take("flip")?.unwrap_or(options.flip);
        Ok(Training { space, options })
    }

    /// How to score.
    pub(crate) fn scoring(&mut self, space: &'static dyn Space) -> PyResult<Scoring> {
        self.scoring_by(space, SCORING.iter())
    }

    /// How to score networks that are what they are.
    pub(crate) fn scoring_of_networks(&mut self, space: &'static dyn Space) -> PyResult<Scoring> {
        self.scoring_by(space, SCORING.iter().filter(|row| !row.of_spaces))
    }

    fn scoring_by(
        &mut self,
        space: &'static dyn Space,
        rows: impl Iterator<Item = &'static Row<ScoringOptions>>,
    ) -> PyResult<Scoring> {
        let mut scoring = Scoring::new(space);
        // Functions and images in memory have no text.
        if let Some((metrics, proxies)) = self.metrics()? {
            (scoring.options.metrics, scoring.proxies) = (Some(metrics), proxies);
        }
        if let Some(inputs) = self.inputs()? {
            scoring.options.inputs = inputs;
        }
        self.read(rows, &mut scoring.options)?;
        Ok(scoring)
    }

    /// Takes the options of a table that are given.
    pub(crate) fn read<T: 'static>(
        &mut self,
        rows: impl Iterator<Item = &'static Row<T>>,
        options: &mut T,
    ) -> PyResult<()> {
        for row in rows.filter(|row| row.field.is_some()) {
            let name = row.identifier();
            let Some(value) = self.any(name.clone())? else { continue };
            let text = text(&value, &name, row.takes)?;
            row.read(options, &text).map_err(|what| match row.takes {
                Takes::Explained(_) => {
                    PyValueError::new_err(format!("{name} cannot be `{}`; {what}", plain(&text)))
                }
                _ => PyValueError::new_err(format!("{name}: {what}")),
            })?;
        }
        Ok(())
    }

    /// Takes the metrics, and those of one's own among them.
    pub(crate) fn metrics(&mut self) -> PyResult<Option<(String, Proxies)>> {
        self.any("metrics")?.map(|metrics| proxy::metrics(&metrics)).transpose()
    }

    /// Takes the images, without pictures that cannot be used if they are to be skipped.
    fn inputs(&mut self) -> PyResult<Option<InputSpec>> {
        let inputs = self.any("inputs")?.map(|inputs| images(&inputs)).transpose()?;
        if self.take("skip_bad")? != Some(true) {
            return Ok(inputs);
        }
        let skipping = inputs.as_ref().and_then(InputSpec::skipping_bad);
        skipping.map(Some).ok_or_else(|| {
            PyValueError::new_err("skip_bad leaves out pictures of inputs=\"images:DIR\"; there are none")
        })
    }

    /// Takes a count: a whole number, a number such as 3.3e6, or a text such as "3.3M".
    pub(crate) fn count(&mut self, name: &'static str) -> PyResult<Option<u64>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        Ok(swapnas::count(&count(&value, name)?))
    }

    /// Takes the size of images: height and width as one number, or channels, height and width.
    pub(crate) fn image_size(&mut self, name: &'static str) -> PyResult<Option<ImageSize>> {
        self.any(name)?.map(|value| image_size(&value, name)).transpose()
    }

    /// The threads to work on.
    pub(crate) fn threads(&mut self) -> PyResult<Option<usize>> {
        self.number("threads", 1024)
    }
}

/// What a value would be as a text of the command.
fn text(value: &Bound<'_, PyAny>, name: &str, takes: Takes) -> PyResult<String> {
    Ok(match takes {
        Takes::Nothing => extract::<bool>(value, name)?.to_string(),
        Takes::Number { least, most } => whole(value, name, least..=most)?.to_string(),
        Takes::Count => count(value, name)?,
        Takes::Positive | Takes::NotNegative | Takes::Share => extract::<f64>(value, name)?.to_string(),
        Takes::Size => image_size(value, name)?.to_string(),
        Takes::Name(_) | Takes::Explained(_) | Takes::Text | Takes::File => extract(value, name)?,
    })
}

/// A count as a text.
fn count(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let wrong = || PyValueError::new_err(format!("{name} is a count such as 3300000, 3.3e6 or \"3.3M\""));
    let text = match value.extract::<f64>() {
        Ok(number) if !value.is_instance_of::<PyBool>() => match value.extract::<u64>() {
            Ok(number) => number.to_string(),
            Err(_) => number.to_string(),
        },
        _ => value.extract::<String>().map_err(|_| wrong())?,
    };
    swapnas::count(&text).map(|_| text).ok_or_else(wrong)
}

/// Height and width as one number, or channels, height and width.
fn image_size(size: &Bound<'_, PyAny>, name: &str) -> PyResult<ImageSize> {
    let taken = match size.extract::<usize>() {
        Ok(side) => Some(ImageSize::Side(side)),
        Err(_) => size
            .extract::<[usize; 3]>()
            .ok()
            .map(|[channels, height, width]| ImageSize::Shape(Shape::new(channels, height, width))),
    };
    taken.filter(|size| Takes::Size.check(&size.to_string()).is_ok()).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{name} is height and width as one number, or channels, height and width, each from 1 to 2048"
        ))
    })
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
            PyValueError::new_err(format!("{name} cannot be {}", plain(&value.to_string())))
        } else {
            PyTypeError::new_err(format!("{name}: {}", plain(&error.value(py).to_string())))
        }
    })
}

/// A number of a range.
pub(crate) fn number(value: &Bound<'_, PyAny>, name: &str, range: RangeInclusive<usize>) -> PyResult<usize> {
    Ok(whole(value, name, *range.start() as u64..=*range.end() as u64)? as usize)
}

fn whole(value: &Bound<'_, PyAny>, name: &str, range: RangeInclusive<u64>) -> PyResult<u64> {
    let fits = match extract::<u64>(value, name) {
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => return Err(error),
        number => number.ok().filter(|number| range.contains(number)),
    };
    fits.ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        let value = value.to_string();
        PyValueError::new_err(format!(
            "{name} cannot be {}; give a number from {least} to {most}",
            plain(&value)
        ))
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

/// Images: a text that says where they come from, an array, or a pair of an array and labels.
fn images(inputs: &Bound<'_, PyAny>) -> PyResult<InputSpec> {
    let py = inputs.py();
    if let Ok(text) = inputs.cast::<PyString>() {
        return text.to_cow()?.parse().map_err(|error| PyValueError::new_err(format!("inputs: {error}")));
    }
    if inputs.hasattr("__fspath__")? {
        let path = inputs.to_string();
        let path = plain(&path);
        return Err(PyTypeError::new_err(format!(
            "inputs: a path does not say what is there; give \"npy:{path}\", \"images:{path}\" or \"cifar10:{path}\""
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
    let labels = labels.map(|labels| classes(&numpy, &labels)).transpose()?;
    let array = numpy_array(&numpy, &images).map_err(|error| {
        PyTypeError::new_err(format!("inputs is a text, an array or a pair of an array and labels: {error}"))
    })?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let (dims, is_text) = match shape[..] {
        [images, channels, rows, columns] => ([images, channels, rows, columns], false),
        [texts, tokens] => ([texts, 1, 1, tokens], true),
        _ => {
            let what = "inputs: images are an array of shape (images, channels, rows, columns), and texts one of shape \
                        (texts, tokens), not one of shape";
            return Err(PyValueError::new_err(format!("{what} {shape:?}")));
        }
    };
    let bytes = single(&numpy, &array)?.call_method0("tobytes")?;
    let (numbers, _) = bytes.extract::<&[u8]>()?.as_chunks::<4>();
    let mut numbers: Vec<f32> = numbers.iter().map(|number| f32::from_ne_bytes(*number)).collect();
    if !is_text && array.getattr("dtype")?.getattr("name")?.extract::<String>()? == "uint8" {
        numbers.iter_mut().for_each(|number| *number /= 255.0);
    }
    let array = Array::new(dims, numbers, labels).map_err(|error| match error {
        // The number as it was given, which may have been too large for 32 bits.
        ArrayError::Value { place, .. } => {
            let Place { image, channel, row, column } = place;
            let value = match is_text {
                true => array.get_item((image, column)),
                false => array.get_item((image, channel, row, column)),
            };
            let value = value.and_then(|value| value.extract());
            ArrayError::Value { place, value: value.unwrap_or(f64::NAN) }
        }
        other => other,
    });
    Ok(InputSpec::Array(Arc::new(array.map_err(Raise::raise)?)))
}

/// An array of real numbers, all of which are there; or else what to do.
fn numpy_array<'py>(
    numpy: &Bound<'py, PyModule>,
    object: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyAny>, String> {
    let said = |error: PyErr| plain(&error.value(numpy.py()).to_string()).to_string();
    if is_masked(numpy, object).map_err(said)? {
        return Err("the array is masked; fill its gaps, as with .filled(0)".to_owned());
    }
    let array = numpy.call_method1("asarray", (object,)).map_err(said)?;
    let dtype = array.getattr("dtype").map_err(said)?;
    let kind: char = dtype.getattr("kind").and_then(|kind| kind.extract()).map_err(said)?;
    let advice = match kind {
        'b' | 'i' | 'u' | 'f' => return Ok(array),
        'c' => "complex numbers; give real ones, as with .real or abs()",
        'M' | 'm' => "times; give numbers",
        'O' => "objects; give numbers, in an array of one shape",
        'S' | 'U' | 'T' => "texts; give numbers",
        _ if dtype.getattr("names").is_ok_and(|names| !names.is_none()) => "records; give one of the fields",
        _ => "a type that NumPy does not compute with; convert it with .astype('float32')",
    };
    let dtype = dtype.to_string();
    Err(format!("the array is of type {}, {advice}", plain(&dtype)))
}

/// Whether an array, or one of a list of them, says of some numbers that they are not there.
fn is_masked(numpy: &Bound<'_, PyModule>, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = numpy.getattr("ma")?.getattr("MaskedArray")?;
    let mut masked = object.is_instance(&class)?;
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        for member in object.try_iter()? {
            masked |= member?.is_instance(&class)?;
        }
    }
    Ok(masked)
}

/// An array in 32-bit floats, row by row. Numbers that are too large become infinite without a warning.
fn single<'py>(numpy: &Bound<'py, PyModule>, array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let quiet = PyDict::new(numpy.py());
    quiet.set_item("all", "ignore")?;
    let quiet = numpy.call_method("errstate", (), Some(&quiet))?;
    quiet.call_method0("__enter__")?;
    let single = numpy.call_method1("ascontiguousarray", (array, "float32"));
    let none = numpy.py().None();
    quiet.call_method1("__exit__", (&none, &none, &none))?;
    single
}

/// The class of each image.
fn classes(numpy: &Bound<'_, PyModule>, labels: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    const WHAT: &str = "inputs: labels are a list of classes, whole numbers counted from 0";
    let wrong = |why: String| PyValueError::new_err(format!("{WHAT}; {why}"));
    let array = numpy_array(numpy, labels).map_err(wrong)?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    if shape.len() != 1 {
        return Err(wrong(format!("these are of shape {shape:?}")));
    }
    let label = |(index, label): (usize, PyResult<Bound<'_, PyAny>>)| {
        let label = label?;
        label.extract().map_err(|_| wrong(format!("label {index} is {}", plain(&label.to_string()))))
    };
    array.call_method0("tolist")?.try_iter()?.enumerate().map(label).collect()
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
