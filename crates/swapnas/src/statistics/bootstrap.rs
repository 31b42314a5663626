use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Serialize, Serializer};
use swapnas_metrics::quantile;

use super::coefficients::{Coefficient, Room};
use super::pairs::Column;
use super::{NoStatistic, Pairs};

/// How many times the pairs are drawn anew.
pub const RESAMPLES: usize = 1000;

/// The share of resamples whose coefficient lies within the interval.
pub const CONFIDENCE: f64 = 0.95;

/// Up to so many pairs are drawn anew; of more, parts are looked at.
pub const MOST_RESAMPLED: usize = 20_000;

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
    /// An interval of a coefficient, the same for the same seed, in whichever order the pairs were given.
    ///
    /// Up to [`MOST_RESAMPLED`] pairs it is the percentile bootstrap interval (Efron 1979): pairs are drawn with
    /// replacement, as many as there are, [`RESAMPLES`] times, and the interval holds the middle [`CONFIDENCE`]
    /// of the coefficients. All coefficients see the same resamples.
    ///
    /// With n pairs more than that, resampling would take minutes to find an interval of a few thousandths. Instead
    /// the pairs are divided at random into about sqrt(n) parts of sqrt(n) pairs. How far the coefficients of parts
    /// are from that of all pairs, times sqrt(size of a part / n), is how far that may be from the truth (Politis
    /// and Romano: Large sample confidence regions based on subsamples under minimal assumptions, Annals of
    /// Statistics 22, 1994).
    ///
    /// # Errors
    /// Resamples and parts can have no coefficient, since all their values are equal. If they are more than a tail
    /// of the distribution, the bound could be anywhere.
    pub fn interval(&self, coefficient: Coefficient, seed: u64) -> Result<Interval, NoStatistic> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        if self.count() > MOST_RESAMPLED {
            return self.interval_of_parts(coefficient, &mut rng);
        }
        let mut weights = vec![0; self.count()];
        let mut room = Room::default();
        let mut values = Vec::with_capacity(RESAMPLES);
        for _ in 0..RESAMPLES {
            draw(&mut weights, &mut rng);
            values.extend(coefficient.of(self, &weights, &mut room).ok());
        }
        let values = enough(values, RESAMPLES)?;
        Ok(Interval { low: quantile(&values, TAIL), high: quantile(&values, 1.0 - TAIL) })
    }

    fn interval_of_parts(
        &self,
        coefficient: Coefficient,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<Interval, NoStatistic> {
        let mut places: Vec<usize> = (0..self.count()).collect();
        shuffle(&mut places, rng);
        let size = self.count().isqrt();
        let parts = places.chunks_exact(size);
        let (whole, count) = (self.coefficient(coefficient), parts.len());
        let scale = (size as f64 / self.count() as f64).sqrt();
        let distances = parts.filter_map(|part| {
            let of =
                |column: &Column| -> Vec<f64> { part.iter().map(|&place| column.values[place]).collect() };
            let pairs = Pairs::new(self.x.name, &of(&self.x), self.y.name, &of(&self.y)).ok()?;
            Some((pairs.coefficient(coefficient) - whole) * scale)
        });
        let distances = enough(distances.collect(), count)?;
        let at = |share: f64| (whole - quantile(&distances, share)).clamp(-1.0, 1.0);
        Ok(Interval { low: at(1.0 - TAIL), high: at(TAIL) })
    }
}

/// The values in order, if nearly as many are there as should be.
fn enough(mut values: Vec<f64>, of: usize) -> Result<Vec<f64>, NoStatistic> {
    let missing = of - values.len();
    if missing as f64 > TAIL * of as f64 {
        return Err(NoStatistic::Resamples { missing, of });
    }
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

/// Puts in how often each of the pairs is drawn.
fn draw(weights: &mut [u32], rng: &mut Xoshiro256PlusPlus) {
    let n = weights.len();
    weights.fill(0);
    for _ in 0..n {
        weights[below(n, rng)] += 1;
    }
}

/// Puts places into a random order, every one as likely as any other (Knuth, TAOCP 2, algorithm 3.4.2P).
pub(super) fn shuffle(places: &mut [usize], rng: &mut Xoshiro256PlusPlus) {
    for left in (1..places.len()).rev() {
        places.swap(left, below(left + 1, rng));
    }
}

/// A random number below `n`.
fn below(n: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
    // The high word of the product is uniform but for 2^-64 n, and will be the same in every version of every
    // crate.
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}
