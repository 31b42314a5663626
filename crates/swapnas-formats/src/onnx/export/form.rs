//! The dimensions that values have in a file.

use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{Graph, Op, ValueId};

use crate::arrangement::Arrangement;
use crate::facts::is_over_channels;

/// The dimensions of a value, behind that of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// Channels, rows, columns.
    Image,
    /// Rows, columns, channels: what layers over the channels of each pixel read and return.
    Pixels,
    /// Channels, of one pixel.
    Flat,
    /// Numbers of tokens, which are whole.
    Text,
}

/// The form in which each value is computed. It has others if somebody asks for them.
pub(super) fn forms(graph: &Graph) -> Vec<Form> {
    let mut over_pixels = vec![false; graph.nodes().len()];
    for node in graph.nodes().iter().filter(|node| is_over_channels(graph, node)) {
        over_pixels[node.inputs[0].index()] = true;
    }
    let mut forms: Vec<Form> = Vec::with_capacity(graph.nodes().len());
    for (value, node) in graph.values() {
        let form = |input: &ValueId| forms[input.index()];
        let wants_pixels = |arrangement: Arrangement| {
            let found = over_pixels[value.index()] && node.shape.pixels() > 1;
            let arranged = found.then(|| arrangement.of_pixels_first(node.shape)).flatten();
            if arranged.is_some() { Form::Pixels } else { Form::Image }
        };
        forms.push(match &node.op {
            Op::Input if graph.vocabulary().is_some() => Form::Text,
            Op::Act(_) | Op::Tensor(TensorOp::Function(_)) | Op::Slice(_) => match form(&node.inputs[0]) {
                Form::Text => Form::Image,
                form => form,
            },
            Op::Add | Op::Mul | Op::Concat if node.inputs.iter().all(|input| form(input) == Form::Flat) => {
                Form::Flat
            }
            Op::Add | Op::Mul | Op::Concat if node.inputs.iter().any(|input| form(input) == Form::Pixels) => {
                Form::Pixels
            }
            Op::Tensor(TensorOp::Product(product)) => wants_pixels(Arrangement::of(&product.out, node.shape)),
            Op::Tensor(TensorOp::Embedding(_)) => Form::Pixels,
            _ if is_over_channels(graph, node) => {
                if node.shape.pixels() == 1 {
                    Form::Flat
                } else {
                    Form::Pixels
                }
            }
            _ => Form::Image,
        });
    }
    forms
}
