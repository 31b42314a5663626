//! Functions of Python as metrics.
//!
//! A function is called with a `swapnas.Network`, on a thread of its own, for as long as it runs: what the function
//! asks for is computed by the thread that scores, and goes over by a channel. So the view of a network, which
//! lives no longer than a call, is never in Python's hands, and Python's lock is free while the engine works.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::create_exception;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use swapnas::graph::{ModuleKind, Observer, Relu, Signs, ValueId};
use swapnas::{Direction, Init, MemoryError, NetworkView, Proxies, Proxy, ProxyError, plain};

use crate::errors::Raise;
use crate::options;

create_exception!(
    swapnas,
    UndefinedError,
    PyValueError,
    "A metric is undefined for a network: raised by a metric of one's own, with the reason."
);

/// A function of Python with what a metric is besides.
struct Function {
    name: String,
    direction: Direction,
    init: Init,
    repeats: u32,
    function: Py<PyAny>,
}

/// What a function asks of its network; values and parameters by their places.
enum Request {
    Outline,
    Value(usize),
    ValueGradient(usize),
    Weight(usize),
    Gradient(usize),
    SampleGradients,
    Signs(usize),
    Jacobian,
}

/// What it gets.
enum Answer {
    Outline(Box<Outline>),
    Numbers(Vec<f64>),
    OfParams(Vec<Vec<f64>>),
    /// A byte for each image and unit, 1 if it is positive.
    Signs(Vec<u8>),
}

/// A name, the place of what it names, and the shape of that, of one image.
type Named = (String, usize, Vec<usize>);

/// What a network consists of: a dictionary in Python.
#[derive(IntoPyObject)]
struct Outline {
    params: u64,
    macs: u64,
    units: u64,
    labels: Vec<usize>,
    input: Named,
    output: Named,
    parameters: Vec<Named>,
    /// Calls of modules, in order of execution.
    modules: Vec<Named>,
    /// Those of them that are ReLUs.
    relus: Vec<Named>,
    /// The module and the weight of each convolution and linear layer.
    layers: Vec<(String, String)>,
}

impl Proxy for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn init(&self) -> Init {
        self.init
    }

    fn repeats(&self) -> u32 {
        self.repeats
    }

    fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
        let (ask, asked) = sync_channel(0);
        std::thread::scope(|scope| {
            let caller = scope.spawn(|| Python::attach(|py| self.call(py, ask)));
            // Until the function has returned, whatever it has kept of its network.
            while let Ok((request, reply)) = asked.recv() {
                // Whoever asked waits for it.
                let _: Result<(), _> = reply.send(answer(network, request));
            }
            match caller.join() {
                Ok(Ok(Some(value))) => Ok(value),
                Ok(Ok(None)) => Err(ProxyError::undefined("the function returned None")),
                Ok(Err(error)) => Err(Python::attach(|py| failure(py, error))),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Function {
    fn call(&self, py: Python<'_>, ask: Ask) -> PyResult<Option<f64>> {
        let link = Py::new(py, Link { ask: Mutex::new(Some(ask)) })?;
        let network = py.import("swapnas._network")?.getattr("Network")?.call1((&link,));
        let value = network.and_then(|network| self.function.bind(py).call1((network,)));
        // Ends the conversation.
        link.get().ask.lock().unwrap_or_else(PoisonError::into_inner).take();
        let value = value?;
        if value.is_none() {
            return Ok(None);
        }
        value.extract().map(Some).map_err(|_| {
            let (name, found) = (plain(&self.name).to_string(), value.get_type().to_string());
            PyTypeError::new_err(format!(
                "the metric {name} returned {}; it should return a number, or None where it is undefined",
                plain(&found)
            ))
        })
    }
}

/// Metrics as they are given: a text, a function, a `swapnas.Metric`, a list of these, or functions by their names.
/// What they are called in a list of metrics, and those of one's own among them.
pub(crate) fn metrics(metrics: &Bound<'_, PyAny>) -> PyResult<(String, Proxies)> {
    let (mut names, mut proxies) = (Vec::new(), Vec::new());
    if let Ok(by_name) = metrics.cast::<PyDict>() {
        for (name, function) in by_name.iter() {
            let name = name.extract().map_err(|_| PyTypeError::new_err("metrics: names are texts"))?;
            names.push(own(&function, Some(name), &mut proxies)?);
        }
    } else if metrics.is_instance_of::<PyString>() || metrics.is_callable() {
        names.push(own(metrics, None, &mut proxies)?);
    } else {
        let members = metrics.try_iter().map_err(|_| PyTypeError::new_err(WHAT))?;
        for metric in members {
            names.push(own(&metric?, None, &mut proxies)?);
        }
    }
    if names.is_empty() {
        return Err(PyValueError::new_err("metrics is empty"));
    }
    Ok((names.join(","), Proxies::new(proxies).map_err(Raise::raise)?))
}

const WHAT: &str = "metrics is a text such as \"swap,params\", a function that takes a swapnas.Network, a list of \
                    these, or functions by their names";

/// The name of a metric in a list; if it is one of one's own, it joins the others.
fn own(
    metric: &Bound<'_, PyAny>,
    name: Option<String>,
    proxies: &mut Vec<Arc<dyn Proxy>>,
) -> PyResult<String> {
    if name.is_none()
        && let Ok(text) = metric.cast::<PyString>()
    {
        return Ok(text.to_cow()?.into_owned());
    }
    if !metric.is_callable() {
        return Err(PyTypeError::new_err(WHAT));
    }
    let name = match name {
        Some(name) => name,
        None => metric.getattr("__name__").and_then(|name| name.extract()).map_err(|_| {
            PyTypeError::new_err("a metric has no name; give metrics as a dictionary, {\"name\": function}")
        })?,
    };
    let mut function = Function {
        name: name.clone(),
        direction: Direction::HigherIsBetter,
        init: Init::PyTorch,
        repeats: 1,
        function: metric.clone().unbind(),
    };
    // What a plain function does not say of itself.
    if metric.is_instance(&metric.py().import("swapnas._network")?.getattr("Metric")?)? {
        if metric.getattr("lower_is_better")?.is_truthy()? {
            function.direction = Direction::LowerIsBetter;
        }
        let init: String = options::extract(&metric.getattr("init")?, "init")?;
        function.init = init.parse().map_err(|error| PyValueError::new_err(format!("init: {error}")))?;
        function.repeats = options::number(&metric.getattr("repeats")?, "repeats", 1..=1_000_000)? as u32;
    }
    proxies.push(Arc::new(function));
    Ok(name)
}

/// Why a function has given no value: it said so, or it has failed.
fn failure(py: Python<'_>, error: PyErr) -> ProxyError {
    if error.is_instance_of::<UndefinedError>(py) {
        ProxyError::undefined(error.value(py).to_string())
    } else {
        ProxyError::Failed(error.into())
    }
}

/// Computes what is asked for.
fn answer(network: &mut NetworkView<'_>, request: Request) -> Result<Answer, ProxyError> {
    let value = |network: &NetworkView<'_>, place| {
        network.graph().values().map(|(value, _)| value).nth(place).ok_or_else(|| unknown("value", place))
    };
    let param = |network: &NetworkView<'_>, place| {
        network.graph().param_ids().nth(place).ok_or_else(|| unknown("parameter", place))
    };
    Ok(match request {
        Request::Outline => Answer::Outline(Box::new(outline(network))),
        Request::Value(place) => Answer::Numbers(network.value(value(network, place)?)?),
        Request::ValueGradient(place) => Answer::Numbers(network.value_gradient(value(network, place)?)?),
        Request::Weight(place) => Answer::Numbers(network.weight(param(network, place)?)),
        Request::Gradient(place) => Answer::Numbers(network.gradient(param(network, place)?)?),
        Request::SampleGradients => Answer::OfParams(network.sample_gradients()?),
        Request::Jacobian => Answer::Numbers(network.jacobian()?),
        Request::Signs(place) => {
            let mut of_one = OfOne { value: value(network, place)?, bytes: Vec::new() };
            network.signs(&mut of_one)?;
            Answer::Signs(of_one.bytes)
        }
    })
}

fn unknown(what: &str, place: usize) -> ProxyError {
    ProxyError::Failed(format!("the network has no {what} {place}").into())
}

fn outline(network: &NetworkView<'_>) -> Outline {
    let graph = network.graph();
    let value = |name: String, value: ValueId| {
        let shape = graph.shape(value);
        (name, value.index(), vec![shape.channels, shape.height, shape.width])
    };
    // A module that is called again is listed again, as module#2.
    let mut calls = HashMap::new();
    let mut modules = Vec::with_capacity(graph.modules().len());
    let (mut relus, mut layers) = (Vec::new(), Vec::new());
    let weights = network.layers();
    let mut weights = weights.iter();
    for module in graph.modules() {
        let count = calls.entry(&module.name).or_insert(0);
        *count += 1;
        let name = if *count == 1 { module.name.clone() } else { format!("{}#{count}", module.name) };
        match module.kind {
            ModuleKind::Act(act) if act.is_gate() => relus.push(value(name.clone(), module.output)),
            ModuleKind::Conv | ModuleKind::Linear => {
                if let Some((weight, _)) = weights.next() {
                    layers.push((name.clone(), graph.param(*weight).name.clone()));
                }
            }
            _ => {}
        }
        modules.push(value(name, module.output));
    }
    let parameters = graph.params().iter().enumerate();
    Outline {
        params: graph.parameter_count(),
        macs: graph.macs(),
        units: graph.relu_units(),
        labels: network.labels().to_vec(),
        input: value("images".to_owned(), graph.input()),
        output: value("logits".to_owned(), graph.outputs()[0]),
        parameters: parameters
            .map(|(index, param)| (param.name.clone(), index, param.shape.clone()))
            .collect(),
        modules,
        relus,
        layers,
    }
}

/// Writes down the signs of one ReLU.
struct OfOne {
    value: ValueId,
    bytes: Vec<u8>,
}

impl Observer for OfOne {
    fn wants(&mut self, relu: &Relu) -> bool {
        relu.value == self.value
    }

    fn observe(&mut self, _relu: &Relu, signs: Signs<'_>) {
        for block in signs.blocks() {
            for sample in 0..block.mask.count_ones() {
                self.bytes.extend(block.words.iter().map(|word| (word >> sample & 1) as u8));
            }
        }
    }
}

type Reply = SyncSender<Result<Answer, ProxyError>>;
type Ask = SyncSender<(Request, Reply)>;

/// What a `swapnas.Network` asks by, while its function runs. Numbers are bytes in the machine's order.
#[pyclass(frozen, module = "swapnas._swapnas")]
pub(crate) struct Link {
    ask: Mutex<Option<Ask>>,
}

#[pymethods]
impl Link {
    fn outline<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match self.get(py, Request::Outline)? {
            Answer::Outline(outline) => outline.into_pyobject(py),
            _ => Err(mixed_up()),
        }
    }

    fn value<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        self.numbers(py, Request::Value(place))
    }

    fn value_gradient<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        self.numbers(py, Request::ValueGradient(place))
    }

    fn weight<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        self.numbers(py, Request::Weight(place))
    }

    fn gradient<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        self.numbers(py, Request::Gradient(place))
    }

    fn jacobian<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.numbers(py, Request::Jacobian)
    }

    /// Of every parameter.
    fn sample_gradients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        match self.get(py, Request::SampleGradients)? {
            Answer::OfParams(all) => {
                let all = all.into_iter().map(|numbers| bytes(py, &numbers)).collect::<PyResult<Vec<_>>>()?;
                PyList::new(py, all)
            }
            _ => Err(mixed_up()),
        }
    }

    /// A byte for each image and unit.
    fn signs<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyBytes>> {
        match self.get(py, Request::Signs(place))? {
            Answer::Signs(signs) => Ok(PyBytes::new(py, &signs)),
            _ => Err(mixed_up()),
        }
    }
}

impl Link {
    /// Asks, and waits for the answer without Python's lock.
    fn get(&self, py: Python<'_>, request: Request) -> PyResult<Answer> {
        let ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = ask.and_then(|ask| {
            py.detach(|| {
                let (reply, answered) = sync_channel(1);
                ask.send((request, reply)).ok()?;
                answered.recv().ok()
            })
        });
        match answer {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(ProxyError::Undefined(reason))) => Err(UndefinedError::new_err(reason.to_string())),
            Some(Err(ProxyError::Failed(error))) => Err(match error.downcast::<MemoryError>() {
                Ok(error) => PyMemoryError::new_err(error.to_string()),
                Err(error) => PyRuntimeError::new_err(error.to_string()),
            }),
            None => Err(PyRuntimeError::new_err(
                "a network can be looked at only while the metric that it was handed to is computed",
            )),
        }
    }

    fn numbers<'py>(&self, py: Python<'py>, request: Request) -> PyResult<Bound<'py, PyBytes>> {
        match self.get(py, request)? {
            Answer::Numbers(numbers) => bytes(py, &numbers),
            _ => Err(mixed_up()),
        }
    }
}

fn bytes<'py>(py: Python<'py>, numbers: &[f64]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, size_of_val(numbers), |bytes| {
        for (bytes, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *bytes = number.to_ne_bytes();
        }
        Ok(())
    })
}

fn mixed_up() -> PyErr {
    PyRuntimeError::new_err("the answer is to another question")
}
