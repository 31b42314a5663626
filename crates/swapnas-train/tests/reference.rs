//! PyTorch's numbers for some steps of training: see `reference/make.py`, which made them.

use std::collections::BTreeMap;

use serde::Deserialize;
use swapnas_fixtures::noise;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Level, ModuleKind, Shape, Window};
use swapnas_metrics::inputs::Images;
use swapnas_train::{Augmentation, Dataset, Optimiser, Settings, Trainer};

#[derive(Deserialize)]
struct Reference {
    /// Loss, validation loss, validation accuracy and training accuracy of each epoch.
    epochs: Vec<[f64; 4]>,
    /// Weights and running statistics after the last one.
    tensors: BTreeMap<String, Vec<f64>>,
}

const SHAPE: Shape = Shape { channels: 3, height: 5, width: 6 };
const TRAIN: usize = 20;
const VALIDATION: usize = 7;
const CLASSES: usize = 4;
const EPOCHS: usize = 8;

/// The network of the script, by the names that it has there.
fn network() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(SHAPE);
    let x = b.input();
    let x = b.conv2d("stem", x, Conv::new(6, Window::square(3)))?;
    let x = b.batch_norm("stem_norm", x, true)?;
    let y = b.relu("relu", x)?;
    let wide = b.conv2d("wide", y, Conv::new(6, Window::square(3)))?;
    let wide = b.batch_norm("wide_norm", wide, true)?;
    let narrow = b.conv2d("narrow", y, Conv::new(6, Window::square(1)).with_bias())?;
    let narrow = b.batch_norm("narrow_norm", narrow, false)?;
    let y = b.add(&[wide, narrow, x])?;
    let y = b.relu("last_relu", y)?;
    let y = b.global_avg_pool("pool", y)?;
    let logits = b.linear("classifier", y, CLASSES, true)?;
    Ok(b.finish(&[logits]))
}

fn data() -> Dataset {
    let count = VALIDATION + TRAIN;
    let label = |i: usize| if i.is_multiple_of(3) { i % CLASSES } else { i * i % CLASSES };
    let images = Images {
        count,
        channels: SHAPE.channels,
        height: SHAPE.height,
        width: SHAPE.width,
        data: noise(count * SHAPE.elements(), 1),
        labels: Some((0..count).map(label).collect()),
    };
    Dataset::of(images, VALIDATION, "noise").unwrap()
}

fn settings(optimiser: Optimiser, label_smoothing: f64) -> Settings {
    Settings {
        epochs: EPOCHS,
        batch: TRAIN,
        optimiser,
        warmup: 2,
        label_smoothing,
        augmentation: Augmentation::NONE,
        drop_path: 0.0,
        seed: 0,
    }
}

fn weights(graph: &Graph) -> ParamSet<f64> {
    let mut weights = ParamSet::zeros(graph);
    for id in graph.param_ids() {
        let numbers = weights.get_mut(id);
        let noise = noise(numbers.len(), 100 + id.index() as u64);
        numbers.iter_mut().zip(noise).for_each(|(to, from)| *to = from.into());
    }
    weights
}

#[test]
fn steps_are_pytorchs() {
    let references: BTreeMap<String, Reference> =
        serde_json::from_str(include_str!("reference/training.json")).unwrap();
    let sgd = Optimiser::Sgd { rate: 0.2, momentum: 0.9, nesterov: true, weight_decay: 5e-3 };
    let heavy_ball = Optimiser::Sgd { rate: 0.1, momentum: 0.8, nesterov: false, weight_decay: 0.0 };
    let adamw = Optimiser::AdamW { rate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weight_decay: 0.1 };
    let data = data();
    for (name, optimiser, smoothing) in
        [("sgd", sgd, 0.0), ("heavy-ball", heavy_ball, 0.1), ("adamw", adamw, 0.2)]
    {
        let Reference { epochs, tensors } = &references[name];
        let graph = network().unwrap();
        let weights = weights(&graph);
        let settings = settings(optimiser, smoothing);
        let mut trainer = Trainer::<f64>::with_weights(graph, weights, settings, Level::best()).unwrap();
        for [loss, validation_loss, accuracy, train_accuracy] in epochs {
            let epoch = trainer.epoch(&data, &mut || true).unwrap().unwrap();
            let close = |found: f64, expected: f64| {
                assert!(
                    (found - expected).abs() < 1e-10 * expected.abs().max(1.0),
                    "{name}: {found} {expected}"
                );
            };
            close(epoch.loss, *loss);
            close(epoch.validation_loss, *validation_loss);
            close(epoch.accuracy, *accuracy);
            close(epoch.train_accuracy, *train_accuracy);
        }
        assert!(trainer.is_done());
        let graph = trainer.graph();
        let mut found: BTreeMap<String, Vec<f64>> = graph
            .params()
            .iter()
            .zip(trainer.weights().iter())
            .map(|(param, numbers)| (param.name.clone(), numbers.to_vec()))
            .collect();
        for norm in graph.modules().iter().filter(|module| module.kind == ModuleKind::BatchNorm) {
            let statistics = trainer.running().get(norm.output).unwrap();
            found.insert(format!("{}.running_mean", norm.name), statistics.mean.clone());
            found.insert(format!("{}.running_var", norm.name), statistics.variance.clone());
        }
        assert_eq!(found.keys().collect::<Vec<_>>(), tensors.keys().collect::<Vec<_>>());
        for (tensor, expected) in tensors {
            let worst = expected.iter().zip(&found[tensor]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-9 && expected.len() == found[tensor].len(), "{name}: {tensor} by {worst}");
        }
    }
}
