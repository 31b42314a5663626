//! Functions of single elements.

use swapnas_lanes::kernels::line::{self, Number};
use swapnas_lanes::{Element, Lane, Real};

use super::TensorOperator;
use super::run::{At, Kernels, Operand, Way};
use crate::magnitude::{self, Magnitude};

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

impl TensorOperator for Function {
    fn name(&self) -> &'static str {
        "function"
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Function {
    fn magnitude(&self, bounds: &[f64], _params: [&[E]; 2]) -> Magnitude {
        let bound = bounds[0];
        match *self {
            Function::Linear { factor, summand } => {
                Magnitude::plain(factor.number().abs() * bound + summand.number().abs())
            }
            Function::Max(number) | Function::Min(number) => {
                Magnitude::plain(magnitude::larger(bound, number.number().abs()))
            }
            Function::Sin | Function::Cos | Function::Tanh => Magnitude::plain(1.0),
            Function::Erf => Magnitude::plain(1.0),
            Function::Power(n) => Magnitude::plain(bound.powf(f64::from(n)).max(bound)),
            // These may grow without bound, so numbers are looked at.
            Function::Exp | Function::Ln | Function::Sqrt | Function::Reciprocal | Function::RealPower(_) => {
                Magnitude::plain(f64::INFINITY)
            }
        }
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        line::apply(at.level, *self, inputs[0], out);
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        line::apply_gradient(at.level, *self, way.inputs[0], way.gradient, out);
    }
}
