use std::fmt;

use crate::tensor::TensorOp;
use crate::{Activation, Key, ParamId, Shape};

/// Zeros around an image, in pixels. Negative numbers cut pixels away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Padding {
    /// Rows above.
    pub top: i32,
    /// Columns to the left.
    pub left: i32,
    /// Rows below.
    pub bottom: i32,
    /// Columns to the right.
    pub right: i32,
}

impl Padding {
    /// The same padding on all four sides.
    pub const fn same(pixels: usize) -> Self {
        let p = pixels as i32;
        Padding { top: p, left: p, bottom: p, right: p }
    }
}

/// Where a convolution or a pool looks: kernel, stride, dilation (rows, columns) and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Rows and columns from one output pixel to the next.
    pub stride: [usize; 2],
    /// Rows and columns from one tap to the next.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

impl Window {
    /// A square kernel with stride 1 and the padding that keeps the image size (`kernel / 2`).
    pub const fn square(kernel: usize) -> Self {
        Window {
            kernel: [kernel, kernel],
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::same(kernel / 2),
        }
    }

    /// The same window with another stride.
    #[must_use]
    pub const fn stride(mut self, stride: usize) -> Self {
        self.stride = [stride, stride];
        self
    }

    /// The same window with another dilation; the padding grows with it, so that the image keeps
    /// its size.
    #[must_use]
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.dilation = [dilation, dilation];
        self.padding = Padding::same(self.kernel[0] / 2 * dilation);
        self
    }

    /// The same window with another padding.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Number of taps of the kernel.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Height and width of the result for an image of `height` x `width`, or `None` if the kernel
    /// is larger than the padded image or a stride or dilation is zero.
    pub fn output(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, before: i32, after: i32, axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.kernel[axis].checked_sub(1)?)?;
            let padded = i64::try_from(size).ok()?.checked_add(i64::from(before) + i64::from(after))?;
            let room =
                usize::try_from(padded.checked_sub(i64::try_from(reach).ok()?)?.checked_sub(1)?).ok()?;
            room.checked_div(self.stride[axis])?.checked_add(1)
        };
        if self.dilation.contains(&0) {
            return None;
        }
        Some((
            side(height, self.padding.top, self.padding.bottom, 0)?,
            side(width, self.padding.left, self.padding.right, 1)?,
        ))
    }

    /// Height and width of what a transposed convolution makes of an image of `height` x `width`, the padding cut away;
    /// `None` if nothing is left, or a stride or dilation is zero.
    pub fn transposed_output(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, before: i32, after: i32, axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.kernel[axis].checked_sub(1)?)?;
            let whole = size.checked_sub(1)?.checked_mul(self.stride[axis])?.checked_add(reach)?;
            let cut = i64::try_from(whole).ok()?.checked_sub(i64::from(before) + i64::from(after))?;
            usize::try_from(cut.checked_add(1)?).ok().filter(|side| *side > 0)
        };
        if self.dilation.contains(&0) || self.stride.contains(&0) {
            return None;
        }
        Some((
            side(height, self.padding.top, self.padding.bottom, 0)?,
            side(width, self.padding.left, self.padding.right, 1)?,
        ))
    }
}

/// What a batch normalisation adds to the variance, so that it divides by no zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epsilon(u64);

impl Epsilon {
    /// A finite number from 0 on.
    pub fn new(number: f64) -> Option<Self> {
        (number >= 0.0 && number.is_finite()).then_some(Epsilon(number.to_bits()))
    }

    /// The number.
    pub const fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Default for Epsilon {
    /// 1e-5, as PyTorch has it unless told otherwise.
    fn default() -> Self {
        Epsilon(1e-5f64.to_bits())
    }
}

impl fmt::Debug for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// What a node computes from its inputs.
///
/// Nodes know nothing of batches; only [`Op::BatchNorm`] mixes samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The image.
    Input,
    /// Zeros of the node's shape.
    Zero,
    /// Convolution. Weights are `[out, in / groups, rows, columns]`, the bias is `[out]`.
    Conv2d {
        /// Kernel, stride, dilation, padding.
        window: Window,
        /// Number of groups; channels of input and output are divided evenly among them.
        groups: usize,
        /// The weights.
        weight: ParamId,
        /// One number per output channel.
        bias: Option<ParamId>,
    },
    /// (x - mean) / sqrt(variance + eps) with mean and biased variance over batch and pixels of
    /// each channel, then times weight plus bias if there are any.
    BatchNorm {
        /// Weight and bias, each `[channels]`.
        affine: Option<(ParamId, ParamId)>,
        /// eps.
        epsilon: Epsilon,
    },
    /// An activation function.
    Act(Activation),
    /// Maximum over a window; padding never wins.
    MaxPool(Window),
    /// Mean over a window.
    AvgPool {
        /// Kernel, stride, padding.
        window: Window,
        /// Whether zeros of the padding count as pixels.
        count_padding: bool,
    },
    /// Mean over all pixels of a channel.
    GlobalAvgPool,
    /// A fully connected layer over the channels of every pixel. Weights are `[out, in]`.
    Linear {
        /// The weights.
        weight: ParamId,
        /// One number per output.
        bias: Option<ParamId>,
    },
    /// Sum of any number of values of one shape.
    Add,
    /// Product of two values; the second may be 1x1 and then scales whole channels.
    Mul,
    /// Values joined along the channels.
    Concat,
    /// Channels `start .. start + shape.channels` of a value.
    Slice {
        /// First channel.
        start: usize,
    },
    /// An operation on the elements of single samples in whatever order they lie.
    Tensor(TensorOp),
}

impl Op {
    /// The name used in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Zero => "zero",
            Op::Conv2d { .. } => "convolution",
            Op::BatchNorm { .. } => "batch norm",
            Op::Act(act) => act.name(),
            Op::MaxPool(_) => "max pool",
            Op::AvgPool { .. } => "average pool",
            Op::GlobalAvgPool => "global average pool",
            Op::Linear { .. } => "linear layer",
            Op::Add => "addition",
            Op::Mul => "multiplication",
            Op::Concat => "concatenation",
            Op::Slice { .. } => "channel slice",
            Op::Tensor(op) => op.name(),
        }
    }

    /// What it is besides its name and parameters, as a key of the values it computes.
    pub fn attributes(&self) -> Key {
        match self {
            Op::Conv2d { window, groups, .. } => Key::of((window, groups)),
            Op::MaxPool(window) => Key::of(window),
            Op::AvgPool { window, count_padding } => Key::of((window, count_padding)),
            Op::Slice { start } => Key::of(start),
            Op::Act(act) => act.number().map_or(Key::of(()), Key::of),
            Op::BatchNorm { epsilon, .. } if *epsilon != Epsilon::default() => Key::of(epsilon),
            Op::Tensor(op) => op.attributes(),
            _ => Key::of(()),
        }
    }

    /// The parameters it reads, weights first.
    pub fn params(&self) -> impl Iterator<Item = ParamId> + use<> {
        let params = match *self {
            Op::Conv2d { weight, bias, .. } | Op::Linear { weight, bias } => [Some(weight), bias],
            Op::BatchNorm { affine: Some((weight, bias)), .. } => [Some(weight), Some(bias)],
            Op::Tensor(ref op) => op.params(),
            _ => [None; 2],
        };
        params.into_iter().flatten()
    }
}

impl Op {
    /// The same parameters, to be changed.
    pub(crate) fn params_mut(&mut self) -> impl Iterator<Item = &mut ParamId> {
        let params = match self {
            Op::Conv2d { weight, bias, .. } | Op::Linear { weight, bias } => [Some(weight), bias.as_mut()],
            Op::BatchNorm { affine: Some((weight, bias)), .. } => [Some(weight), Some(bias)],
            Op::Tensor(op) => op.params_mut(),
            _ => [None, None],
        };
        params.into_iter().flatten()
    }
}

/// Multiply-accumulates of one sample through a convolution or a linear layer.
pub(crate) fn macs(weight_shape: &[usize], output: Shape) -> u64 {
    weight_shape.iter().product::<usize>() as u64 * output.pixels() as u64
}
