//! The geometry of convolutions and pools.

use std::ops::Range;

use crate::{Lane, Layout, Planes};

/// Kernels, strides, dilations, paddings and images are smaller than this by far, and sums of products
/// of two of them can be counted.
const LARGEST: usize = 1 << (usize::BITS / 2 - 3);

/// Where a convolution or a pool looks. All pairs are rows, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Size of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one output to the next.
    pub stride: [usize; 2],
    /// Pixels from one tap to the next.
    pub dilation: [usize; 2],
    /// Where the first tap of the first output lies: minus the padding above and to the left.
    pub origin: [isize; 2],
}

impl Window {
    /// One tap on every pixel.
    pub const POINT: Window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], origin: [0, 0] };

    /// Number of taps.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// First input row or column of an output.
    pub const fn start(&self, axis: usize, output: usize) -> isize {
        (output * self.stride[axis]) as isize + self.origin[axis]
    }

    /// The input rows (axis 0) or columns (axis 1) that a range of outputs looks at.
    pub const fn reach(&self, axis: usize, outputs: &Range<usize>) -> Range<isize> {
        if outputs.start >= outputs.end {
            return 0..0;
        }
        let last = self.start(axis, outputs.end - 1);
        self.start(axis, outputs.start)..last + ((self.kernel[axis] - 1) * self.dilation[axis]) as isize + 1
    }

    /// How many taps of an output lie within an image of `size` rows or columns.
    pub fn taps_inside(&self, axis: usize, output: usize, size: usize) -> usize {
        let start = self.start(axis, output);
        (0..self.kernel[axis])
            .filter(|tap| {
                let place = start + (tap * self.dilation[axis]) as isize;
                (0..size as isize).contains(&place)
            })
            .count()
    }

    /// How far each tap of each of `channels` channels is from the first tap of the first channel,
    /// in bytes, channel by channel and row by row: the order in which outputs are summed up.
    pub(crate) fn offsets<E>(&self, channels: usize, layout: &Layout) -> Vec<usize> {
        let lane = size_of::<Lane<E>>();
        let mut offsets = Vec::with_capacity(channels * self.taps());
        for channel in 0..channels {
            for row in 0..self.kernel[0] {
                for column in 0..self.kernel[1] {
                    let lanes = channel * layout.channel_stride()
                        + row * self.dilation[0] * layout.columns
                        + column * self.dilation[1];
                    offsets.push(lanes * lane);
                }
            }
        }
        offsets
    }

    /// # Panics
    /// If the window reaches beyond what is stored, for any of the outputs given, has no taps, no stride or
    /// no dilation, or has numbers so large that places computed from them might wrap around.
    pub(crate) fn check<T: Copy>(&self, planes: &Planes<'_, T>, rows: &Range<usize>, columns: &Range<usize>) {
        let sizes = [self.kernel, self.stride, self.dilation, [rows.end, columns.end]];
        let origin = self.origin.map(isize::unsigned_abs);
        assert!(
            sizes.iter().chain([&origin]).flatten().all(|size| *size <= LARGEST)
                && [self.kernel, self.stride, self.dilation].iter().flatten().all(|size| *size > 0),
            "{self:?} over {rows:?} x {columns:?} outputs"
        );
        let (reach_rows, reach_columns) = (self.reach(0, rows), self.reach(1, columns));
        assert!(
            planes.covers(&reach_rows, &reach_columns),
            "a window over rows {reach_rows:?}, columns {reach_columns:?} leaves {:?}",
            planes.layout()
        );
    }
}
