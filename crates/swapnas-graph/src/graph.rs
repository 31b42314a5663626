use std::collections::HashSet;

use crate::tensor::{Embedding, TensorOp};
use crate::{Activation, Key, Op, ParamId, Shape, ValueId};

/// One operation with its inputs and the shape of its result.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From which values.
    pub inputs: Vec<ValueId>,
    /// Shape of the result for one sample.
    pub shape: Shape,
}

/// What a parameter is to its layer; initialisations treat each kind its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// Weights of a convolution.
    ConvWeight,
    /// Bias of a convolution.
    ConvBias,
    /// Weights of a linear layer.
    LinearWeight,
    /// Bias of a linear layer.
    LinearBias,
    /// Scale of a normalisation.
    NormWeight,
    /// Shift of a normalisation.
    NormBias,
    /// Rows of an embedding.
    Embedding,
    /// What belongs to no layer: a position embedding, a class token, a scale.
    Free,
}

/// A named tensor of numbers that a network learns.
#[derive(Clone, Debug)]
pub struct Param {
    /// Path of the module and name within it, as in a PyTorch `state_dict`.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// What it is to its layer.
    pub kind: ParamKind,
    /// Number of inputs that each output of the layer sums (`in / groups * rows * columns`). PyTorch has it the other way
    /// around for transposed convolutions, whose weights have inputs first, and so it is here.
    pub fan_in: usize,
    /// Number of outputs that each input of the layer reaches (`out / groups * rows * columns`).
    pub fan_out: usize,
    /// Names the parameter for the random numbers drawn for it. Unique within a graph.
    pub key: Key,
}

impl Param {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements, which no parameter of a built graph has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What kind of module a network calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleKind {
    /// Convolution, transposed or not.
    Conv,
    /// Fully connected layer.
    Linear,
    /// Batch normalisation.
    BatchNorm,
    /// Activation function.
    Act(Activation),
    /// Average pool.
    AvgPool,
    /// Max pool.
    MaxPool,
    /// Mean over all pixels.
    GlobalAvgPool,
    /// Normalisation of each sample by itself: layer, group, instance or RMS normalisation.
    SampleNorm,
    /// Embedding.
    Embedding,
    /// A module made of others: an operation, a cell, a block.
    Container,
}

/// One call of a module, in order of execution.
///
/// Two modules may share one value: ReLUs of the same value are computed once, but each is listed.
#[derive(Clone, Debug)]
pub struct Module {
    /// Path, as PyTorch names it.
    pub name: String,
    /// What it is.
    pub kind: ModuleKind,
    /// What it reads.
    pub input: ValueId,
    /// What it returns.
    pub output: ValueId,
}

/// A neural network: operations in topological order, parameters, and the modules it is made of.
///
/// Built by [`GraphBuilder`](crate::GraphBuilder), which infers shapes and merges common
/// subexpressions.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) params: Vec<Param>,
    pub(crate) modules: Vec<Module>,
    pub(crate) outputs: Vec<ValueId>,
}

impl Graph {
    /// All nodes; the inputs of each come before it. Node 0 is the input.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All values with the nodes that compute them, in the same order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (ValueId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (ValueId(index as u32), node))
    }

    /// The node that computes a value.
    pub fn node(&self, value: ValueId) -> &Node {
        &self.nodes[value.index()]
    }

    /// The shape of a value for one sample.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.node(value).shape
    }

    /// All parameters in the order in which they were made, used or not.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The parameters by their ids, in the same order.
    pub fn param_ids(&self) -> impl ExactSizeIterator<Item = ParamId> + use<> {
        (0..self.params.len()).map(|index| ParamId(index as u32))
    }

    /// One parameter.
    pub fn param(&self, id: ParamId) -> &Param {
        &self.params[id.index()]
    }

    /// The parameters that several operations read.
    pub fn shared_params(&self) -> HashSet<ParamId> {
        let mut known = HashSet::new();
        self.nodes.iter().flat_map(|node| node.op.params()).filter(|param| !known.insert(*param)).collect()
    }

    /// All module calls in order of execution.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The image.
    pub fn input(&self) -> ValueId {
        ValueId(0)
    }

    /// How many different tokens it knows, if it reads texts: the rows of its smallest table of embeddings. What it takes
    /// are numbers below that then.
    pub fn vocabulary(&self) -> Option<usize> {
        let mut reads_tokens = vec![false; self.nodes.len()];
        reads_tokens[self.input().index()] = true;
        let mut rows = None;
        for (value, node) in self.values() {
            let of_tokens = node.inputs.first().is_some_and(|input| reads_tokens[input.index()]);
            match &node.op {
                Op::Tensor(TensorOp::Rearrange(_) | TensorOp::Pick(_)) => {
                    reads_tokens[value.index()] |= of_tokens
                }
                Op::Tensor(TensorOp::Embedding(Embedding { table })) if of_tokens => {
                    let own = self.param(*table).shape[0];
                    rows = Some(rows.map_or(own, |rows: usize| rows.min(own)));
                }
                _ => {}
            }
        }
        rows
    }

    /// The values that the network returns.
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// The calls of ReLUs and other [gates](Activation::is_gate) in order of execution, the repeated ones included.
    pub fn relus(&self) -> impl Iterator<Item = &Module> {
        self.modules.iter().filter(|m| matches!(m.kind, ModuleKind::Act(act) if act.is_gate()))
    }

    /// The values of all ReLUs, each once, in order of execution.
    pub fn relu_values(&self) -> Vec<ValueId> {
        let mut values: Vec<ValueId> = self.relus().map(|m| m.output).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}
