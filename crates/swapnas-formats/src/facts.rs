//! What writers ask of graphs.

use swapnas_graph::tensor::{Axis, Normalise, TensorOp};
use swapnas_graph::{Graph, Node, Op};

/// Whether a node computes something of the channels of each pixel.
pub(crate) fn is_over_channels(graph: &Graph, node: &Node) -> bool {
    match &node.op {
        Op::Linear(_) => true,
        Op::Tensor(TensorOp::Normalise(norm)) => is_layer_norm(graph, norm, node),
        _ => false,
    }
}

/// Whether it normalises the channels of each pixel, with a weight for each channel if there are any.
fn is_layer_norm(graph: &Graph, norm: &Normalise, node: &Node) -> bool {
    let (len, inner) = (node.shape.channels, node.shape.pixels());
    norm.axis == Axis { outer: 1, len, inner } && has_weights_along(graph, norm)
}

/// Whether weights and biases of a normalisation, if there are any, are those of the elements of each line.
pub(crate) fn has_weights_along(graph: &Graph, norm: &Normalise) -> bool {
    let mut params = [norm.weight, norm.bias].into_iter().flatten();
    params.all(|id| graph.param(id).len() == norm.axis.len && norm.alike == norm.axis.inner)
}

/// Whether each value depends on the sample.
pub(crate) fn varying(graph: &Graph) -> Vec<bool> {
    let mut varying: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let is_its_own = matches!(node.op, Op::Input | Op::Zero);
        varying.push(is_its_own || node.inputs.iter().any(|input| varying[input.index()]));
    }
    varying
}

/// Whether each value is of whole numbers, those of tokens.
pub(crate) fn of_tokens(graph: &Graph) -> Vec<bool> {
    let is_text = graph.vocabulary().is_some();
    let mut tokens: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        tokens.push(match node.op {
            Op::Input => is_text,
            Op::Tensor(TensorOp::Rearrange(_) | TensorOp::Pick(_)) => tokens[node.inputs[0].index()],
            _ => false,
        });
    }
    tokens
}
