//! Where the numbers of a line come from, and how what is computed of them is run.

use super::number::{Dual, Number};
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane};

/// Where the numbers of all elements are.
pub trait Read<E>: Copy {
    /// What they are.
    type N: Number<E>;

    /// The number of an element.
    fn at(&self, place: usize) -> Self::N;

    /// Does what is computed of lines. Without tangents, it is compiled for the level; few ask for tangents, and they
    /// get the same bits of code that is compiled once.
    fn compute(level: Level, lines: impl Lines<E>);
}

impl<E: Element> Read<E> for &[Lane<E>] {
    type N = Lane<E>;

    #[inline(always)]
    fn at(&self, place: usize) -> Lane<E> {
        self[place]
    }

    fn compute(level: Level, lines: impl Lines<E>) {
        level.run(Run(lines));
    }
}

/// Lanes and their tangents; what has none does not change.
#[derive(Clone, Copy, Debug)]
pub struct Tangents<'a, E> {
    /// The lanes.
    pub values: &'a [Lane<E>],
    /// How they change.
    pub tangents: Option<&'a [Lane<E>]>,
}

impl<E: Element> Read<E> for Tangents<'_, E> {
    type N = Dual<Lane<E>>;

    #[inline(always)]
    fn at(&self, place: usize) -> Dual<Lane<E>> {
        let tangent = self.tangents.map_or(Lane::ZERO, |tangents| tangents[place]);
        Dual { value: self.values[place], tangent }
    }

    fn compute(_level: Level, lines: impl Lines<E>) {
        lines.lines();
    }
}

/// Numbers that are the same for every sample: weights or biases.
#[derive(Clone, Copy, Debug)]
pub struct Constants<'a, E> {
    /// The numbers.
    pub numbers: &'a [E],
    /// How they change; not at all without.
    pub direction: Option<&'a [E]>,
    /// So many elements that follow each other have the same number.
    pub alike: usize,
}

impl<E: Element> Constants<'_, E> {
    #[inline(always)]
    fn index(&self, place: usize) -> usize {
        place / self.alike % self.numbers.len()
    }
}

/// What constants become beside numbers of some kind.
pub trait Beside<E: Element>: Number<E> {
    /// The constant of an element.
    fn constant(of: &Constants<'_, E>, place: usize) -> Self;
}

impl<E: Element> Beside<E> for Lane<E> {
    #[inline(always)]
    fn constant(of: &Constants<'_, E>, place: usize) -> Self {
        Lane::splat(of.numbers[of.index(place)])
    }
}

impl<E: Element> Beside<E> for Dual<Lane<E>> {
    #[inline(always)]
    fn constant(of: &Constants<'_, E>, place: usize) -> Self {
        let index = of.index(place);
        let tangent = of.direction.map_or(E::ZERO, |direction| direction[index]);
        Dual { value: Lane::splat(of.numbers[index]), tangent: Lane::splat(tangent) }
    }
}

/// Runs what is written for numbers of any kind, compiled for a level.
pub(super) struct Run<F>(pub(super) F);

/// What is computed of all lines.
pub trait Lines<E> {
    /// Computes it.
    fn lines(self);
}

impl<E: Element, F: Lines<E>> Task<E> for Run<F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, _simd: S) {
        self.0.lines();
    }
}
