//! Softmax along an axis.

use super::Axis;
use super::number::Number;
use super::read::{Lines, Read};
use crate::{Element, Lane, Level};

/// Writes e^x divided by its sum along the axis.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn softmax<E: Element, X: Read<E>>(level: Level, axis: Axis, x: X, out: &mut [Lane<E>]) {
    X::compute(level, Softmax { axis, x, out });
}

struct Softmax<'a, E, X> {
    axis: Axis,
    x: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for Softmax<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let Softmax { axis, x, out } = self;
        for line in 0..axis.lines() {
            let place = |i: usize| axis.first(line) + i * axis.inner;
            // What is subtracted cancels, so it needs no tangent.
            let mut most = Lane::splat(E::NEG_INFINITY);
            for i in 0..axis.len {
                let x = x.at(place(i)).value();
                for (most, x) in most.0.iter_mut().zip(x.0) {
                    *most = if x > *most { x } else { *most };
                }
            }
            let mut sum = X::N::of(E::ZERO);
            for i in 0..axis.len {
                sum = sum + (x.at(place(i)) - X::N::lane(most)).exp();
            }
            for i in 0..axis.len {
                out[place(i)] = ((x.at(place(i)) - X::N::lane(most)).exp() / sum).result();
            }
        }
    }
}

/// Adds to `out` what the gradient of a softmax is, given its result `y`.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn softmax_gradient<E: Element, X: Read<E>>(
    level: Level,
    axis: Axis,
    y: X,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, SoftmaxGradient { axis, y, gradient, out });
}

struct SoftmaxGradient<'a, E, X> {
    axis: Axis,
    y: X,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for SoftmaxGradient<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let SoftmaxGradient { axis, y, gradient, out } = self;
        for line in 0..axis.lines() {
            let place = |i: usize| axis.first(line) + i * axis.inner;
            let mut sum = X::N::of(E::ZERO);
            for i in 0..axis.len {
                sum = sum + y.at(place(i)) * gradient.at(place(i));
            }
            for i in 0..axis.len {
                let back = y.at(place(i)) * (gradient.at(place(i)) - sum);
                out[place(i)] = out[place(i)] + back.result();
            }
        }
    }
}
