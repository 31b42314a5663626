//! What operators come down to.

use swapnas_lanes::Element;
use swapnas_lanes::kernels::pool::Pool;
use swapnas_lanes::kernels::window::Window;

use super::tensor::TensorOp;
use super::{Add, Concat, GlobalAvgPool, Mul, Pooling};
use crate::magnitude::Magnitude;
use crate::{Activation, Epsilon, ParamId, Shape, ValueId};

/// What a node comes down to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lowered {
    /// The batch itself.
    Input,
    /// A batch normalisation, which stays pending on what it reads.
    Normalise { params: Option<(ParamId, ParamId)>, epsilon: Epsilon },
    /// An activation, which stays pending too.
    Activate(Activation),
    /// A convolution, or a linear layer, which is one of 1x1.
    Convolve { window: Window, groups: usize, weight: ParamId, bias: Option<ParamId> },
    /// Everything else.
    Compute(Work),
}

/// What is made of some values, block by block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Zero,
    /// The sum of the sources.
    Combine,
    /// What windows see of the source.
    Pool(Pooling),
    /// The mean over all pixels.
    Mean,
    /// The product of two sources; the second may be 1x1.
    Multiply,
    /// The sources one after the other.
    Concat,
    /// Channels from this one on.
    Slice {
        start: usize,
    },
    /// The operation of this value, on whole blocks.
    Tensor(ValueId),
}

impl Lowered {
    /// Whether a kernel writes the value, and it is neither left pending nor part of others or made of them.
    pub(crate) fn is_written(&self) -> bool {
        match self {
            Lowered::Input | Lowered::Normalise { .. } | Lowered::Activate(_) => false,
            Lowered::Compute(work) => !matches!(work, Work::Concat | Work::Slice { .. }),
            Lowered::Convolve { .. } => true,
        }
    }

    /// The window through which it reads its input, if the value under the padding is zero.
    pub(crate) fn zero_padded_window(&self) -> Option<Window> {
        match *self {
            Lowered::Convolve { window, .. } => Some(window),
            Lowered::Compute(Work::Pool(Pooling { window, pool })) => (pool != Pool::Max).then_some(window),
            _ => None,
        }
    }
}

impl Work {
    /// How large numbers of the result can be, given bounds of the sources, the image of the first of them, and the
    /// numbers of the parameters; `tensor_op` is asked for the operation of a value.
    pub(crate) fn magnitude<'t, E: Element>(
        self,
        tensor_op: impl FnOnce(ValueId) -> &'t TensorOp,
        bounds: &[f64],
        [image, result]: [Shape; 2],
        params: [&[E]; 2],
    ) -> Magnitude {
        match self {
            Work::Zero => Magnitude::plain(0.0),
            Work::Combine => Add::magnitude(bounds),
            Work::Pool(pooling) => pooling.magnitude(bounds[0], image, result),
            Work::Mean => GlobalAvgPool::magnitude(bounds[0], image),
            Work::Multiply => Mul::magnitude(bounds),
            Work::Concat | Work::Slice { .. } => Concat::magnitude(bounds),
            Work::Tensor(value) => tensor_op(value).magnitude(bounds, params),
        }
    }
}
