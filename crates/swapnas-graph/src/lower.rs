//! What a graph comes down to, before anybody decides where values lie: what is to be computed at all, who reads it, and
//! what the kernels do at each node.
//!
//! The executor's [`Plan`](crate::Plan) and the [`GradientPlan`](crate::grad::GradientPlan) are made of the same
//! [`Lowering`]. The one fuses steps and lets values share memory, the other keeps values for the way back.

use swapnas_lanes::Element;
use swapnas_lanes::kernels::pool::Pool;
use swapnas_lanes::kernels::window::Window;

use crate::magnitude::Magnitude;
use crate::tensor::TensorOp;
use crate::{Activation, Epsilon, Graph, Key, Node, Op, ParamId, Shape, ValueId};

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

/// What a node comes down to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lowered {
    /// The batch itself.
    Input,
    /// A batch normalisation, which stays pending on what it reads.
    Normalise { params: Option<(ParamId, ParamId)>, epsilon: Epsilon },
    /// An activation, which stays pending too.
    Activate(Activation),
    /// A convolution, or a linear layer, which is one of 1x1.
    Convolve { window: Window, groups: usize, weight: ParamId, bias: Option<ParamId> },
    /// Everything else.
    Compute(Work),
}

/// What is made of some values, block by block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Zero,
    /// The sum of the sources.
    Combine,
    Pool {
        window: Window,
        pool: Pool,
    },
    /// The mean over all pixels.
    Mean,
    /// The product of two sources; the second may be 1x1.
    Multiply,
    /// The sources one after the other.
    Concat,
    /// Channels from this one on.
    Slice {
        start: usize,
    },
    /// The operation of this value, on whole blocks.
    Tensor(ValueId),
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
        let Node { op, inputs, .. } = self.node(value);
        Lowered::Compute(match *op {
            Op::Input => return Lowered::Input,
            Op::BatchNorm { affine, epsilon } => return Lowered::Normalise { params: affine, epsilon },
            Op::Act(activation) => return Lowered::Activate(activation),
            Op::Conv2d { window, groups, weight, bias } => {
                return Lowered::Convolve { window: window.for_lanes(), groups, weight, bias };
            }
            Op::Linear { weight, bias } => {
                return Lowered::Convolve { window: Window::POINT, groups: 1, weight, bias };
            }
            Op::Zero => Work::Zero,
            Op::Add => Work::Combine,
            Op::MaxPool(window) => Work::Pool { window: window.for_lanes(), pool: Pool::Max },
            Op::AvgPool { window, count_padding } => {
                let Shape { height, width, .. } = self.shape(inputs[0]);
                let pool = if count_padding { Pool::MeanWithHalo } else { Pool::Mean { height, width } };
                Work::Pool { window: window.for_lanes(), pool }
            }
            Op::GlobalAvgPool => Work::Mean,
            Op::Mul => Work::Multiply,
            Op::Concat => Work::Concat,
            Op::Slice { start } => Work::Slice { start },
            Op::Tensor(_) => Work::Tensor(value),
        })
    }

    /// The operation of a value that is computed as [`Work::Tensor`].
    pub(crate) fn tensor_op(&self, value: ValueId) -> &TensorOp {
        match &self.node(value).op {
            Op::Tensor(op) => op,
            other => unreachable!("a {} has a step of its own kind", other.name()),
        }
    }
}

impl Lowered {
    /// Whether a kernel writes the value, and it is neither left pending nor part of others or made of them.
    pub(crate) fn is_written(&self) -> bool {
        match self {
            Lowered::Input | Lowered::Normalise { .. } | Lowered::Activate(_) => false,
            Lowered::Compute(work) => !matches!(work, Work::Concat | Work::Slice { .. }),
            Lowered::Convolve { .. } => true,
        }
    }

    /// The window through which it reads its input, if the value under the padding is zero.
    pub(crate) fn zero_padded_window(&self) -> Option<Window> {
        match *self {
            Lowered::Convolve { window, .. } => Some(window),
            Lowered::Compute(Work::Pool { window, pool }) => (pool != Pool::Max).then_some(window),
            _ => None,
        }
    }
}

impl Work {
    /// How large numbers of the result can be, given bounds of the sources, the image of the first of them, and the
    /// numbers of the parameters.
    pub(crate) fn magnitude<E: Element>(
        self,
        graph: &Graph,
        bounds: &[f64],
        [image, result]: [Shape; 2],
        params: [&[E]; 2],
    ) -> Magnitude {
        match self {
            Work::Zero => Magnitude::plain(0.0),
            Work::Combine => Magnitude::plain(bounds.iter().sum()),
            Work::Pool { window, pool } => Magnitude::pooled(bounds[0], &window, pool, image, result),
            Work::Mean => Magnitude::mean(bounds[0], image),
            Work::Multiply => Magnitude::plain(bounds.iter().product()),
            Work::Concat | Work::Slice { .. } => Magnitude::plain(bounds.iter().copied().fold(0.0, f64::max)),
            Work::Tensor(value) => graph.tensor_op(value).magnitude(bounds, params),
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
