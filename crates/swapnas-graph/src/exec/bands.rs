//! One step on one block and one band of rows.

use std::borrow::Cow;
use std::ops::Range;

use swapnas_lanes::kernels::convolution::ConvolutionWeights;
use swapnas_lanes::kernels::dense::DenseWeights;
use swapnas_lanes::kernels::depthwise;
use swapnas_lanes::kernels::moments::{MomentSums, Moments};
use swapnas_lanes::kernels::rows;
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut};

use crate::op::{GlobalAvgPool, Pooling};
use crate::tensor::run::Run;
use crate::{Shape, division};

/// Lanes of padded input that a band may need: half a megabyte, to stay in a core's cache.
const BAND_LANES: usize = 8192;

/// Lanes of a result from which on their moments are taken before more are computed: a quarter of a
/// megabyte, to be still in the cache.
const PIECE_LANES: usize = 4096;

/// Room for the rows that a band reads or passes from kernel to kernel.
#[derive(Default)]
pub(super) struct Scratch<E> {
    padded: Vec<Lane<E>>,
    between: Vec<Lane<E>>,
    sums: MomentSums<E>,
}

/// A source as a band sees it: one block, with what is pending on it.
#[derive(Clone, Copy)]
pub(super) struct Input<'a, E> {
    pub source: rows::Source<'a, E>,
    pub shape: Shape,
}

/// What is done, with everything that all bands share.
pub(super) enum Kernel<'a, E> {
    Zero,
    Combine,
    Convolve { window: Window, weights: &'a ConvolutionWeights<E> },
    Depthwise { window: Window, weights: &'a [E], pointwise: Option<&'a DenseWeights<E>> },
    Pool(Pooling),
    Mean,
    Multiply,
    Tensor(Run<'a, E>),
    Signs,
}

impl<E: Element> Kernel<'_, E> {
    fn window(&self) -> Option<Window> {
        match self {
            Kernel::Convolve { window, .. }
            | Kernel::Depthwise { window, .. }
            | Kernel::Pool(Pooling { window, .. }) => Some(*window),
            _ => None,
        }
    }

    /// The bands that `height` output rows are divided into. They depend on nothing but shapes, since
    /// moments are joined band by band and must not depend on the number of threads.
    pub(super) fn bands(&self, height: usize, width: usize, input: Option<Shape>) -> Vec<Range<usize>> {
        let input = input.unwrap_or(Shape::new(1, height, width));
        let per_row = match self.window() {
            Some(window) => input.channels * window.reach(1, &(0..width)).len() * window.stride[0],
            None => input.channels * width,
        };
        let together = match self {
            Kernel::Convolve { weights, .. } => weights.algorithm().rows_together(),
            _ => 1,
        };
        match self {
            Kernel::Mean | Kernel::Tensor(_) => std::iter::once(0..height).collect(),
            _ => division::bands(height, together, per_row, BAND_LANES),
        }
    }

    /// The rows of the input whose signs a band captures: every row is one band's.
    pub(super) fn owned_rows(&self, band: &Range<usize>, height: usize, input: usize) -> Range<usize> {
        let stride = self.window().map_or(1, |window| window.stride[0]);
        let edge = |row: usize| if row == height { input } else { (row * stride).min(input) };
        edge(band.start)..edge(band.end)
    }
}

/// One block and band of a step.
pub(super) struct Job<'a, E> {
    pub band: Range<usize>,
    pub samples: usize,
    /// Shape of the result.
    pub shape: Shape,
    pub inputs: Vec<Input<'a, E>>,
    /// Where the signs of each input go, with the rows that are this band's.
    pub signs: Vec<Option<PlanesMut<'a, u16>>>,
    pub owned: Range<usize>,
    pub out: Option<PlanesMut<'a, Lane<E>>>,
    /// Whether moments are taken of the result.
    pub moments: bool,
}

impl<'a, E: Element> Job<'a, E> {
    /// Does the work; returns the moments of each channel of the result, if they are to be taken.
    pub(super) fn run(
        mut self,
        level: Level,
        kernel: &Kernel<'_, E>,
        scratch: &mut Scratch<E>,
    ) -> Vec<Moments> {
        let Some(mut out) = self.out.take() else {
            self.capture(level);
            return Vec::new();
        };
        let (band, Shape { height, width, .. }) = (self.band.clone(), self.shape);
        if out.layout().columns > width || out.layout().rows > height {
            out.fill_halo(height, width, Lane::ZERO);
        }
        match *kernel {
            Kernel::Zero => {
                for channel in 0..out.layout().channels {
                    for row in band.clone() {
                        out.row(channel, row as isize, 0..width as isize).fill(Lane::ZERO);
                    }
                }
            }
            Kernel::Combine if self.is_sum() => {
                let terms: Vec<rows::Source<'_, E>> = self.inputs.iter().map(|input| input.source).collect();
                rows::sum(level, &terms, band.clone(), width, out.reborrow());
            }
            Kernel::Combine => {
                for term in 0..self.inputs.len() {
                    let into = if term == 0 { rows::WriteMode::Overwrite } else { rows::WriteMode::Sum };
                    let signs = self.signs[term].take();
                    let source = &self.inputs[term].source;
                    rows::load(level, source, band.clone(), width, into, out.reborrow(), signs);
                }
            }
            Kernel::Convolve { window, weights } => {
                let planes = self.padded(level, &window, E::ZERO, &mut scratch.padded);
                let together = weights.algorithm().rows_together();
                let per_row = weights.out_channels() * width;
                for rows in division::pieces(&band, together, per_row, PIECE_LANES) {
                    let (between, out_rows) = (&mut scratch.between, out.reborrow());
                    weights.convolve(level, planes, &window, rows.clone(), width, between, out_rows);
                    if self.moments {
                        scratch.sums.add(level, out.as_planes(), rows, width);
                    }
                }
            }
            Kernel::Depthwise { window, weights, pointwise } => {
                let planes = self.padded(level, &window, E::ZERO, &mut scratch.padded);
                let out = out.reborrow();
                match pointwise {
                    None => depthwise::convolve(level, planes, &window, weights, band.clone(), width, out),
                    Some(pointwise) => {
                        let between = &mut scratch.between;
                        depthwise::convolve_separable(
                            level,
                            planes,
                            &window,
                            weights,
                            pointwise,
                            band.clone(),
                            width,
                            between,
                            out,
                        );
                    }
                }
            }
            Kernel::Pool(pooling) => {
                let planes = self.padded(level, &pooling.window, pooling.border(), &mut scratch.padded);
                pooling.forward(level, planes, band.clone(), width, out.reborrow());
            }
            Kernel::Mean => {
                let Input { source, shape } = self.inputs[0];
                let means = &mut scratch.between;
                super::grow(means, shape.channels, Lane::ZERO);
                let means = &mut means[..shape.channels];
                GlobalAvgPool::forward(level, source.planes, shape, means, out.reborrow());
            }
            Kernel::Multiply => {
                let (source, by) = (&self.inputs[0].source, self.inputs[1].source.planes);
                let signs = self.signs[0].take();
                rows::load(
                    level,
                    source,
                    band.clone(),
                    width,
                    rows::WriteMode::Overwrite,
                    out.reborrow(),
                    signs,
                );
                rows::multiply(level, by, band.clone(), width, out.reborrow());
            }
            Kernel::Tensor(run) => {
                let inputs: Vec<Cow<'_, [Lane<E>]>> =
                    self.inputs.iter().map(|input| elements(input.source.planes, input.shape)).collect();
                let inputs: Vec<&[Lane<E>]> = inputs.iter().map(|lanes| &**lanes).collect();
                match out.as_lanes(height, width) {
                    Some(out) => run.forward(&inputs, out),
                    None => {
                        let (lanes, channels) = (&mut scratch.between, out.layout().channels);
                        let count = channels * height * width;
                        super::grow(lanes, count, Lane::ZERO);
                        run.forward(&inputs, &mut lanes[..count]);
                        for (number, row) in lanes[..count].chunks_exact(width).enumerate() {
                            let (channel, y) = (number / height, (number % height) as isize);
                            out.row(channel, y, 0..width as isize).copy_from_slice(row);
                        }
                    }
                }
            }
            Kernel::Signs => unreachable!("capturing signs writes nothing"),
        }
        self.capture(level);
        let mut moments = Vec::new();
        if self.moments {
            if !matches!(kernel, Kernel::Convolve { .. }) {
                scratch.sums.add(level, out.as_planes(), band, width);
            }
            moments.resize(out.layout().channels, Moments::default());
            scratch.sums.join(self.samples, &mut moments);
        }
        moments
    }

    /// Whether the terms to be combined can be added up in one pass.
    fn is_sum(&self) -> bool {
        (2..=rows::TERMS).contains(&self.inputs.len())
            && self.inputs.iter().all(|input| input.source.activation.is_none())
    }

    /// Captures the signs that the work itself has not captured on its way.
    fn capture(&mut self, level: Level) {
        for (input, signs) in self.inputs.iter().zip(&mut self.signs) {
            if let Some(signs) = signs.take() {
                rows::signs(level, &input.source, self.owned.clone(), input.shape.width, signs);
            }
        }
    }

    /// The first input with nothing pending and with the border that the window reaches into: where
    /// it lies if it has both, else in scratch memory.
    fn padded<'s>(
        &mut self,
        level: Level,
        window: &Window,
        border: E,
        scratch: &'s mut Vec<Lane<E>>,
    ) -> Planes<'s, Lane<E>>
    where
        'a: 's,
    {
        let Input { source, shape } = self.inputs[0];
        let (rows, columns) = (window.reach(0, &self.band), window.reach(1, &(0..self.shape.width)));
        let pending = source.affine.is_some() || source.activation.is_some();
        let layout = source.planes.layout();
        let inside = |range: &Range<isize>, size: usize| range.start >= 0 && range.end <= size as isize;
        let bordered = border == E::ZERO || (inside(&rows, shape.height) && inside(&columns, shape.width));
        if !pending && bordered && layout.covers(&rows, &columns) {
            return source.planes;
        }
        let owned = self.owned.start as isize..self.owned.end as isize;
        // A band whose windows begin below the image has no rows of its own, nor signs to capture.
        let signs = self.signs[0].take().filter(|_| !owned.is_empty());
        // Whole rows are loaded, even where a strided window leaves out the last columns; and every pixel
        // has a sign, whether or not the window looks at it.
        let columns = span(&columns, &(0..shape.width as isize));
        let rows = if signs.is_some() { span(&rows, &owned) } else { rows };
        let layout = Layout {
            channels: shape.channels,
            first_row: rows.start,
            rows: rows.len(),
            first_column: columns.start,
            columns: columns.len(),
        };
        super::grow(scratch, layout.lanes(), Lane::ZERO);
        let mut padded = PlanesMut::new(scratch, layout);
        padded.fill_halo(shape.height, shape.width, Lane::splat(border));
        let mut load = |rows: Range<isize>, signs| {
            let end = rows.end.clamp(0, shape.height as isize) as usize;
            let rows = (rows.start.max(0) as usize).min(end)..end;
            rows::load(
                level,
                &source,
                rows,
                shape.width,
                rows::WriteMode::Overwrite,
                padded.reborrow(),
                signs,
            );
        };
        match signs {
            None => load(rows, None),
            Some(signs) => {
                load(rows.start..owned.start, None);
                load(owned.clone(), Some(signs));
                load(owned.end..rows.end, None);
            }
        }
        Planes::new(scratch, layout)
    }
}

/// All elements of a block one after the other: where they lie, if they lie so.
fn elements<'a, E: Element>(planes: Planes<'a, Lane<E>>, shape: Shape) -> Cow<'a, [Lane<E>]> {
    if let Some(lanes) = planes.as_lanes(shape.height, shape.width) {
        return Cow::Borrowed(lanes);
    }
    let mut lanes = Vec::with_capacity(shape.elements());
    for channel in 0..shape.channels {
        for row in 0..shape.height as isize {
            lanes.extend_from_slice(planes.row(channel, row, 0..shape.width as isize));
        }
    }
    Cow::Owned(lanes)
}

/// The smallest range that includes both.
fn span(a: &Range<isize>, b: &Range<isize>) -> Range<isize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}
