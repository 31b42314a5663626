//! PyTorch's numbers for small networks of NAS-Bench-201, DARTS and FlexiBERT, and for metrics on them: see
//! `tests/reference/make.py`, which made them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nalgebra::DMatrix;
use serde::Deserialize;
use swapnas_fixtures::noise;
use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{
    Batch, Element, Executor, Graph, Level, Op, Param, ParamKind, Plan, Shape, Tensor, Tensors, ValueId,
    Want, Weights,
};
use swapnas_metrics::{Precision, Scorer, Settings, Sharing};
use swapnas_spaces::{NetworkConfig, Preset, Space, by_name};

const IMAGE: Shape = Shape::new(3, 8, 8);
const TEXT: Shape = Shape::new(1, 1, 7);
const SAMPLES: usize = 12;
const CLASSES: usize = 5;

#[derive(Deserialize)]
struct Reference {
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    space: String,
    preset: String,
    arch: String,
    channels: usize,
    cells: Option<usize>,
    logits: Vec<f64>,
    /// The cross entropy, for label 2 s mod 5 of image s.
    loss: f64,
    /// Of the loss with respect to the images, if there are any, and to each parameter: the norm, and the product with
    /// noise.
    gradients: BTreeMap<String, [f64; 2]>,
    /// With label 0 for every image.
    metrics: BTreeMap<String, f64>,
}

/// How far apart numbers may be, relatively.
#[derive(Clone, Copy)]
struct Tolerance {
    /// Logits, losses, gradients, of the largest of those that they are among.
    passes: f64,
    /// Metrics.
    metrics: f64,
}

/// The file has 13 digits. Metrics that invert a matrix or cancel lose some of them.
const DOUBLE: Tolerance = Tolerance { passes: 1e-11, metrics: 1e-9 };
const SINGLE: Tolerance = Tolerance { passes: 1e-3, metrics: 2e-2 };

fn seed_of(name: &str) -> u64 {
    name.bytes().fold(100, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
}

fn numbers(param: &Param) -> Vec<f32> {
    let scale = match param.kind {
        ParamKind::ConvWeight | ParamKind::LinearWeight => 2.0 / (param.fan_in as f32).sqrt(),
        ParamKind::ConvBias | ParamKind::LinearBias | ParamKind::NormBias => 0.5,
        ParamKind::NormWeight => 1.5,
        ParamKind::Embedding | ParamKind::Free => 1.0,
    };
    noise(param.len(), seed_of(&param.name)).into_iter().map(|x| x * scale).collect()
}

/// What the networks of the case read: images, or numbers of tokens.
fn inputs(shape: Shape, vocabulary: Option<usize>) -> Vec<f32> {
    let of = |x: f32| match vocabulary {
        Some(tokens) => ((x + 1.0) * (tokens / 2) as f32).floor(),
        None => 2.0 * x,
    };
    noise(SAMPLES * shape.elements(), 11).into_iter().map(of).collect()
}

/// Images or texts, and weights, as if they were read from a file.
fn tensors(graph: &Graph) -> Tensors {
    let tensor =
        |param: &Param| (param.name.clone(), Tensor { shape: param.shape.clone(), numbers: numbers(param) });
    let shape @ Shape { channels, height, width } = graph.shape(graph.input());
    let vocabulary = graph.vocabulary();
    let dims = match vocabulary {
        Some(_) => vec![SAMPLES, width],
        None => vec![SAMPLES, channels, height, width],
    };
    let input = Tensor { shape: dims, numbers: inputs(shape, vocabulary) };
    let params = graph.params().iter().map(tensor);
    Tensors::new(PathBuf::from("reference.rs"), params.chain([("input".to_owned(), input)]).collect())
}

impl Case {
    fn about(&self) -> String {
        format!("{} {}", self.space, self.preset)
    }

    fn space(&self) -> &'static dyn Space {
        by_name(&self.space).unwrap()
    }

    fn config(&self) -> NetworkConfig {
        let preset: Preset = self.preset.parse().unwrap();
        let network = NetworkConfig::new(preset, self.shape(), CLASSES);
        NetworkConfig { channels: Some(self.channels), cells: self.cells, ..network }
    }

    fn shape(&self) -> Shape {
        if self.space().vocabulary().is_some() { TEXT } else { IMAGE }
    }

    fn batch<E: Element>(&self) -> Batch<E> {
        let inputs = inputs(self.shape(), self.space().vocabulary());
        Batch::from_nchw(SAMPLES, self.shape(), &inputs).unwrap()
    }

    fn graph(&self) -> Graph {
        let space = self.space();
        space.network(&space.parse(&self.arch).unwrap(), &self.config()).unwrap()
    }

    /// Logits of executor and differentiator, the loss and its gradients.
    fn check_passes<E: Element>(&self, level: Level, tolerance: f64) {
        let about = format!("{} at {level}", self.about());
        let (graph, batch) = (self.graph(), self.batch::<E>());
        let (tensors, output) = (tensors(&graph), graph.outputs()[0]);
        let near = |what: &str, found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{about}: {what}");
            let most = tolerance * expected.iter().fold(0.1, |most: f64, x| most.max(x.abs()));
            for (found, expected) in found.iter().zip(expected) {
                let close = (found - expected).abs() <= most;
                assert!(close, "{about}: {what} is {found}, not {expected}, and may be off by {most:e}");
            }
        };

        let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![output] });
        let mut executor = Executor::<E>::new(level);
        executor.run(&plan, &batch, Weights::Loaded(&tensors), None, &mut ()).unwrap();
        near("a logit of the executor", &executor.value(&plan, &batch, output).unwrap(), &self.logits);

        let weights = ParamSet::<E>::load(&graph, Weights::Loaded(&tensors)).unwrap();
        let plan = GradientPlan::new(graph.clone(), &Want::default());
        let mut engine = Differentiator::<E>::new(level);
        let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
        near("a logit", &pass.value(output).unwrap(), &self.logits);
        let labels: Vec<usize> = (0..SAMPLES).map(|sample| 2 * sample % CLASSES).collect();
        // Texts have no gradient.
        let images: Vec<ValueId> = graph.vocabulary().is_none().then(|| graph.input()).into_iter().collect();
        let wanted = Wanted { values: images.clone(), ..Wanted::params() };
        let found = pass.backward(Loss::CrossEntropy(&labels), &wanted).unwrap();
        near("the loss", &[found.loss], &[self.loss]);
        let check = |name: &str, gradient: &[f64]| {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let noise = noise(gradient.len(), seed_of(name) + 1);
            let product = gradient.iter().zip(noise).map(|(g, x)| g * f64::from(x)).sum();
            near(&format!("the gradient of {name}"), &[norm, product], &self.gradients[name]);
        };
        found.values.iter().for_each(|gradient| check("images", gradient));
        assert_eq!(graph.params().len() + images.len(), self.gradients.len(), "{about}: parameters");
        for (param, gradient) in graph.params().iter().zip(found.params.iter()) {
            check(&param.name, &gradient.iter().map(|g| g.to_f64()).collect::<Vec<_>>());
        }
    }

    /// What the scorer makes of metrics.
    fn scores(&self, metrics: &[&str], precision: Precision) -> Vec<f64> {
        let settings = Settings {
            metrics: metrics.iter().map(|name| name.parse().unwrap()).collect(),
            inputs: Default::default(),
            batch: SAMPLES,
            repeats: None,
            seed: 0,
            init: None,
            sharing: Sharing::Shared,
            level: Level::best(),
            precision,
        };
        let (space, tensors) = (self.space(), tensors(&self.graph()));
        let arch = space.parse(&self.arch).unwrap();
        let scorer = Scorer::with_tensors(space, self.config(), settings, tensors).unwrap();
        let scored = scorer.score(&[arch], &()).unwrap().remove(0).unwrap();
        scored.scores.into_iter().map(|score| score.unwrap().mean).collect()
    }

    fn check_metrics(&self, precision: Precision, tolerance: f64) {
        let names: Vec<&str> = self.metrics.keys().map(String::as_str).collect();
        let found = self.scores(&names, precision);
        for ((name, expected), found) in self.metrics.iter().zip(found) {
            // Singular values are roots of eigenvalues, which loses half of the digits of the small ones.
            let tolerance = if name == "dss" { tolerance.max(1e-7) } else { tolerance };
            let close = (found - expected).abs() <= tolerance * expected.abs();
            assert!(close, "{}, {precision}: {name} is {found}, not {expected}", self.about());
        }
    }

    /// The correlations of the channels of a value over all pixels of all images, in plain loops.
    fn correlations(&self, value: ValueId) -> DMatrix<f64> {
        let graph = self.graph();
        let (tensors, shape) = (tensors(&graph), graph.shape(value));
        let plan = Plan::new(graph, &Want { signs: false, values: vec![value] });
        let batch = self.batch::<f64>();
        let mut executor = Executor::<f64>::new(Level::best());
        executor.run(&plan, &batch, Weights::Loaded(&tensors), None, &mut ()).unwrap();
        let numbers = executor.value(&plan, &batch, value).unwrap();
        let count = SAMPLES * shape.pixels();
        let number = |channel: usize, at: usize| {
            let (sample, pixel) = (at / shape.pixels(), at % shape.pixels());
            numbers[(sample * shape.channels + channel) * shape.pixels() + pixel]
        };
        let mean = |of: &dyn Fn(usize) -> f64| (0..count).map(of).sum::<f64>() / count as f64;
        let covariance = |a: usize, b: usize| {
            let (of_a, of_b) = (mean(&|at| number(a, at)), mean(&|at| number(b, at)));
            mean(&|at| (number(a, at) - of_a) * (number(b, at) - of_b))
        };
        DMatrix::from_fn(shape.channels, shape.channels, |a, b| {
            let deviations = (covariance(a, a) * covariance(b, b)).sqrt();
            if deviations == 0.0 { 0.0 } else { covariance(a, b) / deviations }
        })
    }

    /// `swap-plus` of PyTorch's SWAP-Score and SNIP, and of correlations in plain loops.
    fn swap_plus(&self) -> f64 {
        let graph = self.graph();
        let of = |is: fn(&Op) -> bool| -> Vec<DMatrix<f64>> {
            let values = graph.values().filter(|(_, node)| is(&node.op));
            values.map(|(value, _)| self.correlations(value)).collect()
        };
        let smallest: f64 = of(|op| matches!(op, Op::Act(act) if act.is_gate()))
            .into_iter()
            .map(|correlations| correlations.svd(false, false).singular_values.min())
            .sum();
        let joins = of(|op| matches!(op, Op::Add | Op::Concat));
        let dimension = |correlations: &DMatrix<f64>| {
            let trace = correlations.trace();
            (trace * trace / correlations.norm_squared() / correlations.nrows() as f64).ln()
        };
        let dimensions = joins.iter().map(dimension).sum::<f64>() / joins.len() as f64;
        let quotient = graph.macs() as f64 * (smallest + 1e-3) / self.metrics["snip"];
        self.metrics["swap"].ln() + dimensions + quotient.ln() / 2.0
    }
}

fn cases() -> Vec<Case> {
    let reference: Reference = serde_json::from_str(include_str!("reference/networks.json")).unwrap();
    reference.networks
}

#[test]
fn networks_have_pytorchs_logits_and_gradients_at_every_level() {
    for case in cases() {
        for level in Level::available() {
            case.check_passes::<f64>(level, DOUBLE.passes);
            case.check_passes::<f32>(level, SINGLE.passes);
        }
    }
}

#[test]
fn metrics_are_pytorchs() {
    for case in cases() {
        case.check_metrics(Precision::Double, DOUBLE.metrics);
        case.check_metrics(Precision::Single, SINGLE.metrics);
    }
}

#[test]
fn swap_plus_is_made_of_pytorchs_swap_and_snip() {
    for case in cases() {
        let (found, expected) = (case.scores(&["swap-plus"], Precision::Double)[0], case.swap_plus());
        assert!((found - expected).abs() < 1e-9, "{}: {found}, not {expected}", case.about());
    }
}
