use crate::Undefined;

/// What is known of a network after scoring it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Parameters of the scored network.
    pub params: u64,
    /// Multiply-accumulate operations of the scored network for one image.
    pub macs: u64,
    /// ReLU units for one image, repeated ones included.
    pub units: u64,
    /// The metrics, in the order of the settings.
    pub scores: Vec<Result<Score, Undefined>>,
    /// The most distinct patterns that there could be, and the mean that there were.
    pub saturation: Option<Saturation>,
}

/// A score over several sets of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; 0 if there was one set only.
    pub std: f64,
}

/// How close the number of patterns is to its ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Mean number of distinct patterns over the ceiling, from 0 to 1.
    pub ratio: f64,
    /// What the ceiling is.
    pub ceiling: Ceiling,
}

/// What bounds the number of distinct patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// 2^S patterns of S samples.
    Batch,
    /// One pattern for every unit.
    Units,
}

impl Saturation {
    /// From this ratio on a score is said to be saturated.
    pub const LIMIT: f64 = 0.95;

    pub(super) fn new(patterns: f64, units: u64, samples: usize) -> Self {
        let of_batch = (samples as f64).exp2();
        let (ceiling, most) = if of_batch <= units as f64 {
            (Ceiling::Batch, of_batch)
        } else {
            (Ceiling::Units, units as f64)
        };
        Saturation { ratio: patterns / most, ceiling }
    }

    /// Whether the score says little, being close to its ceiling.
    pub fn is_saturated(&self) -> bool {
        self.ratio >= Self::LIMIT
    }
}

impl Score {
    /// Mean and deviation of what was computed with several sets of weights.
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Score { mean, std: if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 } }
    }
}
