use swapnas_graph::Init;

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction};

pub(super) static UNITS: Definition = Definition {
    name: "units",
    summary: "number of ReLU units: what the SWAP-Score cannot exceed",
    formula: "elements of what all ReLUs return for one image, repeated ReLUs counted each time",
    source: "a baseline for the SWAP-Score",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "Only this implementation lists it.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| match graph.relu_units() {
        0 => Err(Undefined::NoRelu),
        units => Ok(units as f64),
    }),
};
