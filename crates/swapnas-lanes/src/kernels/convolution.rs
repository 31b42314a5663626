//! Convolution by whichever algorithm does it faster.

use std::ops::Range;

use super::dense::{self, DenseWeights};
use super::window::Window;
use super::winograd::{self, WinogradWeights};
use crate::{Element, Lane, Level, Planes, PlanesMut};

/// The algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Every weight with every pixel: [`dense`].
    #[default]
    Dense,
    /// Fewer multiplications for 3x3 windows: [`winograd`].
    Winograd,
}

impl Algorithm {
    /// The faster one for a window over `inputs` channels that gives `outputs` channels, of all groups, of
    /// `size` rows and columns. It depends on nothing else, since the two do not round alike.
    pub fn fastest(window: &Window, groups: usize, inputs: usize, outputs: usize, size: [usize; 2]) -> Self {
        let many = groups == 1 && inputs.min(outputs) >= winograd::FEWEST;
        if many && winograd::takes(window, size) { Algorithm::Winograd } else { Algorithm::Dense }
    }

    /// Rows that must not be divided, but for an odd one at the end, which goes with those before it.
    pub fn rows_together(self) -> usize {
        match self {
            Algorithm::Dense => 1,
            Algorithm::Winograd => 2,
        }
    }
}

/// Weights of a convolution in the order in which an algorithm reads them.
#[derive(Clone, Debug, Default)]
pub struct ConvolutionWeights<E = f32> {
    algorithm: Algorithm,
    dense: DenseWeights<E>,
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
        match algorithm {
            Algorithm::Dense => self.dense.pack(groups, inputs, taps, weight, bias),
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
        match self.algorithm {
            Algorithm::Dense => self.dense.out_channels(),
            Algorithm::Winograd => self.winograd.out_channels(),
        }
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
            Algorithm::Winograd => {
                winograd::convolve(level, input, window, &self.winograd, rows, width, between, out);
            }
        }
    }
}
