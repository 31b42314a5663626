//! Everything but convolutions and normalisations: sums, pools, products, parts, block by block.

use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::rows::{self, WriteMode};
use swapnas_lanes::{Element, Lane, Layout, Planes, PlanesMut};

use super::frame::{Frame, Tangents};
use super::jobs::{self, Scratch, room};
use super::plan::View;
use super::tensor::Operation;
use crate::Shape;
use crate::op::{Concat, GlobalAvgPool, Mul, Pooling, Work};

/// One of the sources of a step.
#[derive(Clone, Copy)]
pub(super) struct Which {
    pub index: usize,
    /// Channels of those before it.
    pub channels_before: usize,
}

impl Which {
    pub(super) const FIRST: Which = Which { index: 0, channels_before: 0 };
}

/// Whether values are read or their tangents.
#[derive(Clone, Copy)]
pub(super) enum Read<'a, E> {
    Values,
    Tangents(Tangents<'a, E>),
}

impl<'a, E: Element> Read<'a, E> {
    /// Writes all rows of a view.
    fn load(&self, frame: &Frame<'a, E>, view: View, block: usize, out: &mut PlanesMut<'_, Lane<E>>) {
        let rows = 0..frame.shape(view.slot).height;
        match self {
            Read::Values => frame.load(view, block, rows, WriteMode::Overwrite, out.reborrow()),
            Read::Tangents(tangents) => frame.load_tangent(tangents, view, block, rows, out),
        }
    }
}

/// Computes what `work` makes of its sources.
pub(super) fn forward<E: Element>(
    frame: &Frame<'_, E>,
    work: Work,
    sources: &[View],
    out: usize,
    lanes: &mut [Lane<E>],
    scratch: &mut Scratch<E>,
) {
    let layout = frame.plan.layout(out);
    let jobs: Vec<_> = lanes.chunks_exact_mut(layout.lanes()).enumerate().collect();
    let job = |(block, lanes): (usize, &mut [Lane<E>]), scratch: &mut Scratch<E>| {
        if let Work::Tensor(value) = work {
            return Operation { value, sources, out }.forward(frame, block, lanes);
        }
        let out = PlanesMut::new(lanes, layout);
        match work {
            Work::Multiply => {
                let pair = (Read::Values, Read::Values);
                multiply(frame, sources, pair, block, WriteMode::Overwrite, out, scratch);
            }
            Work::Pool(pooling) => {
                let border = pooling.border();
                let input =
                    padded(frame, sources[0], Read::Values, block, &pooling, layout, border, &mut scratch.a);
                pooling.forward(frame.level, input, 0..layout.rows, layout.columns, out);
            }
            _ => linear(frame, work, sources, Read::Values, block, out, scratch),
        }
    };
    jobs::run(frame.parallel, jobs, scratch, job, |_, ()| {});
}

/// Computes the tangent of what `work` makes of its sources.
pub(super) fn tangent<'a, E: Element>(
    frame: &Frame<'a, E>,
    tangents: Tangents<'a, E>,
    work: Work,
    sources: &[View],
    out: usize,
    lanes: &mut [Lane<E>],
    scratch: &mut Scratch<E>,
) {
    let layout = frame.plan.layout(out);
    let jobs: Vec<_> = lanes.chunks_exact_mut(layout.lanes()).enumerate().collect();
    let read = Read::Tangents(tangents);
    let job = |(block, lanes): (usize, &mut [Lane<E>]), scratch: &mut Scratch<E>| {
        if let Work::Tensor(value) = work {
            return Operation { value, sources, out }.tangent(frame, &tangents, block, lanes);
        }
        let mut result = PlanesMut::new(lanes, layout);
        match work {
            Work::Multiply => {
                multiply(
                    frame,
                    sources,
                    (read, Read::Values),
                    block,
                    WriteMode::Overwrite,
                    result.reborrow(),
                    scratch,
                );
                multiply(frame, sources, (Read::Values, read), block, WriteMode::Sum, result, scratch);
            }
            Work::Pool(pooling) => {
                let tangent =
                    padded(frame, sources[0], read, block, &pooling, layout, E::ZERO, &mut scratch.a);
                let values = maximum(frame, sources[0], out, block, &pooling, &mut scratch.b);
                pooling.tangent(frame.level, values, tangent, result);
            }
            _ => linear(frame, work, sources, read, block, result, scratch),
        }
    };
    jobs::run(frame.parallel, jobs, scratch, job, |_, ()| {});
}

/// What is the same for values and tangents.
fn linear<'a, E: Element>(
    frame: &Frame<'a, E>,
    work: Work,
    sources: &[View],
    read: Read<'a, E>,
    block: usize,
    mut out: PlanesMut<'_, Lane<E>>,
    scratch: &mut Scratch<E>,
) {
    let layout = *out.layout();
    match work {
        Work::Zero => out.fill_halo(0, 0, Lane::ZERO),
        Work::Combine => sum(frame, sources, read, block, out, scratch),
        Work::Mean => {
            let image = frame.plan.layout(sources[0].slot);
            let mut pixels = room(&mut scratch.a, image);
            read.load(frame, sources[0], block, &mut pixels);
            let (mut means, image) = (vec![Lane::ZERO; image.channels], frame.shape(sources[0].slot));
            GlobalAvgPool::forward(frame.level, pixels.as_planes(), image, &mut means, out);
        }
        Work::Concat => {
            let parts = sources.iter().map(|source| frame.shape(source.slot));
            for (&source, channels) in sources.iter().zip(Concat::channels(parts)) {
                read.load(frame, source, block, &mut out.reborrow().channels(channels));
            }
        }
        Work::Slice { start } => {
            let mut pixels = room(&mut scratch.a, frame.plan.layout(sources[0].slot));
            read.load(frame, sources[0], block, &mut pixels);
            let pixels = pixels.channels(start..start + layout.channels);
            copy(frame, pixels.as_planes(), out);
        }
        Work::Pool(_) | Work::Multiply | Work::Tensor(_) => {
            unreachable!("not the same for values and tangents")
        }
    }
}

fn copy<E: Element>(frame: &Frame<'_, E>, from: Planes<'_, Lane<E>>, to: PlanesMut<'_, Lane<E>>) {
    let layout = *to.layout();
    let (rows, width) = (0..layout.rows, layout.columns);
    combination::combine(frame.level, &[Term::plain(from)], None, rows, width, WriteMode::Overwrite, to);
}

fn sum<'a, E: Element>(
    frame: &Frame<'a, E>,
    sources: &[View],
    read: Read<'a, E>,
    block: usize,
    mut out: PlanesMut<'_, Lane<E>>,
    scratch: &mut Scratch<E>,
) {
    let layout = *out.layout();
    let (rows, width) = (0..layout.rows, layout.columns);
    // What is linear is summed up in one go.
    let mut terms = Vec::new();
    let mut constant = vec![Lane::ZERO; layout.channels];
    for &source in sources.iter().filter(|source| source.activation.is_none()) {
        match read {
            Read::Values => frame.argument_terms(source, block, &mut terms, &mut constant),
            Read::Tangents(tangents) => {
                frame.tangent_terms(&tangents, source, block, &mut terms, &mut constant);
            }
        }
    }
    combination::combine(
        frame.level,
        &terms,
        Some(&constant),
        rows.clone(),
        width,
        WriteMode::Overwrite,
        out.reborrow(),
    );
    for &source in sources.iter().filter(|source| source.activation.is_some()) {
        let mut pixels = room(&mut scratch.a, layout);
        read.load(frame, source, block, &mut pixels);
        let terms = [Term::plain(pixels.as_planes())];
        combination::combine(frame.level, &terms, None, rows.clone(), width, WriteMode::Sum, out.reborrow());
    }
}

/// Writes or adds the product of two sources.
fn multiply<E: Element>(
    frame: &Frame<'_, E>,
    sources: &[View],
    (first, second): (Read<'_, E>, Read<'_, E>),
    block: usize,
    into: WriteMode,
    out: PlanesMut<'_, Lane<E>>,
    scratch: &mut Scratch<E>,
) {
    let layout = *out.layout();
    let (rows, width) = (0..layout.rows, layout.columns);
    let mut product = room(&mut scratch.a, layout);
    first.load(frame, sources[0], block, &mut product);
    let mut by = room(&mut scratch.b, frame.plan.layout(sources[1].slot));
    second.load(frame, sources[1], block, &mut by);
    rows::multiply(frame.level, by.as_planes(), rows.clone(), width, product.reborrow());
    combination::combine(frame.level, &[Term::plain(product.as_planes())], None, rows, width, into, out);
}

/// A source with the border that the window of a pool reaches into.
#[allow(clippy::too_many_arguments)]
fn padded<'s, E: Element>(
    frame: &Frame<'_, E>,
    source: View,
    read: Read<'_, E>,
    block: usize,
    pooling: &Pooling,
    out: Layout,
    border: E,
    scratch: &'s mut Vec<Lane<E>>,
) -> Planes<'s, Lane<E>> {
    let Shape { height, width, .. } = frame.shape(source.slot);
    let layout = pooling.padded(frame.plan.layout(source.slot), out);
    let mut pixels = room(scratch, layout);
    pixels.fill_halo(height, width, Lane::splat(border));
    read.load(frame, source, block, &mut pixels);
    Planes::new(scratch, layout)
}

/// What a maximum is taken of, with its border, and the result; nothing of a mean.
fn maximum<'s, E: Element>(
    frame: &Frame<'s, E>,
    source: View,
    out: usize,
    block: usize,
    pooling: &Pooling,
    scratch: &'s mut Vec<Lane<E>>,
) -> Option<[Planes<'s, Lane<E>>; 2]> {
    let (layout, border) = (frame.plan.layout(out), pooling.border());
    let read = |scratch| padded(frame, source, Read::Values, block, pooling, layout, border, scratch);
    pooling.is_max().then(|| [read(scratch), frame.planes(out, block)])
}

/// The gradient of one of the sources of `work`, from the gradient of its result; `with` says whether
/// a product's gradient is multiplied with the other factor or with its tangent.
#[allow(clippy::too_many_arguments)]
pub(super) fn backward<'s, E: Element>(
    frame: &Frame<'_, E>,
    work: Work,
    sources: &[View],
    which: Which,
    out: usize,
    block: usize,
    gradient: Planes<'s, Lane<E>>,
    with: Read<'_, E>,
    (result, scratch): (&'s mut Vec<Lane<E>>, &mut Vec<Lane<E>>),
) -> Planes<'s, Lane<E>> {
    let source = sources[which.index];
    let input = frame.plan.layout(source.slot);
    let output = frame.plan.layout(out);
    match work {
        Work::Zero => unreachable!("zeros have no sources"),
        Work::Combine => gradient,
        Work::Tensor(value) => {
            Operation { value, sources, out }.backward(frame, which.index, block, gradient, result)
        }
        Work::Mean => {
            GlobalAvgPool::backward(gradient, frame.shape(source.slot), room(result, input));
            Planes::new(result, input)
        }
        Work::Concat => {
            let first = which.channels_before;
            gradient.channels(first..first + input.channels)
        }
        Work::Slice { start } => {
            let mut whole = room(result, input);
            whole.fill_halo(0, 0, Lane::ZERO);
            copy(frame, gradient, whole.channels(start..start + output.channels));
            Planes::new(result, input)
        }
        Work::Pool(pooling) => {
            let layout = pooling.padded(input, output);
            let mut into = room(result, layout);
            into.fill_halo(0, 0, Lane::ZERO);
            let values = maximum(frame, source, out, block, &pooling, scratch);
            pooling.backward(frame.level, values, gradient, [output.rows, output.columns], into);
            Planes::new(result, layout)
        }
        Work::Multiply => {
            let other = sources[1 - which.index];
            let mut by = room(scratch, frame.plan.layout(other.slot));
            with.load(frame, other, block, &mut by);
            let mut product = room(result, output);
            copy(frame, gradient, product.reborrow());
            rows::multiply(frame.level, by.as_planes(), 0..output.rows, output.columns, product.reborrow());
            if input == output {
                return Planes::new(result, input);
            }
            // The other one scaled whole channels.
            let totals = Mul::of_scales(frame.level, product.as_planes());
            room(result, input);
            result[..input.channels].copy_from_slice(&totals);
            Planes::new(result, input)
        }
    }
}
