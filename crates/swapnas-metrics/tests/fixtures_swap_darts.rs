//! The SWAP-Score against the reference implementation: every case that the index of the fixtures
//! `swap_darts` lists, with its weights and images, in single and in double precision.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use swapnas_graph::{
    Batch, Element, Executor, Graph, Level, Observer, Plan, Relu, Shape, Signs, Tensors, ValueId, Want,
    Weights,
};
use swapnas_metrics::PatternSet;
use swapnas_spaces::{NetworkConfig, Preset, by_name};

/// What single precision may differ by, as the fixtures' README says: the score by two if some
/// pre-activation is close to zero, the positive units of a ReLU by six, features by 2e-5.
const SCORE_F32: u64 = 2;
const POSITIVE_F32: u64 = 6;
const FEATURES_F32: f64 = 2e-5;

/// Double precision agrees to the digits that are stored.
const FEATURES_F64: f64 = 1e-9;

#[derive(Deserialize)]
struct Index {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    genotype: String,
    config: Config,
    expected: Expected,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "C")]
    channels: usize,
    num_classes: usize,
    layers: usize,
    batch: usize,
    in_channels: usize,
    height: usize,
    width: usize,
}

#[derive(Deserialize)]
struct Expected {
    swap_f32: u64,
    swap_f64: u64,
    standard_patterns_f32: u64,
    standard_patterns_f64: u64,
    relu_units: u64,
    relu_modules: usize,
    params: u64,
    relu_f64: Vec<ReluCount>,
    features_f64: Vec<Vec<f64>>,
    regularised: Regularised,
}

#[derive(Deserialize)]
struct ReluCount {
    module: String,
    units: usize,
    positive: u64,
}

#[derive(Deserialize)]
struct Regularised {
    mu: f64,
    sigma: f64,
    factor: f64,
}

/// All patterns, and how many signs of each ReLU are positive.
struct Counter {
    patterns: PatternSet,
    positive: BTreeMap<ValueId, u64>,
}

impl Observer for Counter {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        self.patterns.add(signs);
        let positive = signs.blocks().map(|block| {
            block.words.iter().map(|word| u64::from((word & block.mask).count_ones())).sum::<u64>()
        });
        self.positive.insert(relu.value, positive.sum());
    }
}

struct Outcome {
    swap: u64,
    standard_patterns: u64,
    positive: BTreeMap<ValueId, u64>,
    features: Vec<f64>,
}

fn run<E: Element>(level: Level, graph: &Graph, tensors: &Tensors) -> Outcome {
    let input = tensors.get("input").expect("every case has images");
    let &[samples, channels, height, width] = input.shape.as_slice() else { panic!("images are NCHW") };
    let batch = Batch::<E>::from_nchw(samples, Shape::new(channels, height, width), &input.numbers).unwrap();
    let features = graph.outputs()[1];
    let plan = Plan::new(graph.clone(), &Want { signs: true, values: vec![features] });
    let mut counter = Counter { patterns: PatternSet::new(samples), positive: BTreeMap::new() };
    let mut executor = Executor::<E>::new(level);
    executor.run(&plan, &batch, Weights::Loaded(tensors), None, &mut counter).unwrap();
    Outcome {
        swap: counter.patterns.len() as u64,
        standard_patterns: counter.patterns.distinct_samples() as u64,
        positive: counter.positive,
        features: executor.value(&plan, &batch, features).expect("it was wanted"),
    }
}

fn worst(features: &[f64], expected: &[Vec<f64>]) -> f64 {
    let expected: Vec<f64> = expected.iter().flatten().copied().collect();
    assert_eq!(features.len(), expected.len());
    features.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn check(folder: &Path, case: &Case) {
    let Case { name, config, expected, .. } = case;
    let space = by_name("darts").unwrap();
    let arch = space.parse(&case.genotype).unwrap();
    let input = Shape::new(config.in_channels, config.height, config.width);
    let network = NetworkConfig {
        channels: Some(config.channels),
        cells: Some(config.layers),
        ..NetworkConfig::new(Preset::Swap, input, config.num_classes)
    };
    let graph = space.network(&arch, &network).unwrap();
    assert_eq!(graph.parameter_count(), expected.params, "{name}: parameters");
    assert_eq!(graph.relu_units(), expected.relu_units, "{name}: units");
    let relus: Vec<_> = graph.relus().collect();
    assert_eq!(relus.len(), expected.relu_modules, "{name}: ReLU modules");
    for (relu, expected) in relus.iter().zip(&expected.relu_f64) {
        assert_eq!(relu.name, expected.module, "{name}: order of ReLUs");
        assert_eq!(graph.shape(relu.output).elements(), expected.units, "{name}: units of {}", relu.name);
    }
    let reg = &expected.regularised;
    let factor = (-(expected.params as f64 / 1000.0 - reg.mu).powi(2) / reg.sigma).exp();
    assert!((factor - reg.factor).abs() <= 1e-12 * reg.factor, "{name}: factor {factor}");

    let tensors = Tensors::read(&folder.join(&case.file)).unwrap();
    assert_eq!(tensors.get("input").unwrap().shape[0], config.batch);
    let truth = run::<f64>(Level::best(), &graph, &tensors);
    assert_eq!(truth.swap, expected.swap_f64, "{name}: f64 score");
    assert_eq!(truth.standard_patterns, expected.standard_patterns_f64, "{name}: f64 rows");
    for (relu, expected) in relus.iter().zip(&expected.relu_f64) {
        assert_eq!(truth.positive[&relu.output], expected.positive, "{name}: f64 signs of {}", relu.name);
    }
    let error = worst(&truth.features, &expected.features_f64);
    assert!(error <= FEATURES_F64, "{name}: f64 features are off by {error}");

    let single = run::<f32>(Level::best(), &graph, &tensors);
    assert!(single.swap.abs_diff(expected.swap_f32) <= SCORE_F32, "{name}: f32 score {}", single.swap);
    assert_eq!(single.standard_patterns, expected.standard_patterns_f32, "{name}: f32 rows");
    for (relu, expected) in relus.iter().zip(&expected.relu_f64) {
        let positive = single.positive[&relu.output];
        assert!(positive.abs_diff(expected.positive) <= POSITIVE_F32, "{name}: signs of {}", relu.name);
    }
    let f32_error = worst(&single.features, &expected.features_f64);
    assert!(f32_error <= FEATURES_F32, "{name}: f32 features are off by {f32_error}");
    println!(
        "{name}: score {} (reference f32 {}, f64 {}), features off by {f32_error:.1e} (f32), {error:.1e} (f64)",
        single.swap, expected.swap_f32, expected.swap_f64
    );

    for level in Level::available() {
        let other = run::<f32>(level, &graph, &tensors);
        assert_eq!(other.swap, single.swap, "{name} at {level}");
        assert_eq!(other.positive, single.positive, "{name} at {level}");
        assert_eq!(other.features, single.features, "{name} at {level}: bits");
    }
}

#[test]
fn fixtures_swap_darts_agree() {
    let Some(folder) = swapnas_fixtures::fixtures("swap_darts") else { return };
    let text = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let index: Index = serde_json::from_str(&text).unwrap();
    assert_eq!(index.format, 1, "this test reads format 1");
    assert!(!index.cases.is_empty());
    for case in &index.cases {
        check(&folder, case);
    }
}
