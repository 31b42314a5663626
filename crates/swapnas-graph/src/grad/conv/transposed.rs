//! The way back through the weights of a convolution.

use std::ops::Range;

use swapnas_lanes::kernels::convolution::{Algorithm, ConvolutionWeights};
use swapnas_lanes::kernels::transpose::{self, Phase};
use swapnas_lanes::{Element, Lane, Level, Planes, PlanesMut};

use super::{Dimensions, image, span};
use crate::grad::frame::Frame;
use crate::grad::jobs::room;
use crate::grad::plan::Convolution;

/// The way back through the weights.
pub(super) struct Transposed<E: Element> {
    phases: Vec<Turned<E>>,
}

/// A phase with its weights, and the weights' tangents where they move.
pub(super) struct Turned<E: Element> {
    phase: Phase,
    weights: ConvolutionWeights<E>,
    change: Option<ConvolutionWeights<E>>,
}

impl<E: Element> Turned<E> {
    pub(super) fn weights(&self) -> &ConvolutionWeights<E> {
        &self.weights
    }

    pub(super) fn change(&self) -> &ConvolutionWeights<E> {
        self.change.as_ref().expect("weights are packed with their tangents where they move")
    }
}

impl<E: Element> Transposed<E> {
    pub(super) fn new(frame: &Frame<'_, E>, of: &Convolution, dimensions: &Dimensions) -> Self {
        let &Dimensions { input, output, groups, inputs, outputs } = dimensions;
        let kernel = of.window.kernel;
        let phases = transpose::phases(&of.window, [input.height, input.width]);
        // The rows of a phase that is one of several may be divided anywhere.
        let alone = phases.len() == 1;
        let turned = |phase: Phase| {
            let turn = |weights: &[E]| {
                let mut turned = Vec::with_capacity(weights.len());
                transpose::transpose_weights(weights, groups, inputs, kernel, &phase, &mut turned);
                let mut packed = ConvolutionWeights::default();
                // A phase that no output looks at has no window, and no weights.
                let Some(window) = &phase.window else { return packed };
                let (channels, size) = ([output.channels, input.channels], [input.height, input.width]);
                let algorithm = match Algorithm::fastest(window, groups, channels, size, false) {
                    fastest if alone || fastest.rows_together() == 1 => fastest,
                    _ => Algorithm::Dense,
                };
                packed.pack(algorithm, groups, outputs, window.taps(), &turned, None);
                packed
            };
            let weights = turn(frame.weights.get(of.weight));
            let change = frame.tangents.map(|tangents| turn(tangents.direction.get(of.weight)));
            Turned { phase, weights, change }
        };
        Transposed { phases: phases.into_iter().map(turned).collect() }
    }

    /// The output rows or columns (by axis) whose gradients a range of input rows or columns needs.
    pub(super) fn reach(&self, axis: usize, pixels: &Range<usize>) -> Range<isize> {
        let mut reach = 0..0;
        for Turned { phase, .. } in &self.phases {
            if let Some(window) = &phase.window {
                reach = span(&reach, &window.reach(axis, &phase_rows(phase, axis, pixels)));
            }
        }
        reach
    }

    /// Computes the gradient of input rows `band` from that of the output.
    pub(super) fn take_back(
        &self,
        level: Level,
        weights: fn(&Turned<E>) -> &ConvolutionWeights<E>,
        arriving: Planes<'_, Lane<E>>,
        band: &Range<usize>,
        mut back: PlanesMut<'_, Lane<E>>,
        scratch: &mut Vec<Lane<E>>,
    ) {
        let layout = *back.layout();
        for turned in &self.phases {
            let phase = &turned.phase;
            let (rows, width) = (phase_rows(phase, 0, band), phase.size[1]);
            if let (Some(window), [_]) = (&phase.window, &self.phases[..]) {
                weights(turned).convolve(level, arriving, window, rows, width, scratch, back.reborrow());
                continue;
            }
            if rows.is_empty() {
                continue;
            }
            let part =
                image(layout.channels, &(rows.start as isize..rows.end as isize), &(0..width as isize));
            let mut part = room(scratch, part);
            match &phase.window {
                Some(window) => {
                    let (rows, part) = (rows.clone(), part.reborrow());
                    // Algorithms that do one row at a time need no room.
                    weights(turned).convolve(level, arriving, window, rows, width, &mut Vec::new(), part);
                }
                None => part.fill_halo(0, 0, Lane::ZERO),
            }
            let part = part.as_planes();
            for channel in 0..layout.channels {
                for row in rows.clone() {
                    let from = part.row(channel, row as isize, 0..width as isize);
                    let row = (phase.first[0] + row * phase.stride[0]) as isize;
                    let to = back.row(channel, row, phase.first[1] as isize..layout.columns as isize);
                    for (to, from) in to.iter_mut().step_by(phase.stride[1]).zip(from) {
                        *to = *from;
                    }
                }
            }
        }
    }
}

/// Which pixels of a phase lie within a range of all.
fn phase_rows(phase: &Phase, axis: usize, pixels: &Range<usize>) -> Range<usize> {
    let (first, stride, size) = (phase.first[axis], phase.stride[axis], phase.size[axis]);
    let place = |pixel: usize| pixel.saturating_sub(first).div_ceil(stride).min(size);
    place(pixels.start)..place(pixels.end)
}
