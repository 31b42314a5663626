//! How sure the accuracies of a benchmark are.

use super::Row;

/// How well trainings with other seeds agree, and what follows for rankings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// The mean over pairs of seeds of the correlation (Pearson's r) between the accuracies of the networks: how much of
    /// the variance of one training's accuracy is the network's own.
    pub reliability: f64,
    /// The correlation with the mean accuracies over the seeds that nothing but the networks' true accuracies would
    /// have: the root of the reliability of the mean (Spearman and Brown, 1910). No ranking can be expected to be above
    /// it.
    pub ceiling: f64,
    /// The mean over networks of the standard deviation of the accuracy over seeds, in percentage points.
    pub deviation: f64,
}

impl Noise {
    /// Of networks that were trained several times; `None` if they were not, or if there is nothing to correlate.
    pub fn of(rows: &[Row]) -> Option<Self> {
        let seeds = rows.first()?.accuracies.len();
        if seeds < 2 || rows.len() < 3 {
            return None;
        }
        let of_seed = |seed: usize| -> Vec<f64> { rows.iter().map(|row| row.accuracies[seed]).collect() };
        let columns: Vec<Vec<f64>> = (0..seeds).map(of_seed).collect();
        let mut correlations = Vec::new();
        for (index, a) in columns.iter().enumerate() {
            for b in &columns[index + 1..] {
                correlations.push(pearson(a, b)?);
            }
        }
        let reliability = mean(&correlations).max(0.0);
        let of_mean = seeds as f64 * reliability / (1.0 + (seeds as f64 - 1.0) * reliability);
        let deviations: Vec<f64> = rows
            .iter()
            .map(|row| {
                let middle = row.accuracy();
                let squares: f64 = row.accuracies.iter().map(|x| (x - middle).powi(2)).sum();
                (squares / (seeds as f64 - 1.0)).sqrt()
            })
            .collect();
        Some(Noise { reliability, ceiling: of_mean.sqrt(), deviation: mean(&deviations) })
    }
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - mean_a, y - mean_b)).sum::<f64>();
    let below = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (below > 0.0).then(|| sum(&|x, y| x * y) / below)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_ceiling_is_what_the_truth_reaches() {
        // Sums of uniform numbers are as good as normal ones.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let truth: Vec<f64> = (0..4000).map(|_| 50.0 + 2.0 * normal()).collect();
        let row = |truth: &f64| Row {
            arch: String::new(),
            params: 0,
            macs: 0,
            seconds: 0.0,
            accuracies: (0..3).map(|_| truth + 2.0 * normal()).collect(),
            epochs: Vec::new(),
        };
        let rows: Vec<Row> = truth.iter().map(row).collect();
        let noise = Noise::of(&rows).unwrap();
        let means: Vec<f64> = rows.iter().map(Row::accuracy).collect();
        assert!((noise.reliability - 0.5).abs() < 0.03, "{noise:?}");
        assert!((noise.ceiling - pearson(&means, &truth).unwrap()).abs() < 0.02, "{noise:?}");
        assert!((noise.deviation - 2.0 * 0.886).abs() < 0.05, "{noise:?}");
    }

    #[test]
    fn one_seed_tells_nothing() {
        let row = Row {
            arch: String::new(),
            params: 0,
            macs: 0,
            seconds: 0.0,
            accuracies: vec![1.0],
            epochs: vec![],
        };
        assert_eq!(Noise::of(&vec![row; 5]), None);
        assert_eq!(Noise::of(&[]), None);
    }
}
