use std::collections::BTreeSet;

use swapnas_graph::tensor::{Axis, Softmax, TensorOp};
use swapnas_graph::{Graph, Linear, Op, ParamId, ValueId};

/// Where a network attends: matrices of weights that a softmax makes, one for each query, and what is mixed by them.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    /// The weights of attention, each with the dimension along which they sum to one.
    pub weights: Vec<(ValueId, Axis)>,
    /// The weights of the linear layers that make queries, keys and values, and of those that read what was mixed.
    pub layers: BTreeSet<ParamId>,
}

impl Attention {
    /// Softmaxes are attention if a product of matrices reads them; others tell classes apart.
    pub(crate) fn of(graph: &Graph) -> Self {
        let mut found = Attention::default();
        let mut mixed = vec![false; graph.nodes().len()];
        // How many read each value, and whether it was gone back to, which is enough once.
        let mut readers = vec![0; graph.nodes().len()];
        graph.nodes().iter().flat_map(|node| &node.inputs).for_each(|input| readers[input.index()] += 1);
        let mut seen = vec![false; graph.nodes().len()];
        for (value, node) in graph.values() {
            // What was mixed stays so until a linear layer reads it.
            mixed[value.index()] = node.inputs.iter().any(|input| mixed[input.index()]);
            match node.op {
                Op::Linear(Linear { weight, .. }) if mixed[value.index()] => {
                    found.layers.insert(weight);
                    mixed[value.index()] = false;
                }
                Op::Tensor(TensorOp::Product(_)) => {
                    let softmax = node.inputs.iter().find_map(|input| softmax(graph, *input));
                    let Some((weights, axis)) = softmax else { continue };
                    mixed[value.index()] = true;
                    if found.weights.iter().all(|(known, _)| *known != weights) {
                        found.weights.push((weights, axis));
                    }
                    node.inputs.iter().for_each(|input| found.read(graph, *input, &readers, &mut seen));
                }
                // A layer reads it before it is added to what goes around the attention.
                Op::Tensor(
                    TensorOp::Rearrange(_) | TensorOp::Pick(_) | TensorOp::Join(_) | TensorOp::Function(_),
                )
                | Op::Add
                | Op::Mul
                | Op::Concat
                | Op::Slice(_) => {}
                _ => mixed[value.index()] = false,
            }
        }
        found
    }

    /// Finds the linear layers that a value comes from, up to the first ones on each way and those right before them.
    fn read(&mut self, graph: &Graph, value: ValueId, readers: &[usize], seen: &mut [bool]) {
        let mut ahead = vec![value];
        while let Some(value) = ahead.pop() {
            if std::mem::replace(&mut seen[value.index()], true) {
                continue;
            }
            let node = graph.node(value);
            match node.op {
                Op::Linear(Linear { weight, .. }) => {
                    self.layers.insert(weight);
                    // A layer that nobody else reads makes one linear map with it.
                    let before = node.inputs[0];
                    if matches!(graph.node(before).op, Op::Linear(_)) && readers[before.index()] == 1 {
                        ahead.push(before);
                    }
                }
                Op::Conv2d(_) | Op::Tensor(TensorOp::ConvTranspose(_)) => {}
                _ => ahead.extend(&node.inputs),
            }
        }
    }
}

/// The softmax that a value is, in whatever order its elements are read.
fn softmax(graph: &Graph, value: ValueId) -> Option<(ValueId, Axis)> {
    let value = behind_views(graph, value);
    match graph.node(value).op {
        Op::Tensor(TensorOp::Softmax(Softmax { axis })) => Some((value, axis)),
        _ => None,
    }
}

fn behind_views(graph: &Graph, mut value: ValueId) -> ValueId {
    while let Op::Tensor(TensorOp::Rearrange(_)) = graph.node(value).op {
        value = graph.node(value).inputs[0];
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(arch: &str) -> (usize, Vec<String>) {
        let name = if arch.starts_with('h') { "flexibert" } else { "autoformer-tiny" };
        let space = swapnas_spaces::by_name(name).unwrap();
        let arch = space.parse(arch).unwrap();
        let graph = space.network(&arch, &space.scored_network()).unwrap();
        let found = Attention::of(&graph);
        let names = found.layers.iter().map(|id| graph.param(*id).name.replace(".weight", ""));
        (found.weights.len(), names.map(|name| name.replace("encoder.layer.", "")).collect())
    }

    #[test]
    fn layers_of_attention_make_queries_keys_and_values_and_read_what_is_mixed() {
        let (weights, found) = layers("h128:WMA/4/512x1:DCT/2/512x1");
        assert_eq!(weights, 1);
        let names = ["", ".query", ".key", ".value"].map(|name| format!("0.operation.operation{name}"));
        for name in &names {
            assert!(found.contains(name), "{name} in {found:?}");
        }
        assert!(found.contains(&"0.operation.output.dense".to_owned()));
        assert_eq!(found.len(), 5, "{found:?}");
        // What all of them read is none of theirs.
        assert_eq!(layers("h256:SDP/4/512x1:DCT/2/512x1").1.len(), 4);
        // A transform is no attention; of a dynamic convolution, a softmax makes the kernels as well.
        assert_eq!(layers("h128:DFT/4/512x1:DCT/2/512x1"), (0, Vec::new()));
        let (weights, found) = layers("h128:DSC5/4/512x1:DCT/2/512x1");
        assert_eq!((weights, found.len()), (2, 6), "{found:?}");
        // What depends on places is added to what is mixed.
        let (weights, found) = layers(&format!("e192{}", "-m4h3".repeat(12)));
        assert_eq!((weights, found.len()), (12, 24), "{found:?}");
        for block in 0..12 {
            for name in ["qkv", "proj"] {
                let name = format!("blocks.{block}.attn.{name}");
                assert!(found.contains(&name), "{name} in {found:?}");
            }
        }
    }
}
