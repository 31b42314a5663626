use swapnas_metrics::inputs::{InputSpec, Shapes};
use swapnas_spaces::Preset;
use swapnas_train::{Optimiser, Settings, benchmark};

use super::{NetworkOptions, Takes, put, put_some, shown};

/// How to train: what is `None` is as the optimiser or the space has it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingOptions {
    /// Where labelled images come from.
    pub inputs: InputSpec,
    /// Images to train with.
    pub train_images: usize,
    /// Images to validate on.
    pub validation_images: usize,
    /// Times that all images are seen.
    pub epochs: usize,
    /// Images of a step.
    pub batch: usize,
    /// What is done with gradients, but for what follows.
    pub optimiser: Optimiser,
    /// The highest learning rate.
    pub rate: Option<f64>,
    /// Momentum, or beta1.
    pub momentum: Option<f64>,
    /// Decay of weights.
    pub weight_decay: Option<f64>,
    /// Epochs over which the learning rate rises.
    pub warmup: usize,
    /// Share of labels that is spread over all classes.
    pub label_smoothing: f64,
    /// Whether images are mirrored.
    pub flip: bool,
    /// Pixels by which images are moved at most; an eighth of their shorter side if `None`.
    pub crop: Option<usize>,
    /// Side of a square that is cut out.
    pub cutout: usize,
    /// How likely it is that a branch is left out in the last epoch.
    pub drop_path: f64,
    /// Seed of everything.
    pub seed: u64,
    /// The network, which has as many classes as the images; by default the one that is scored by default.
    pub network: NetworkOptions,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        let settings = Settings { epochs: benchmark::EPOCHS, ..Settings::default() };
        TrainingOptions {
            inputs: InputSpec::Shapes(Shapes::default()),
            train_images: benchmark::TRAIN_IMAGES,
            validation_images: benchmark::VALIDATION_IMAGES,
            epochs: settings.epochs,
            batch: settings.batch,
            optimiser: settings.optimiser,
            rate: None,
            momentum: None,
            weight_decay: None,
            warmup: settings.warmup,
            label_smoothing: settings.label_smoothing,
            flip: settings.augmentation.flip,
            crop: None,
            cutout: settings.augmentation.cutout,
            drop_path: settings.drop_path,
            seed: settings.seed,
            network: NetworkOptions::default(),
        }
    }
}

type Row = super::Row<TrainingOptions>;

/// The options of training.
pub static TRAINING: &[Row] = &[
    Row::new(
        "inputs",
        "SPEC",
        Takes::Text,
        "Labelled images: shapes, cifar10:PATH or images:DIR with a folder for each class",
    )
    .kept(|options, text| put(&mut options.inputs, text), |options| Some(options.inputs.to_string())),
    Row::new("train-images", "N", Takes::Number { least: 2, most: 10_000_000 }, "Images to train with").kept(
        |options, text| put(&mut options.train_images, text),
        |options| Some(options.train_images.to_string()),
    ),
    Row::new(
        "validation-images",
        "N",
        Takes::Number { least: 1, most: 10_000_000 },
        "Images to validate on, others than those",
    )
    .kept(
        |options, text| put(&mut options.validation_images, text),
        |options| Some(options.validation_images.to_string()),
    ),
    Row::new("epochs", "N", Takes::Number { least: 1, most: 100_000 }, "Times that all images are seen")
        .kept(|options, text| put(&mut options.epochs, text), |options| Some(options.epochs.to_string())),
    Row::new("batch", "N", Takes::Number { least: 2, most: 4096 }, "Images of a step")
        .kept(|options, text| put(&mut options.batch, text), |options| Some(options.batch.to_string())),
    Row::new("optimiser", "NAME", Takes::Explained(&OPTIMISERS), "sgd, with momentum of Nesterov, or adamw").kept(
        |options, text| {
            options.optimiser = if text == OPTIMISERS[1].0 { Optimiser::adamw() } else { Optimiser::sgd() };
            Ok(())
        },
        |options| {
            let [(sgd, _), (adamw, _)] = OPTIMISERS;
            Some(if matches!(options.optimiser, Optimiser::Sgd { .. }) { sgd } else { adamw }.to_owned())
        },
    ),
    Row::new(
        "rate",
        "X",
        Takes::Positive,
        "Learning rate at its highest; it falls along a cosine [default: 0.1 for sgd, 0.001 for adamw]",
    )
    .kept(|options, text| put_some(&mut options.rate, text), |options| shown(options.rate)),
    Row::new(
        "momentum",
        "X",
        Takes::Share,
        "How long the mean of gradients remembers: momentum of sgd, beta1 of adamw [default: 0.9]",
    )
    .kept(|options, text| put_some(&mut options.momentum, text), |options| shown(options.momentum)),
    Row::new(
        "weight-decay",
        "X",
        Takes::NotNegative,
        "Decay of weights [default: 0.0005 for sgd, 0.01 for adamw]",
    )
    .kept(|options, text| put_some(&mut options.weight_decay, text), |options| shown(options.weight_decay)),
    Row::new(
        "warmup",
        "N",
        Takes::Number { least: 0, most: 100_000 },
        "Epochs over which the learning rate rises before it falls",
    )
    .kept(|options, text| put(&mut options.warmup, text), |options| Some(options.warmup.to_string())),
    Row::new(
        "label-smoothing",
        "X",
        Takes::Share,
        "Share of each label that is spread evenly over all classes",
    )
    .kept(
        |options, text| put(&mut options.label_smoothing, text),
        |options| Some(options.label_smoothing.to_string()),
    ),
    Row::new("no-flip", "", Takes::Nothing, "Do not mirror images"),
    Row::new(
        "crop",
        "N",
        Takes::Number { least: 0, most: 1024 },
        "Pixels by which images are moved at most [default: an eighth of their shorter side]",
    )
    .kept(|options, text| put_some(&mut options.crop, text), |options| shown(options.crop)),
    Row::new(
        "cutout",
        "N",
        Takes::Number { least: 0, most: 4096 },
        "Side of a square that is cut out of images",
    )
    .kept(|options, text| put(&mut options.cutout, text), |options| Some(options.cutout.to_string())),
    Row::new(
        "drop-path",
        "X",
        Takes::Share,
        "How likely it is that a branch is left out for an image in the last epoch, growing from 0",
    )
    .kept(|options, text| put(&mut options.drop_path, text), |options| Some(options.drop_path.to_string())),
    Row::new(
        "seed",
        "N",
        Takes::Number { least: 0, most: u64::MAX },
        "Seed of images, weights and everything else that is drawn",
    )
    .kept(|options, text| put(&mut options.seed, text), |options| Some(options.seed.to_string())),
    Row::new("threads", "N", Takes::Number { least: 1, most: 1024 }, "Threads [default: all cores]"),
    Row::new(
        "network",
        "NETWORK",
        Takes::Name(|| [Preset::Benchmark, Preset::Swap].map(Preset::name).to_vec()),
        "The network that is trained: benchmark or swap [default: the small one that is scored by default]",
    )
    .kept(|options, text| put_some(&mut options.network.preset, text), |options| shown(options.network.preset)),
    Row::new(
        "channels",
        "N",
        Takes::Number { least: 1, most: 2048 },
        "Channels of the first stage [default: the network's own]",
    )
    .kept(|options, text| put_some(&mut options.network.channels, text), |options| shown(options.network.channels)),
    Row::new(
        "cells",
        "N",
        Takes::Number { least: 1, most: 256 },
        "Cells, or cells of each stage [default: the network's own]",
    )
    .kept(|options, text| put_some(&mut options.network.cells, text), |options| shown(options.network.cells)),
    Row::new(
        "size",
        "SHAPE",
        Takes::Size,
        "Shape of the images, CHANNELSxHEIGHTxWIDTH, or only their height and width as one number [default: the \
         network's own]",
    )
    .alias("input")
    .kept(|options, text| put_some(&mut options.network.size, text), |options| shown(options.network.size)),
];

/// What is done with gradients.
const OPTIMISERS: [(&str, &str); 2] = [
    ("sgd", "Stochastic gradient descent with momentum"),
    ("adamw", "Adam with decay apart from the gradient"),
];
