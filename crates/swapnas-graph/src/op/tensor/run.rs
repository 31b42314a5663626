//! How operations are computed, forward and back, of values and of their tangents.

use swapnas_lanes::kernels::line::{Beside, Constants, Read, Tangents};
use swapnas_lanes::{Element, Lane, Level};

use super::{TensorOp, TensorOperator};
use crate::magnitude::Magnitude;

/// Weights, and what they are multiplied with.
type Weighted<'w, 'a, E> = Option<(&'w [E], &'a [Lane<E>])>;

/// The elements of one block: lanes, or lanes with their tangents, of which results are tangents.
pub(crate) trait Operand<'a, E: Element>: Read<E, N: Beside<E>> {
    /// How many there are.
    fn len(&self) -> usize;

    /// What a linear operation is applied to; nothing if it does not change.
    fn moving(&self) -> Option<&'a [Lane<E>]>;

    /// What is multiplied with each other and summed up for a product.
    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2];

    /// The same of weights, which are the same for every sample and move in a direction if they do, and this one.
    fn weighted<'w>(self, weights: &'w [E], direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2];

    /// What a number that is the same for every sample adds to the result: itself, or its direction.
    fn of_param<'p>(number: &'p [E], direction: Option<&'p [E]>) -> Option<&'p [E]>;
}

impl<'a, E: Element> Operand<'a, E> for &'a [Lane<E>] {
    fn len(&self) -> usize {
        <[Lane<E>]>::len(self)
    }

    fn moving(&self) -> Option<&'a [Lane<E>]> {
        Some(self)
    }

    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2] {
        [Some([a, b]), None]
    }

    fn weighted<'w>(self, weights: &'w [E], _direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2] {
        [Some((weights, self)), None]
    }

    fn of_param<'p>(number: &'p [E], _direction: Option<&'p [E]>) -> Option<&'p [E]> {
        Some(number)
    }
}

impl<'a, E: Element> Operand<'a, E> for Tangents<'a, E> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn moving(&self) -> Option<&'a [Lane<E>]> {
        self.tangents
    }

    fn factors(a: Self, b: Self) -> [Option<[&'a [Lane<E>]; 2]>; 2] {
        [a.tangents.map(|tangents| [tangents, b.values]), b.tangents.map(|tangents| [a.values, tangents])]
    }

    fn weighted<'w>(self, weights: &'w [E], direction: Option<&'w [E]>) -> [Weighted<'w, 'a, E>; 2] {
        [direction.map(|direction| (direction, self.values)), self.tangents.map(|x| (weights, x))]
    }

    fn of_param<'p>(_number: &'p [E], direction: Option<&'p [E]>) -> Option<&'p [E]> {
        direction
    }
}

/// The numbers of an operation's parameters, in the order of [`TensorOp::params`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'a, E> {
    pub numbers: [Option<&'a [E]>; 2],
    /// Along which they move, if they do.
    pub directions: [Option<&'a [E]>; 2],
}

impl<'a, E> Params<'a, E> {
    pub(super) fn constants(&self, which: usize, alike: usize) -> Option<Constants<'a, E>> {
        let direction = self.directions[which];
        self.numbers[which].map(|numbers| Constants { numbers, direction, alike })
    }
}

/// The instructions to be used, and the parameters of the operation at work.
#[derive(Clone, Copy)]
pub(crate) struct At<'p, E> {
    pub level: Level,
    pub params: Params<'p, E>,
}

/// What gradients are taken back through.
#[derive(Clone, Copy)]
pub(crate) struct Way<'i, R> {
    /// The number of the input to which they go.
    pub which: usize,
    pub inputs: &'i [R],
    /// What the way forward has written.
    pub result: R,
    /// The gradient of the result.
    pub gradient: R,
}

/// What an operation makes of operands of one kind.
pub(super) trait Kernels<'a, E: Element, R: Operand<'a, E>>: TensorOperator {
    /// How large numbers can be, given those of the inputs and the numbers of the parameters.
    fn magnitude(&self, bounds: &[f64], params: [&[E]; 2]) -> Magnitude;

    /// Writes the result.
    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]);

    /// Adds the gradient of an input to `out`.
    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]);

    /// Writes the gradients of the parameters over zeros, sample by sample: a lane for each element.
    fn of_params(&self, _at: At<'_, E>, _inputs: &[R], _gradient: R, _found: &mut [Vec<Lane<E>>; 2]) {}
}

/// An operation at work on a block.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, E> {
    pub op: &'a TensorOp,
    pub at: At<'a, E>,
}

impl<E: Element> Run<'_, E> {
    /// Writes the result.
    pub(crate) fn forward<'a, R: Operand<'a, E>>(&self, inputs: &[R], out: &mut [Lane<E>]) {
        self.op.kernels().forward(self.at, inputs, out);
    }

    /// Adds the gradient of the result, taken back to an input, to `out`.
    pub(crate) fn backward<'a, R: Operand<'a, E>>(&self, way: Way<'_, R>, out: &mut [Lane<E>]) {
        self.op.kernels().backward(self.at, way, out);
    }

    /// The gradients of the parameters, sample by sample: a lane for each element.
    pub(crate) fn of_params<'a, R: Operand<'a, E>>(&self, inputs: &[R], gradient: R) -> [Vec<Lane<E>>; 2] {
        let room = |which: usize| vec![Lane::ZERO; self.at.params.numbers[which].map_or(0, <[E]>::len)];
        let mut found = [room(0), room(1)];
        self.op.kernels().of_params(self.at, inputs, gradient, &mut found);
        found
    }
}
