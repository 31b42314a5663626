use swapnas_graph::{Graph, Init};

use crate::definition::{Compute, Definition, Direction};

pub(super) static LIVE_PARAMS: Definition = Definition {
    name: "live-params",
    summary: "number of parameters on ways from the image to the logits",
    formula: "elements of the parameters of all operations that depend on the image and that the logits \
              depend on",
    source: "a baseline: what is left of params once edges that lead nowhere are taken out",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "Only this implementation lists it.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(|graph| Ok(live_params(graph) as f64)),
};

fn live_params(graph: &Graph) -> usize {
    let nodes = graph.nodes();
    let mut fed = vec![false; nodes.len()];
    fed[graph.input().index()] = true;
    for (index, node) in nodes.iter().enumerate() {
        fed[index] |= node.inputs.iter().any(|input| fed[input.index()]);
    }
    let mut read = vec![false; nodes.len()];
    if let Some(logits) = graph.outputs().first() {
        read[logits.index()] = true;
    }
    for (index, node) in nodes.iter().enumerate().rev() {
        if read[index] {
            for input in &node.inputs {
                read[input.index()] = true;
            }
        }
    }
    let live = nodes.iter().zip(fed.iter().zip(&read)).filter(|(_, (fed, read))| **fed && **read);
    live.flat_map(|(node, _)| node.op.params()).map(|id| graph.param(id).len()).sum()
}
