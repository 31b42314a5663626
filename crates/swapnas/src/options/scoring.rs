use swapnas_graph::Init;
use swapnas_metrics::Sharing;
use swapnas_spaces::Preset;

use super::{ScoringOptions, Takes, put, put_some, shown};

type Row = super::Row<ScoringOptions>;

/// The options of scoring.
pub static SCORING: &[Row] = &[
    Row::new(
        "metrics",
        "LIST",
        Takes::Text,
        "Metrics, separated by commas; `swapnas metrics` lists them, `all` is all of them. `rank(a,b)` is \
         the mean of the ranks by a and b, `logrank(a,b)` the sum of the ranks' logarithms. A search goes by \
         the first [default: swap-plus,swap,params,macs; of networks of texts blocks,az-expressivity,swap,params,macs; \
         of a search the first of these]",
    )
    .alias("metric")
    .kept(|options, text| put_some(&mut options.metrics, text), |options| options.metrics.clone()),
    Row::new(
        "inputs",
        "SPEC",
        Takes::Text,
        "Images: spectral, cifar10:PATH, images:DIR, npy:FILE or gaussian; texts: zipf or npy:FILE",
    )
    .kept(|options, text| put(&mut options.inputs, text), |options| Some(options.inputs.to_string())),
    Row::new(
        "skip-bad",
        "",
        Takes::Nothing,
        "Leave out what cannot be used, and list it: pictures of images:DIR that cannot be decoded, and lines of a file \
         that cannot be read as networks. Otherwise nothing is scored, but for the other lines of a file that is scored",
    ),
    Row::new("batch", "N", Takes::Number { least: 1, most: 4096 }, "Number of images")
        .kept(|options, text| put(&mut options.batch, text), |options| Some(options.batch.to_string())),
    Row::new(
        "repeats",
        "N",
        Takes::Number { least: 1, most: 1_000_000 },
        "Sets of weights that each network is scored with; scores are means over them [default: as each \
         metric's authors do, 32 for swap, 4 for swap-plus, 1 for most others]",
    )
    .kept(|options, text| put_some(&mut options.repeats, text), |options| shown(options.repeats)),
    Row::new("seed", "N", Takes::Number { least: 0, most: u64::MAX }, "Seed of images, weights and samples")
        .kept(|options, text| put(&mut options.seed, text), |options| Some(options.seed.to_string())),
    Row::new("threads", "N", Takes::Number { least: 1, most: 1024 }, "Threads [default: all cores]"),
    Row::new("weights", "WEIGHTS", Takes::Explained(&SHARING), "Whether equal parts of networks have equal weights")
        .kept(
            |options, text| {
                let independent = text == SHARING[1].0;
                options.sharing = if independent { Sharing::Independent } else { Sharing::Shared };
                Ok(())
            },
            |options| {
                let [(shared, _), (independent, _)] = SHARING;
                Some(if options.sharing == Sharing::Shared { shared } else { independent }.to_owned())
            },
        ),
    Row::new(
        "init",
        "INIT",
        Takes::Name(|| Init::ALL.map(Init::name).to_vec()),
        "How weights are drawn: gaussian, kaiming-normal, kaiming-uniform, xavier-normal, \
         xavier-uniform or pytorch [default: as each metric's authors do, gaussian for swap]",
    )
    .kept(|options, text| put_some(&mut options.init, text), |options| shown(options.init)),
    Row::new(
        "precision",
        "PRECISION",
        Takes::Name(|| vec!["f32", "f64"]),
        "Numbers that networks compute with: f32, or f64, which is slow, to check the other",
    )
    .kept(|options, text| put(&mut options.precision, text), |options| Some(options.precision.to_string())),
    Row::new(
        "network",
        "NETWORK",
        Takes::Name(|| [Preset::Benchmark, Preset::Swap].map(Preset::name).to_vec()),
        "The network that is scored: benchmark or swap [default: swap for darts, else the benchmark's with 8 channels \
         and images of 32x32, or a part of the width for transformers; see `swapnas spaces SPACE`]",
    )
    .kept(|options, text| put_some(&mut options.network.preset, text), |options| shown(options.network.preset))
    .of_spaces(),
    Row::new(
        "channels",
        "N",
        Takes::Number { least: 1, most: 2048 },
        "Channels of the first stage [default: the network's own]",
    )
    .kept(|options, text| put_some(&mut options.network.channels, text), |options| shown(options.network.channels))
    .of_spaces(),
    Row::new(
        "cells",
        "N",
        Takes::Number { least: 1, most: 256 },
        "Cells, or cells of each stage [default: the network's own]",
    )
    .kept(|options, text| put_some(&mut options.network.cells, text), |options| shown(options.network.cells))
    .of_spaces(),
    Row::new(
        "size",
        "SHAPE",
        Takes::Size,
        "Shape of the images, CHANNELSxHEIGHTxWIDTH, or only their height and width as one number; tokens of texts \
         [default: the network's own]",
    )
    .alias("input")
    .kept(|options, text| put_some(&mut options.network.size, text), |options| shown(options.network.size)),
    Row::new(
        "classes",
        "N",
        Takes::Number { least: 1, most: 1_000_000 },
        "Classes [default: the network's own]",
    )
    .kept(|options, text| put_some(&mut options.network.classes, text), |options| shown(options.network.classes))
    .of_spaces(),
];

/// Whether networks share weights.
const SHARING: [(&str, &str); 2] = [
    (
        "shared",
        "The same operation on the same input has the same weights in every network: faster, and better",
    ),
    ("independent", "Every network draws its own weights"),
];
