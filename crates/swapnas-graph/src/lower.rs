//! What a graph comes down to, before anybody decides where values lie: what is to be computed at all, and who reads it.
//! What the kernels do at a node, its operator says ([`Lowered`]).
//!
//! The executor's [`Plan`](crate::Plan) and the [`GradientPlan`](crate::grad::GradientPlan) are made of the same
//! [`Lowering`]. The one fuses steps and lets values share memory, the other keeps values for the way back.

use crate::op::Lowered;
use crate::tensor::TensorOp;
use crate::{Graph, Key, Node, Op, Shape, ValueId};

/// What somebody wants to know of a network.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// The signs of all ReLUs.
    pub signs: bool,
    /// Values to be kept.
    pub values: Vec<ValueId>,
}

/// A ReLU of a network, or another [gate](crate::Activation::is_gate): a distinct value, however many modules compute
/// it.
#[derive(Clone, Debug)]
pub struct Relu {
    /// Its value in the graph.
    pub value: ValueId,
    /// Its expression: equal in all networks that compute the same from the same weights.
    pub key: Key,
    /// Shape of its value.
    pub shape: Shape,
    /// How many ReLU modules of the network have this value.
    pub modules: usize,
}

/// What is to be known of a graph to plan it.
pub(crate) struct Lowering {
    /// Expression of every value.
    pub keys: Vec<Key>,
    /// The ReLUs whose signs are wanted, in order of their values.
    pub relus: Vec<Relu>,
    /// Which values are computed, or have their signs captured.
    live: Vec<bool>,
    /// Which values somebody reads or wants: all live ones but for ReLUs of which the signs are all that matters.
    pub read: Vec<bool>,
    /// Which values are wanted.
    pub kept: Vec<bool>,
    /// Who reads every value, of those that are live; a reader twice if it reads twice.
    pub readers: Vec<Vec<ValueId>>,
}

impl Lowering {
    /// Goes back from what is wanted, and from `roots`, to all that it takes.
    pub(crate) fn new(graph: &Graph, want: &Want, roots: &[ValueId]) -> Self {
        let count = graph.nodes().len();
        let keys = keys(graph);
        let relus = if want.signs { relus(graph, &keys) } else { Vec::new() };
        let mut kept = vec![false; count];
        for value in &want.values {
            kept[value.index()] = true;
        }
        let mut read = kept.clone();
        for value in roots {
            read[value.index()] = true;
        }
        let mut live = read.clone();
        for relu in &relus {
            live[relu.value.index()] = true;
        }
        let mut readers = vec![Vec::new(); count];
        for index in (0..count).rev() {
            if live[index] {
                for input in &graph.nodes()[index].inputs {
                    live[input.index()] = true;
                    read[input.index()] = true;
                    readers[input.index()].push(ValueId(index as u32));
                }
            }
        }
        Lowering { keys, relus, live, read, kept, readers }
    }

    /// The place of a value among the ReLUs whose signs are wanted.
    pub(crate) fn relu(&self, value: ValueId) -> Option<usize> {
        self.relus.binary_search_by_key(&value, |relu| relu.value).ok()
    }

    /// The live values but for the batch, in an order in which they can be computed.
    pub(crate) fn values(&self) -> impl Iterator<Item = ValueId> + use<> {
        let live: Vec<u32> = (1..self.live.len() as u32).filter(|index| self.live[*index as usize]).collect();
        live.into_iter().map(ValueId)
    }
}

impl Graph {
    /// What the kernels do at a node.
    pub(crate) fn lowered(&self, value: ValueId) -> Lowered {
        let Node { op, inputs, shape } = self.node(value);
        op.lowered(value, inputs.first().map_or(*shape, |input| self.shape(*input)))
    }

    /// The operation of a value that is computed as [`Work::Tensor`](crate::op::Work::Tensor).
    pub(crate) fn tensor_op(&self, value: ValueId) -> &TensorOp {
        match &self.node(value).op {
            Op::Tensor(op) => op,
            other => unreachable!("a {} has a step of its own kind", other.name()),
        }
    }
}

fn relus(graph: &Graph, keys: &[Key]) -> Vec<Relu> {
    let values = graph.relu_values();
    let relu =
        |&value: &ValueId| Relu { value, key: keys[value.index()], shape: graph.shape(value), modules: 0 };
    let mut relus: Vec<Relu> = values.iter().map(relu).collect();
    for module in graph.relus() {
        if let Ok(place) = values.binary_search(&module.output) {
            relus[place].modules += 1;
        }
    }
    relus
}

/// The key of every value: what is computed, from what, with which parameters.
pub(crate) fn keys(graph: &Graph) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs: Vec<u64> = node.inputs.iter().map(|v| keys[v.index()].0).collect();
        let params: Vec<u64> = node.op.params().map(|p| graph.param(p).key.0).collect();
        let Node { op, shape, .. } = node;
        keys.push(Key::of((op.name(), op.attributes(), shape, inputs, params)));
    }
    keys
}
