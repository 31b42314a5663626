//! Element-wise work on rows: normalisation, activations, sums, and the signs that patterns are
//! made of.

use std::ops::Range;

use crate::activation::relu::Relu;
use crate::activation::{Activation, Curve, Identity, with_curve};
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// A channel's `scale * x + shift`: what is left to be applied of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine<E = f32> {
    /// Factor.
    pub scale: E,
    /// Summand.
    pub shift: E,
}

/// Planes, and what is still to be done to the numbers in them: normalisation, then activation.
#[derive(Clone, Copy)]
pub struct Source<'a, E = f32> {
    /// The numbers.
    pub planes: Planes<'a, Lane<E>>,
    /// Normalisation of each channel.
    pub affine: Option<&'a [Affine<E>]>,
    /// Activation.
    pub activation: Option<Activation>,
}

impl<'a, E: Element> Source<'a, E> {
    /// Planes whose numbers are taken as they are.
    pub fn plain(planes: Planes<'a, Lane<E>>) -> Self {
        Source { planes, affine: None, activation: None }
    }
}

/// What becomes of the numbers of a [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// They replace what is there.
    Overwrite,
    /// They are added to what is there.
    Sum,
}

/// Writes `activation(affine(x))`, or adds it to what is there.
///
/// `signs`, where given, gets for every pixel the bits of the samples with affine(x) > 0: the
/// sample-wise activation pattern of that unit if the activation is a ReLU.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn load<E: Element>(
    level: Level,
    source: &Source<'_, E>,
    rows: Range<usize>,
    width: usize,
    into: WriteMode,
    out: PlanesMut<'_, Lane<E>>,
    signs: Option<PlanesMut<'_, u16>>,
) {
    let (source, out) = (*source, Some(out));
    match into {
        WriteMode::Overwrite => level.run(Load::<E, false> { source, rows, width, out, signs }),
        WriteMode::Sum => level.run(Load::<E, true> { source, rows, width, out, signs }),
    }
}

/// The bits of the samples with affine(x) > 0, for every pixel.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn signs<E: Element>(
    level: Level,
    source: &Source<'_, E>,
    rows: Range<usize>,
    width: usize,
    signs: PlanesMut<'_, u16>,
) {
    level.run(Load::<E, false> { source: *source, rows, width, out: None, signs: Some(signs) });
}

struct Load<'a, E, const ADD: bool> {
    source: Source<'a, E>,
    rows: Range<usize>,
    width: usize,
    out: Option<PlanesMut<'a, Lane<E>>>,
    signs: Option<PlanesMut<'a, u16>>,
}

impl<E: Element, const ADD: bool> Task<E> for Load<'_, E, ADD> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        let Source { planes, affine, activation } = self.source;
        for channel in 0..planes.layout().channels {
            let affine = affine.map(|affine| affine[channel]);
            for row in self.rows.clone() {
                let row = row as isize;
                let x = planes.row(channel, row, columns.clone());
                let out = self.out.as_mut().map(|out| out.row(channel, row, columns.clone()));
                let signs = self.signs.as_mut().map(|signs| signs.row(channel, row, columns.clone()));
                load_row::<S, ADD>(simd, x, affine, activation, out, signs);
            }
        }
    }
}

/// Most sources that [`sum`] adds up in one pass.
pub const TERMS: usize = 4;

/// Writes the sum of two to [`TERMS`] sources on which no activation is pending, added up in their
/// order: the same as to [`load`] one after the other, but memory is written once.
///
/// # Panics
/// If there are fewer sources or more, or planes do not have the channels, rows and columns.
pub fn sum<E: Element>(
    level: Level,
    sources: &[Source<'_, E>],
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    assert!(sources.iter().all(|source| source.activation.is_none()), "sums of activations");
    match *sources {
        [a, b] => level.run(Sum { sources: [a, b], rows, width, out }),
        [a, b, c] => level.run(Sum { sources: [a, b, c], rows, width, out }),
        [a, b, c, d] => level.run(Sum { sources: [a, b, c, d], rows, width, out }),
        _ => panic!("{} sources cannot be added up in one pass", sources.len()),
    }
}

struct Sum<'a, E, const COUNT: usize> {
    sources: [Source<'a, E>; COUNT],
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element, const COUNT: usize> Task<E> for Sum<'_, E, COUNT> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        let identity = Affine { scale: E::ONE, shift: E::ZERO };
        for channel in 0..self.out.layout().channels {
            let affines = self.sources.map(|source| source.affine.map_or(identity, |affine| affine[channel]));
            let scales = affines.map(|affine| simd.splat(affine.scale));
            let shifts = affines.map(|affine| simd.splat(affine.shift));
            for row in self.rows.clone() {
                let row = row as isize;
                let terms = self.sources.map(|source| source.planes.row(channel, row, columns.clone()));
                let out = self.out.row(channel, row, columns.clone());
                for (i, out) in out.iter_mut().enumerate() {
                    simd.prefetch_for_write((out as *const Lane<E>).wrapping_add(AHEAD));
                    for part in 0..S::PARTS {
                        let mut sum = simd.fma(simd.load(&terms[0][i], part), scales[0], shifts[0]);
                        for term in 1..COUNT {
                            let x = simd.load(&terms[term][i], part);
                            sum = simd.add(sum, simd.fma(x, scales[term], shifts[term]));
                        }
                        simd.store(sum, out, part);
                    }
                }
            }
        }
    }
}

/// One row at the level of `simd`; the choices are made once here, so that the loops have none.
#[inline(always)]
fn load_row<S: Simd, const ADD: bool>(
    simd: S,
    x: &[Lane<S::E>],
    pending: Option<Affine<S::E>>,
    activation: Option<Activation>,
    out: Option<&mut [Lane<S::E>]>,
    signs: Option<&mut [u16]>,
) {
    let identity = Affine { scale: S::E::ONE, shift: S::E::ZERO };
    let affine = pending.unwrap_or(identity);
    match (pending.is_some(), activation) {
        (false, None) => finish::<S, _, false, ADD>(simd, Identity, x, affine, out, signs),
        (true, None) => finish::<S, _, true, ADD>(simd, Identity, x, affine, out, signs),
        (false, Some(Activation::Relu)) => finish::<S, _, false, ADD>(simd, Relu, x, affine, out, signs),
        (_, Some(activation)) => {
            with_curve!(activation, curve => finish::<S, _, true, ADD>(simd, curve, x, affine, out, signs));
        }
    }
}

#[inline(always)]
fn finish<S: Simd, C: Curve, const AFFINE: bool, const ADD: bool>(
    simd: S,
    curve: C,
    x: &[Lane<S::E>],
    affine: Affine<S::E>,
    out: Option<&mut [Lane<S::E>]>,
    signs: Option<&mut [u16]>,
) {
    let zero = simd.zero();
    let (scale, shift) = (simd.splat(affine.scale), simd.splat(affine.shift));
    match (out, signs) {
        (Some(out), None) => {
            for (x, out) in x.iter().zip(out) {
                for part in 0..S::PARTS {
                    let v = affine_of::<S, AFFINE>(simd, simd.load(x, part), scale, shift);
                    put::<S, C, ADD>(simd, curve, v, out, part);
                }
            }
        }
        (Some(out), Some(signs)) => {
            assert_eq!(signs.len(), x.len());
            for ((x, out), signs) in x.iter().zip(out).zip(signs) {
                let mut bits = 0;
                for part in 0..S::PARTS {
                    let v = affine_of::<S, AFFINE>(simd, simd.load(x, part), scale, shift);
                    bits |= simd.greater(v, zero) << (part * S::WIDTH);
                    put::<S, C, ADD>(simd, curve, v, out, part);
                }
                *signs = bits;
            }
        }
        (None, Some(signs)) => {
            assert_eq!(signs.len(), x.len());
            for (x, signs) in x.iter().zip(signs) {
                let mut bits = 0;
                for part in 0..S::PARTS {
                    let v = affine_of::<S, AFFINE>(simd, simd.load(x, part), scale, shift);
                    bits |= simd.greater(v, zero) << (part * S::WIDTH);
                }
                *signs = bits;
            }
        }
        (None, None) => {}
    }
}

#[inline(always)]
fn affine_of<S: Simd, const AFFINE: bool>(simd: S, x: S::V, scale: S::V, shift: S::V) -> S::V {
    if AFFINE { simd.fma(x, scale, shift) } else { x }
}

/// How many lanes ahead of those being written memory is prefetched. Without it, every lane that is not
/// in the first cache holds up the ones after it.
const AHEAD: usize = 4;

#[inline(always)]
fn put<S: Simd, C: Curve, const ADD: bool>(simd: S, curve: C, v: S::V, out: &mut Lane<S::E>, part: usize) {
    let v = curve.value(simd, v);
    if !ADD && part == 0 {
        simd.prefetch_for_write((out as *const Lane<S::E>).wrapping_add(AHEAD));
    }
    let v = if ADD { simd.add(simd.load(out, part), v) } else { v };
    simd.store(v, out, part);
}

/// Multiplies an image by another, or every channel by one lane where `by` is 1x1.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn multiply<E: Element>(
    level: Level,
    by: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    level.run(Multiply { by, rows, width, out });
}

struct Multiply<'a, E> {
    by: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Multiply<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let layout = *self.by.layout();
        let whole_channels = layout.rows == 1 && layout.columns == 1;
        for channel in 0..layout.channels {
            for row in self.rows.clone() {
                let columns = 0..self.width as isize;
                let out = self.out.row(channel, row as isize, columns.clone());
                let by = if whole_channels {
                    self.by.row(channel, 0, 0..1)
                } else {
                    self.by.row(channel, row as isize, columns)
                };
                for (i, out) in out.iter_mut().enumerate() {
                    let by = if whole_channels { &by[0] } else { &by[i] };
                    for part in 0..S::PARTS {
                        let product = simd.mul(simd.load(out, part), simd.load(by, part));
                        simd.store(product, out, part);
                    }
                }
            }
        }
    }
}
