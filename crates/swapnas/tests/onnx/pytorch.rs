//! Networks of torchvision, timm and transformers, as PyTorch's exporters write them, against PyTorch.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use swapnas::graph::Tensor;
use swapnas::{Level, Shape, Tensors};
use swapnas_formats::onnx::{Images, Reading, read_with_weights_beside};
use swapnas_graph::{Batch, Executor, Plan, Want, Weights};

/// The largest difference of a logit, as a part of the largest logit. Expected ones are stored in single
/// precision, weights are used in double precision.
const TOLERANCE: f64 = 1e-6;

/// Reads networks that `write_models.py` writes, which needs Python with torch, torchvision, onnx, onnxscript and
/// safetensors; `SWAPNAS_PYTHON` says which Python. Parameters are as many as in PyTorch, and logits those that
/// PyTorch computes with the same weights and batch statistics.
#[test]
#[ignore = "needs Python with torchvision"]
fn networks_of_torchvision_compute_the_same() {
    compare("torchvision", &["torch", "torchvision", "onnx", "onnxscript", "safetensors"], 50);
}

/// The same of all others that torchvision has for images of one class: the larger ones.
#[test]
#[ignore = "needs Python with torchvision, 16 GB of memory and 20 GB for temporary files"]
fn other_networks_of_torchvision_compute_the_same() {
    compare("others of torchvision", &["torch", "torchvision", "onnx", "safetensors"], 54);
}

/// The same of timm's: transformers, convolutional networks, and what lies between them.
#[test]
#[ignore = "needs Python with timm"]
fn networks_of_timm_compute_the_same() {
    compare("timm", &["torch", "timm", "onnx", "safetensors"], 60);
}

/// The same of networks of texts, by whichever exporter can write them.
#[test]
#[ignore = "needs Python with transformers"]
fn networks_of_transformers_compute_the_same() {
    compare("transformers", &["torch", "transformers", "onnx", "onnxscript", "safetensors"], 12);
}

fn compare(zoo: &str, packages: &[&str], least: usize) {
    let Some(python) = swapnas_fixtures::python(packages) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/write_models.py");
    let status = Command::new(python).arg(script).arg(folder.path()).arg(zoo).status().unwrap();
    assert!(status.success());
    let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx")).collect();
    files.sort();
    assert!(files.len() >= least);
    let differences: Vec<(String, Result<f64, String>)> = (files.iter())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), difference(path)))
        .collect();
    let bad: Vec<_> =
        differences.iter().filter(|(_, found)| !found.as_ref().is_ok_and(|d| *d <= TOLERANCE)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The logits, those of each token behind one another if there are several: ours are `[class][token]`.
fn by_class(logits: &Tensor) -> Vec<f32> {
    let &[texts, tokens, classes] = &logits.shape[..] else { return logits.numbers.clone() };
    let of_text = |text: usize| {
        let place = move |class: usize, token: usize| (text * tokens + token) * classes + class;
        (0..classes).flat_map(move |class| (0..tokens).map(move |token| place(class, token)))
    };
    (0..texts).flat_map(of_text).map(|place| logits.numbers[place]).collect()
}

/// How far the logits are from those of PyTorch.
fn difference(path: &Path) -> Result<f64, String> {
    let expected = Tensors::read(&path.with_extension("safetensors")).unwrap();
    let get = |name: &str| expected.get(name).unwrap();
    let file = std::fs::read(path).unwrap();
    let buffers = std::fs::read_to_string(path.with_extension("buffers")).unwrap();
    let buffers = buffers.lines().map(str::to_owned).collect();
    let reading = Reading { images: Images::OfFile, buffers };
    let folder = path.parent().unwrap();
    let (graph, weights) =
        read_with_weights_beside(file, folder, reading).map_err(|error| error.to_string())?;
    let parameters = graph.parameter_count();
    if [parameters >> 20, parameters % (1 << 20)].map(|part| part as f32) != get("parameters").numbers[..] {
        return Err(format!("{parameters} parameters"));
    }
    let images = get("images");
    let shape = match images.shape[..] {
        [_, channels, height, width] => Shape::new(channels, height, width),
        [_, tokens] => Shape::new(1, 1, tokens),
        _ => return Err(format!("inputs of shape {:?}", images.shape)),
    };
    let batch: Batch<f64> = Batch::from_nchw(images.shape[0], shape, &images.numbers).unwrap();
    let logits = graph.outputs()[0];
    let plan = Plan::new(Arc::new(graph), &Want { signs: false, values: vec![logits] });
    let mut executor = Executor::<f64>::new(Level::best());
    executor
        .run(&plan, &batch, Weights::Loaded(&weights), None, &mut ())
        .map_err(|error| error.to_string())?;
    let found = executor.value(&plan, &batch, logits).unwrap();
    let expected = &by_class(get("logits"));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(f64::from(x.abs())));
    let differences = found.iter().zip(expected).map(|(a, b)| (a - f64::from(*b)).abs());
    Ok(differences.fold(0.0, f64::max) / largest)
}
