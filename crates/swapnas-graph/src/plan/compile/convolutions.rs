//! Convolutions that are done in one step, and by which algorithm.

use swapnas_lanes::kernels::convolution::Algorithm;
use swapnas_lanes::kernels::window::Window;

use super::{Compiler, whole};
use crate::plan::{Slot, Source, Step, Target, Work};
use crate::{Graph, Key, Node, Op, ValueId};

impl Compiler<'_> {
    /// The convolutions that are done in one step with this one, itself included: those that read the
    /// same through the same window by the same algorithm, and whose results need not lie elsewhere. The
    /// source is then read once, and whatever is pending on it need not be written to memory.
    pub(super) fn siblings(&self, value: ValueId) -> Vec<ValueId> {
        let can_be = |value: ValueId| match self.graph.node(value).op {
            Op::Conv2d { window, groups: 1, bias: None, .. }
                if self.part_of(value).is_none()
                    && self.fused_into(value).is_none()
                    && self.fused_from(value).is_none()
                    && !self.want.values.contains(&value) =>
            {
                Some((window, self.algorithm(value)))
            }
            _ => None,
        };
        let Some(how) = can_be(value) else { return Vec::new() };
        let input = self.graph.node(value).inputs[0];
        let readers = self.readers[input.index()].iter().copied();
        readers.filter(|reader| can_be(*reader) == Some(how)).collect()
    }

    /// Adds a step for sibling convolutions, whose results are parts of one slot.
    pub(super) fn convolve_together(&mut self, siblings: &[ValueId]) {
        let first = self.graph.node(siblings[0]);
        let source = self.read(first.inputs[0]);
        let keys: Vec<u64> = siblings.iter().map(|value| self.keys[value.index()].0).collect();
        let (mut weights, mut channels) = (Vec::new(), 0);
        let slot = self.draft.slots.len();
        let mut window = Window::POINT;
        for &value in siblings {
            let Node { op: Op::Conv2d { window: its, weight, .. }, shape, .. } = self.graph.node(value)
            else {
                unreachable!("siblings are convolutions");
            };
            window = its.for_lanes();
            weights.push(*weight);
            let its_channels = channels..channels + shape.channels;
            channels = its_channels.end;
            self.at[value.index()] = Some(Source { channels: its_channels, ..whole(slot, channels) });
        }
        let shape = first.shape.with_channels(channels);
        let key = Key::of(("siblings", keys));
        self.draft.slots.push(Slot { shape, halo: 0, moments: false, key, place: 0 });
        let algorithm = self.algorithm(siblings[0]);
        let work = Work::Convolve { source, window, algorithm, groups: 1, weights, bias: None };
        self.draft.steps.push(Step { work, target: Some(Target { slot, channels: 0..channels }) });
    }

    /// How a convolution is done, with others or alone.
    pub(super) fn algorithm(&self, value: ValueId) -> Algorithm {
        let Node { op: Op::Conv2d { window, groups, bias, .. }, inputs, shape } = self.graph.node(value)
        else {
            return Algorithm::Dense;
        };
        let channels = [self.graph.shape(inputs[0]).channels, shape.channels];
        let size = [shape.height, shape.width];
        Algorithm::fastest(&window.for_lanes(), *groups, channels, size, bias.is_some())
    }

    /// The 1x1 convolution that is the only reader of a depthwise convolution.
    pub(super) fn fused_into(&self, value: ValueId) -> Option<ValueId> {
        let [reader] = self.readers[value.index()][..] else { return None };
        let Op::Conv2d { bias: None, .. } = self.graph.node(value).op else { return None };
        let Op::Conv2d { window, groups: 1, .. } = self.graph.node(reader).op else { return None };
        let fits = depthwise(self.graph, value)
            && window == crate::Window::square(1)
            && !self.want.values.contains(&value);
        fits.then_some(reader)
    }

    pub(super) fn fused_from(&self, value: ValueId) -> Option<ValueId> {
        let input = *self.graph.node(value).inputs.first()?;
        (self.fused_into(input) == Some(value)).then_some(input)
    }
}

pub(super) fn depthwise(graph: &Graph, value: ValueId) -> bool {
    let node = graph.node(value);
    let Op::Conv2d { groups, .. } = node.op else { return false };
    let channels = graph.shape(node.inputs[0]).channels;
    groups == channels && node.shape.channels == channels && channels > 1
}
