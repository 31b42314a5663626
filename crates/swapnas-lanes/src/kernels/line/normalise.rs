//! Normalisation of every sample by itself.

use super::number::Number;
use super::read::{Beside, Constants, Lines, Read};
use super::{Axis, CHUNK};
use crate::{Element, Lane, Level};

/// A normalisation of every sample by itself: `(x - mean) / sqrt(variance + epsilon)` with mean and biased variance
/// along an axis (layer, group and instance normalisation), or `x / sqrt(mean of x^2 + epsilon)` (RMSNorm).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Along what.
    pub axis: Axis,
    /// What is added to the variance.
    pub epsilon: f64,
    /// Whether the mean is subtracted.
    pub centred: bool,
}

/// Mean and 1 / deviation of a line.
#[inline(always)]
fn statistics<E: Element, X: Read<E>>(of: &Normalisation, x: X, first: usize) -> (X::N, X::N) {
    let (axis, zero) = (of.axis, X::N::of(E::ZERO));
    let count = X::N::of(E::from_f64(axis.len as f64));
    let mut mean = zero;
    if of.centred {
        for chunk in (0..axis.len).step_by(CHUNK) {
            let mut sum = zero;
            for i in chunk..(chunk + CHUNK).min(axis.len) {
                sum = sum + x.at(first + i * axis.inner);
            }
            mean = mean + sum;
        }
        mean = mean / count;
    }
    let mut squares = zero;
    for chunk in (0..axis.len).step_by(CHUNK) {
        let mut sum = zero;
        for i in chunk..(chunk + CHUNK).min(axis.len) {
            let apart = x.at(first + i * axis.inner) - mean;
            sum = sum + apart * apart;
        }
        squares = squares + sum;
    }
    let deviation = (squares / count + X::N::of(E::from_f64(of.epsilon))).sqrt();
    (mean, X::N::of(E::ONE) / deviation)
}

/// Writes what is normalised, times a weight plus a bias if there are any.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn normalise<E: Element, X: Read<E, N: Beside<E>>>(
    level: Level,
    of: &Normalisation,
    x: X,
    weight: Option<Constants<'_, E>>,
    bias: Option<Constants<'_, E>>,
    out: &mut [Lane<E>],
) {
    X::compute(level, Normalise { of: *of, x, weight, bias, out });
}

struct Normalise<'a, E, X> {
    of: Normalisation,
    x: X,
    weight: Option<Constants<'a, E>>,
    bias: Option<Constants<'a, E>>,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E, N: Beside<E>>> Lines<E> for Normalise<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let Normalise { of, x, weight, bias, out } = self;
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let mut y = weighted((x.at(place) - mean) * factor, weight.as_ref(), place);
                if let Some(bias) = &bias {
                    y = y + X::N::constant(bias, place);
                }
                out[place] = y.result();
            }
        }
    }
}

/// Adds to `out` what the gradient is of what was normalised, from that of the result.
///
/// # Panics
/// If there are fewer lanes than elements.
pub fn normalise_gradient<E: Element, X: Read<E, N: Beside<E>>>(
    level: Level,
    of: &Normalisation,
    x: X,
    weight: Option<Constants<'_, E>>,
    gradient: X,
    out: &mut [Lane<E>],
) {
    X::compute(level, NormaliseGradient { of: *of, x, weight, gradient, out });
}

struct NormaliseGradient<'a, E, X> {
    of: Normalisation,
    x: X,
    weight: Option<Constants<'a, E>>,
    gradient: X,
    out: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E, N: Beside<E>>> Lines<E> for NormaliseGradient<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let NormaliseGradient { of, x, weight, gradient, out } = self;
        let zero = X::N::of(E::ZERO);
        let count = X::N::of(E::from_f64(of.axis.len as f64));
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            let (mut sum, mut products) = (zero, zero);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let g = weighted(gradient.at(place), weight.as_ref(), place);
                sum = sum + g;
                products = products + g * (x.at(place) - mean) * factor;
            }
            let sum = if of.centred { sum / count } else { zero };
            let products = products / count;
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let g = weighted(gradient.at(place), weight.as_ref(), place);
                let back = (g - sum - (x.at(place) - mean) * factor * products) * factor;
                out[place] = out[place] + back.result();
            }
        }
    }
}

#[inline(always)]
fn weighted<E: Element, N: Beside<E>>(x: N, weight: Option<&Constants<'_, E>>, place: usize) -> N {
    match weight {
        Some(weight) => x * N::constant(weight, place),
        None => x,
    }
}

/// Adds the gradients of weights and biases of a normalisation, sample by sample: a lane for each of them, of which
/// `alike` elements that follow each other have the same.
///
/// # Panics
/// If there are fewer lanes than elements, or not as many weights as biases.
pub fn normalise_weights<E: Element, X: Read<E>>(
    level: Level,
    of: &Normalisation,
    x: X,
    gradient: X,
    alike: usize,
    out: [&mut [Lane<E>]; 2],
) {
    let [weight, bias] = out;
    assert_eq!(weight.len(), bias.len());
    X::compute(level, NormaliseWeights { of: *of, x, gradient, alike, weight, bias });
}

struct NormaliseWeights<'a, E, X> {
    of: Normalisation,
    x: X,
    gradient: X,
    alike: usize,
    weight: &'a mut [Lane<E>],
    bias: &'a mut [Lane<E>],
}

impl<E: Element, X: Read<E>> Lines<E> for NormaliseWeights<'_, E, X> {
    #[inline(always)]
    fn lines(self) {
        let NormaliseWeights { of, x, gradient, alike, weight, bias } = self;
        for line in 0..of.axis.lines() {
            let first = of.axis.first(line);
            let (mean, factor) = statistics(&of, x, first);
            for i in 0..of.axis.len {
                let place = first + i * of.axis.inner;
                let index = place / alike % weight.len();
                let g = gradient.at(place);
                weight[index] = weight[index] + (g * (x.at(place) - mean) * factor).result();
                bias[index] = bias[index] + g.result();
            }
        }
    }
}
