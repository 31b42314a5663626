//! How well one list of numbers orders another.
//!
//! [`Pairs`] holds two equally long lists, sorted once. Every coefficient is then computed in
//! O(n log n) or less, for the pairs themselves and for each of the resamples that
//! [`Pairs::interval`] makes of them: a resample is a weight for each pair, so it needs no sorting.
//!
//! Nothing here is ever NaN: what has no value is a [`NoStatistic`] that says why.
//!
//! ```
//! use swapnas::statistics::{Coefficient, Pairs};
//!
//! let pairs = Pairs::new("scores", &[10.0, 20.0, 20.0, 50.0], "accuracies", &[90.1, 91.0, 92.4, 94.2])?;
//! let rho = pairs.coefficient(Coefficient::Spearman);
//! assert!((rho - 0.9486832980505138).abs() < 1e-15);
//! # Ok::<(), swapnas::statistics::NoStatistic>(())
//! ```

mod bootstrap;
mod coefficients;
mod noise;
mod order;
mod pairs;
mod partial;
mod retrieval;
mod sizes;
mod spread;
#[cfg(test)]
mod tests;

pub use bootstrap::{CONFIDENCE, Interval, MOST_RESAMPLED, RESAMPLES};
pub use coefficients::Coefficient;
pub use noise::Noise;
pub use pairs::Pairs;
pub use partial::partial_spearman;
pub use retrieval::{ndcg, top_overlap, top_regret};
pub use sizes::kendall_of_same_size;
pub use spread::Spread;
pub use swapnas_metrics::{log_rank_sums, mean_ranks, quantile, ranks};

/// Why a statistic has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStatistic {
    /// The lists are not equally long.
    #[error("there are {x} {x_name} but {y} {y_name}; every one needs its partner")]
    Unpaired {
        /// Name of the first list.
        x_name: &'static str,
        /// Length of the first list.
        x: usize,
        /// Name of the second list.
        y_name: &'static str,
        /// Length of the second list.
        y: usize,
    },
    /// Fewer than two pairs.
    #[error("it takes at least two networks, and there {}", if *.0 == 1 { "is one" } else { "are none" })]
    TooFew(usize),
    /// One of the lists has one value only.
    #[error("all {0} are equal")]
    Constant(&'static str),
    /// A value is infinite or not a number.
    #[error("number {} of the {name} is not finite", index + 1)]
    NotFinite {
        /// Name of the list.
        name: &'static str,
        /// Its place in the list, from 0.
        index: usize,
    },
    /// The third variable determines the order of one of the others.
    #[error("the {name} are ordered exactly as the {by} or exactly against them")]
    Determined {
        /// Name of the list that is determined.
        name: &'static str,
        /// Name of the list that determines it.
        by: &'static str,
    },
    /// No two networks are close enough to be compared.
    #[error("no two networks have {by} that differ by a tenth or less")]
    NoneAlike {
        /// Name of the list of sizes.
        by: &'static str,
    },
    /// Networks that are close enough to be compared have equal values.
    #[error("all networks whose {by} differ by a tenth or less have equal {name}")]
    ConstantAmongAlike {
        /// Name of the list that is constant.
        name: &'static str,
        /// Name of the list of sizes.
        by: &'static str,
    },
    /// Too many resamples have no value for an interval to be known.
    #[error("in {missing} of {of} resamples the coefficient is undefined")]
    Resamples {
        /// How many.
        missing: usize,
        /// How many resamples there are.
        of: usize,
    },
    /// There are no such best ones.
    #[error("there are no {k} best of {n} networks; give a number from 1 to {n}")]
    Best {
        /// How many were asked for.
        k: usize,
        /// How many there are.
        n: usize,
    },
}
