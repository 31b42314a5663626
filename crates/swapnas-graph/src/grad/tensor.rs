//! Operations on whole blocks, see [`crate::tensor`].

use std::borrow::Cow;

use swapnas_lanes::kernels::line;
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Planes};

use super::frame::{Frame, Tangents};
use super::jobs;
use super::plan::View;
use crate::ValueId;
use crate::tensor::Embedding;
use crate::tensor::run::{At, Params, Run, Way};

/// Which operation, and what it reads.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub value: ValueId,
    pub sources: &'a [View],
    /// The slot that it writes.
    pub out: usize,
}

/// The elements of what is read, and how they change if that is asked for.
struct Inputs<'a, E: Element> {
    values: Vec<Cow<'a, [Lane<E>]>>,
    tangents: Vec<Option<Cow<'a, [Lane<E>]>>>,
}

impl<'a, E: Element> Inputs<'a, E> {
    fn new(frame: &Frame<'a, E>, tangents: Option<&Tangents<'a, E>>, sources: &[View], block: usize) -> Self {
        let moves = |tangents| sources.iter().map(|view| tangent(frame, tangents, *view, block)).collect();
        Inputs {
            values: sources.iter().map(|view| value(frame, *view, block)).collect(),
            tangents: tangents.map(moves).unwrap_or_default(),
        }
    }

    fn values(&self) -> Vec<&[Lane<E>]> {
        self.values.iter().map(|lanes| &**lanes).collect()
    }

    fn duals(&self) -> Vec<line::Tangents<'_, E>> {
        let pairs = self.values.iter().zip(&self.tangents);
        pairs.map(|(values, tangents)| line::Tangents { values, tangents: tangents.as_deref() }).collect()
    }
}

/// The elements of a view: where they lie if nothing is left to apply.
fn value<'a, E: Element>(frame: &Frame<'a, E>, view: View, block: usize) -> Cow<'a, [Lane<E>]> {
    if view == View::plain(view.slot) {
        return Cow::Borrowed(frame.lanes(view.slot, block));
    }
    let mut lanes = Vec::new();
    let layout = frame.plan.layout(view.slot);
    frame.load(view, block, 0..layout.rows, WriteMode::Overwrite, jobs::room(&mut lanes, layout));
    Cow::Owned(lanes)
}

fn tangent<'a, E: Element>(
    frame: &Frame<'a, E>,
    tangents: &Tangents<'a, E>,
    view: View,
    block: usize,
) -> Option<Cow<'a, [Lane<E>]>> {
    let layout = frame.plan.layout(view.slot);
    if view == View::plain(view.slot) {
        let of_slot = |slot: usize| &tangents.values[slot][block * layout.lanes()..][..layout.lanes()];
        return (view.slot > 0).then(|| Cow::Borrowed(of_slot(view.slot)));
    }
    let mut lanes = Vec::new();
    frame.load_tangent(tangents, view, block, 0..layout.rows, &mut jobs::room(&mut lanes, layout));
    Some(Cow::Owned(lanes))
}

impl Operation<'_> {
    fn run<'a, E: Element>(&self, frame: &Frame<'a, E>, tangents: Option<&Tangents<'a, E>>) -> Run<'a, E> {
        let op = frame.plan.graph().tensor_op(self.value);
        let numbers = op.params().map(|id| id.map(|id| frame.weights.get(id)));
        let directions = op.params().map(|id| Some(tangents?.direction.get(id?)));
        Run { op, at: At { level: frame.level, params: Params { numbers, directions } } }
    }

    /// Writes the result of a block.
    pub(super) fn forward<E: Element>(&self, frame: &Frame<'_, E>, block: usize, out: &mut [Lane<E>]) {
        let inputs = Inputs::new(frame, None, self.sources, block);
        self.run(frame, None).forward(&inputs.values(), out);
    }

    /// Writes the tangent of the result of a block.
    pub(super) fn tangent<'a, E: Element>(
        &self,
        frame: &Frame<'a, E>,
        tangents: &Tangents<'a, E>,
        block: usize,
        out: &mut [Lane<E>],
    ) {
        let inputs = Inputs::new(frame, Some(tangents), self.sources, block);
        self.run(frame, Some(tangents)).forward(&inputs.duals(), out);
    }

    /// The gradient of the source number `which`, from that of the result.
    pub(super) fn backward<'s, E: Element>(
        &self,
        frame: &Frame<'_, E>,
        which: usize,
        block: usize,
        gradient: Planes<'_, Lane<E>>,
        room: &'s mut Vec<Lane<E>>,
    ) -> Planes<'s, Lane<E>> {
        let inputs = Inputs::new(frame, None, self.sources, block);
        let layout = frame.plan.layout(self.sources[which].slot);
        let out = zeros(room, layout.lanes());
        let (gradient, result) = (self.lanes(frame, gradient), frame.lanes(self.out, block));
        let inputs = inputs.values();
        self.run(frame, None).backward(Way { which, inputs: &inputs, result, gradient }, out);
        Planes::new(room, layout)
    }

    /// How that changes.
    pub(super) fn backward_tangent<'a, 's, E: Element>(
        &self,
        frame: &Frame<'a, E>,
        tangents: &Tangents<'a, E>,
        which: usize,
        block: usize,
        (gradient, change): (Planes<'_, Lane<E>>, Planes<'_, Lane<E>>),
        room: &'s mut Vec<Lane<E>>,
    ) -> Planes<'s, Lane<E>> {
        let inputs = Inputs::new(frame, Some(tangents), self.sources, block);
        let layout = frame.plan.layout(self.sources[which].slot);
        let out = zeros(room, layout.lanes());
        let gradient = self.dual(frame, gradient, change);
        let written = Inputs::new(frame, Some(tangents), &[View::plain(self.out)], block);
        let way = Way { which, inputs: &inputs.duals(), result: written.duals()[0], gradient };
        self.run(frame, Some(tangents)).backward(way, out);
        Planes::new(room, layout)
    }

    /// The gradients of the parameters, sample by sample, or how they change where weights move.
    pub(super) fn of_params<'a, E: Element>(
        &self,
        frame: &Frame<'a, E>,
        block: usize,
        gradient: Planes<'_, Lane<E>>,
        moving: Option<(&Tangents<'a, E>, Planes<'_, Lane<E>>)>,
    ) -> [Vec<Lane<E>>; 2] {
        let tangents = moving.map(|(tangents, _)| tangents);
        let (inputs, run) = (Inputs::new(frame, tangents, self.sources, block), self.run(frame, tangents));
        match moving {
            None => run.of_params(&inputs.values(), self.lanes(frame, gradient)),
            Some((_, change)) => run.of_params(&inputs.duals(), self.dual(frame, gradient, change)),
        }
    }

    /// Adds the gradient of an embedding's table, of all samples of a block together, to `out`.
    pub(super) fn add_table<'a, E: Element>(
        &self,
        frame: &Frame<'a, E>,
        block: usize,
        gradient: Planes<'_, Lane<E>>,
        moving: Option<(&Tangents<'a, E>, Planes<'_, Lane<E>>)>,
        out: &mut [E],
    ) {
        let tangents = moving.map(|(tangents, _)| tangents);
        let inputs = Inputs::new(frame, tangents, self.sources, block);
        match moving {
            None => Embedding::add_table(&inputs.values()[0], self.lanes(frame, gradient), out),
            Some((_, change)) => {
                Embedding::add_table(&inputs.duals()[0], self.dual(frame, gradient, change), out);
            }
        }
    }

    fn dual<'p, E: Element>(
        &self,
        frame: &Frame<'_, E>,
        gradient: Planes<'p, Lane<E>>,
        change: Planes<'p, Lane<E>>,
    ) -> line::Tangents<'p, E> {
        let tangents = Some(self.lanes(frame, change));
        line::Tangents { values: self.lanes(frame, gradient), tangents }
    }

    /// The elements of something with the shape of the result.
    fn lanes<'p, E: Element>(&self, frame: &Frame<'_, E>, planes: Planes<'p, Lane<E>>) -> &'p [Lane<E>] {
        let shape = frame.shape(self.out);
        planes.as_lanes(shape.height, shape.width).expect("gradients have no halo")
    }
}

/// So many lanes of zeros in scratch memory.
fn zeros<E: Element>(scratch: &mut Vec<Lane<E>>, count: usize) -> &mut [Lane<E>] {
    scratch.clear();
    scratch.resize(count, Lane::ZERO);
    scratch
}
