use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{Graph, Init, Op};

use crate::definition::{Compute, Definition, Direction};

pub(super) static DEPTH: Definition = Definition {
    name: "depth",
    summary: "convolutions and linear layers on the longest way from the image to the logits",
    formula: "the largest number of convolutions and linear layers on a path of the graph",
    source: "a common baseline",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "Others count cells, or every operation.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| Ok(depth(graph) as f64)),
};

fn depth(graph: &Graph) -> u32 {
    let mut depths: Vec<u32> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let before = node.inputs.iter().map(|input| depths[input.index()]).max().unwrap_or(0);
        let is_layer =
            matches!(node.op, Op::Conv2d(_) | Op::Linear(_) | Op::Tensor(TensorOp::ConvTranspose(_)));
        depths.push(before + u32::from(is_layer));
    }
    graph.outputs().first().map_or(0, |logits| depths[logits.index()])
}
