//! Means along an axis.

use super::read::{Lines, Run};
use super::{Axis, CHUNK};
use crate::{Element, Lane, Level};

/// Writes the mean along an axis: one lane for every line.
///
/// # Panics
/// If there are fewer lanes than elements, or more in `out` than lines.
pub fn mean<E: Element>(level: Level, axis: Axis, x: &[Lane<E>], out: &mut [Lane<E>]) {
    assert_eq!(out.len(), axis.lines());
    level.run(Run(Mean { axis, x, out }));
}

struct Mean<'a, E> {
    axis: Axis,
    x: &'a [Lane<E>],
    out: &'a mut [Lane<E>],
}

impl<E: Element> Lines<E> for Mean<'_, E> {
    #[inline(always)]
    fn lines(self) {
        let Mean { axis, x, out } = self;
        let share = Lane::splat(E::from_f64(1.0 / axis.len as f64));
        for (line, out) in out.iter_mut().enumerate() {
            let mut total = Lane::ZERO;
            for chunk in (0..axis.len).step_by(CHUNK) {
                let mut sum = Lane::ZERO;
                for i in chunk..(chunk + CHUNK).min(axis.len) {
                    sum = sum + x[axis.first(line) + i * axis.inner];
                }
                total = total + sum;
            }
            *out = total * share;
        }
    }
}

/// Adds the gradient of a mean to every element of its line.
///
/// # Panics
/// If there are fewer lanes than elements, or not one of the gradient for each line.
pub fn mean_gradient<E: Element>(level: Level, axis: Axis, gradient: &[Lane<E>], out: &mut [Lane<E>]) {
    assert_eq!(gradient.len(), axis.lines());
    level.run(Run(MeanGradient { axis, gradient, out }));
}

struct MeanGradient<'a, E> {
    axis: Axis,
    gradient: &'a [Lane<E>],
    out: &'a mut [Lane<E>],
}

impl<E: Element> Lines<E> for MeanGradient<'_, E> {
    #[inline(always)]
    fn lines(self) {
        let MeanGradient { axis, gradient, out } = self;
        let share = Lane::splat(E::from_f64(1.0 / axis.len as f64));
        for (line, gradient) in gradient.iter().enumerate() {
            let each = *gradient * share;
            for i in 0..axis.len {
                let place = axis.first(line) + i * axis.inner;
                out[place] = out[place] + each;
            }
        }
    }
}
