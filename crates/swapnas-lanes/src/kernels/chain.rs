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
    run::<E, Value, 0>(level, of, activation, [], rows, width, into.into(), out);
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
    run::<E, Slope, 1>(level, at, activation, [gradient], rows, width, into.into(), out);
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
    run::<E, BareSlope, 0>(level, at, Some(activation), [], rows, width, Store::Multiply, out);
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
    run::<E, SecondDerivative, 2>(
        level,
        at,
        Some(activation),
        [gradient, tangent],
        rows,
        width,
        Store::Add,
        out,
    );
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

#[allow(clippy::too_many_arguments)]
fn run<E: Element, P: Part<N>, const N: usize>(
    level: Level,
    at: &Argument<'_, E>,
    activation: Option<Activation>,
    others: [Planes<'_, Lane<E>>; N],
    rows: Range<usize>,
    width: usize,
    store: Store,
    out: PlanesMut<'_, Lane<E>>,
) {
    let chain = Chain { at: *at, activation, part: PhantomData::<P>, others, rows, width, out };
    match (at.scaling.is_some(), store) {
        (false, Store::Replace) => level.run(Specialised::<_, false, REPLACE>(chain)),
        (false, Store::Add) => level.run(Specialised::<_, false, ADD>(chain)),
        (false, Store::Multiply) => level.run(Specialised::<_, false, MULTIPLY>(chain)),
        (true, Store::Replace) => level.run(Specialised::<_, true, REPLACE>(chain)),
        (true, Store::Add) => level.run(Specialised::<_, true, ADD>(chain)),
        (true, Store::Multiply) => level.run(Specialised::<_, true, MULTIPLY>(chain)),
    }
}

/// What becomes of a result and what is there.
#[derive(Clone, Copy)]
enum Store {
    Replace,
    Add,
    Multiply,
}

// The same as constants, for which code is compiled.
const REPLACE: u8 = Store::Replace as u8;
const ADD: u8 = Store::Add as u8;
const MULTIPLY: u8 = Store::Multiply as u8;

impl From<WriteMode> for Store {
    fn from(into: WriteMode) -> Self {
        match into {
            WriteMode::Overwrite => Store::Replace,
            WriteMode::Sum => Store::Add,
        }
    }
}

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

struct Specialised<C, const AFFINE: bool, const STORE: u8>(C);

impl<E: Element, P: Part<N>, const N: usize, const AFFINE: bool, const STORE: u8> Task<E>
    for Specialised<Chain<'_, E, P, N>, AFFINE, STORE>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        match self.0.activation {
            None => self.0.run::<S, Plain, AFFINE, STORE>(simd),
            Some(Activation::Relu) => self.0.run::<S, Relu, AFFINE, STORE>(simd),
            Some(Activation::Relu6) => self.0.run::<S, Relu6, AFFINE, STORE>(simd),
            Some(Activation::Silu) => self.0.run::<S, Silu, AFFINE, STORE>(simd),
            Some(Activation::Gelu) => self.0.run::<S, Gelu, AFFINE, STORE>(simd),
            Some(Activation::HardSwish) => self.0.run::<S, HardSwish, AFFINE, STORE>(simd),
            Some(Activation::Sigmoid) => self.0.run::<S, Sigmoid, AFFINE, STORE>(simd),
            Some(Activation::HardSigmoid) => self.0.run::<S, HardSigmoid, AFFINE, STORE>(simd),
        }
    }
}

impl<E: Element, P: Part<N>, const N: usize> Chain<'_, E, P, N> {
    #[inline(always)]
    fn run<S: Simd<E = E>, C: Curve, const AFFINE: bool, const STORE: u8>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        for channel in 0..self.at.planes.layout().channels {
            for row in self.rows.clone() {
                let row = row as isize;
                let x = self.at.planes.row(channel, row, columns.clone());
                let out = &mut self.out.row(channel, row, columns.clone())[..x.len()];
                let mut others: [&[Lane<E>]; N] = [&[]; N];
                for (other, planes) in others.iter_mut().zip(&self.others) {
                    *other = &planes.row(channel, row, columns.clone())[..x.len()];
                }
                for part in 0..S::PARTS {
                    let (mut scale, mut shift) = (simd.zero(), simd.zero());
                    if let (true, Some(scaling)) = (AFFINE, self.at.scaling) {
                        scale = simd.load(&scaling.scale[channel], part);
                        shift = simd.load(&scaling.shift[channel], part);
                    }
                    for (i, (x, out)) in x.iter().zip(out.iter_mut()).enumerate() {
                        let x = simd.load(x, part);
                        let x = if AFFINE { simd.fma(x, scale, shift) } else { x };
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
