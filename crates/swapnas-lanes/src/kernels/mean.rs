//! Mean over all pixels of each channel.

use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes};

/// The mean over the `height` x `width` pixels of every channel: rows are summed up by themselves
/// first, which keeps rounding errors small.
///
/// # Panics
/// If the planes do not have the rows and columns, or `out` is not one lane per channel.
pub fn mean<E: Element>(
    level: Level,
    planes: Planes<'_, Lane<E>>,
    height: usize,
    width: usize,
    out: &mut [Lane<E>],
) {
    assert_eq!(out.len(), planes.layout().channels);
    level.run(Mean { planes, height, width, out });
}

struct Mean<'a, E> {
    planes: Planes<'a, Lane<E>>,
    height: usize,
    width: usize,
    out: &'a mut [Lane<E>],
}

impl<E: Element> Task<E> for Mean<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        let factor = simd.splat(E::from_f64(1.0 / (self.height * self.width) as f64));
        for (channel, out) in self.out.iter_mut().enumerate() {
            for part in 0..S::PARTS {
                let mut sum = simd.zero();
                for row in 0..self.height {
                    let mut row_sum = simd.zero();
                    for x in self.planes.row(channel, row as isize, 0..self.width as isize) {
                        row_sum = simd.add(row_sum, simd.load(x, part));
                    }
                    sum = simd.add(sum, row_sum);
                }
                simd.store(simd.mul(sum, factor), out, part);
            }
        }
    }
}
