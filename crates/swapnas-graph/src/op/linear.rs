use swapnas_lanes::kernels::window::Window;

use super::{Lowered, Op, Operator, Sizes, conv};
use crate::flops::Flops;
use crate::{GraphError, ParamId, Shape, ValueId};

/// A fully connected layer over the channels of every pixel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    /// The weights, `[out, in]`.
    pub weight: ParamId,
    /// One number per output.
    pub bias: Option<ParamId>,
}

impl Linear {
    /// The shape of what it makes of an image, with so many outputs.
    pub(crate) fn shape(input: Shape, out: usize) -> Result<Shape, GraphError> {
        if out > 0 {
            return Ok(input.with_channels(out));
        }
        let expected = "at least one output".to_owned();
        Err(GraphError::Channels { node: String::new(), op: "linear layer", expected, input })
    }
}

impl Operator for Linear {
    fn name(&self) -> &'static str {
        "linear layer"
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [Some(self.weight), self.bias]
    }

    fn with_params(&self, [weight, bias]: [Option<ParamId>; 2]) -> Option<Op> {
        Some(Op::Linear(Linear { weight: weight?, bias }))
    }

    fn macs(&self, sizes: &Sizes<'_>) -> u64 {
        conv::macs(sizes)
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        Flops { linear: conv::macs(sizes), ..Flops::default() }
    }

    /// A convolution of 1x1.
    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        let Linear { weight, bias } = *self;
        Lowered::Convolve { window: Window::POINT, groups: 1, weight, bias }
    }
}
