//! Functions of single elements.

use std::fmt;

use swapnas_lanes::Element;
use swapnas_lanes::kernels::line::{self, Number};

/// A finite number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Real(u64);

impl Real {
    /// The number; `None` if it is not finite.
    pub fn new(number: f64) -> Option<Self> {
        // Both zeros are one.
        number.is_finite().then_some(Real((number + 0.0).to_bits()))
    }

    /// The number.
    pub const fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A function of each element that is no activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// factor * x + summand.
    Linear {
        /// The factor.
        factor: Real,
        /// The summand.
        summand: Real,
    },
    /// e^x.
    Exp,
    /// The natural logarithm.
    Ln,
    /// The square root.
    Sqrt,
    /// 1 / x.
    Reciprocal,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// x^n for a whole number n above 0.
    Power(u32),
    /// x to any power, for numbers above 0.
    RealPower(Real),
    /// max(x, number).
    Max(Real),
    /// min(x, number).
    Min(Real),
}

impl line::Function for Function {
    #[inline(always)]
    fn of<E: Element, N: Number<E>>(&self, x: N) -> N {
        let of = |x: f64| N::of(E::from_f64(x));
        match *self {
            Function::Linear { factor, summand } => x * of(factor.number()) + of(summand.number()),
            Function::Exp => x.exp(),
            Function::Ln => x.ln(),
            Function::Sqrt => x.sqrt(),
            Function::Reciprocal => of(1.0) / x,
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Tanh => of(1.0) - of(2.0) / ((x + x).exp() + of(1.0)),
            Function::Erf => x.erf(),
            Function::Power(n) => {
                let mut power = x;
                for _ in 1..n {
                    power = power * x;
                }
                power
            }
            Function::Max(bound) => x.max(E::from_f64(bound.number())),
            Function::Min(bound) => {
                let zero = of(0.0);
                zero - (zero - x).max(E::from_f64(-bound.number()))
            }
            Function::RealPower(exponent) => (x.ln() * of(exponent.number())).exp(),
        }
    }
}
