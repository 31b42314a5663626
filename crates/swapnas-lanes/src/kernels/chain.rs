//! Activations of normalised values, and the chain rule through them.

use std::marker::PhantomData;
use std::ops::Range;

use super::rows::WriteMode;
use crate::activation::{Activation, Curve, Identity, with_curve};
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// A normalisation: scale and shift, one lane for every channel each.
#[derive(Clone, Copy)]
pub struct Scaling<'a, E = f32> {
    /// Factors.
    pub scale: &'a [Lane<E>],
    /// Summands.
    pub shift: &'a [Lane<E>],
}

/// What an activation is applied to: `scale * x + shift` with a scale and a shift for every channel
/// and sample.
#[derive(Clone, Copy)]
pub struct Argument<'a, E = f32> {
    /// x.
    pub planes: Planes<'a, Lane<E>>,
    /// Scale and shift; x itself without.
    pub scaling: Option<Scaling<'a, E>>,
}

/// Writes the activation of the argument, or the argument itself without one, or adds it to what is
/// there.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn activate<E: Element>(
    level: Level,
    of: &Argument<'_, E>,
    activation: Option<Activation>,
    rows: Range<usize>,
    width: usize,
    into: WriteMode,
    out: PlanesMut<'_, Lane<E>>,
) {
    let chain = Chain { at: *of, activation, part: PhantomData::<Value>, others: [], rows, width, out };
    chain.write(level, into);
}

/// Writes `gradient` times the activation's derivative at the argument, or adds it to what is there.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
#[allow(clippy::too_many_arguments)]
pub fn slope<E: Element>(
    level: Level,
    at: &Argument<'_, E>,
    activation: Option<Activation>,
    gradient: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    into: WriteMode,
    out: PlanesMut<'_, Lane<E>>,
) {
    let others = [gradient];
    let chain = Chain { at: *at, activation, part: PhantomData::<Slope>, others, rows, width, out };
    chain.write(level, into);
}

/// Multiplies what is there by the activation's derivative at the argument.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn scale_by_slope<E: Element>(
    level: Level,
    at: &Argument<'_, E>,
    activation: Activation,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    let activation = Some(activation);
    let chain = Chain { at: *at, activation, part: PhantomData::<BareSlope>, others: [], rows, width, out };
    level.run(To::<_, MULTIPLY>(chain));
}

/// Adds `gradient * tangent` times the activation's second derivative at the argument to what is
/// there.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
#[allow(clippy::too_many_arguments)]
pub fn second_derivative<E: Element>(
    level: Level,
    at: &Argument<'_, E>,
    activation: Activation,
    gradient: Planes<'_, Lane<E>>,
    tangent: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    let (activation, others) = (Some(activation), [gradient, tangent]);
    let chain =
        Chain { at: *at, activation, part: PhantomData::<SecondDerivative>, others, rows, width, out };
    level.run(To::<_, ADD>(chain));
}

/// The bits of the samples with a positive argument, for every pixel.
///
/// # Panics
/// If the planes do not have the channels, rows and columns.
pub fn signs<E: Element>(
    level: Level,
    of: &Argument<'_, E>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, u16>,
) {
    level.run(Signs { of: *of, rows, width, out });
}

// What becomes of a result and what is there, as constants, for which code is compiled.
const REPLACE: u8 = 0;
const ADD: u8 = 1;
const MULTIPLY: u8 = 2;

/// Which derivative is taken, and the `N` numbers that it is multiplied by.
trait Part<const N: usize> {
    fn of<S: Simd, C: Curve>(simd: S, curve: C, x: S::V, others: [S::V; N]) -> S::V;
}

struct Value;
struct Slope;
struct BareSlope;
struct SecondDerivative;

impl Part<0> for Value {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, curve: C, x: S::V, []: [S::V; 0]) -> S::V {
        curve.value(simd, x)
    }
}

impl Part<1> for Slope {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, curve: C, x: S::V, [gradient]: [S::V; 1]) -> S::V {
        simd.mul(gradient, curve.slope(simd, x))
    }
}

impl Part<0> for BareSlope {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, curve: C, x: S::V, []: [S::V; 0]) -> S::V {
        curve.slope(simd, x)
    }
}

impl Part<2> for SecondDerivative {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, curve: C, x: S::V, [gradient, tangent]: [S::V; 2]) -> S::V {
        simd.mul(simd.mul(gradient, tangent), curve.second_derivative(simd, x))
    }
}

struct Chain<'a, E, P, const N: usize> {
    at: Argument<'a, E>,
    activation: Option<Activation>,
    part: PhantomData<P>,
    others: [Planes<'a, Lane<E>>; N],
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

/// A chain, and what becomes of its results.
struct To<C, const STORE: u8>(C);

impl<E: Element, P: Part<N>, const N: usize, const STORE: u8> Task<E> for To<Chain<'_, E, P, N>, STORE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        match self.0.activation {
            None => self.0.run::<S, _, STORE>(simd, Identity),
            Some(activation) => with_curve!(activation, curve => self.0.run::<S, _, STORE>(simd, curve)),
        }
    }
}

impl<E: Element, P: Part<N>, const N: usize> Chain<'_, E, P, N> {
    fn write(self, level: Level, into: WriteMode) {
        match into {
            WriteMode::Overwrite => level.run(To::<_, REPLACE>(self)),
            WriteMode::Sum => level.run(To::<_, ADD>(self)),
        }
    }

    #[inline(always)]
    fn run<S: Simd<E = E>, C: Curve, const STORE: u8>(mut self, simd: S, curve: C) {
        let columns = 0..self.width as isize;
        // What leaves every number as it is, -0 too: one loop serves both cases.
        let (one, zero) = (Lane::splat(E::ONE), Lane::splat(E::from_f64(-0.0)));
        for channel in 0..self.at.planes.layout().channels {
            let scale = self.at.scaling.map_or(&one, |scaling| &scaling.scale[channel]);
            let shift = self.at.scaling.map_or(&zero, |scaling| &scaling.shift[channel]);
            for row in self.rows.clone() {
                let row = row as isize;
                let x = self.at.planes.row(channel, row, columns.clone());
                let out = &mut self.out.row(channel, row, columns.clone())[..x.len()];
                let mut others: [&[Lane<E>]; N] = [&[]; N];
                for (other, planes) in others.iter_mut().zip(&self.others) {
                    *other = &planes.row(channel, row, columns.clone())[..x.len()];
                }
                for part in 0..S::PARTS {
                    let (scale, shift) = (simd.load(scale, part), simd.load(shift, part));
                    for (i, (x, out)) in x.iter().zip(out.iter_mut()).enumerate() {
                        let x = simd.fma(simd.load(x, part), scale, shift);
                        let mut factors = [x; N];
                        for (factor, other) in factors.iter_mut().zip(&others) {
                            *factor = simd.load(&other[i], part);
                        }
                        let v = P::of(simd, curve, x, factors);
                        let v = match STORE {
                            ADD => simd.add(simd.load(out, part), v),
                            MULTIPLY => simd.mul(simd.load(out, part), v),
                            _ => v,
                        };
                        simd.store(v, out, part);
                    }
                }
            }
        }
    }
}

struct Signs<'a, E> {
    of: Argument<'a, E>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, u16>,
}

impl<E: Element> Task<E> for Signs<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        let (one, zero) = (Lane::splat(E::ONE), Lane::ZERO);
        for channel in 0..self.of.planes.layout().channels {
            let scale = self.of.scaling.map_or(&one, |scaling| &scaling.scale[channel]);
            let shift = self.of.scaling.map_or(&zero, |scaling| &scaling.shift[channel]);
            for row in self.rows.clone() {
                let x = self.of.planes.row(channel, row as isize, columns.clone());
                let out = self.out.row(channel, row as isize, columns.clone());
                for (x, out) in x.iter().zip(out) {
                    let mut bits = 0;
                    for part in 0..S::PARTS {
                        let (scale, shift) = (simd.load(scale, part), simd.load(shift, part));
                        let x = simd.fma(simd.load(x, part), scale, shift);
                        bits |= simd.greater(x, simd.zero()) << (part * S::WIDTH);
                    }
                    *out = bits;
                }
            }
        }
    }
}
