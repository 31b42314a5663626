use super::{Activation, Curve, Facts, OnnxInput, OnnxNode, OnnxNumbers, number};
use crate::Real;
use crate::simd::Simd;

/// x where it is above 0, slope * x elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct LeakyRelu {
    pub(crate) slope: Real,
}

impl Facts for LeakyRelu {
    fn name(self) -> &'static str {
        "leaky ReLU"
    }

    fn number(self) -> Option<Real> {
        Some(self.slope)
    }

    fn is_gate(self) -> bool {
        true
    }

    fn is_piecewise_linear(self) -> bool {
        true
    }

    fn bound(self, bound: f64) -> f64 {
        bound * self.slope.number().abs().max(1.0)
    }

    fn torch(self) -> String {
        format!("nn.LeakyReLU({:?})", self.slope)
    }

    fn onnx(self) -> Vec<OnnxNode> {
        vec![OnnxNode::new("LeakyRelu", [OnnxInput::X]).with("alpha", self.slope.number())]
    }

    fn of_onnx(self, operator: &str, number: OnnxNumbers<'_>) -> Option<Result<Activation, &'static str>> {
        (operator == "LeakyRelu").then(|| {
            let slope = Real::new(number("alpha", 0.01)).ok_or("a finite alpha")?;
            Ok(Activation::LeakyRelu { slope })
        })
    }
}

impl Curve for LeakyRelu {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::V) -> S::V {
        simd.select(x, simd.zero(), x, simd.mul(x, number(simd, self.slope.number())))
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, x: S::V) -> S::V {
        simd.select(x, simd.zero(), number(simd, 1.0), number(simd, self.slope.number()))
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}
