//! Convolution by whichever algorithm does it fastest.

use std::ops::Range;

use super::dense::{self, DenseWeights};
use super::depthwise;
use super::window::Window;
use super::winograd::{self, WinogradWeights};
use crate::{Element, Lane, Level, Planes, PlanesMut};

/// The algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Every weight with every pixel: [`dense`].
    #[default]
    Dense,
    /// Every channel by itself: [`depthwise`].
    Depthwise,
    /// Fewer multiplications for 3x3 windows: [`winograd`].
    Winograd,
}

impl Algorithm {
    /// The fastest one for a window over `inputs` channels that gives `outputs` channels, of all groups, of
    /// `size` rows and columns, and adds a bias or not. It depends on nothing else, since they do not round
    /// alike.
    pub fn fastest(
        window: &Window,
        groups: usize,
        [inputs, outputs]: [usize; 2],
        size: [usize; 2],
        bias: bool,
    ) -> Self {
        let many = groups == 1 && inputs.min(outputs) >= winograd::FEWEST;
        if many && winograd::takes(window, size) {
            Algorithm::Winograd
        } else if groups > 1 && [inputs, outputs] == [groups; 2] && !bias {
            Algorithm::Depthwise
        } else {
            Algorithm::Dense
        }
    }

    /// How many numbers it makes of so many weights.
    pub fn packed(self, weights: usize) -> usize {
        match self {
            Algorithm::Dense | Algorithm::Depthwise => weights,
            Algorithm::Winograd => (weights / 9).saturating_mul(16),
        }
    }

    /// Rows that must not be divided, but for an odd one at the end, which goes with those before it.
    pub fn rows_together(self) -> usize {
        match self {
            Algorithm::Dense | Algorithm::Depthwise => 1,
            Algorithm::Winograd => 2,
        }
    }
}

/// Weights of a convolution in the order in which an algorithm reads them.
#[derive(Clone, Debug, Default)]
pub struct ConvolutionWeights<E = f32> {
    algorithm: Algorithm,
    outputs: usize,
    dense: DenseWeights<E>,
    depthwise: Vec<E>,
    winograd: WinogradWeights<E>,
}

impl<E: Element> ConvolutionWeights<E> {
    /// Takes over weights `[out, inputs, taps]` with `inputs` channels of one group, and a bias `[out]` or
    /// none. Memory of earlier weights is used again.
    ///
    /// # Panics
    /// If the numbers of elements do not agree, or the algorithm does not take such weights.
    pub fn pack(
        &mut self,
        algorithm: Algorithm,
        groups: usize,
        inputs: usize,
        taps: usize,
        weight: &[E],
        bias: Option<&[E]>,
    ) {
        self.algorithm = algorithm;
        self.outputs = weight.len() / (inputs * taps);
        match algorithm {
            Algorithm::Dense => self.dense.pack(groups, inputs, taps, weight, bias),
            Algorithm::Depthwise => {
                assert!(inputs == 1 && self.outputs == groups && bias.is_none(), "one channel for each");
                self.depthwise.clear();
                self.depthwise.extend_from_slice(weight);
            }
            Algorithm::Winograd => {
                assert_eq!([groups, taps], [1, 9], "groups and taps");
                self.winograd.pack(inputs, weight, bias);
            }
        }
    }

    /// The algorithm that they are for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Number of output channels.
    pub fn out_channels(&self) -> usize {
        self.outputs
    }

    /// Convolution: output rows `rows`, each of `width` pixels, from an image with the halo that the window
    /// reaches into. `between` grows to the size that is needed.
    ///
    /// # Panics
    /// As the algorithm does.
    #[allow(clippy::too_many_arguments)]
    pub fn convolve(
        &self,
        level: Level,
        input: Planes<'_, Lane<E>>,
        window: &Window,
        rows: Range<usize>,
        width: usize,
        between: &mut Vec<Lane<E>>,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        match self.algorithm {
            Algorithm::Dense => dense::convolve(level, input, window, &self.dense, rows, width, out),
            Algorithm::Depthwise => {
                depthwise::convolve(level, input, window, &self.depthwise, rows, width, out);
            }
            Algorithm::Winograd => {
                winograd::convolve(level, input, window, &self.winograd, rows, width, between, out);
            }
        }
    }
}
