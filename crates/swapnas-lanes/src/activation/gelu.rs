use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::{Curve, Facts, OnnxInput, OnnxNode, number};
use crate::Element as _;
use crate::simd::Simd;

/// x * Phi(x) with the exact Gaussian distribution function.
#[derive(Clone, Copy)]
pub(crate) struct Gelu;

impl Facts for Gelu {
    fn name(self) -> &'static str {
        "GELU"
    }

    fn is_gate(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound
    }

    fn torch(self) -> String {
        "nn.GELU()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        let [scaled, erf, sum, half] = ["scaled", "erf", "sum", "half"].map(OnnxInput::Part);
        vec![
            OnnxNode::part("scaled", "Mul", [OnnxInput::X, OnnxInput::Number(FRAC_1_SQRT_2)]),
            OnnxNode::part("erf", "Erf", [scaled]),
            OnnxNode::part("sum", "Add", [erf, OnnxInput::Number(1.0)]),
            OnnxNode::part("half", "Mul", [OnnxInput::X, OnnxInput::Number(0.5)]),
            OnnxNode::new("Mul", [half, sum]),
        ]
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
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let erf = simd.map(simd.mul(x, number(simd, FRAC_1_SQRT_2)), S::E::quick_erf);
        simd.mul(simd.mul(x, number(simd, 0.5)), simd.add(number(simd, 1.0), erf))
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let erf = simd.map(simd.mul(x, number(simd, FRAC_1_SQRT_2)), S::E::erf);
        let half = number(simd, 0.5);
        simd.fma(x, density(simd, x), simd.fma(erf, half, half))
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let square = simd.mul(x, x);
        simd.mul(density(simd, x), simd.sub(number(simd, 2.0), square))
    }
}
