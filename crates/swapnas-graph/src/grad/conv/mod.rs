//! Convolutions and linear layers: forward, tangents, and back to inputs and weights.

mod backward;
mod forward;
mod transposed;

use std::ops::Range;

use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, PlanesMut};

pub(super) use backward::{Destination, Found, Sought, backward};
pub(super) use forward::{forward, tangent};

use super::frame::Frame;
use super::jobs::{self, room};
use super::plan::Convolution;
use crate::Shape;

/// A convolution's dimensions.
#[derive(Clone, Copy)]
struct Dimensions {
    input: Shape,
    output: Shape,
    groups: usize,
    /// Channels of a group.
    inputs: usize,
    outputs: usize,
}

impl Dimensions {
    fn new<E: Element>(frame: &Frame<'_, E>, of: &Convolution) -> Self {
        let (input, output) = (frame.shape(of.source.slot), frame.shape(of.out));
        let groups = of.groups;
        Dimensions {
            input,
            output,
            groups,
            inputs: input.channels / groups,
            outputs: output.channels / groups,
        }
    }
}

/// Every block with every band, and the rows of `lanes` that are the band's.
fn divide<'a, E: Element>(
    lanes: &'a mut [Lane<E>],
    layout: Layout,
    bands: &[Range<usize>],
) -> Vec<PlanesMut<'a, Lane<E>>> {
    lanes
        .chunks_exact_mut(layout.lanes())
        .flat_map(|block| jobs::split(PlanesMut::new(block, layout), bands))
        .collect()
}

/// Room for what output rows `band` of a window read, zero around the image; the numbers within are still to be
/// loaded.
fn padded<'s, E: Element>(
    scratch: &'s mut Vec<Lane<E>>,
    window: &Window,
    input: Shape,
    output: Shape,
    band: &Range<usize>,
) -> (PlanesMut<'s, Lane<E>>, Range<isize>) {
    let rows = window.reach(0, band);
    let columns = span(&(0..input.width as isize), &window.reach(1, &(0..output.width)));
    let mut padded = room(scratch, image(input.channels, &rows, &columns));
    padded.fill_halo(input.height, input.width, Lane::ZERO);
    (padded, rows)
}

/// Loads those of the rows that are within the image.
fn load_padded(rows: &Range<isize>, input: Shape, load: impl FnOnce(Range<usize>)) {
    let rows = clip(rows, input.height);
    if !rows.is_empty() {
        load(rows);
    }
}

fn image(channels: usize, rows: &Range<isize>, columns: &Range<isize>) -> Layout {
    Layout {
        channels,
        first_row: rows.start,
        rows: rows.len(),
        first_column: columns.start,
        columns: columns.len(),
    }
}

fn clip(rows: &Range<isize>, height: usize) -> Range<usize> {
    let end = rows.end.clamp(0, height as isize) as usize;
    (rows.start.max(0) as usize).min(end)..end
}

/// The smallest range that includes both.
fn span(a: &Range<isize>, b: &Range<isize>) -> Range<isize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}
