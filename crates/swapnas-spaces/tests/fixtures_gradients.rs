//! Passes against PyTorch: every case that the index of the fixtures `metrics_nb201` lists, in double and
//! in single precision. What metrics make of them is checked where metrics are.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, ParamSet, Pass, StatisticsOver, Wanted};
use swapnas_graph::{
    Batch, Element, Graph, Level, Observer, Relu, Shape, Signs, Tensors, ValueId, Want, Weights,
};
use swapnas_spaces::{NetworkConfig, Preset, by_name};

#[derive(Deserialize)]
struct Index {
    format: u32,
    shared: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    arch: String,
    config: Config,
    batch: String,
    expected: BTreeMap<String, Option<Expected>>,
    logits_f64: Vec<Vec<f64>>,
    grad_norm_layers_f64: Vec<Layer>,
    ntk_eigenvalues_f64: Vec<f64>,
    relu_f64: Vec<ReluCount>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "C")]
    channels: usize,
    #[serde(rename = "N")]
    cells: usize,
    num_classes: usize,
    height: usize,
    width: usize,
}

#[derive(Deserialize)]
struct Expected {
    f64: Option<f64>,
}

#[derive(Deserialize)]
struct Layer {
    module: String,
    norm: f64,
}

#[derive(Deserialize)]
struct ReluCount {
    module: String,
    positive: u64,
}

/// How far single precision may be off, absolutely and relatively, as the fixtures' README says.
fn tolerance_f32(key: &str) -> (f64, f64) {
    match key {
        "loss" => (0.0, 1e-5),
        "logits" => (5e-5, 0.0),
        // One unit of a ReLU or two that a rounding error turns around.
        "relu" => (6.0, 0.0),
        _ => (0.0, 1e-2),
    }
}

fn tolerance_f64(key: &str) -> (f64, f64) {
    match key {
        // The digits that are stored.
        "logits" => (1e-11, 1e-8),
        _ => (0.0, 1e-8),
    }
}

#[test]
fn fixtures_in_double_precision() {
    if let Some(folder) = swapnas_fixtures::fixtures("metrics_nb201") {
        check::<f64>(&folder, tolerance_f64);
    }
}

#[test]
fn fixtures_in_single_precision() {
    if let Some(folder) = swapnas_fixtures::fixtures("metrics_nb201") {
        check::<f32>(&folder, tolerance_f32);
    }
}

fn check<E: Element>(folder: &Path, tolerance: fn(&str) -> (f64, f64)) {
    let text = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let index: Index = serde_json::from_str(&text).unwrap();
    assert_eq!(index.format, 1);
    let shared = Shared::read(&folder.join(&index.shared));
    let mut worst: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &index.cases {
        for (key, found, expected) in compute::<E>(case, folder, &shared) {
            let error = (found - expected).abs();
            let relative = error / expected.abs().max(f64::MIN_POSITIVE);
            let worst = worst.entry(key).or_default();
            *worst = (worst.0.max(error), worst.1.max(relative));
            let (absolute, factor) = tolerance(key);
            if error.is_nan() || error > absolute + factor * expected.abs() {
                failures.push(format!("case {}: {key} is {found}, expected {expected}", case.name));
            }
        }
    }
    println!("{:<18} {:>10} {:>10}", std::any::type_name::<E>(), "absolute", "relative");
    for (key, (absolute, relative)) in worst {
        println!("{key:<18} {absolute:>10.1e} {relative:>10.1e}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Images and labels that all cases share.
struct Shared {
    images: Tensors,
    labels: BTreeMap<String, Vec<usize>>,
}

impl Shared {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let labels = ["a", "b", "c"].map(|batch| {
            let tensor = file.tensor(&format!("labels_{batch}")).unwrap();
            let (numbers, _) = tensor.data().as_chunks::<8>();
            (batch.to_owned(), numbers.iter().map(|b| i64::from_le_bytes(*b) as usize).collect())
        });
        Shared { labels: labels.into(), images: Tensors::read(path).unwrap() }
    }

    fn batch<E: Element>(&self, name: &str) -> Batch<E> {
        let tensor = self.images.get(&format!("input_{name}")).unwrap();
        let [samples, channels, height, width] = tensor.shape[..] else { panic!("images have four sides") };
        Batch::from_nchw(samples, Shape::new(channels, height, width), &tensor.numbers).unwrap()
    }
}

/// Every number that is checked: key, number found, number expected.
fn compute<E: Element>(case: &Case, folder: &Path, shared: &Shared) -> Vec<(&'static str, f64, f64)> {
    let space = by_name("nb201").unwrap();
    let config = NetworkConfig {
        channels: Some(case.config.channels),
        cells: Some(case.config.cells),
        ..NetworkConfig::new(
            Preset::Benchmark,
            Shape::new(3, case.config.height, case.config.width),
            case.config.num_classes,
        )
    };
    let graph = space.network(&space.parse(&case.arch).unwrap(), &config).unwrap();
    let tensors = Tensors::read(&folder.join(&case.file)).unwrap();
    let weights = ParamSet::<E>::load(&graph, Weights::Loaded(&tensors)).unwrap();
    let plan = GradientPlan::new(graph.clone(), &Want { signs: true, values: Vec::new() });
    let mut engine = Differentiator::<E>::new(Level::best());
    let batch = shared.batch::<E>(&case.batch);
    let mut checks = Vec::new();

    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    let logits = pass.value(graph.outputs()[0]).unwrap();
    checks.extend(logits.iter().zip(case.logits_f64.iter().flatten()).map(|(f, e)| ("logits", *f, *e)));
    let mut positive = Positive(BTreeMap::new());
    pass.signs(&mut positive);
    for relu in &case.relu_f64 {
        let count = positive.0[&output(&graph, &relu.module)];
        checks.push(("relu", count as f64, relu.positive as f64));
    }

    let labels = &shared.labels[&case.batch];
    let gradients = pass.backward(Loss::CrossEntropy(labels), &Wanted::params()).unwrap();
    for layer in &case.grad_norm_layers_f64 {
        let weight = format!("{}.weight", layer.module);
        let found =
            graph.params().iter().zip(gradients.params.iter()).find(|(param, _)| param.name == weight);
        let (_, gradient) = found.unwrap_or_else(|| panic!("the network has a parameter {weight}"));
        // Norms of layers that the loss barely depends on are sums of rounding errors.
        if layer.norm > 1e-12 {
            checks.push(("grad_norm_layers", norm(gradient), layer.norm));
        }
    }
    let all: f64 = gradients.params.iter().map(|numbers| norm(numbers).powi(2)).sum();
    for (key, found) in [("loss", gradients.loss), ("grad_norm_all", all.sqrt())] {
        if let Some(expected) = case.expected[key].as_ref().and_then(|expected| expected.f64) {
            checks.push((key, found, expected));
        }
    }

    let eigenvalues = ntk(&graph, &mut pass);
    checks
        .extend(eigenvalues.iter().zip(&case.ntk_eigenvalues_f64).map(|(f, e)| ("ntk_eigenvalues", *f, *e)));
    checks
}

fn output(graph: &Graph, module: &str) -> ValueId {
    let found = graph.modules().iter().find(|m| m.name == module);
    found.unwrap_or_else(|| panic!("the network has a module {module}")).output
}

/// How many samples make the units of each ReLU positive.
struct Positive(BTreeMap<ValueId, u64>);

impl Observer for Positive {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        let bits =
            signs.blocks().flat_map(|b| b.words.iter().map(move |w| u64::from((w & b.mask).count_ones())));
        self.0.insert(relu.value, bits.sum());
    }
}

fn norm<E: Element>(numbers: &[E]) -> f64 {
    numbers.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}

/// The eigenvalues of the neural tangent kernel of weights, in ascending order.
fn ntk<E: Element>(graph: &Graph, pass: &mut Pass<'_, E>) -> Vec<f64> {
    let names = graph.params().iter().map(|param| param.name.contains("weight"));
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for sample in 0..16 {
        let gradients = pass.backward(Loss::SumOf(sample), &Wanted::params()).unwrap().params;
        let weights = gradients.iter().zip(names.clone()).filter(|(_, weight)| *weight);
        rows.push(weights.flat_map(|(numbers, _)| numbers.iter().map(|x| x.to_f64())).collect());
    }
    eigenvalues(gram(&rows))
}

fn gram(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    rows.iter().map(|a| rows.iter().map(|b| product(a, b)).collect()).collect()
}

/// The eigenvalues of a symmetric matrix in ascending order, by Jacobi's rotations.
fn eigenvalues(mut matrix: Vec<Vec<f64>>) -> Vec<f64> {
    let size = matrix.len();
    for _ in 0..60 {
        for p in 0..size {
            for q in p + 1..size {
                if matrix[p][q] == 0.0 {
                    continue;
                }
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for row in &mut matrix {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let [a, b] = matrix.get_disjoint_mut([p, q]).expect("p < q < size");
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..size).map(|i| matrix[i][i]).collect();
    values.sort_by(f64::total_cmp);
    values
}
