use super::{Curve, Facts, OnnxInput, OnnxNode, number};
use crate::simd::Simd;

/// min(max(x, 0), 6).
#[derive(Clone, Copy)]
pub(crate) struct Relu6;

impl Facts for Relu6 {
    fn name(self) -> &'static str {
        "ReLU6"
    }

    fn is_gate(self) -> bool {
        true
    }

    fn is_piecewise_linear(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound.min(6.0)
    }

    fn torch(self) -> String {
        "nn.ReLU6()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![OnnxNode::new("Clip", [OnnxInput::X, OnnxInput::Number(0.0), OnnxInput::Number(6.0)])]
    }
}

impl Curve for Relu6 {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        simd.min(simd.max(x, simd.zero()), number(simd, 6.0))
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 6.0), x, number(simd, 1.0), simd.zero());
        simd.select(x, simd.zero(), below, simd.zero())
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}
