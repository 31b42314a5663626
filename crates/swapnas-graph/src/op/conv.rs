//! Convolutions. As they are most of the work, they are fused and done by several algorithms
//! (`plan/compile/convolutions.rs`), in bands of rows (`exec/bands.rs`), and so are their gradients (`grad/conv/`).

use swapnas_lanes::Element;

use super::{Lowered, Op, Operator, Sizes, windowed};
use crate::flops::Flops;
use crate::magnitude::{self, Magnitude};
use crate::{GraphError, Key, ParamId, Shape, ValueId, Window};

/// Convolution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Number of groups; channels of input and output are divided evenly among them.
    pub groups: usize,
    /// The weights, `[out, in / groups, rows, columns]`.
    pub weight: ParamId,
    /// One number per output channel.
    pub bias: Option<ParamId>,
}

/// How a convolution is made: see [`GraphBuilder::conv2d`](crate::GraphBuilder::conv2d) and
/// [`GraphBuilder::conv_transpose`](crate::GraphBuilder::conv_transpose).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Output channels.
    pub out: usize,
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Number of groups.
    pub groups: usize,
    /// Whether a number is added to every output channel.
    pub bias: bool,
}

impl Conv {
    /// A dense convolution to `out` channels, without bias.
    pub const fn new(out: usize, window: Window) -> Self {
        Conv { out, window, groups: 1, bias: false }
    }

    /// A convolution of every channel by itself, without bias.
    pub const fn depthwise(channels: usize, window: Window) -> Self {
        Conv { out: channels, window, groups: channels, bias: false }
    }

    /// The same with a bias.
    #[must_use]
    pub const fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// The shape of what it makes of an image.
    pub(crate) fn shape(&self, input: Shape) -> Result<Shape, GraphError> {
        self.check_groups("convolution", input)?;
        Ok(windowed("convolution", &self.window, input)?.with_channels(self.out))
    }

    /// Whether groups divide the channels on both sides.
    pub(super) fn check_groups(&self, op: &'static str, input: Shape) -> Result<(), GraphError> {
        let Conv { out, groups, .. } = *self;
        if groups > 0 && out > 0 && input.channels.is_multiple_of(groups) && out.is_multiple_of(groups) {
            return Ok(());
        }
        let expected = format!("input and output channels ({out}) that {groups} groups divide");
        Err(GraphError::Channels { node: String::new(), op, expected, input })
    }
}

impl Conv2d {
    /// How large numbers can be, given the weights of so many outputs and the biases, if there are any.
    pub(crate) fn magnitude<E: Element>(
        input: f64,
        weights: &[E],
        outputs: usize,
        biases: &[E],
    ) -> Magnitude {
        Magnitude::weighted(input, magnitude::of_weights(weights, outputs), magnitude::of_numbers(biases))
    }
}

impl Operator for Conv2d {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn attributes(&self) -> Key {
        Key::of((self.window, self.groups))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [Some(self.weight), self.bias]
    }

    fn with_params(&self, [weight, bias]: [Option<ParamId>; 2]) -> Option<Op> {
        Some(Op::Conv2d(Conv2d { weight: weight?, bias, ..self.clone() }))
    }

    fn macs(&self, sizes: &Sizes<'_>) -> u64 {
        macs(sizes)
    }

    fn flops(&self, sizes: &Sizes<'_>) -> Flops {
        let bias = if self.bias.is_some() { sizes.output.elements() as u64 } else { 0 };
        Flops { conv: macs(sizes) + bias, ..Flops::default() }
    }

    fn lowered(&self, _value: ValueId, _input: Shape) -> Lowered {
        let Conv2d { window, groups, weight, bias } = *self;
        Lowered::Convolve { window: window.for_lanes(), groups, weight, bias }
    }
}

/// Multiply-accumulates of a layer: each weight meets as many pixels as there are of the result.
pub(super) fn macs(sizes: &Sizes<'_>) -> u64 {
    sizes.weight.iter().product::<usize>() as u64 * sizes.output.pixels() as u64
}
