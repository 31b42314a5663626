//! How large the numbers of a network can be.
//!
//! What single precision cannot hold becomes infinite or no number, and a ReLU or a maximum may make numbers of
//! it again that mean nothing. To look at all values would take time, so a bound is known instead of each: no
//! number of the value is larger in magnitude. It follows from the bounds of what the value is made of, or from
//! the moments of a normalisation, which are taken anyway. Only where a bound says that numbers might be too
//! large are they looked at; the largest of them is the bound from there on.
//!
//! Bounds are of the samples of a batch, not of what fills up its last block.

use swapnas_lanes::kernels::moments::Moments;
use swapnas_lanes::{Element, Lane};

/// How large a step's numbers can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magnitude {
    /// Those of its result.
    pub result: f64,
    /// Sums on the way there.
    pub within: f64,
}

impl Magnitude {
    pub(crate) fn plain(result: f64) -> Self {
        Magnitude { result, within: result }
    }

    /// Of sums over weights.
    pub(crate) fn weighted(input: f64, of_weights: f64, bias: f64) -> Self {
        Magnitude::plain(input * of_weights + bias)
    }

    /// Whether nothing can overflow. Algorithms that take sums of inputs or weights first have sums some
    /// hundred times larger.
    pub(crate) fn fits<E: Element>(&self) -> bool {
        self.within <= E::LARGEST / 65536.0
    }
}

/// The largest sum that the weights of one output have in magnitude; infinite if there is one that is not finite.
pub(crate) fn of_weights<E: Element>(weights: &[E], outputs: usize) -> f64 {
    let of_output = |weights: &[E]| weights.iter().map(|w| w.to_f64().abs()).sum::<f64>();
    let sums = weights.chunks_exact((weights.len() / outputs.max(1)).max(1)).map(of_output);
    sums.fold(0.0, larger)
}

/// The largest number in magnitude; infinite if there is one that is not finite.
pub(crate) fn of_numbers<E: Element>(numbers: &[E]) -> f64 {
    numbers.iter().map(|x| x.to_f64().abs()).fold(0.0, larger)
}

/// The same for the first samples of lanes.
pub(crate) fn of_lanes<E: Element>(lanes: &[Lane<E>], samples: usize) -> f64 {
    lanes.iter().map(|lane| of_numbers(&lane.0[..samples])).fold(0.0, larger)
}

/// The bound of all channels; infinite if there are numbers that are not finite.
pub(crate) fn of_moments(moments: &[Moments]) -> f64 {
    let of_channel = |moments: &Moments| if moments.are_finite() { moments.largest } else { f64::INFINITY };
    moments.iter().map(of_channel).fold(0.0, larger)
}

/// The bound of `scale * x + shift`, which is infinite where that might be.
pub(crate) fn scaled<E: Element>(scale: f64, shift: f64, bound: f64) -> f64 {
    let bound = scale.abs() * bound + shift.abs();
    if bound <= E::LARGEST / 2.0 { bound } else { f64::INFINITY }
}

/// The larger of two bounds. One that is no number is none.
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a.is_finite() && b.is_finite() { a.max(b) } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_has_no_bound() {
        for x in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            assert_eq!(of_numbers(&[1.0, x, 2.0]), f64::INFINITY);
            assert_eq!(of_weights(&[1.0, 2.0, x, 3.0, 4.0, 5.0], 3), f64::INFINITY);
            let mut lane = Lane::splat(-3.0);
            lane.0[7] = x;
            assert_eq!(of_lanes(&[lane, Lane::ZERO], 8), f64::INFINITY);
            assert_eq!(of_lanes(&[lane, Lane::ZERO], 7), 3.0);
        }
        assert!(!Magnitude::weighted(0.0, f64::INFINITY, 0.0).fits::<f32>());
        assert_eq!(scaled::<f32>(f64::NAN, 0.0, 1.0), f64::INFINITY);
        assert_eq!(scaled::<f32>(1e20, 0.0, 1e20), f64::INFINITY);
        assert_eq!(scaled::<f64>(1e20, -1.0, 1e20), 1e40 + 1.0);
        assert_eq!(of_weights(&[1.0, -2.0, 3.0, -5.0], 2), 8.0);
    }
}
