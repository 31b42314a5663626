//! Every metric against the reference implementations: all cases that the index of the fixtures
//! `metrics_nb201` lists, in double and in single precision.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Batch, Executor, Level, Plan, Shape, Tensors, Want, Weights};
use swapnas_spaces::{NetworkConfig, Preset, by_name};

use crate::Metric;
use crate::definition::{Compute, Needs, Precise};
use crate::observe::PatternCollector;
use crate::patterns::Of;
use crate::trial::{Engines, Labelled, Network, PERTURBATION, SharedInputs, Signs, SmallestNetwork, Trial};
use crate::undefined::Failure;

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
    params: f64,
    flops_naslib: f64,
    macs_conv: f64,
    macs_linear: f64,
    expected: BTreeMap<String, Option<Expected>>,
}

impl Case {
    /// `None` if the case says nothing of it, `Some(None)` if the reference has no value.
    fn expected(&self, key: &str) -> Option<Option<f64>> {
        match key {
            "params" => Some(Some(self.params)),
            "flops_naslib" => Some(Some(self.flops_naslib)),
            "macs" => Some(Some(self.macs_conv + self.macs_linear)),
            _ => Some(self.expected.get(key)?.as_ref().and_then(|expected| expected.f64)),
        }
    }
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

/// The metrics by the names that the fixtures have for them, with how far single precision may be off,
/// absolutely and relatively, as the fixtures' README says.
const METRICS: [(&str, &str, f64, f64); 29] = [
    ("swap", "swap", 3.0, 0.0),
    ("standard_patterns", "standard-patterns", 0.0, 0.0),
    ("relu_units", "units", 0.0, 0.0),
    ("nwot", "nwot", 0.0, 1e-5),
    ("grad_norm", "grad_norm", 0.0, 1e-2),
    ("grad_norm_all", "grad_norm:all=1", 0.0, 1e-2),
    ("snip", "snip", 0.0, 1e-2),
    ("plain", "plain", 2e-3, 1e-2),
    ("fisher", "fisher", 0.0, 1e-2),
    ("grasp", "grasp", 5e-2, 5e-2),
    ("l2_norm", "l2_norm", 0.0, 1e-5),
    ("synflow", "synflow", 0.0, 1e-4),
    ("synflow_bn", "synflow:norm=1", 0.0, 1e-4),
    ("logsynflow", "logsynflow", 0.0, 1e-4),
    ("jacov", "jacov", 3e-3, 0.0),
    ("epe_nas", "epe_nas", 0.3, 0.0),
    ("zico", "zico", 0.0, 8e-2),
    ("ntk_cond", "ntk", 0.0, 1e-2),
    ("linear_regions", "linear-regions", 2.0, 0.0),
    ("gradsign", "gradsign", 3e-3, 0.0),
    ("zen", "zen", 5e-5, 0.0),
    ("zen_batchvar", "zen:batchvar=1", 5e-5, 0.0),
    ("meco", "meco", 2e-4, 0.0),
    ("az_expressivity", "az-expressivity", 1e-4, 0.0),
    ("az_progressivity", "az-progressivity", 1e-4, 0.0),
    ("az_trainability", "az-trainability", 1e-4, 0.0),
    ("params", "params", 0.0, 0.0),
    ("flops_naslib", "flops", 0.0, 0.0),
    ("macs", "macs", 0.0, 0.0),
];

#[test]
fn fixtures_metrics_in_double_precision() {
    if let Some(folder) = swapnas_fixtures::fixtures("metrics_nb201") {
        check::<f64>(&folder, |key, _, _| match key {
            "plain" | "grasp" => (1e-10, 1e-8),
            _ => (0.0, 1e-8),
        });
    }
}

#[test]
fn fixtures_metrics_in_single_precision() {
    if let Some(folder) = swapnas_fixtures::fixtures("metrics_nb201") {
        check::<f32>(&folder, |_, absolute, relative| (absolute, relative));
    }
}

fn check<E: Precise>(folder: &Path, tolerance: fn(&str, f64, f64) -> (f64, f64)) {
    let text = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let index: Index = serde_json::from_str(&text).unwrap();
    assert_eq!(index.format, 1);
    let shared = Shared::read(&folder.join(&index.shared));
    let mut worst: BTreeMap<&str, (f64, f64, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &index.cases {
        let mut setup = Setup::<E>::new(case, folder, &shared);
        for (key, name, absolute, relative) in METRICS {
            let Some(expected) = case.expected(key) else { continue };
            let found = setup.measure(&name.parse().unwrap());
            let worst = worst.entry(key).or_default();
            worst.2 += 1;
            match (found, expected) {
                (Ok(found), Some(expected)) => {
                    let error = (found - expected).abs();
                    worst.0 = worst.0.max(error);
                    worst.1 = worst.1.max(if error == 0.0 { 0.0 } else { error / expected.abs() });
                    let (absolute, relative) = tolerance(key, absolute, relative);
                    if error.is_nan() || error > absolute + relative * expected.abs() {
                        failures.push(format!("case {}: {key} is {found}, expected {expected}", case.name));
                    }
                }
                // The reference has no value, and neither has the metric.
                (Err(Failure::Undefined(_)), None) => {}
                (found, expected) => {
                    failures.push(format!("case {}: {key} is {found:?}, expected {expected:?}", case.name));
                }
            }
        }
    }
    println!("{:<18} {:>10} {:>10} {:>6}", std::any::type_name::<E>(), "absolute", "relative", "cases");
    for (key, (absolute, relative, cases)) in &worst {
        println!("{key:<18} {absolute:>10.1e} {relative:>10.1e} {cases:>6}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Images, labels and signs that all cases share.
struct Shared {
    tensors: Tensors,
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
        let signs = (1..=5).map(|block| {
            let tensor = file.tensor(&format!("az_sign_{block}")).unwrap();
            tensor.data().iter().map(|sign| f64::from(*sign as i8)).collect()
        });
        Shared { labels: labels.into(), signs: signs.collect(), tensors: Tensors::read(path).unwrap() }
    }

    fn images<E: Precise>(&self, name: &str) -> Batch<E> {
        let tensor = self.tensors.get(name).unwrap();
        let [samples, channels, height, width] = tensor.shape[..] else { panic!("images have four sides") };
        Batch::from_nchw(samples, Shape::new(channels, height, width), &tensor.numbers).unwrap()
    }

    fn labelled<E: Precise>(&self, batch: &str) -> Labelled<E> {
        Labelled { images: self.images(&format!("input_{batch}")), labels: self.labels[batch].clone() }
    }

    fn noise<E: Precise>(&self) -> [Batch<E>; 2] {
        let still: Batch<E> = self.images("zen_input");
        let moved = still.plus(PERTURBATION, &self.images("zen_noise"));
        [still, moved]
    }
}

struct Setup<E: Precise> {
    tensors: Tensors,
    plan: Plan,
    network: Network,
    shared: SharedInputs<E>,
    engines: Engines<E>,
}

impl<E: Precise> Setup<E> {
    fn new(case: &Case, folder: &Path, shared: &Shared) -> Self {
        let space = by_name("nb201").unwrap();
        let input = Shape::new(3, case.config.height, case.config.width);
        let config = NetworkConfig {
            channels: Some(case.config.channels),
            cells: Some(case.config.cells),
            ..NetworkConfig::new(Preset::Benchmark, input, case.config.num_classes)
        };
        let arch = space.parse(&case.arch).unwrap();
        let graph = Arc::new(space.network(&arch, &config).unwrap());
        // The reference counts linear regions of the same network for smaller images.
        let regions = shared.images::<E>("lr_input");
        let smallest = SmallestNetwork(NetworkConfig { input: regions.shape(), ..config });
        let needs = Needs { response: true, smallest: true, ..Needs::NONE };
        let level = Level::best();
        Setup {
            tensors: Tensors::read(&folder.join(&case.file)).unwrap(),
            plan: Plan::new(graph.clone(), &Want { signs: true, values: Vec::new() }),
            network: Network::new(space, &arch, &config, graph, needs, Some(&smallest)),
            shared: SharedInputs {
                first: shared.labelled(&case.batch),
                second: Some(shared.labelled(&case.second_batch)),
                noise: Some(shared.noise()),
                response: Some(shared.images("meco_input")),
                smallest: Some(regions),
                signs: Signs::Given(shared.signs.clone()),
            },
            engines: Engines::new(level, false),
        }
    }

    fn measure(&mut self, metric: &Metric) -> Result<f64, Failure> {
        let (graph, weights) = (self.plan.graph(), Weights::Loaded(&self.tensors));
        match metric.compute() {
            Compute::Graph(compute) => Ok(compute(graph)?),
            Compute::Patterns { of, compute } => {
                let images = &self.shared.first.images;
                let mut patterns = PatternCollector::new(images.samples());
                Executor::new(Level::best()).run(&self.plan, images, weights, None, &mut patterns)?;
                let counts = patterns.patterns().counts(of == Of::Samples);
                Ok(compute(graph, counts.of(of), metric.values())?)
            }
            Compute::Passes { single, double, .. } => {
                let numbers = ParamSet::load(graph, weights)?;
                let mut trial = Trial::new(&self.network, &self.shared, &numbers, weights, &mut self.engines);
                let value = E::of(single, double)(&mut trial, metric.values())?;
                if value.is_finite() { Ok(value) } else { Err(crate::Undefined::NotFinite(value).into()) }
            }
            Compute::Proxy(_) => unreachable!("the metrics are those of the library"),
        }
    }
}
