use swapnas_graph::Init;

use crate::definition::{Compute, Definition, Direction};

pub(super) static PARAMS: Definition = Definition {
    name: "params",
    summary: "number of parameters: the baseline that a metric has to beat",
    formula: "elements of all parameters of the network: weights, biases, scales and shifts",
    source: "common",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "Benchmarks differ in whether they count auxiliary heads and parameters that cannot \
                  reach the output; here, every parameter of the network as it is scored counts.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| Ok(graph.parameter_count() as f64)),
};
