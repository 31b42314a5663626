use serde::Serialize;

/// How far numbers lie apart, of which each is of another seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many numbers there are, one or more.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation, with n - 1; `None` for a single number, which says nothing of the others.
    pub std: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of some numbers; `None` if there are none.
    ///
    /// # Panics
    /// If one is not finite.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        assert!(numbers.iter().all(|number| number.is_finite()), "statistics are finite");
        let n = numbers.len();
        let first = *numbers.first()?;
        // Deviations from the first one, so that equal numbers have exactly that mean and no deviation.
        let mean = first + numbers.iter().map(|number| number - first).sum::<f64>() / n as f64;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        Some(Spread {
            n,
            mean,
            std: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()),
            min: numbers.iter().copied().fold(first, f64::min),
            max: numbers.iter().copied().fold(first, f64::max),
        })
    }
}
