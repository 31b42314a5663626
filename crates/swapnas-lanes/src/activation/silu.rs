use super::sigmoid::sigmoid;
use super::{Activation, Curve, Facts, OnnxInput, OnnxNode, OnnxNumbers, number};
use crate::Element as _;
use crate::simd::Simd;

/// x * sigmoid(x), also called swish.
#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl Facts for Silu {
    fn name(self) -> &'static str {
        "SiLU"
    }

    fn is_gate(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound
    }

    fn torch(self) -> String {
        "nn.SiLU()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![
            OnnxNode::part("gate", "Sigmoid", [OnnxInput::X]),
            OnnxNode::new("Mul", [OnnxInput::X, OnnxInput::Part("gate")]),
        ]
    }

    fn of_onnx(self, operator: &str, number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        let is_silu =
            |alpha: f64| if alpha == 1.0 { Ok(Activation::Silu) } else { Err("SiLU, with alpha 1") };
        (operator == "Swish").then(|| is_silu(number("alpha", 1.0)))
    }
}

/// With s the sigmoid of x, the derivatives are s + x s (1 - s) and s (1 - s) (2 + x (1 - 2 s)).
impl Curve for Silu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let decay = simd.map(simd.sub(simd.zero(), x), S::E::quick_exp);
        simd.div(x, simd.add(number(simd, 1.0), decay))
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x, S::E::exp);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        simd.fma(x, change, s)
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x, S::E::exp);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        let tilt = simd.fma(number(simd, -2.0), s, number(simd, 1.0));
        simd.mul(change, simd.fma(x, tilt, number(simd, 2.0)))
    }
}
