//! What is to be done to run a graph: steps, the slots they fill, and when memory can be used again.

mod compile;
mod places;

use std::ops::Range;
use std::sync::Arc;

use swapnas_lanes::kernels::convolution::Algorithm;
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Layout, SAMPLES};

use crate::lower::{Relu, keys};
use crate::op::Work;
use crate::{Activation, Epsilon, Graph, Key, Param, ParamId, Shape, ValueId};

/// A graph made ready to run.
///
/// Only what is wanted is computed. A value is materialised in a slot when a kernel has to write it;
/// normalisations and activations are not: they stay pending and are applied by whoever reads the
/// value, unless several readers need the same.
#[derive(Clone, Debug)]
pub struct Plan {
    graph: Arc<Graph>,
    pub(crate) steps: Vec<Step>,
    pub(crate) slots: Vec<Slot>,
    /// Lanes for one block of the memory that all slots lie in.
    pub(crate) lanes: usize,
    pub(crate) affines: Vec<Normalisation>,
    pub(crate) relus: Vec<Relu>,
    /// The wanted values and where they are.
    pub(crate) kept: Vec<(ValueId, SlotId)>,
}

impl Plan {
    /// The ReLUs whose signs are captured.
    pub fn relus(&self) -> &[Relu] {
        &self.relus
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Lanes of all values for one block of samples, where values that are not needed at the same time
    /// share their place: what a run needs, but for scratch rows.
    pub fn lanes_per_block(&self) -> usize {
        self.lanes
    }

    /// Bytes that weights take during a run with numbers of so many bytes: a parameter as it is drawn, those of a
    /// step put together, and the same in the order of its kernel, or as lanes. The next step uses the memory again, but
    /// for each order there is memory of its own.
    pub fn bytes_of_weights(&self, number: usize) -> usize {
        let len = |id: &ParamId| self.graph.param(*id).len();
        let drawn = self.graph.params().iter().map(Param::len).max().unwrap_or(0);
        let (mut together, mut dense, mut winograd, mut lanes) = (0, 0, 0, 0usize);
        for step in &self.steps {
            let (algorithm, weights) = match &step.work {
                StepWork::Convolve { algorithm, weights, .. } => (*algorithm, weights.as_slice()),
                StepWork::Depthwise { pointwise: Some((weight, _)), .. } => {
                    (Algorithm::Dense, std::slice::from_ref(weight))
                }
                StepWork::Compute { work: Work::Tensor(value), .. } => {
                    let op = self.graph.tensor_op(*value);
                    let params = op.params().into_iter().flatten();
                    together = params.map(|id| len(&id)).fold(0, usize::saturating_add).max(together);
                    lanes = op.room().saturating_mul(SAMPLES).max(lanes);
                    continue;
                }
                _ => continue,
            };
            let all = weights.iter().map(len).fold(0, usize::saturating_add);
            let packed = if algorithm == Algorithm::Winograd { &mut winograd } else { &mut dense };
            *packed = algorithm.packed(all).max(*packed);
            together = all.max(together);
        }
        let numbers = [together, dense, winograd, lanes].into_iter().fold(0, usize::saturating_add);
        numbers.saturating_mul(number).saturating_add(drawn.saturating_mul(size_of::<f32>()))
    }

    /// The values that are materialised, by key: what a cache may keep for the next network.
    pub fn slot_keys(&self) -> impl Iterator<Item = Key> {
        self.slots.iter().map(|slot| slot.key)
    }
}

impl Graph {
    /// Names what the network and its modules compute from which parameters: with weights that depend on
    /// the parameters' keys alone, networks of equal keys give equal numbers, whatever is asked of them.
    pub fn key(&self) -> Key {
        let keys = keys(self);
        let outputs: Vec<Key> = self.outputs().iter().map(|value| keys[value.index()]).collect();
        let modules: Vec<_> =
            self.modules().iter().map(|module| (module.kind, keys[module.output.index()])).collect();
        Key::of((outputs, modules, self.params().len(), self.parameter_count()))
    }
}

pub(crate) type SlotId = usize;
pub(crate) type AffineId = usize;
pub(crate) type ReluId = usize;

/// A value that is written to memory.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// Shape without the halo.
    pub shape: Shape,
    /// Rows and columns of zeros around it, so that windows may reach there.
    pub halo: usize,
    /// Whether mean and variance of its channels are taken when it is written.
    pub moments: bool,
    /// The expression it is the value of.
    pub key: Key,
    /// Where it lies for one block, in lanes from the first, from the step that writes it first to the
    /// step that reads it last.
    pub place: usize,
}

impl Slot {
    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.shape.channels, self.shape.height, self.shape.width, self.halo)
    }

    /// Where it lies for `blocks` blocks.
    pub(crate) fn range(&self, blocks: usize) -> Range<usize> {
        blocks * self.place..blocks * (self.place + self.layout().lanes())
    }
}

/// A batch normalisation: scales and shifts made of the moments of a slot's channels.
#[derive(Clone, Debug)]
pub(crate) struct Normalisation {
    /// Its result in the graph.
    pub value: ValueId,
    pub slot: SlotId,
    pub channels: Range<usize>,
    pub params: Option<(ParamId, ParamId)>,
    pub epsilon: Epsilon,
}

/// A value as a step reads it: some channels of a slot, and what is pending on them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub slot: SlotId,
    pub channels: Range<usize>,
    pub affine: Option<AffineId>,
    pub activation: Option<Activation>,
    /// Set where this step is the one to capture the ReLU's signs.
    pub relu: Option<ReluId>,
}

/// Channels of a slot that a step writes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub slot: SlotId,
    pub channels: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The value that it computes, or the first of several.
    pub value: ValueId,
    pub work: StepWork,
    pub target: Option<Target>,
}

#[derive(Clone, Debug)]
pub(crate) enum StepWork {
    /// Convolution, or a linear layer; or several of one window that read the same, whose results lie
    /// one after the other.
    Convolve {
        source: Source,
        window: Window,
        algorithm: Algorithm,
        groups: usize,
        weights: Vec<ParamId>,
        bias: Option<ParamId>,
    },
    /// Depthwise convolution, and the 1x1 convolution that follows if it is the only reader.
    Depthwise {
        source: Source,
        window: Window,
        weight: ParamId,
        pointwise: Option<(ParamId, Option<ParamId>)>,
    },
    /// Everything else but joining and slicing, for which nothing is to be done. Nothing is pending on the sources of a
    /// mean and of an operation on whole blocks, nor on the second of a product.
    Compute { work: Work, sources: Vec<Source> },
    /// Takes signs and nothing else.
    Signs { source: Source },
}

impl StepWork {
    /// Writes a source with what is pending on it.
    fn sum(source: Source) -> Self {
        StepWork::Compute { work: Work::Combine, sources: vec![source] }
    }

    /// Everything that is read.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        let sources = match self {
            StepWork::Compute { sources, .. } => sources,
            StepWork::Convolve { source, .. }
            | StepWork::Depthwise { source, .. }
            | StepWork::Signs { source } => std::slice::from_ref(source),
        };
        sources.iter()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Conv, Epsilon, Graph, GraphBuilder, Key, Padding, Shape, Window};

    /// A network of one operation of every kind that has attributes.
    fn network(window: Window, groups: usize, start: usize, count_padding: bool, epsilon: Epsilon) -> Graph {
        let mut b = GraphBuilder::new(Shape::new(8, 9, 9));
        let x = b.input();
        let x = b.conv2d("conv", x, Conv { groups, ..Conv::new(8, Window::square(3)) }).unwrap();
        let x = b.max_pool("max", x, window).unwrap();
        let x = b.slice(x, start, 4).unwrap();
        let x = b.avg_pool("avg", x, Window::square(3), count_padding).unwrap();
        let x = b.batch_norm_with("norm", x, false, epsilon).unwrap();
        b.finish(&[x])
    }

    #[test]
    fn networks_that_compute_something_else_have_other_keys() {
        let square = Window::square(3);
        let usual = || network(square, 1, 0, true, Epsilon::default());
        assert_eq!(usual().key(), usual().key());
        let others = [
            network(Window { padding: Padding::same(0), ..square }, 1, 0, true, Epsilon::default()),
            network(
                Window { dilation: [2, 2], padding: Padding::same(2), ..square },
                1,
                0,
                true,
                Epsilon::default(),
            ),
            network(square, 2, 0, true, Epsilon::default()),
            network(square, 1, 1, true, Epsilon::default()),
            network(square, 1, 0, false, Epsilon::default()),
            network(square, 1, 0, true, Epsilon::new(1e-3).unwrap()),
            network(square, 1, 0, true, Epsilon::new(1e-2).unwrap()),
        ];
        let mut keys: Vec<Key> = others.iter().map(Graph::key).collect();
        keys.push(usual().key());
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "network {index}");
        }
    }
}
