//! Gradients against PyTorch: every case that the index of the fixtures `metrics_nb201` lists, in
//! double and in single precision, as far as metrics follow directly from gradients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use swapnas_graph::grad::{
    Differentiator, Elements, Gradients, Loss, ParamSet, Pass, Statistics, Tape, Wanted,
};
use swapnas_graph::{
    Batch, Element, Graph, Level, ModuleKind, Observer, ParamId, Relu, Shape, Signs, Tensors, ValueId, Want,
    Weights,
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
    second_batch: String,
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
        "plain" => (2e-3, 1e-2),
        "grasp" => (5e-2, 5e-2),
        "synflow" | "logsynflow" => (0.0, 1e-4),
        // With absolute weights, means are large against deviations, and normalising loses digits: this
        // is for double precision, as in the reference.
        "synflow_bn" => (0.0, 1e-3),
        "jacov" => (3e-3, 0.0),
        "epe_nas" => (0.3, 0.0),
        "zico" => (0.0, 8e-2),
        "gradsign" => (3e-3, 0.0),
        "az_trainability" => (1e-4, 0.0),
        // One unit of a ReLU or two that a rounding error turns around.
        "relu" => (6.0, 0.0),
        _ => (0.0, 1e-2),
    }
}

fn tolerance_f64(key: &str) -> (f64, f64) {
    match key {
        "plain" | "grasp" => (1e-10, 1e-8),
        // The digits that are stored.
        "logits" => (1e-11, 1e-8),
        _ => (0.0, 1e-8),
    }
}

/// The folder of the fixtures; `None` if there is none and that is no failure.
fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("SWAPNAS_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    let folder = root.join("metrics_nb201");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "no fixtures in {}", folder.display());
    eprintln!("skipped: no fixtures in {}", folder.display());
    None
}

#[test]
fn fixtures_in_double_precision() {
    if let Some(folder) = folder() {
        check::<f64>(&folder, tolerance_f64);
    }
}

#[test]
fn fixtures_in_single_precision() {
    if let Some(folder) = folder() {
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
    signs: Vec<Vec<f64>>,
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
        let signs = (1..=5).map(|feature| {
            let tensor = file.tensor(&format!("az_sign_{feature}")).unwrap();
            tensor.data().iter().map(|sign| f64::from(*sign as i8)).collect()
        });
        Shared { labels: labels.into(), signs: signs.collect(), images: Tensors::read(path).unwrap() }
    }

    fn batch<E: Element>(&self, name: &str, samples: usize) -> Batch<E> {
        let tensor = self.images.get(&format!("input_{name}")).unwrap();
        let [_, channels, height, width] = tensor.shape[..] else { panic!("images have four dimensions") };
        let shape = Shape::new(channels, height, width);
        Batch::from_nchw(samples, shape, &tensor.numbers[..samples * shape.elements()]).unwrap()
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
    let layers = Layers::of(&graph);
    let features: Vec<ValueId> = ["stem", "cells.0", "cells.1", "cells.2", "cells.3", "cells.4"]
        .map(|name| output(&graph, name))
        .into();
    let tape = Tape::new(graph.clone(), &Want { signs: true, values: features.clone() });
    let mut engine = Differentiator::<E>::new(Level::best());
    let labels = &shared.labels[&case.batch];
    let batch = shared.batch::<E>(&case.batch, 16);
    let mut found: Vec<(&'static str, f64)> = Vec::new();
    let mut checks = Vec::new();

    let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Batch).unwrap();
    let logits = pass.value(graph.outputs()[0]).unwrap();
    checks.extend(logits.iter().zip(case.logits_f64.iter().flatten()).map(|(f, e)| ("logits", *f, *e)));
    let mut positive = Positive(BTreeMap::new());
    pass.signs(&mut positive);
    for relu in &case.relu_f64 {
        let count = positive.0[&output(&graph, &relu.module)];
        checks.push(("relu", count as f64, relu.positive as f64));
    }

    let loss = Loss::CrossEntropy(labels);
    let wanted = Wanted { params: Elements::All, values: Vec::new(), products: layers.outputs.clone() };
    let gradients = pass.backward(loss, &wanted).unwrap();
    found.push(("loss", gradients.loss));
    let norms = layers.weights.iter().map(|id| norm(gradients.params.get(*id)));
    found.push(("grad_norm", norms.clone().sum()));
    for (norm, id) in norms.zip(&layers.weights) {
        let name = graph.param(*id).name.trim_end_matches(".weight");
        let expected = case.grad_norm_layers_f64.iter().find(|layer| layer.module == name).unwrap();
        // Norms of layers that the loss barely depends on are sums of rounding errors.
        if expected.norm > 1e-12 {
            checks.push(("grad_norm_layers", norm, expected.norm));
        }
    }
    let all: f64 = gradients.params.iter().flatten().map(|g| g.to_f64() * g.to_f64()).sum();
    found.push(("grad_norm_all", all.sqrt()));
    found.push(("snip", layers.sum(&weights, &gradients.params, |w, g| (w * g).abs())));
    found.push(("plain", layers.sum(&weights, &gradients.params, |w, g| w * g)));
    found.push(("fisher", fisher(&graph, &layers, &gradients)));
    let direction = layers.only(&graph, &gradients.params);
    let product = pass.hessian_product(loss, &direction).unwrap();
    found.push(("grasp", -layers.sum(&weights, &product, |w, h| w * h)));

    let jacobian = pass.backward(Loss::Sum, &Wanted::value(graph.input())).unwrap().values.remove(0);
    found.push(("jacov", jacov(&jacobian)));
    found.push(("epe_nas", epe_nas(&jacobian, labels)));
    let eigenvalues = ntk(&graph, &mut pass);
    checks
        .extend(eigenvalues.iter().zip(&case.ntk_eigenvalues_f64).map(|(f, e)| ("ntk_eigenvalues", *f, *e)));
    found.push(("ntk_cond", eigenvalues[15] / eigenvalues[0]));
    drop(pass);

    let second = shared.batch::<E>(&case.second_batch, 16);
    let mut pass = engine.forward(&tape, &second, &weights, Statistics::Batch).unwrap();
    let loss = Loss::CrossEntropy(&shared.labels[&case.second_batch]);
    let other = pass.backward(loss, &Wanted::params()).unwrap();
    found.push(("zico", zico(&layers, &gradients.params, &other.params)));
    drop(pass);

    let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Sample).unwrap();
    found.push(("gradsign", gradsign(&layers, labels, &mut pass)));
    drop(pass);

    let four = shared.batch::<E>(&case.batch, 4);
    let mut pass = engine.forward(&tape, &four, &weights, Statistics::Batch).unwrap();
    found.push(("az_trainability", trainability(&graph, &features, &shared.signs, &mut pass)));
    drop(pass);

    let absolute = weights.map(|w| if w < E::ZERO { E::ZERO - w } else { w });
    let ones = Batch::from_nchw(1, Shape::new(3, 32, 32), &[1.0; 3 * 32 * 32]).unwrap();
    for (key, statistics) in [("synflow", Statistics::None), ("synflow_bn", Statistics::Batch)] {
        let mut pass = engine.forward(&tape, &ones, &absolute, statistics).unwrap();
        let gradients = pass.backward(Loss::Sum, &Wanted::params()).unwrap().params;
        found.push((key, layers.sum(&absolute, &gradients, |w, g| (w * g).abs())));
        if key == "synflow" {
            found.push(("logsynflow", layers.sum(&absolute, &gradients, |w, g| (w * g.ln_1p()).abs())));
        }
    }

    let expected = |key: &str| case.expected[key].as_ref().and_then(|e| e.f64);
    checks.extend(found.into_iter().filter_map(|(key, found)| Some((key, found, expected(key)?))));
    checks
}

fn output(graph: &Graph, module: &str) -> ValueId {
    let found = graph.modules().iter().find(|m| m.name == module);
    found.unwrap_or_else(|| panic!("the network has a module {module}")).output
}

/// The convolutions and linear layers of a network.
struct Layers {
    weights: Vec<ParamId>,
    /// What each returns.
    outputs: Vec<ValueId>,
}

impl Layers {
    fn of(graph: &Graph) -> Self {
        let mut layers = Layers { weights: Vec::new(), outputs: Vec::new() };
        for module in graph.modules() {
            if matches!(module.kind, ModuleKind::Conv | ModuleKind::Linear) {
                layers.weights.push(graph.node(module.output).op.params().next().unwrap());
                layers.outputs.push(module.output);
            }
        }
        layers
    }

    /// The sum of `f` over all weights and their gradients.
    fn sum<E: Element>(&self, weights: &ParamSet<E>, gradients: &ParamSet<E>, f: fn(f64, f64) -> f64) -> f64 {
        let layer = |id: &ParamId| -> f64 {
            let pairs = weights.get(*id).iter().zip(gradients.get(*id));
            pairs.map(|(w, g)| f(w.to_f64(), g.to_f64())).sum()
        };
        self.weights.iter().map(layer).sum()
    }

    /// The same numbers for the layers' weights, and zeros for all other parameters.
    fn only<E: Element>(&self, graph: &Graph, of: &ParamSet<E>) -> ParamSet<E> {
        let mut only = ParamSet::zeros(graph);
        for id in &self.weights {
            only.get_mut(*id).copy_from_slice(of.get(*id));
        }
        only
    }
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

fn fisher<E: Element>(graph: &Graph, layers: &Layers, gradients: &Gradients<E>) -> f64 {
    let layer = |(id, products): (&ParamId, &Vec<f64>)| {
        let param = graph.param(*id);
        let channels = param.shape[0];
        let samples = products.len() / channels;
        let sum: f64 = products.iter().map(|t| t * t).sum();
        0.5 * sum / samples as f64 * (param.len() / channels) as f64
    };
    layers.weights.iter().zip(&gradients.products).map(layer).sum()
}

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

fn zico<E: Element>(layers: &Layers, first: &ParamSet<E>, second: &ParamSet<E>) -> f64 {
    let mut value = 0.0;
    for id in &layers.weights {
        let mut sum = 0.0;
        for (a, b) in first.get(*id).iter().zip(second.get(*id)) {
            let (a, b) = (a.to_f64(), b.to_f64());
            let deviation = (a - b).abs() / 2.0;
            if deviation != 0.0 {
                sum += (a.abs() + b.abs()) / 2.0 / deviation;
            }
        }
        if sum != 0.0 {
            value += sum.ln();
        }
    }
    value
}

fn gradsign<E: Element>(layers: &Layers, labels: &[usize], pass: &mut Pass<'_, E>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    let loss = Loss::CrossEntropy(labels);
    let mut seen = Vec::new();
    let gradients = pass.backward_by_sample(loss, &Wanted::params(), |id, gradients| {
        seen.push(id);
        if !layers.weights.contains(&id) {
            return;
        }
        for element in 0..gradients.elements() {
            let signs =
                (0..gradients.samples()).map(|sample| match gradients.get(sample, element).to_f64() {
                    0.0 => 0.0,
                    x => x.signum(),
                });
            sum += signs.sum::<f64>().abs();
        }
    });
    let gradients = gradients.unwrap().params;
    for id in &layers.weights {
        let numbers = gradients.get(*id);
        count += numbers.len();
        // What the loss does not depend on is not visited and is zero.
        assert!(seen.contains(id) || numbers.iter().all(|x| *x == E::ZERO));
    }
    sum / count as f64
}

fn trainability<E: Element>(
    graph: &Graph,
    features: &[ValueId],
    signs: &[Vec<f64>],
    pass: &mut Pass<'_, E>,
) -> f64 {
    let mut scores = 0.0;
    for (pair, signs) in features.windows(2).zip(signs) {
        let loss = Loss::Product { value: pair[1], gradient: signs };
        let back = pass.backward(loss, &Wanted::value(pair[0])).unwrap().values.remove(0);
        let (from, to) = (graph.shape(pair[0]), graph.shape(pair[1]));
        let factor = from.height / to.height;
        let columns = from.channels * factor * factor;
        let mut product = vec![vec![0.0; to.channels]; columns];
        for sample in 0..4 {
            for row in 0..to.height {
                for column in 0..to.width {
                    for (b, product) in product.iter_mut().enumerate() {
                        let (c, dy, dx) = (b / (factor * factor), b / factor % factor, b % factor);
                        let place =
                            ((sample * from.channels + c) * from.height + row * factor + dy) * from.width;
                        let b = back[place + column * factor + dx];
                        for (g, product) in product.iter_mut().enumerate() {
                            let place = ((sample * to.channels + g) * to.height + row) * to.width;
                            *product += b * signs[place + column] / (4 * to.pixels()) as f64;
                        }
                    }
                }
            }
        }
        let s = eigenvalues(gram(&product)).last().unwrap().sqrt();
        scores += 2.0 - s - 1.0 / (s + 1e-6);
    }
    scores / 5.0
}

/// Rows of a Jacobian with their means removed, scaled to length 1: their products are correlations.
fn normalised(jacobian: &[f64], rows: impl Iterator<Item = usize>) -> Vec<Vec<f64>> {
    let width = jacobian.len() / 16;
    let row = |row: usize| {
        let row = &jacobian[row * width..][..width];
        let mean = row.iter().sum::<f64>() / width as f64;
        let length = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>().sqrt();
        row.iter().map(|x| (x - mean) / length).collect()
    };
    rows.map(row).collect()
}

fn jacov(jacobian: &[f64]) -> f64 {
    let eigenvalues = eigenvalues(gram(&normalised(jacobian, 0..16)));
    -eigenvalues.iter().map(|v| (v + 1e-5).ln() + 1.0 / (v + 1e-5)).sum::<f64>()
}

fn epe_nas(jacobian: &[f64], labels: &[usize]) -> f64 {
    let class = |class: usize| {
        let rows = normalised(jacobian, (0..16).filter(|row| labels[*row] == class));
        let entries = gram(&rows).into_iter().flatten();
        let entries: Vec<f64> = if rows.len() == 1 { vec![1.0] } else { entries.collect() };
        entries.iter().map(|m| (m.abs() + 1e-5).ln()).sum::<f64>().abs()
    };
    (0..10).map(class).sum()
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
