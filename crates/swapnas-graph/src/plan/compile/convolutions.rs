//! Convolutions that are done in one step, and by which algorithm.

use std::collections::HashMap;

use swapnas_lanes::kernels::convolution::Algorithm;
use swapnas_lanes::kernels::window::Window;

use super::{Compiler, whole};
use crate::plan::{Slot, Source, Step, StepWork, Target};
use crate::{Conv2d, Graph, Key, Node, Op, ValueId};

/// Convolutions that are done in one step.
#[derive(Default)]
pub(super) struct Families {
    all: Vec<Vec<ValueId>>,
    /// Which of them a convolution is in.
    of: HashMap<ValueId, usize>,
}

impl Compiler<'_> {
    /// The convolutions that are done in one step with this one, itself included: those that read the
    /// same through the same window by the same algorithm, and whose results need not lie elsewhere. The
    /// source is then read once, and whatever is pending on it need not be written to memory.
    pub(super) fn siblings(&self, value: ValueId) -> &[ValueId] {
        self.families.of.get(&value).map_or(&[], |family| &self.families.all[*family])
    }

    /// Finds all siblings.
    pub(super) fn families(&self) -> Families {
        let mut families = Families::default();
        let mut known: HashMap<(crate::Window, Algorithm), usize> = HashMap::new();
        for readers in self.lowering.readers.iter().filter(|readers| readers.len() > 1) {
            known.clear();
            for &value in readers {
                let Some(how) = self.can_have_siblings(value) else { continue };
                let family = *known.entry(how).or_insert_with(|| {
                    families.all.push(Vec::new());
                    families.all.len() - 1
                });
                families.all[family].push(value);
                families.of.insert(value, family);
            }
        }
        families
    }

    /// Through which window and by which algorithm a convolution is done that may have siblings.
    fn can_have_siblings(&self, value: ValueId) -> Option<(crate::Window, Algorithm)> {
        match self.graph.node(value).op {
            Op::Conv2d(Conv2d { window, groups: 1, bias: None, .. })
                if self.part_of(value).is_none()
                    && self.fused_into(value).is_none()
                    && self.fused_from(value).is_none()
                    && !self.lowering.kept[value.index()] =>
            {
                Some((window, self.algorithm(value)))
            }
            _ => None,
        }
    }

    /// Adds a step for sibling convolutions, whose results are parts of one slot.
    pub(super) fn convolve_together(&mut self, siblings: &[ValueId]) {
        let first = self.graph.node(siblings[0]);
        let source = self.read(first.inputs[0]);
        let keys: Vec<u64> = siblings.iter().map(|value| self.lowering.keys[value.index()].0).collect();
        let (mut weights, mut channels) = (Vec::new(), 0);
        let slot = self.draft.slots.len();
        let mut window = Window::POINT;
        for &value in siblings {
            let Node { op: Op::Conv2d(Conv2d { window: its, weight, .. }), shape, .. } =
                self.graph.node(value)
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
        let work = StepWork::Convolve { source, window, algorithm, groups: 1, weights, bias: None };
        let target = Some(Target { slot, channels: 0..channels });
        self.draft.steps.push(Step { value: siblings[0], work, target });
    }

    /// How a convolution is done, with others or alone.
    pub(super) fn algorithm(&self, value: ValueId) -> Algorithm {
        let Node { op: Op::Conv2d(Conv2d { window, groups, bias, .. }), inputs, shape } =
            self.graph.node(value)
        else {
            return Algorithm::Dense;
        };
        let channels = [self.graph.shape(inputs[0]).channels, shape.channels];
        let size = [shape.height, shape.width];
        Algorithm::fastest(&window.for_lanes(), *groups, channels, size, bias.is_some())
    }

    /// The 1x1 convolution that is the only reader of a depthwise convolution.
    pub(super) fn fused_into(&self, value: ValueId) -> Option<ValueId> {
        let [reader] = self.lowering.readers[value.index()][..] else { return None };
        let Op::Conv2d(Conv2d { bias: None, .. }) = self.graph.node(value).op else { return None };
        let Op::Conv2d(Conv2d { window, groups: 1, .. }) = self.graph.node(reader).op else { return None };
        let fits = depthwise(self.graph, value)
            && window == crate::Window::square(1)
            && !self.lowering.kept[value.index()];
        fits.then_some(reader)
    }

    pub(super) fn fused_from(&self, value: ValueId) -> Option<ValueId> {
        let input = *self.graph.node(value).inputs.first()?;
        (self.fused_into(input) == Some(value)).then_some(input)
    }
}

pub(super) fn depthwise(graph: &Graph, value: ValueId) -> bool {
    let node = graph.node(value);
    let Op::Conv2d(Conv2d { groups, .. }) = node.op else { return false };
    let channels = graph.shape(node.inputs[0]).channels;
    groups == channels && node.shape.channels == channels && channels > 1
}
