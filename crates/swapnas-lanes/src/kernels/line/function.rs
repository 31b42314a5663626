//! Functions of single elements.

use super::number::{Dual, Number};
use super::read::{Lines, Read};
use crate::{Element, Lane, Level};

/// A function of every element by itself.
pub trait Function: Copy {
    /// The function.
    fn of<E: Element, N: Number<E>>(&self, x: N) -> N;
}

/// Writes a function of every element.
pub fn apply<E: Element, X: Read<E>>(level: Level, function: impl Function, x: X, out: &mut [Lane<E>]) {
    X::compute(level, Apply { function, x, out });
}

struct Apply<'a, E, F, X> {
    function: F,
    x: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, F: Function, X: Read<E>> Lines<E> for Apply<'_, E, F, X> {
    #[inline(always)]
    fn lines(self) {
        for (place, out) in self.out.iter_mut().enumerate() {
            *out = self.function.of(self.x.at(place)).result();
        }
    }
}

/// Adds the gradient times the slope of a function at every element.
pub fn apply_gradient<E: Element, X: Read<E>>(
    level: Level,
    function: impl Function,
    x: X,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, ApplyGradient { function, x, gradient, out });
}

struct ApplyGradient<'a, E, F, X> {
    function: F,
    x: X,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, F: Function, X: Read<E>> Lines<E> for ApplyGradient<'_, E, F, X> {
    #[inline(always)]
    fn lines(self) {
        for (place, out) in self.out.iter_mut().enumerate() {
            let along = Dual { value: self.x.at(place), tangent: X::N::of(E::ONE) };
            let slope = self.function.of(along).tangent;
            *out = *out + (slope * self.gradient.at(place)).result();
        }
    }
}
