//! Elements in another order.

use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Strided};

/// Writes the elements of a view one after the other.
///
/// # Panics
/// If the view reaches beyond `from`, or `out` is not one lane for each element.
pub fn gather<E: Element>(from: &[Lane<E>], view: &Strided, out: &mut [Lane<E>]) {
    let view = view.merged();
    assert_eq!(out.len(), view.len());
    let Some((row, stride)) = view.dims().next_back() else {
        return out.copy_from_slice(&from[view.offset()..][..1]);
    };
    for (first, out) in view.outer(1).places().zip(out.chunks_exact_mut(row.max(1))) {
        if stride == 1 {
            out.copy_from_slice(&from[first..][..row]);
        } else {
            for (i, out) in out.iter_mut().enumerate() {
                *out = from[first + i * stride];
            }
        }
    }
}

/// Adds lanes to the elements of a view, one after the other: what [`gather`] does to gradients.
///
/// # Panics
/// If the view reaches beyond `to`, or `lanes` is not one lane for each element.
pub fn scatter<E: Element>(level: Level, lanes: &[Lane<E>], view: &Strided, to: &mut [Lane<E>]) {
    let view = view.merged();
    assert_eq!(lanes.len(), view.len());
    level.run(Scatter { lanes, view, to });
}

struct Scatter<'a, E> {
    lanes: &'a [Lane<E>],
    view: Strided,
    to: &'a mut [Lane<E>],
}

impl<E: Element> Task<E> for Scatter<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        for (place, lane) in self.view.places().zip(self.lanes) {
            let to = &mut self.to[place];
            for part in 0..S::PARTS {
                simd.store(simd.add(simd.load(to, part), simd.load(lane, part)), to, part);
            }
        }
    }
}
