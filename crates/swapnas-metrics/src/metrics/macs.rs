use swapnas_graph::Init;

use crate::definition::{Compute, Definition, Direction};

pub(super) static MACS: Definition = Definition {
    name: "macs",
    summary: "multiply-accumulate operations of one forward pass of one image",
    formula: "sum over convolutions of out * in / groups * kernel * pixels, and over linear layers of \
              out * in",
    source: "common",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "What other tools call FLOPs may count each as two operations, and additions, \
                  normalisations and activations as well.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| Ok(graph.macs() as f64)),
};
