//! What passes take of memory, found out before they are made.

use swapnas_lanes::SAMPLES;
use swapnas_lanes::kernels::winograd_gradient;

use super::backpropagation::{readers, useful};
use super::plan::{Convolution, GradientPlan, Step, View};
use super::{Elements, Wanted, jobs};
use crate::op::{Pooling, Work};
use crate::tensor::TensorOp;
use crate::{Op, ValueId};

/// What passes over a plan take of memory besides images and weights, in bytes: bounds that are not far from the
/// truth.
#[derive(Clone, Copy, Debug)]
pub struct Footprint<'t> {
    plan: &'t GradientPlan,
    samples: usize,
    number: usize,
    threads: usize,
}

/// Weights in the order of a kernel take up to 16/9 of their memory.
const PACKED: usize = 2;

impl GradientPlan {
    /// What passes over so many samples take with numbers of so many bytes, if so many threads do the work of one.
    pub fn footprint(&self, samples: usize, number: usize, threads: usize) -> Footprint<'_> {
        Footprint { plan: self, samples, number, threads }
    }
}

impl Footprint<'_> {
    /// A forward pass, as long as it is there.
    pub fn forward(&self) -> usize {
        let slots = sum(self.plan.slots.iter().skip(1).map(|slot| slot.elements()));
        let most = self.plan.steps.iter().map(|step| match step {
            Step::Normalise(_) => 0,
            Step::Convolve(of) => self.band(of),
            Step::Compute { work, sources, out } => self.forward_room(*work, sources, *out),
        });
        let rooms = most.max().unwrap_or(0);
        let packed = self.largest_param().saturating_mul(PACKED).saturating_mul(self.number);
        add([self.blocks_of(slots), self.normalisations(5), self.rooms(rooms), packed])
    }

    /// A way back from a value, or from the first output if there is none, besides the forward pass.
    pub fn back(&self, from: Option<ValueId>, wanted: &Wanted, by_sample: bool) -> usize {
        let params = wanted.params != Elements::None;
        let kept = |values: &[ValueId]| -> Vec<usize> {
            values.iter().filter_map(|value| Some(self.plan.node_of(self.plan.view(*value)?))).collect()
        };
        let (values, products) = (kept(&wanted.values), kept(&wanted.products));
        let flows = self.flows(from, params, values.iter().chain(&products));
        let graph = self.plan.graph();
        let all = graph.params().iter().map(|param| param.len()).fold(0, usize::saturating_add);
        // Turned and packed weights, and gradients of the layer and of bands.
        let bands = if self.threads > 1 { jobs::at_once(self.threads) } else { 1 };
        let layers = match (wanted.params, by_sample) {
            (Elements::All, true) => self.blocks().saturating_add(bands).saturating_mul(SAMPLES),
            (Elements::All, false) => 1 + bands,
            _ => 0,
        };
        let layer = self.largest_param().saturating_mul(layers.saturating_add(1 + PACKED));
        // Gradients of single samples, which some operations take in any case; those of shared parameters wait for others.
        let waiting =
            if params { self.params_by_sample(by_sample).saturating_mul(SAMPLES * self.blocks()) } else { 0 };
        // As lanes of a block, as numbers, and as zeros where they are not there.
        let of_value = |size: usize| size.saturating_mul(self.samples).saturating_mul(2 * size_of::<f64>());
        let size = |value: &ValueId| graph.shape(*value).elements();
        let values = wanted.values.iter().map(|value| of_value(size(value)));
        let starts = from.iter().chain(graph.outputs().first()).take(1).map(|value| of_value(size(value)));
        let products = wanted.products.iter().map(|value| of_value(graph.shape(*value).channels));
        let rooms = self.back_rooms(by_sample).saturating_add(if wanted.products.is_empty() {
            0
        } else {
            self.largest_slot()
        });
        add([
            // Gradients grow towards the image, and those that are free but too small stay where they are: half as
            // much again, where it was measured.
            self.blocks_of(flows.saturating_add(flows / 2)),
            all.saturating_add(layer).saturating_add(waiting).saturating_mul(self.number),
            sum(values.chain(starts).chain(products)),
            self.normalisations(5),
            self.rooms(rooms),
        ])
    }

    /// Tangents along a direction, and the way back with them, besides the forward pass.
    pub fn along(&self) -> usize {
        let slots = sum(self.plan.slots.iter().skip(1).map(|slot| slot.elements()));
        let back = self.back(None, &Wanted::params(), false);
        add([self.blocks_of(slots), back.saturating_mul(2), self.normalisations(10)])
    }

    /// A value of the plan, as [`Pass::value`](super::Pass::value) gives it.
    pub fn value(&self, value: ValueId) -> usize {
        let elements = self.plan.graph().shape(value).elements();
        add([elements.saturating_mul(self.samples).saturating_mul(size_of::<f64>()), self.rooms(elements)])
    }

    fn blocks(&self) -> usize {
        self.samples.div_ceil(SAMPLES)
    }

    fn largest_param(&self) -> usize {
        self.plan.graph().params().iter().map(|param| param.len()).max().unwrap_or(0)
    }

    /// Elements of the largest parameter of an operation that is no layer, and of all that several operations read.
    fn params_by_sample(&self, by_sample: bool) -> usize {
        let graph = self.plan.graph();
        let ops = graph.nodes().iter().filter_map(|node| match &node.op {
            Op::Tensor(op) => Some(op),
            _ => None,
        });
        let largest = ops.map(|op| self.gradients_of(op, by_sample)).max().unwrap_or(0);
        sum(self.plan.shared.iter().map(|param| graph.param(*param).len())).saturating_add(largest)
    }

    /// Elements of the parameters of an operation, if their gradients are taken by sample. Those of a table are added up
    /// at once unless single samples are asked for.
    fn gradients_of(&self, op: &TensorOp, by_sample: bool) -> usize {
        if matches!(op, TensorOp::Embedding(_)) && !by_sample {
            return 0;
        }
        sum(op.params().into_iter().flatten().map(|id| self.plan.graph().param(id).len()))
    }

    fn largest_slot(&self) -> usize {
        self.plan.slots.iter().map(|slot| slot.elements()).max().unwrap_or(0)
    }

    /// Bytes of so many lanes for each block.
    fn blocks_of(&self, lanes: usize) -> usize {
        self.bytes(lanes).saturating_mul(self.blocks())
    }

    /// Bytes of so many lanes on every thread.
    fn rooms(&self, lanes: usize) -> usize {
        self.bytes(lanes).saturating_mul(self.threads)
    }

    fn bytes(&self, lanes: usize) -> usize {
        lanes.saturating_mul(SAMPLES * self.number)
    }

    /// So many lanes for each channel that is normalised, and numbers in double precision for each sample.
    fn normalisations(&self, lanes: usize) -> usize {
        let channels = sum(self.plan.norms.iter().map(|norm| self.plan.slots[norm.slot].channels));
        add([
            self.blocks_of(channels.saturating_mul(lanes)),
            channels.saturating_mul(self.samples).saturating_mul(24),
        ])
    }

    /// Lanes that a band of a convolution reads and writes, at least: rows beneath a window.
    fn band(&self, of: &Convolution) -> usize {
        let (input, output) = (self.plan.slots[of.source.slot], self.plan.slots[of.out]);
        let width = of.window.reach(1, &(0..output.width)).len().max(input.width).max(output.width);
        let rows = of.window.reach(0, &(0..2)).len().max(2);
        let channels = input.channels.saturating_add(output.channels);
        channels.saturating_mul(width).saturating_mul(rows).saturating_mul(2).max(1 << 15)
    }

    /// Lanes that gradients of weights are found in, if they are by Winograd's algorithm.
    fn products(&self, of: &Convolution) -> usize {
        let (input, output) = (self.plan.slots[of.source.slot], self.plan.slots[of.out]);
        let channels = [input.channels, output.channels];
        // An odd row is left to others.
        let size = [output.height / 2 * 2, output.width];
        let takes = of.groups == 1 && winograd_gradient::takes(&of.window, channels, size);
        if takes { winograd_gradient::room(channels) } else { 0 }
    }

    fn padded(&self, source: View, pooling: &Pooling, out: usize) -> usize {
        pooling.padded(self.plan.layout(source.slot), self.plan.layout(out)).lanes()
    }

    fn forward_room(&self, work: Work, sources: &[View], out: usize) -> usize {
        let lanes = |view: &View| self.plan.slots[view.slot].elements();
        match work {
            Work::Zero | Work::Concat => 0,
            Work::Combine => {
                if sources.iter().any(|source| source.activation.is_some()) {
                    self.plan.slots[out].elements()
                } else {
                    0
                }
            }
            Work::Pool(pooling) => self.padded(sources[0], &pooling, out),
            Work::Mean | Work::Slice { .. } => lanes(&sources[0]),
            Work::Multiply => sum(sources.iter().map(lanes)),
            Work::Tensor(value) => {
                sum(sources.iter().map(lanes)).saturating_add(self.plan.graph().tensor_op(value).room())
            }
        }
    }

    /// Lanes that steps take on the way back.
    fn back_rooms(&self, by_sample: bool) -> usize {
        let plan = self.plan;
        let of_step = |step: &Step| match step {
            // The gradient that is taken through the normalisation, if a convolution does not take it.
            Step::Normalise(norm) => match plan.norms[*norm].slot {
                slot if plan.is_convolved(slot) => 0,
                slot => plan.slots[slot].elements(),
            },
            Step::Convolve(of) => {
                self.band(of).saturating_mul(2).saturating_add(if by_sample { 0 } else { self.products(of) })
            }
            Step::Compute { work: Work::Pool(pooling), sources, out } => {
                2 * self.padded(sources[0], pooling, *out)
            }
            Step::Compute { work, sources, out } => {
                // The gradients of an operation's parameters, twice while they are put together.
                let params = match work {
                    Work::Tensor(value) => {
                        self.gradients_of(plan.graph().tensor_op(*value), by_sample).saturating_mul(2)
                    }
                    _ => 0,
                };
                let room = self.forward_room(*work, sources, *out).saturating_add(params);
                room.saturating_add(plan.slots[*out].elements())
            }
        };
        plan.steps.iter().map(of_step).max().unwrap_or(0)
    }

    /// The most lanes of gradients that are on their way at a time, for each block.
    fn flows<'n>(
        &self,
        from: Option<ValueId>,
        params: bool,
        wanted: impl Iterator<Item = &'n usize>,
    ) -> usize {
        let plan = self.plan;
        let from = from.or_else(|| plan.graph().outputs().first().copied());
        let Some(view) = from.and_then(|value| plan.view(value)) else { return 0 };
        let useful = useful(plan, params, wanted);
        let readers = readers(plan, plan.node_of(view), &useful);
        let arrived = vec![None; plan.nodes()];
        let mut flows = Flows { plan, useful, readers, arrived, lanes: Vec::new(), live: 0, most: 0 };
        let start = flows.begin(view.slot);
        flows.push(view, true, start);
        flows.release(start);
        for step in plan.steps.iter().rev() {
            flows.step(step);
        }
        flows.most
    }
}

/// Gradients under way, as a way back moves them: which buffers there are, and who holds them.
struct Flows<'t> {
    plan: &'t GradientPlan,
    useful: Vec<bool>,
    readers: Vec<usize>,
    /// The buffer that has arrived at each node.
    arrived: Vec<Option<usize>>,
    /// Lanes of each buffer, and how many hold it.
    lanes: Vec<(usize, usize)>,
    live: usize,
    most: usize,
}

impl Flows<'_> {
    fn begin(&mut self, slot: usize) -> usize {
        let lanes = self.plan.slots[slot].elements();
        self.lanes.push((lanes, 1));
        self.live = self.live.saturating_add(lanes);
        self.most = self.most.max(self.live);
        self.lanes.len() - 1
    }

    fn release(&mut self, buffer: usize) {
        let (lanes, holders) = &mut self.lanes[buffer];
        *holders -= 1;
        if *holders == 0 {
            self.live = self.live.saturating_sub(*lanes);
        }
    }

    fn set(&mut self, node: usize, buffer: usize) {
        self.lanes[buffer].1 += 1;
        self.arrived[node] = Some(buffer);
    }

    /// Adds to the gradient of a node.
    fn open(&mut self, node: usize) {
        let buffer = match self.arrived[node] {
            Some(own) if self.lanes[own].1 == 1 => own,
            shared => {
                let copy = self.begin(self.plan.slot_of(node));
                shared.into_iter().for_each(|shared| self.release(shared));
                copy
            }
        };
        self.arrived[node] = Some(buffer);
    }

    fn push(&mut self, view: View, passes: bool, buffer: usize) {
        let node = self.plan.node_of(view);
        if !self.useful[node] {
            return;
        }
        if passes && view.activation.is_none() && self.readers[node] == 1 {
            self.set(node, buffer);
        } else {
            self.open(node);
        }
    }

    fn step(&mut self, step: &Step) {
        let plan = self.plan;
        let node = step.node(plan);
        let Some(buffer) = self.arrived[node].take() else { return };
        if self.useful[node] {
            match step {
                Step::Normalise(norm) => {
                    let slot = plan.norms[*norm].slot;
                    if self.useful[slot] && self.readers[slot] == 1 && (slot == 0 || plan.is_convolved(slot))
                    {
                        self.set(slot, buffer);
                    } else {
                        self.push(View::plain(slot), false, buffer);
                    }
                }
                Step::Convolve(of) => {
                    let source = plan.node_of(of.source);
                    if self.useful[source] {
                        self.open(source);
                    }
                }
                Step::Compute { work, sources, .. } => {
                    for source in sources {
                        self.push(*source, matches!(work, Work::Combine), buffer);
                    }
                }
            }
        }
        self.release(buffer);
    }
}

fn add<const N: usize>(parts: [usize; N]) -> usize {
    sum(parts.into_iter())
}

fn sum(parts: impl Iterator<Item = usize>) -> usize {
    parts.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests;
