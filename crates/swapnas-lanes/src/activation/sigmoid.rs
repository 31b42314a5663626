use super::{Activation, Curve, Facts, OnnxInput, OnnxNode, OnnxNumbers, number};
use crate::Element as _;
use crate::simd::Simd;

/// 1 / (1 + e^-x).
#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;

impl Facts for Sigmoid {
    fn name(self) -> &'static str {
        "sigmoid"
    }

    fn is_gate(self) -> bool {
        false
    }

    fn bound(self, _bound: f64) -> f64 {
        1.0
    }

    fn torch(self) -> String {
        "nn.Sigmoid()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![OnnxNode::new("Sigmoid", [OnnxInput::X])]
    }

    fn of_onnx(self, operator: &str, _number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        (operator == "Sigmoid").then_some(Ok(Activation::Sigmoid))
    }
}

/// The function by either exponential function: `quick_exp` where it is fast, `exp` where code is small.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::V, exp: impl Fn(S::E) -> S::E) -> S::V {
    let one = number(simd, 1.0);
    simd.div(one, simd.add(one, simd.map(simd.sub(simd.zero(), x), exp)))
}

/// With s the sigmoid of x, the derivatives are s (1 - s) and s (1 - s) (1 - 2 s).
impl Curve for Sigmoid {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        sigmoid(simd, x, S::E::quick_exp)
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x, S::E::exp);
        simd.mul(s, simd.sub(number(simd, 1.0), s))
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let s = sigmoid(simd, x, S::E::exp);
        let change = simd.mul(s, simd.sub(number(simd, 1.0), s));
        simd.mul(change, simd.fma(number(simd, -2.0), s, number(simd, 1.0)))
    }
}
