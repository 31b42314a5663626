//! What lines are computed with: lanes, and lanes with their tangents.

use std::ops::{Add, Div, Mul, Sub};

use crate::{Element, Lane};

/// What lines are computed with.
pub trait Number<E>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The same constant for every sample.
    fn of(x: E) -> Self;
    /// A lane that does not change.
    fn lane(lane: Lane<E>) -> Self;
    /// The lane without tangents.
    fn value(self) -> Lane<E>;
    /// What is to be known: the lane itself, or its tangent.
    fn result(self) -> Lane<E>;
    /// The square root.
    fn sqrt(self) -> Self;
    /// e to the power of the number.
    fn exp(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The number of each sample where it is above a bound, which it is not at the bound itself; the bound elsewhere.
    fn max(self, bound: E) -> Self;
}

/// A function of every sample by itself.
#[inline(always)]
fn map<E: Element>(mut lane: Lane<E>, f: impl Fn(E) -> E) -> Lane<E> {
    for x in &mut lane.0 {
        *x = f(*x);
    }
    lane
}

impl<E: Element> Number<E> for Lane<E> {
    #[inline(always)]
    fn of(x: E) -> Self {
        Lane::splat(x)
    }
    #[inline(always)]
    fn lane(lane: Lane<E>) -> Self {
        lane
    }
    #[inline(always)]
    fn value(self) -> Lane<E> {
        self
    }
    #[inline(always)]
    fn result(self) -> Lane<E> {
        self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        map(self, E::sqrt)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        map(self, E::quick_exp)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        map(self, E::quick_erf)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        map(self, E::ln)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        map(self, |x| x.sin_cos().0)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        map(self, |x| x.sin_cos().1)
    }
    #[inline(always)]
    fn max(self, bound: E) -> Self {
        map(self, |x| if x > bound { x } else { bound })
    }
}

/// A number with its tangent (Clifford's dual numbers).
#[derive(Clone, Copy, Debug)]
pub struct Dual<N> {
    /// The number.
    pub value: N,
    /// How it changes.
    pub tangent: N,
}

impl<N: Add<Output = N>> Add for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<N: Sub<Output = N>> Sub for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<N: Copy + Add<Output = N> + Mul<Output = N>> Mul for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = self.tangent * other.value + self.value * other.tangent;
        Dual { value: self.value * other.value, tangent }
    }
}

impl<N: Copy + Sub<Output = N> + Mul<Output = N> + Div<Output = N>> Div for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Dual { value, tangent: (self.tangent - value * other.tangent) / other.value }
    }
}

impl<E: Element, N: Number<E>> Number<E> for Dual<N> {
    #[inline(always)]
    fn of(x: E) -> Self {
        Dual { value: N::of(x), tangent: N::of(E::ZERO) }
    }
    #[inline(always)]
    fn lane(lane: Lane<E>) -> Self {
        Dual { value: N::lane(lane), tangent: N::of(E::ZERO) }
    }
    #[inline(always)]
    fn value(self) -> Lane<E> {
        self.value.value()
    }
    #[inline(always)]
    fn result(self) -> Lane<E> {
        self.tangent.value()
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        Dual { value, tangent: self.tangent / (value + value) }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        Dual { value, tangent: self.tangent * value }
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let factor = N::of(E::from_f64(std::f64::consts::FRAC_2_SQRT_PI));
        let slope = factor * (N::of(E::ZERO) - self.value * self.value).exp();
        Dual { value: self.value.erf(), tangent: self.tangent * slope }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Dual { value: self.value.ln(), tangent: self.tangent / self.value }
    }
    #[inline(always)]
    fn sin(self) -> Self {
        Dual { value: self.value.sin(), tangent: self.tangent * self.value.cos() }
    }
    #[inline(always)]
    fn cos(self) -> Self {
        let slope = N::of(E::ZERO) - self.value.sin();
        Dual { value: self.value.cos(), tangent: self.tangent * slope }
    }
    #[inline(always)]
    fn max(self, bound: E) -> Self {
        // 1 where the number is above the bound, 0 elsewhere.
        let above = map(self.value.value(), |x| if x > bound { E::ONE } else { E::ZERO });
        Dual { value: self.value.max(bound), tangent: self.tangent * N::lane(above) }
    }
}
