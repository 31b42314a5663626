//! Numbers with a derivative at their side (Clifford's dual numbers): what is computed with them comes out
//! with its derivative along one direction. Duals of duals have second derivatives.

use std::ops::{Add, Div, Mul, Sub};

use crate::interpreter::Number;

#[derive(Clone, Copy)]
pub(crate) struct Dual<T> {
    pub(crate) value: T,
    pub(crate) tangent: T,
}

impl<T: Number> Dual<T> {
    pub(crate) fn new(value: T, tangent: T) -> Self {
        Dual { value, tangent }
    }
}

impl<T: Number> Add for Dual<T> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Dual::new(self.value + other.value, self.tangent + other.tangent)
    }
}

impl<T: Number> Sub for Dual<T> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Dual::new(self.value - other.value, self.tangent - other.tangent)
    }
}

impl<T: Number> Mul for Dual<T> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Dual::new(self.value * other.value, self.tangent * other.value + self.value * other.tangent)
    }
}

impl<T: Number> Div for Dual<T> {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Dual::new(value, (self.tangent - value * other.tangent) / other.value)
    }
}

impl<T: Number> Number for Dual<T> {
    fn of(x: f64) -> Self {
        Dual::new(T::of(x), T::of(0.0))
    }

    fn real(self) -> f64 {
        self.value.real()
    }

    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        Dual::new(root, self.tangent / (T::of(2.0) * root))
    }

    fn exp(self) -> Self {
        let power = self.value.exp();
        Dual::new(power, self.tangent * power)
    }

    fn sin(self) -> Self {
        let cosine = (self.value + T::of(std::f64::consts::FRAC_PI_2)).sin();
        Dual::new(self.value.sin(), self.tangent * cosine)
    }

    fn ln(self) -> Self {
        Dual::new(self.value.ln(), self.tangent / self.value)
    }

    fn erf(self) -> Self {
        let slope = T::of(std::f64::consts::FRAC_2_SQRT_PI) * (T::of(0.0) - self.value * self.value).exp();
        Dual::new(self.value.erf(), self.tangent * slope)
    }
}
