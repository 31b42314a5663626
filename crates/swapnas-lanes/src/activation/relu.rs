use super::{Curve, Facts, OnnxInput, OnnxNode, number};
use crate::simd::Simd;

/// max(x, 0).
#[derive(Clone, Copy)]
pub(crate) struct Relu;

impl Facts for Relu {
    fn name(self) -> &'static str {
        "ReLU"
    }

    fn is_gate(self) -> bool {
        true
    }

    fn is_piecewise_linear(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound
    }

    fn torch(self) -> String {
        "nn.ReLU()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![OnnxNode::new("Relu", [OnnxInput::X])]
    }
}

impl Curve for Relu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        simd.max(x, simd.zero())
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        simd.select(x, simd.zero(), number(simd, 1.0), simd.zero())
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}
