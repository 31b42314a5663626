//! Training, and benchmarks made by it.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use swapnas::export::Export;
use swapnas::graph::Level;
use swapnas::train::benchmark::{self, Benchmark, Row};
use swapnas::train::{Epoch, Trainer};
use swapnas::{InputSpec, Progress, write_file};

use crate::errors::Raise;
use crate::options::{self, Options};
use crate::space::read;
use crate::threads::Threads;
use crate::watch::{Audience, interrupted, watched};

/// Trains the network of an architecture on labelled images; returns a swapnas.Trained.
///
/// path: where to write the trained weights and the statistics of batch normalisations, a safetensors file that the
///     load_state_dict of torch_module takes.
/// onnx: where to write the trained network as an ONNX file.
/// checkpoint: a file with all that the training depends on, written after every epoch; if it is there, training goes on.
/// inputs: labelled images: "shapes", "cifar10:PATH", "images:DIR" with a folder for each class, or a pair of an array
///     (N, channels, height, width) and the labels.
/// All others are those of the command `swapnas train`, with underscores; flip=False is its --no-flip.
#[pyfunction]
#[pyo3(
    signature = (arch, space = None, *, path = None, onnx = None, checkpoint = None, progress = None, **options),
    text_signature = "(arch, space='darts', *, path=None, onnx=None, checkpoint=None, progress=None, inputs='shapes', \
                      train_images=2000, validation_images=1000, epochs=5, batch=64, optimiser='sgd', \
                      rate=None, momentum=None, weight_decay=None, warmup=0, label_smoothing=0.0, flip=True, \
                      crop=None, cutout=0, drop_path=0.0, seed=0, network=None, channels=None, cells=None, \
                      size=None, threads=None)"
)]
#[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
pub(crate) fn train<'py>(
    py: Python<'py>,
    arch: &Bound<'py, PyAny>,
    space: Option<&Bound<'py, PyAny>>,
    path: Option<PathBuf>,
    onnx: Option<PathBuf>,
    checkpoint: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let space = options::space(space)?;
    let mut taken = Options::new(options)?;
    let training = taken.training(space)?;
    let threads = Threads::new(taken.threads()?);
    taken.finish()?;
    let arch = read(space, arch)?;
    let level = Level::from_env().map_err(Raise::raise)?;
    let audience = Audience::of(py, progress)?;
    let pool = threads.pool()?;
    let data = py.detach(|| pool.install(|| training.data())).map_err(Raise::raise)?;
    let network = training.network(data.classes());
    let graph = space.network(&arch, &network).map_err(Raise::raise)?;
    let (params, macs) = (graph.parameter_count(), graph.macs());
    let mut trainer =
        Trainer::<f32>::new(graph, training.settings(), level).map_err(Raise::raise)?.parallel(true);
    trainer.check_memory(1).map_err(Raise::raise)?;
    if let Some(file) = checkpoint.as_deref().filter(|file| file.exists()) {
        trainer.resume(file, &data).map_err(Raise::raise)?;
    }
    let steps = trainer.steps(&data);
    let mut work = |progress: &dyn Progress| -> PyResult<()> {
        progress.advance((trainer.history().len() * steps) as f64);
        while !trainer.is_done() {
            let mut goes_on = || {
                progress.advance(1.0);
                !progress.stopped()
            };
            if trainer.epoch(&data, &mut goes_on).map_err(Raise::raise)?.is_none() {
                break;
            }
            if let Some(file) = &checkpoint {
                trainer.save(file, &data).map_err(Raise::raise)?;
            }
        }
        Ok(())
    };
    let all = training.options.epochs * steps;
    let (done, raised) = watched(py, all, &audience, |progress| pool.install(|| work(progress)));
    done?;
    let epochs = |history: &[Epoch]| -> PyResult<Vec<Bound<'py, PyDict>>> {
        history.iter().map(|epoch| epoch_dict(py, epoch)).collect()
    };
    if let Some(raised) = raised {
        let message =
            format!("stopped after {} of {} epochs", trainer.history().len(), training.options.epochs);
        return Err(interrupted(raised, message, "epochs", epochs(trainer.history())?, py));
    }
    let trained = trainer.trained(&data);
    if let Some(path) = path {
        write_file(&path, &trained.to_safetensors()).map_err(Raise::raise)?;
    }
    if let Some(path) = onnx {
        let export = Export { space, arch: &arch, network, seed: training.options.seed };
        let about = format!("Trained: {} epochs with {}.", training.options.epochs, training.options.inputs);
        let bytes = export.trained_onnx(&trained, &about).map_err(Raise::raise)?;
        write_file(&path, &bytes).map_err(Raise::raise)?;
    }
    let class = py.import("swapnas._results")?.getattr("Trained")?;
    let accuracy = trainer.history().last().map(|epoch| epoch.accuracy);
    class.call1((space.print(&arch), params, macs, accuracy, epochs(trainer.history())?))
}

fn epoch_dict<'py>(py: Python<'py>, epoch: &Epoch) -> PyResult<Bound<'py, PyDict>> {
    let Epoch { epoch, loss, train_accuracy, validation_loss, accuracy } = *epoch;
    let dict = PyDict::new(py);
    dict.set_item("epoch", epoch)?;
    dict.set_item("loss", loss)?;
    dict.set_item("train_accuracy", train_accuracy)?;
    dict.set_item("validation_loss", validation_loss)?;
    dict.set_item("accuracy", accuracy)?;
    Ok(dict)
}

/// Samples architectures of all sizes of a space, trains each, and returns a swapnas.Table of them.
///
/// What is trained is written into the folder network by network, and gone on with if it is there. Its table.csv has the
/// accuracies by epoch and by seed besides, and `swapnas bench report FOLDER` says which metrics to trust on it.
///
/// networks: how many architectures; seeds: how often each is trained.
/// All others are those of swapnas.train.
#[pyfunction]
#[pyo3(
    signature = (folder, space = None, *, networks = None, seeds = None, progress = None, **options),
    text_signature = "(folder, space='darts', *, networks=200, seeds=1, progress=None, inputs='shapes', \
                      train_images=2000, validation_images=1000, epochs=5, batch=64, optimiser='sgd', \
                      rate=None, momentum=None, weight_decay=None, warmup=0, label_smoothing=0.0, flip=True, \
                      crop=None, cutout=0, drop_path=0.0, seed=0, network=None, channels=None, cells=None, \
                      size=None, threads=None)"
)]
pub(crate) fn create_benchmark<'py>(
    py: Python<'py>,
    folder: PathBuf,
    space: Option<&Bound<'py, PyAny>>,
    networks: Option<Bound<'py, PyAny>>,
    seeds: Option<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let space = options::space(space)?;
    let mut taken = Options::new(options)?;
    let training = taken.training(space)?;
    let threads = Threads::new(taken.threads()?);
    taken.finish()?;
    let number = |value: Option<Bound<'py, PyAny>>, name, range, default| {
        value.map_or(Ok(default), |value| options::number(&value, name, range))
    };
    let networks = number(networks, "networks", 2..=1_000_000, 200)?;
    let seeds = number(seeds, "seeds", 1..=1000, 1)?;
    if matches!(training.options.inputs, InputSpec::Array(_)) {
        return Err(PyValueError::new_err(
            "a benchmark is gone on with and reported on later, so its images must be in files: give shapes, cifar10:PATH, \
             or images:DIR with a folder for each class",
        ));
    }
    let plan = training.plan(networks, seeds);
    let level = Level::from_env().map_err(Raise::raise)?;
    let audience = Audience::of(py, progress)?;
    let pool = threads.pool()?;
    let (made, raised) = watched(py, networks, &audience, |progress| {
        pool.install(|| benchmark::create(&folder, &plan, level, progress))
    });
    let made = made.map_err(Raise::raise)?;
    let table = table(py, &made)?;
    match raised {
        None => Ok(table),
        Some(raised) => {
            let message = format!("stopped with {} of {networks} networks trained", made.networks());
            Err(interrupted(raised, message, "table", table, py))
        }
    }
}

fn table<'py>(py: Python<'py>, made: &Benchmark) -> PyResult<Bound<'py, PyAny>> {
    let rows = made.rows();
    let archs: Vec<&str> = rows.iter().map(|row| row.arch.as_str()).collect();
    let accuracies: Vec<f64> = rows.iter().map(Row::accuracy).collect();
    py.import("swapnas._results")?.getattr("Table")?.call1((archs, accuracies, PyDict::new(py)))
}
