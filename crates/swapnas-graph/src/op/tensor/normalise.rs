use swapnas_lanes::kernels::line::{self, Axis};
use swapnas_lanes::{Element, Lane};

use super::run::{At, Kernels, Operand, Way};
use super::{TensorOp, TensorOperator, has_axis, unfit};
use crate::magnitude::{self, Magnitude};
use crate::{Epsilon, GraphError, Key, ParamId, Shape};

/// Layer, group, instance or RMS normalisation.
///
/// `(x - mean) / sqrt(variance + eps)` with mean and biased variance along a dimension, or without subtracting the
/// mean, `x / sqrt(mean of x^2 + eps)`; then times weight plus bias if there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Normalise {
    /// Along what.
    pub axis: Axis,
    /// eps.
    pub epsilon: Epsilon,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Factors.
    pub weight: Option<ParamId>,
    /// Summands.
    pub bias: Option<ParamId>,
    /// So many elements that follow each other have the same weight and bias.
    pub alike: usize,
}

/// How a normalisation of single samples is made: see [`GraphBuilder::normalise`](crate::GraphBuilder::normalise).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Along what mean and variance are taken.
    pub axis: Axis,
    /// What is added to the variance.
    pub epsilon: Epsilon,
    /// Whether the mean is subtracted; RMSNorm does not.
    pub centred: bool,
    /// Whether there are weights.
    pub weight: bool,
    /// Whether there are biases.
    pub bias: bool,
    /// How many weights or biases there are.
    pub count: usize,
    /// So many elements that follow each other have the same.
    pub alike: usize,
}

impl Norm {
    /// Over the channels of every pixel: the layer normalisation of tokens.
    pub fn over_channels(shape: Shape) -> Self {
        let axis = Axis { outer: 1, len: shape.channels, inner: shape.pixels() };
        Norm::affine(axis, shape)
    }

    /// Over the pixels and channels of each of so many groups of channels: of one for each channel, instance
    /// normalisation.
    pub fn over_groups(shape: Shape, groups: usize) -> Self {
        let len = shape.elements() / groups.max(1);
        Norm::affine(Axis { outer: groups, len, inner: 1 }, shape)
    }

    /// With a weight and a bias for each channel and PyTorch's epsilon.
    fn affine(axis: Axis, shape: Shape) -> Self {
        let (count, alike) = (shape.channels, shape.pixels());
        Norm { axis, epsilon: Epsilon::default(), centred: true, weight: true, bias: true, count, alike }
    }

    /// Whether values of that shape have the dimension, and there are weights where they are wanted.
    pub(crate) fn check(&self, input: Shape) -> Result<(), GraphError> {
        has_axis("normalisation", self.axis, input)?;
        if (self.weight || self.bias) && (self.count == 0 || self.alike == 0) {
            return Err(unfit("normalisation", "weights".to_owned(), input));
        }
        Ok(())
    }
}

impl Normalise {
    fn for_lanes(&self) -> line::Normalisation {
        line::Normalisation { axis: self.axis, epsilon: self.epsilon.number(), centred: self.centred }
    }
}

impl TensorOperator for Normalise {
    fn name(&self) -> &'static str {
        "normalisation"
    }

    fn attributes(&self) -> Option<Key> {
        let Normalise { axis, epsilon, centred, weight, bias, alike } = self;
        Some(Key::of((axis, epsilon, centred, weight.is_some(), bias.is_some(), alike)))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [self.weight, self.bias]
    }

    fn with_params(&self, [weight, bias]: [Option<ParamId>; 2]) -> Option<TensorOp> {
        Some(TensorOp::Normalise(Normalise { weight, bias, ..*self }))
    }

    fn is_module(&self) -> bool {
        true
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for Normalise {
    fn magnitude(&self, bounds: &[f64], params: [&[E]; 2]) -> Magnitude {
        let len = self.axis.len as f64;
        let weight = if self.weight.is_some() { magnitude::of_numbers(params[0]) } else { 1.0 };
        let bias = if self.bias.is_some() { magnitude::of_numbers(params[1]) } else { 0.0 };
        Magnitude { result: len.sqrt() * weight + bias, within: bounds[0] * bounds[0] * len }
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        let [weight, bias] = [0, 1].map(|which| at.params.constants(which, self.alike));
        line::normalise(at.level, &self.for_lanes(), inputs[0], weight, bias, out);
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        let weight = at.params.constants(0, self.alike);
        line::normalise_gradient(at.level, &self.for_lanes(), way.inputs[0], weight, way.gradient, out);
    }

    fn of_params(&self, at: At<'_, E>, inputs: &[R], gradient: R, found: &mut [Vec<Lane<E>>; 2]) {
        // The kernel takes both; the one that is not there is let go.
        let count = found[0].len().max(found[1].len());
        let mut both = [0, 1].map(|_| vec![Lane::ZERO; count]);
        if count > 0 {
            let [weight, bias] = &mut both;
            let out = [weight.as_mut_slice(), bias.as_mut_slice()];
            line::normalise_weights(at.level, &self.for_lanes(), inputs[0], gradient, self.alike, out);
        }
        for (found, all) in found.iter_mut().zip(both) {
            if !found.is_empty() {
                *found = all;
            }
        }
    }
}
