use std::ops::Range;

use swapnas_lanes::kernels::pool::{self, Pool};
use swapnas_lanes::kernels::pool_gradient::{self, MaxPool as Computed};
use swapnas_lanes::kernels::window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut};

use super::{Lowered, Operator, Sizes, Work, windowed};
use crate::flops::Flops;
use crate::magnitude::Magnitude;
use crate::{GraphError, Key, Shape, ValueId, Window};

/// Maximum over a window; padding never wins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
}

/// Mean over a window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AvgPool {
    /// Kernel, stride, padding.
    pub window: Window,
    /// Whether zeros of the padding count as pixels.
    pub count_padding: bool,
}

impl MaxPool {
    /// The shape of what it makes of an image.
    pub(crate) fn shape(&self, input: Shape) -> Result<Shape, GraphError> {
        windowed("max pool", &self.window, input)
    }
}

impl AvgPool {
    /// The shape of what it makes of an image.
    pub(crate) fn shape(&self, input: Shape) -> Result<Shape, GraphError> {
        windowed("average pool", &self.window, input)
    }
}

impl Operator for MaxPool {
    fn name(&self) -> &'static str {
        "max pool"
    }

    fn attributes(&self) -> Key {
        Key::of(self.window)
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        Flops { max_pool: taps(&self.window, sizes.output), ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        Lowered::Compute(Work::Pool(Pooling { window: self.window.for_lanes(), pool: Pool::Max }))
    }
}

impl Operator for AvgPool {
    fn name(&self) -> &'static str {
        "average pool"
    }

    fn attributes(&self) -> Key {
        Key::of((self.window, self.count_padding))
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        Flops { avg_pool: taps(&self.window, sizes.output), ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, input: Shape) -> Lowered {
        let Shape { height, width, .. } = input;
        let pool = if self.count_padding { Pool::MeanWithHalo } else { Pool::Mean { height, width } };
        Lowered::Compute(Work::Pool(Pooling { window: self.window.for_lanes(), pool }))
    }
}

fn taps(window: &Window, output: Shape) -> u64 {
    output.elements() as u64 * window.taps() as u64
}

/// What pools come down to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pooling {
    pub window: window::Window,
    pub pool: Pool,
}

impl Pooling {
    pub(crate) fn is_max(&self) -> bool {
        self.pool == Pool::Max
    }

    pub(super) fn magnitude(&self, input: f64, image: Shape, result: Shape) -> Magnitude {
        match self.pool {
            // The maximum of no pixel is minus infinity, by definition and not by overflow: it is for the readers
            // to find out what they make of it.
            Pool::Max if self.sees_nothing(image, result) => {
                Magnitude { result: f64::INFINITY, within: input }
            }
            Pool::Max => Magnitude::plain(input),
            Pool::Mean { .. } | Pool::MeanWithHalo => {
                Magnitude { result: input, within: input * self.window.taps() as f64 }
            }
        }
    }

    /// Whether some window has no pixel of the image under it.
    fn sees_nothing(&self, image: Shape, result: Shape) -> bool {
        let none = |axis: usize, outputs: usize, size: usize| {
            (0..outputs).any(|output| self.window.taps_inside(axis, output, size) == 0)
        };
        none(0, result.height, image.height) || none(1, result.width, image.width)
    }

    /// What has to lie around the image.
    pub(crate) fn border<E: Element>(&self) -> E {
        if self.is_max() { E::NEG_INFINITY } else { E::ZERO }
    }

    /// The image `input` with all that the window reaches for the pixels of `out`.
    pub(crate) fn padded(&self, input: Layout, out: Layout) -> Layout {
        let reach = |axis: usize, outputs: usize| self.window.reach(axis, &(0..outputs));
        let (rows, columns) = (reach(0, out.rows), reach(1, out.columns));
        let (first_row, first_column) = (rows.start.min(0), columns.start.min(0));
        Layout {
            channels: input.channels,
            first_row,
            rows: (rows.end.max(input.rows as isize) - first_row) as usize,
            first_column,
            columns: (columns.end.max(input.columns as isize) - first_column) as usize,
        }
    }

    /// Writes rows of the result; `input` has its border.
    pub(crate) fn forward<E: Element>(
        &self,
        level: Level,
        input: Planes<'_, Lane<E>>,
        rows: Range<usize>,
        width: usize,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        pool::pool(level, input, &self.window, self.pool, rows, width, out);
    }

    /// Writes the tangent of the result; of a maximum, `values` are what is pooled, with its border, and the result.
    pub(crate) fn tangent<E: Element>(
        &self,
        level: Level,
        values: Option<[Planes<'_, Lane<E>>; 2]>,
        tangent: Planes<'_, Lane<E>>,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        let (rows, width) = (0..out.layout().rows, out.layout().columns);
        match values {
            Some(values) => {
                pool_gradient::max_tangent(level, self.computed(values), tangent, rows, width, out);
            }
            None => self.forward(level, tangent, rows, width, out),
        }
    }

    /// Adds the gradient of the result to that of the input, with its border; `values` are as in
    /// [`tangent`](Self::tangent).
    pub(crate) fn backward<E: Element>(
        &self,
        level: Level,
        values: Option<[Planes<'_, Lane<E>>; 2]>,
        gradient: Planes<'_, Lane<E>>,
        [height, width]: [usize; 2],
        into: PlanesMut<'_, Lane<E>>,
    ) {
        let (window, rows) = (&self.window, 0..height);
        match values {
            Some(values) => {
                pool_gradient::max_backward(level, self.computed(values), gradient, rows, width, into);
            }
            None => pool_gradient::mean_backward(level, window, self.pool, gradient, rows, width, into),
        }
    }

    fn computed<'a, E: Element>(&'a self, [input, output]: [Planes<'a, Lane<E>>; 2]) -> Computed<'a, E> {
        Computed { input, output, window: &self.window }
    }
}
