use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Serialize, Serializer};

use super::coefficients::{Coefficient, Room};
use super::{NoStatistic, Pairs};

/// How many times the pairs are drawn anew.
pub const RESAMPLES: usize = 1000;

/// The share of resamples whose coefficient lies within the interval.
pub const CONFIDENCE: f64 = 0.95;

const TAIL: f64 = (1.0 - CONFIDENCE) / 2.0;

/// Bounds of a coefficient; serialised as `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.low, self.high].serialize(serializer)
    }
}

impl Pairs {
    /// The percentile bootstrap interval of a coefficient (Efron 1979): pairs are drawn with
    /// replacement, as many as there are, [`RESAMPLES`] times, and the interval holds the middle
    /// [`CONFIDENCE`] of the coefficients.
    ///
    /// The same for the same seed, in whichever order the pairs were given, and all coefficients see
    /// the same resamples.
    ///
    /// # Errors
    /// Resamples can have no coefficient, since all their values are equal. If they are more than a tail
    /// of the distribution, the bound could be anywhere.
    pub fn interval(&self, coefficient: Coefficient, seed: u64) -> Result<Interval, NoStatistic> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut weights = vec![0; self.count()];
        let mut room = Room::default();
        let mut values = Vec::with_capacity(RESAMPLES);
        for _ in 0..RESAMPLES {
            draw(&mut weights, &mut rng);
            values.extend(coefficient.of(self, &weights, &mut room).ok());
        }
        let missing = RESAMPLES - values.len();
        if missing as f64 > TAIL * RESAMPLES as f64 {
            return Err(NoStatistic::Resamples { missing });
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(Interval { low: quantile(&values, TAIL), high: quantile(&values, 1.0 - TAIL) })
    }
}

/// Puts in how often each of the pairs is drawn.
fn draw(weights: &mut [u32], rng: &mut Xoshiro256PlusPlus) {
    let n = weights.len();
    weights.fill(0);
    for _ in 0..n {
        // The high word of the product is uniform but for 2^-64 n, and will be the same in every
        // version of every crate.
        let index = (u128::from(rng.next_u64()) * n as u128) >> 64;
        weights[index as usize] += 1;
    }
}

/// The quantile of sorted values, between two of them in proportion (definition 7 of Hyndman and Fan
/// 1996).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}
