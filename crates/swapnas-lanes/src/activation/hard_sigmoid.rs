use super::{Activation, Curve, Facts, OnnxInput, OnnxNode, OnnxNumbers, number};
use crate::simd::Simd;

/// min(max(x + 3, 0), 6) / 6.
#[derive(Clone, Copy)]
pub(crate) struct HardSigmoid;

impl Facts for HardSigmoid {
    fn name(self) -> &'static str {
        "hard-sigmoid"
    }

    fn is_gate(self) -> bool {
        false
    }

    fn bound(self, _bound: f64) -> f64 {
        1.0
    }

    fn torch(self) -> String {
        "nn.Hardsigmoid()".to_owned()
    }

    fn onnx(self) -> Vec<OnnxNode> {
        let node = OnnxNode::new("HardSigmoid", [OnnxInput::X]);
        vec![node.with("alpha", 1.0 / 6.0).with("beta", 0.5)]
    }

    fn of_onnx(self, operator: &str, number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        (operator == "HardSigmoid").then(|| {
            let [alpha, beta] = [number("alpha", 0.2), number("beta", 0.5)];
            // But for the rounding of single precision.
            let near = |x: f64, expected: f64| (x - expected).abs() <= 1e-6 * expected;
            if near(alpha, 1.0 / 6.0) && near(beta, 0.5) {
                Ok(Activation::HardSigmoid)
            } else {
                Err("hard-sigmoid as of PyTorch, with alpha 1/6 and beta 1/2")
            }
        })
    }
}

impl Curve for HardSigmoid {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let six = number(simd, 6.0);
        let gate = simd.add(x, number(simd, 3.0));
        simd.div(simd.min(simd.max(gate, simd.zero()), six), six)
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        let below = simd.select(number(simd, 3.0), x, number(simd, 1.0 / 6.0), simd.zero());
        simd.select(x, number(simd, -3.0), below, simd.zero())
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}
