//! Networks with operations on single samples, as transformers have them: what is written is read again, and PyTorch and
//! ONNX Runtime compute the same.

mod cases;
mod networks;

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::Arc;

use cases::Cases;
use safetensors::tensor::{Dtype, TensorView};
use swapnas_formats::onnx::{Contents, Images, OnnxError, export, read_with_weights};
use swapnas_formats::torch::{self, TorchError};
use swapnas_graph::tensor::Product;
use swapnas_graph::{
    Batch, Draw, Executor, FixedStatistics, Graph, GraphBuilder, Init, Level, Plan, Shape, Tensor, Tensors,
    Want, Weights,
};

/// The largest difference of a result, as a part of the largest one, in double precision: factors and tables are rounded
/// to single precision in a file.
const TOLERANCE: f64 = 1e-6;

const SAMPLES: usize = 3;

fn all() -> Vec<(String, Arc<Graph>)> {
    let all = Cases::all().0.into_iter().chain(networks::all());
    all.map(|(name, graph)| (name, Arc::new(graph))).collect()
}

/// Other weights than those of new networks, in which normalisations change nothing.
fn weights(graph: &Graph) -> Tensors {
    let draw = Draw { init: Init::PyTorch, seed: 5, repeat: 0, network: None };
    let tensors = graph.params().iter().enumerate().map(|(index, param)| {
        let mut numbers = Vec::new();
        draw.fill(param, &mut numbers);
        numbers.iter_mut().enumerate().for_each(|(i, x)| *x += ((i + index) as f32 * 0.7).sin() * 0.5);
        (param.name.clone(), Tensor { shape: param.shape.clone(), numbers })
    });
    Tensors::new("a test".into(), tensors.collect::<BTreeMap<_, _>>())
}

/// Images, or tokens.
fn samples(graph: &Graph) -> Vec<f32> {
    let elements = SAMPLES * graph.shape(graph.input()).elements();
    match graph.vocabulary() {
        Some(vocabulary) => (0..elements).map(|i| (i * 7 % vocabulary) as f32).collect(),
        None => (0..elements).map(|i| (i as f32 * 0.61).sin()).collect(),
    }
}

fn run(graph: &Arc<Graph>, weights: &Tensors) -> Vec<f64> {
    let shape = graph.shape(graph.input());
    let batch: Batch<f64> = Batch::from_nchw(SAMPLES, shape, &samples(graph)).unwrap();
    let output = graph.outputs()[0];
    let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![output] });
    let mut executor = Executor::<f64>::new(Level::best());
    executor.run(&plan, &batch, Weights::Loaded(weights), None, &mut ()).unwrap();
    executor.value(&plan, &batch, output).unwrap()
}

fn file(graph: &Graph, weights: &Tensors) -> Vec<u8> {
    let contents =
        Contents { weights: Weights::Loaded(weights), statistics: &FixedStatistics::default(), about: "" };
    export(graph, &contents).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    // Tokens that are picked before they are looked up are not read.
    for (name, graph) in all().into_iter().filter(|(name, _)| name != "tokens") {
        let weights = weights(&graph);
        let read = read_with_weights(file(&graph, &weights), Images::OfFile);
        let (read, read_weights) = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = Arc::new(read);
        assert_eq!(read.parameter_count(), graph.parameter_count(), "{name}");
        assert_eq!(read.macs(), graph.macs(), "{name}");
        assert_eq!(read.vocabulary(), graph.vocabulary(), "{name}");
        let [found, expected] = [run(&read, &read_weights), run(&graph, &weights)];
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() <= TOLERANCE * largest, "{name}: {found} {expected} at {place}");
        }
    }
}

/// Writes all networks with weights, samples and results, and has them checked by `verify_export.py`, which needs Python
/// with torch, onnx, onnxruntime and safetensors; `SWAPNAS_PYTHON` says which Python.
#[test]
#[ignore = "needs Python with PyTorch and ONNX Runtime"]
fn others_compute_the_same() {
    let packages = ["torch", "onnx", "onnxruntime", "safetensors"];
    let Some(python) = swapnas_fixtures::python(&packages) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (number, (name, graph)) in all().iter().enumerate() {
        let folder = folder.path().join(format!("{number:03}"));
        std::fs::create_dir(&folder).unwrap();
        let weights = weights(graph);
        std::fs::write(folder.join("network.py"), torch::module(graph, name).unwrap()).unwrap();
        std::fs::write(folder.join("network.onnx"), file(graph, &weights)).unwrap();
        let mut tensors: HashMap<&str, (Vec<usize>, Vec<f32>)> = HashMap::new();
        for param in graph.params() {
            tensors.insert(&param.name, (param.shape.clone(), weights.param(param).unwrap().to_vec()));
        }
        let Shape { channels, height, width } = graph.shape(graph.input());
        match graph.vocabulary() {
            Some(_) => tensors.insert("tokens", (vec![SAMPLES, width], samples(graph))),
            None => tensors.insert("images", (vec![SAMPLES, channels, height, width], samples(graph))),
        };
        let logits: Vec<f32> = run(graph, &weights).into_iter().map(|x| x as f32).collect();
        let shape = graph.shape(graph.outputs()[0]);
        let dims = [SAMPLES, shape.channels, shape.height, shape.width];
        tensors.insert("logits", (dims.to_vec(), logits));
        let bytes: HashMap<&str, (Vec<usize>, Vec<u8>)> = tensors
            .into_iter()
            .map(|(name, (dims, x))| (name, (dims, x.iter().flat_map(|x| x.to_le_bytes()).collect())))
            .collect();
        let view = |(dims, bytes)| TensorView::new(Dtype::F32, Vec::clone(dims), bytes).unwrap();
        let views = bytes.iter().map(|(name, (dims, bytes))| (name, view((dims, bytes))));
        safetensors::serialize_to_file(views, None, &folder.join("expected.safetensors")).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../swapnas/tests/export/verify_export.py");
    assert!(Command::new(python).arg(script).arg(folder.path()).status().unwrap().success());
}

#[test]
fn a_product_whose_elements_share_a_place_is_an_error() {
    let view = cases::view;
    let mut b = GraphBuilder::new(Shape::new(1, 1, 4));
    let [a, second] = [view(&[(2, 0), (2, 1), (1, 0)], 0), view(&[(2, 0), (1, 0), (1, 0)], 0)];
    let (once, twice) = (Shape::new(1, 1, 4), view(&[(2, 3), (2, 0), (1, 0)], 0));
    let x = b.product([b.input(), b.input()], Product { a, b: second, out: twice }, once).unwrap();
    let graph = b.finish(&[x]);
    let tensors = Tensors::new("none".into(), BTreeMap::new());
    let contents =
        Contents { weights: Weights::Loaded(&tensors), statistics: &FixedStatistics::default(), about: "" };
    assert!(matches!(export(&graph, &contents), Err(OnnxError::Overlap { .. })));
    assert_eq!(torch::module(&graph, ""), Err(TorchError::Overlap { value: 1 }));
}
