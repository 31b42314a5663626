//! Average and maximum over a window.

use std::ops::Range;

use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// What is made of the pixels under a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The largest; NaN counts as smaller than every number. The halo must hold minus infinity.
    Max,
    /// Their mean, the halo not counted as pixels. It must hold zeros.
    Mean {
        /// Rows of the image.
        height: usize,
        /// Columns of the image.
        width: usize,
    },
    /// Their mean, with the zeros of the halo counted as pixels.
    MeanWithHalo,
}

/// Output rows `rows`, each of `width` pixels, of a pool.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn pool<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    window: &Window,
    pool: Pool,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    let layout = input.layout();
    window.check(&input, &rows, &(0..width));
    assert_eq!(layout.channels, out.layout().channels, "channels");
    let offsets = window.offsets::<E>(1, layout);
    // Number of pixels under the window of every column; rows are multiplied in later.
    let columns: Vec<usize> = (0..width)
        .map(|column| match pool {
            Pool::Mean { width, .. } => window.taps_inside(1, column, width),
            _ => window.kernel[1],
        })
        .collect();
    level.run(Pooling { input, window, pool, rows, offsets, columns, out });
}

struct Pooling<'a, E> {
    input: Planes<'a, Lane<E>>,
    window: &'a Window,
    pool: Pool,
    rows: Range<usize>,
    offsets: Vec<usize>,
    columns: Vec<usize>,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Pooling<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let layout = *self.input.layout();
        let width = self.columns.len();
        for row in self.rows.clone() {
            let taps_in_rows = match self.pool {
                Pool::Mean { height, .. } => self.window.taps_inside(0, row, height),
                _ => self.window.kernel[0],
            };
            for channel in 0..layout.channels {
                let first = layout.at(channel, self.window.start(0, row), self.window.origin[1]);
                let out = self.out.row(channel, row as isize, 0..width as isize);
                for (column, out) in out.iter_mut().enumerate() {
                    let first = self.input.as_ptr().wrapping_add(first + column * self.window.stride[1]);
                    for part in 0..S::PARTS {
                        // SAFETY: `pool` has checked that the window stays within what is stored for
                        // all columns and rows.
                        let result = unsafe {
                            if self.pool == Pool::Max {
                                fold::<S, true>(simd, first, &self.offsets, part)
                            } else {
                                let sum = fold::<S, false>(simd, first, &self.offsets, part);
                                // A window that sees no pixel at all has sum 0.
                                let count = (taps_in_rows * self.columns[column]).max(1);
                                simd.mul(sum, simd.splat(S::E::from_f64(1.0 / count as f64)))
                            }
                        };
                        simd.store(result, out, part);
                    }
                }
            }
        }
    }
}

/// Maximum or sum of the lanes at some offsets.
///
/// # Safety
/// `first + offset` is a lane that can be read, for every offset.
#[inline(always)]
unsafe fn fold<S: Simd, const MAX: bool>(
    simd: S,
    first: *const Lane<S::E>,
    offsets: &[usize],
    part: usize,
) -> S::V {
    let mut result = simd.splat(if MAX { S::E::NEG_INFINITY } else { S::E::ZERO });
    for &offset in offsets {
        // SAFETY: the caller's promise.
        let x = simd.load(unsafe { &*first.wrapping_byte_add(offset) }, part);
        result = if MAX { simd.max(x, result) } else { simd.add(x, result) };
    }
    result
}
