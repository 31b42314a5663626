//! Activations of normalised values, and the chain rule through them.

use std::f64::consts::{FRAC_1_SQRT_2, PI};
use std::marker::PhantomData;
use std::ops::Range;

use super::rows::{Activation, WriteMode};
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

/// Where the gradient of a piecewise linear activation jumps, its derivative is that of the left
/// side at 0 (0 for all of them) and the flat side at the other ends.
impl Activation {
    /// Whether the second derivative vanishes wherever there is one.
    pub const fn is_piecewise_linear(self) -> bool {
        matches!(self, Activation::Relu | Activation::Relu6)
    }
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
    fn of<S: Simd, C: Curve>(simd: S, x: S::V, others: [S::V; N]) -> S::V;
}

struct Value;
struct Slope;
struct BareSlope;
struct SecondDerivative;

impl Part<0> for Value {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, x: S::V, []: [S::V; 0]) -> S::V {
        C::value(simd, x)
    }
}

impl Part<1> for Slope {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, x: S::V, [gradient]: [S::V; 1]) -> S::V {
        simd.mul(gradient, C::slope(simd, x))
    }
}

impl Part<0> for BareSlope {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, x: S::V, []: [S::V; 0]) -> S::V {
        C::slope(simd, x)
    }
}

impl Part<2> for SecondDerivative {
    #[inline(always)]
    fn of<S: Simd, C: Curve>(simd: S, x: S::V, [gradient, tangent]: [S::V; 2]) -> S::V {
        simd.mul(simd.mul(gradient, tangent), C::second_derivative(simd, x))
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
            None => self.0.run::<S, Plain, STORE>(simd),
            Some(Activation::Relu) => self.0.run::<S, Relu, STORE>(simd),
            Some(Activation::Relu6) => self.0.run::<S, Relu6, STORE>(simd),
            Some(Activation::Silu) => self.0.run::<S, Silu, STORE>(simd),
            Some(Activation::Gelu) => self.0.run::<S, Gelu, STORE>(simd),
            Some(Activation::HardSwish) => self.0.run::<S, HardSwish, STORE>(simd),
            Some(Activation::Sigmoid) => self.0.run::<S, Sigmoid, STORE>(simd),
            Some(Activation::HardSigmoid) => self.0.run::<S, HardSigmoid, STORE>(simd),
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
    fn run<S: Simd<E = E>, C: Curve, const STORE: u8>(mut self, simd: S) {
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
                        let v = P::of::<S, C>(simd, x, factors);
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

/// A function with its first and second derivative.
trait Curve {
    fn value<S: Simd>(simd: S, x: S::V) -> S::V;
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V;
    fn second_derivative<S: Simd>(simd: S, x: S::V) -> S::V;
}

struct Plain;
struct Relu;
struct Relu6;
struct Silu;
struct Gelu;
struct HardSwish;
struct Sigmoid;
struct HardSigmoid;

#[inline(always)]
fn number<S: Simd>(simd: S, x: f64) -> S::V {
    simd.splat(S::E::from_f64(x))
}

impl Curve for Plain {
    #[inline(always)]
    fn value<S: Simd>(_simd: S, x: S::V) -> S::V {
        x
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, _x: S::V) -> S::V {
        number(simd, 1.0)
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}

impl Curve for Relu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        simd.max(x, simd.zero())
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        simd.select(x, simd.zero(), number(simd, 1.0), simd.zero())
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}

impl Curve for Relu6 {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        simd.min(simd.max(x, simd.zero()), number(simd, 6.0))
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 6.0), x, number(simd, 1.0), simd.zero());
        simd.select(x, simd.zero(), below, simd.zero())
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}

#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::V) -> S::V {
    let one = number(simd, 1.0);
    simd.div(one, simd.add(one, simd.map(simd.sub(simd.zero(), x), S::E::exp)))
}

/// With s the sigmoid of x, the derivatives are s + x s (1 - s) and s (1 - s) (2 + x (1 - 2 s)).
impl Curve for Silu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        let decay = simd.map(simd.sub(simd.zero(), x), S::E::exp);
        simd.div(x, simd.add(number(simd, 1.0), decay))
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        simd.fma(x, change, s)
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        let tilt = simd.fma(number(simd, -2.0), s, number(simd, 1.0));
        simd.mul(change, simd.fma(x, tilt, number(simd, 2.0)))
    }
}

/// The normal distribution's density.
#[inline(always)]
fn density<S: Simd>(simd: S, x: S::V) -> S::V {
    let power = simd.mul(simd.mul(x, x), number(simd, -0.5));
    simd.mul(simd.map(power, S::E::exp), number(simd, 1.0 / (2.0 * PI).sqrt()))
}

/// With the normal distribution's function P and density p, the derivatives are P(x) + x p(x) and
/// p(x) (2 - x^2).
impl Curve for Gelu {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        let erf = simd.map(simd.mul(x, number(simd, FRAC_1_SQRT_2)), S::E::erf);
        simd.mul(simd.mul(x, number(simd, 0.5)), simd.add(number(simd, 1.0), erf))
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let erf = simd.map(simd.mul(x, number(simd, FRAC_1_SQRT_2)), S::E::erf);
        let half = number(simd, 0.5);
        simd.fma(x, density(simd, x), simd.fma(erf, half, half))
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, x: S::V) -> S::V {
        let square = simd.mul(x, x);
        simd.mul(density(simd, x), simd.sub(number(simd, 2.0), square))
    }
}

impl Curve for HardSwish {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        let six = number(simd, 6.0);
        let gate = simd.add(x, number(simd, 3.0));
        simd.mul(x, simd.div(simd.min(simd.max(gate, simd.zero()), six), six))
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let three = number(simd, 3.0);
        let middle = simd.fma(x, number(simd, 1.0 / 3.0), number(simd, 0.5));
        let below = simd.select(three, x, middle, number(simd, 1.0));
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 3.0), x, number(simd, 1.0 / 3.0), simd.zero());
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }
}

/// With s the sigmoid of x, the derivatives are s (1 - s) and s (1 - s) (1 - 2 s).
impl Curve for Sigmoid {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        sigmoid(simd, x)
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x);
        simd.mul(s, simd.sub(number(simd, 1.0), s))
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        simd.mul(change, simd.fma(number(simd, -2.0), s, number(simd, 1.0)))
    }
}

impl Curve for HardSigmoid {
    #[inline(always)]
    fn value<S: Simd>(simd: S, x: S::V) -> S::V {
        let six = number(simd, 6.0);
        let gate = simd.add(x, number(simd, 3.0));
        simd.div(simd.min(simd.max(gate, simd.zero()), six), six)
    }
    #[inline(always)]
    fn slope<S: Simd>(simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 3.0), x, number(simd, 1.0 / 6.0), simd.zero());
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }
    #[inline(always)]
    fn second_derivative<S: Simd>(simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}
