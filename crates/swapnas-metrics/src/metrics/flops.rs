use swapnas_graph::Init;

use crate::definition::{Compute, Definition, Direction};

pub(super) static FLOPS: Definition = Definition {
    name: "flops",
    summary: "operations of one forward pass of one image as torchstat counts them",
    formula: "multiply-accumulates of convolutions (one more operation per output if there is a bias) and \
              linear layers; two operations per element of a BatchNorm with parameters, one without; one \
              per element of a ReLU; one per tap and output of a pool; C (H + 1) (W + 1) for the global \
              average pool",
    source: "torchstat and tensorwatch; Krishnakumar et al.: NAS-Bench-Suite-Zero, NeurIPS 2022",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "The tables of NAS-Bench-Suite-Zero print it in millions.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| Ok(graph.flops().total() as f64)),
};
