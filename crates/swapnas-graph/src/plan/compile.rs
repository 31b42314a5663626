//! From graph to plan.

mod convolutions;

use std::ops::Range;
use std::sync::Arc;

use swapnas_lanes::kernels::window::Window;

use convolutions::{Families, depthwise};

use super::places::{self, Stay};
use super::{Normalisation, Plan, Slot, SlotId, Source, Step, StepWork, Target};
use crate::lower::{Lowering, Want};
use crate::op::{Lowered, Work};
use crate::{Graph, Node, Op, ValueId};

/// A halo is stored as long as it does not make a value more than this many times larger.
const MOST_HALO: usize = 3;

impl Plan {
    /// Plans the computation of what is wanted of a graph.
    pub fn new(graph: impl Into<Arc<Graph>>, want: &Want) -> Plan {
        let graph = graph.into();
        let mut compiler = Compiler::new(&graph, want);
        compiler.compile();
        let Draft { steps, slots, lanes, affines, kept } = compiler.draft;
        let relus = compiler.lowering.relus;
        Plan { graph, steps, slots, lanes, affines, relus, kept }
    }
}

/// The plan, but for the graph.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    slots: Vec<Slot>,
    lanes: usize,
    affines: Vec<Normalisation>,
    kept: Vec<(ValueId, SlotId)>,
}

struct Compiler<'a> {
    graph: &'a Graph,
    want: &'a Want,
    lowering: Lowering,
    /// The convolutions that are done together.
    families: Families,
    /// The channels of a concatenation before each value that is written right into one.
    before: Vec<usize>,
    /// Where the values are that have been planned.
    at: Vec<Option<Source>>,
    /// The slots of concatenations, made when their first part is.
    joined: Vec<Option<SlotId>>,
    draft: Draft,
}

impl<'a> Compiler<'a> {
    fn new(graph: &'a Graph, want: &'a Want) -> Self {
        let count = graph.nodes().len();
        let mut compiler = Compiler {
            graph,
            want,
            lowering: Lowering::new(graph, want, &[]),
            families: Families::default(),
            before: vec![0; count],
            at: vec![None; count],
            joined: vec![None; count],
            draft: Draft::default(),
        };
        compiler.families = compiler.families();
        compiler
    }

    fn compile(&mut self) {
        // Slot 0 is the batch itself.
        let input = self.graph.input();
        let slot = self.slot(input, 0);
        self.at[input.index()] = Some(whole(slot, self.graph.shape(input).channels));
        for value in self.lowering.values() {
            if self.at[value.index()].is_none() {
                self.node(value);
            }
        }
        for &value in &self.want.values {
            let source = self.plain(value);
            // A kept value has a slot of its own.
            let slot = if source.channels.len() == self.draft.slots[source.slot].shape.channels {
                source.slot
            } else {
                self.write(value, 0, StepWork::sum(source)).slot
            };
            self.draft.kept.push((value, slot));
        }
        assign_places(&mut self.draft);
    }

    fn node(&mut self, value: ValueId) {
        let graph = self.graph;
        let Node { inputs, shape, .. } = graph.node(value);
        let lowered = graph.lowered(value);
        let source = match lowered {
            Lowered::Input => unreachable!("only node 0 is the input"),
            Lowered::Convolve { window, groups, weight, bias } => {
                if self.fused_into(value).is_some() {
                    return; // The 1x1 convolution that reads it computes it as well.
                }
                let work = match self.fused_from(value) {
                    Some(depthwise) => {
                        let Lowered::Convolve { window, weight: first, .. } = graph.lowered(depthwise) else {
                            unreachable!("only a convolution is fused");
                        };
                        StepWork::Depthwise {
                            source: self.read(graph.node(depthwise).inputs[0]),
                            window,
                            weight: first,
                            pointwise: Some((weight, bias)),
                        }
                    }
                    None => {
                        let siblings = self.siblings(value).to_vec();
                        if siblings.len() > 1 {
                            return self.convolve_together(&siblings);
                        }
                        let source = self.read(inputs[0]);
                        if bias.is_none() && depthwise(graph, value) {
                            StepWork::Depthwise { source, window, weight, pointwise: None }
                        } else {
                            let (algorithm, weights) = (self.algorithm(value), vec![weight]);
                            StepWork::Convolve { source, window, algorithm, groups, weights, bias }
                        }
                    }
                };
                self.write(value, 0, work)
            }
            Lowered::Normalise { params, epsilon } => {
                let of = inputs[0];
                let mut source = self.plain(of);
                let whole_slot = source.channels.len() == self.draft.slots[source.slot].shape.channels;
                if source.slot == 0 || !(whole_slot || self.siblings(of).len() > 1) {
                    source = self.write_alone(of, StepWork::sum(source));
                }
                self.draft.slots[source.slot].moments = true;
                let Source { slot, ref channels, .. } = source;
                let channels = channels.clone();
                self.draft.affines.push(Normalisation { value, slot, channels, params, epsilon });
                source.affine = Some(self.draft.affines.len() - 1);
                source
            }
            Lowered::Activate(activation) => {
                let at = self.at[inputs[0].index()].as_ref();
                // Whoever reads it captures its signs, so it is read once.
                let mut source = if at.is_some_and(|at| at.activation.is_some()) {
                    self.plain(inputs[0])
                } else {
                    self.read(inputs[0])
                };
                source.activation = Some(activation);
                source.relu = self.lowering.relu(value);
                if !self.lowering.read[value.index()] {
                    self.draft.steps.push(Step { value, work: StepWork::Signs { source }, target: None });
                    return;
                }
                source
            }
            Lowered::Compute(Work::Concat) => {
                let slot = self.joined_slot(value);
                let mut channel = 0;
                for &part in inputs {
                    let channels = channel..channel + graph.shape(part).channels;
                    channel = channels.end;
                    if self.part_of(part) != Some(value) {
                        let work = StepWork::sum(self.read(part));
                        let target = Some(Target { slot, channels });
                        self.draft.steps.push(Step { value: part, work, target });
                    }
                }
                whole(slot, shape.channels)
            }
            Lowered::Compute(Work::Slice { start }) => {
                let source = self.plain(inputs[0]);
                let start = source.channels.start + start;
                Source { channels: start..start + shape.channels, ..source }
            }
            Lowered::Compute(work) => {
                let sources = inputs.iter().enumerate();
                let sources = sources.map(|(place, input)| match work {
                    Work::Mean | Work::Tensor(_) => self.plain(*input),
                    Work::Multiply if place == 1 => self.plain(*input),
                    _ => self.read(*input),
                });
                let sources = sources.collect();
                let halo = if matches!(work, Work::Mean | Work::Tensor(_)) { 0 } else { self.halo(value) };
                self.write(value, halo, StepWork::Compute { work, sources })
            }
        };
        let pending = source.affine.is_some() || source.activation.is_some();
        self.at[value.index()] = Some(source);
        // What several steps need is computed once.
        let readers = &self.lowering.readers[value.index()];
        let several = match readers[..] {
            [first, _, ..] => self.siblings(first).len() < readers.len(),
            _ => false,
        };
        let several = several || self.lowering.kept[value.index()];
        if pending && several && matches!(lowered, Lowered::Activate(_)) {
            self.plain(value);
        }
    }

    /// The value as it is, with what is pending on it. Whoever reads it first captures its signs.
    fn read(&mut self, value: ValueId) -> Source {
        let at = self.at[value.index()].as_mut().expect("values are planned before their readers");
        let source = at.clone();
        at.relu = None;
        source
    }

    /// The value with nothing pending on it.
    fn plain(&mut self, value: ValueId) -> Source {
        let source = self.read(value);
        if source.affine.is_none() && source.activation.is_none() {
            return source;
        }
        self.write_alone(value, StepWork::sum(source))
    }

    /// Adds a step that writes the value, where the readers expect it.
    fn write(&mut self, value: ValueId, halo: usize, work: StepWork) -> Source {
        let channels = self.graph.shape(value).channels;
        let (target, source) = match self.part_of(value) {
            Some(concat) => {
                let slot = self.joined_slot(concat);
                let first = self.before[value.index()];
                let channels = first..first + channels;
                let source = Source { channels: channels.clone(), ..whole(slot, channels.end) };
                (Target { slot, channels }, source)
            }
            None => {
                let slot = self.slot(value, halo);
                (Target { slot, channels: 0..channels }, whole(slot, channels))
            }
        };
        self.draft.steps.push(Step { value, work, target: Some(target) });
        source
    }

    /// Adds a step that writes the value to a slot of its own, and makes it the place to read it.
    fn write_alone(&mut self, value: ValueId, work: StepWork) -> Source {
        let slot = self.slot(value, self.halo(value));
        let channels = self.graph.shape(value).channels;
        let source = whole(slot, channels);
        let target = Some(Target { slot, channels: 0..channels });
        self.draft.steps.push(Step { value, work, target });
        self.at[value.index()] = Some(source.clone());
        source
    }

    fn slot(&mut self, value: ValueId, halo: usize) -> SlotId {
        let key = self.lowering.keys[value.index()].with(halo);
        let shape = self.graph.shape(value);
        self.draft.slots.push(Slot { shape, halo, moments: false, key, place: 0 });
        self.draft.slots.len() - 1
    }

    fn joined_slot(&mut self, concat: ValueId) -> SlotId {
        if let Some(slot) = self.joined[concat.index()] {
            return slot;
        }
        let slot = self.slot(concat, self.halo(concat));
        self.joined[concat.index()] = Some(slot);
        let mut channels = 0;
        for part in &self.graph.node(concat).inputs {
            self.before[part.index()] = channels;
            channels += self.graph.shape(*part).channels;
        }
        slot
    }

    /// The concatenation that is the only reader of a value which a kernel writes: then the kernel
    /// can write right into it.
    fn part_of(&self, value: ValueId) -> Option<ValueId> {
        let written = self.graph.lowered(value).is_written();
        match self.lowering.readers[value.index()][..] {
            [reader] if written && !self.lowering.kept[value.index()] => {
                (self.graph.node(reader).op == Op::Concat).then_some(reader)
            }
            _ => None,
        }
    }

    /// How far windows reach beyond the value: zeros that are worth storing.
    fn halo(&self, value: ValueId) -> usize {
        let shape = self.graph.shape(value);
        let reach = |outputs: usize, window: &Window, axis: usize, size: usize| {
            let reach: Range<isize> = window.reach(axis, &(0..outputs));
            (-reach.start).max(reach.end - size as isize).max(0) as usize
        };
        let mut halo = 0;
        for &reader in &self.lowering.readers[value.index()] {
            let node = self.graph.node(reader);
            if let Some(window) = self.graph.lowered(reader).zero_padded_window() {
                halo = halo.max(reach(node.shape.height, &window, 0, shape.height));
                halo = halo.max(reach(node.shape.width, &window, 1, shape.width));
            }
        }
        let with_halo = (shape.height + 2 * halo) * (shape.width + 2 * halo);
        if with_halo <= MOST_HALO * shape.pixels() { halo } else { 0 }
    }
}

fn whole(slot: SlotId, channels: usize) -> Source {
    Source { slot, channels: 0..channels, affine: None, activation: None, relu: None }
}

/// Gives every slot that a step writes its place.
fn assign_places(plan: &mut Draft) {
    let mut alive: Vec<Option<Range<usize>>> = vec![None; plan.slots.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        // A slot is always written before it is read; slot 0, the batch, never.
        if let Some(target) = &step.target {
            alive[target.slot].get_or_insert(index..index).end = index + 1;
        }
        for source in step.work.sources() {
            if let Some(alive) = &mut alive[source.slot] {
                alive.end = index + 1;
            }
        }
    }
    for (_, slot) in &plan.kept {
        if let Some(alive) = &mut alive[*slot] {
            alive.end = usize::MAX;
        }
    }
    let written = alive.into_iter().enumerate().filter_map(|(slot, steps)| Some((slot, steps?)));
    let (slots, stays): (Vec<SlotId>, Vec<Stay>) =
        written.map(|(slot, steps)| (slot, Stay { steps, lanes: plan.slots[slot].layout().lanes() })).unzip();
    for ((slot, stay), place) in slots.into_iter().zip(&stays).zip(places::assign(&stays)) {
        plan.slots[slot].place = place;
        plan.lanes = plan.lanes.max(place + stay.lanes);
    }
}
