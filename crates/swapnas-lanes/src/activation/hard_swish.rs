use super::{Activation, Curve, Facts, OnnxInput, OnnxNode, OnnxNumbers, number};
use crate::simd::Simd;

/// x * min(max(x + 3, 0), 6) / 6.
#[derive(Clone, Copy)]
pub(crate) struct HardSwish;

impl Facts for HardSwish {
    fn name(self) -> &'static str {
        "hard-swish"
    }

    fn is_gate(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound
    }

    fn torch(self) -> String {
        "nn.Hardswish()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![OnnxNode::new("HardSwish", [OnnxInput::X])]
    }

    fn of_onnx(self, operator: &str, _number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        (operator == "HardSwish").then_some(Ok(Activation::HardSwish))
    }
}

impl Curve for HardSwish {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let six = number(simd, 6.0);
        let gate = simd.add(x, number(simd, 3.0));
        simd.mul(x, simd.div(simd.min(simd.max(gate, simd.zero()), six), six))
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let three = number(simd, 3.0);
        let middle = simd.fma(x, number(simd, 1.0 / 3.0), number(simd, 0.5));
        let below = simd.select(three, x, middle, number(simd, 1.0));
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 3.0), x, number(simd, 1.0 / 3.0), simd.zero());
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }
}
