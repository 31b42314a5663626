use serde::Serialize;

use super::{Coefficient, Pairs, Spread};

/// How well accuracies of the same networks, trained with several seeds, agree, and what follows for rankings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// The mean over pairs of seeds of the correlation (Pearson's r) between the accuracies of the networks: how much of
    /// the variance of one training's accuracy is the network's own.
    pub reliability: f64,
    /// The correlation with the mean accuracies over the seeds that nothing but the networks' true accuracies would
    /// have: the root of the reliability of the mean (Spearman and Brown, 1910). No ranking can be expected to be above
    /// it.
    pub ceiling: f64,
    /// The mean over networks of the standard deviation of the accuracy over seeds, in the unit of the accuracies.
    pub deviation: f64,
}

impl Noise {
    /// Of the accuracies of some networks, for each by seed, as many for one as for the other; `None` if there are fewer
    /// than two seeds or three networks, or if all accuracies of a seed are equal.
    ///
    /// # Panics
    /// If a network has fewer accuracies than the first.
    pub fn of(accuracies: &[Vec<f64>]) -> Option<Self> {
        let seeds = accuracies.first()?.len();
        if seeds < 2 || accuracies.len() < 3 {
            return None;
        }
        let of_seed = |seed: usize| -> Vec<f64> { accuracies.iter().map(|network| network[seed]).collect() };
        let columns: Vec<Vec<f64>> = (0..seeds).map(of_seed).collect();
        let mut correlations = Vec::new();
        for (index, a) in columns.iter().enumerate() {
            for b in &columns[index + 1..] {
                let pairs = Pairs::new("accuracies", a, "accuracies of another seed", b).ok()?;
                correlations.push(pairs.coefficient(Coefficient::Pearson));
            }
        }
        let reliability = Spread::of(&correlations)?.mean.max(0.0);
        let of_mean = seeds as f64 * reliability / (1.0 + (seeds as f64 - 1.0) * reliability);
        let deviations: Option<Vec<f64>> =
            accuracies.iter().map(|network| Spread::of(network).and_then(|spread| spread.std)).collect();
        Some(Noise { reliability, ceiling: of_mean.sqrt(), deviation: Spread::of(&deviations?)?.mean })
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_ceiling_is_what_the_truth_reaches() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let truth: Vec<f64> = (0..4000).map(|_| 50.0 + 2.0 * normal()).collect();
        let networks: Vec<Vec<f64>> =
            truth.iter().map(|truth| (0..3).map(|_| truth + 2.0 * normal()).collect()).collect();
        let noise = Noise::of(&networks).unwrap();
        let means: Vec<f64> = networks.iter().map(|network| Spread::of(network).unwrap().mean).collect();
        let reached =
            Pairs::new("means", &means, "truths", &truth).unwrap().coefficient(Coefficient::Pearson);
        assert!((noise.reliability - 0.5).abs() < 0.03, "{noise:?}");
        assert!((noise.ceiling - reached).abs() < 0.02, "{noise:?}");
        assert!((noise.deviation - 2.0 * 0.886).abs() < 0.05, "{noise:?}");
    }

    #[test]
    fn one_seed_tells_nothing_and_neither_do_equal_accuracies() {
        assert_eq!(Noise::of(&vec![vec![1.0]; 5]), None);
        assert_eq!(Noise::of(&vec![vec![1.0, 1.0]; 5]), None);
        assert_eq!(Noise::of(&[]), None);
    }
}
