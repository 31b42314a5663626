//! How a network is trained.

use serde::{Deserialize, Serialize};

use crate::error::{SettingsError, within};
use crate::{Augmentation, Optimiser};

/// How a network is trained.
///
/// The defaults are those of small networks on small images for some epochs; what benchmarks use is said at each field.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Times that all training images are seen. NAS-Bench-201 has 200 and 12, DARTS 600.
    pub epochs: usize,
    /// Images of a step. What is left over at the end of an epoch is not seen in it.
    pub batch: usize,
    /// What is done with gradients.
    pub optimiser: Optimiser,
    /// Epochs over which the learning rate grows from 0 in proportion to the steps, before it falls along a cosine.
    pub warmup: usize,
    /// Share of the label that is spread evenly over all classes (Szegedy et al., 2016).
    pub label_smoothing: f64,
    /// How images are changed.
    pub augmentation: Augmentation,
    /// How likely it is that a branch is left out for a sample in the last epoch; it grows from 0 in proportion to the
    /// epochs, as in DARTS, which has 0.2.
    pub drop_path: f64,
    /// Seed of weights, order and changes of images, and dropped paths.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            epochs: 10,
            batch: 64,
            optimiser: Optimiser::sgd(),
            warmup: 0,
            label_smoothing: 0.0,
            augmentation: Augmentation::default(),
            drop_path: 0.0,
            seed: 0,
        }
    }
}

impl Settings {
    /// Looks at all numbers.
    ///
    /// # Errors
    /// If one is out of range. Batch statistics take two images at least.
    pub fn check(&self) -> Result<(), SettingsError> {
        within("epochs", self.epochs as f64, [1.0, 100_000.0])?;
        within("batch", self.batch as f64, [2.0, 4096.0])?;
        within("warmup", self.warmup as f64, [0.0, self.epochs as f64])?;
        within("label smoothing", self.label_smoothing, [0.0, 0.99])?;
        within("drop path", self.drop_path, [0.0, 0.99])?;
        self.augmentation.check()?;
        self.optimiser.check()
    }

    /// The share of the learning rate that step `step` of `steps` has, `epochs` of which are all epochs: a rise in
    /// proportion during the warm-up, then half a wave of a cosine down to 0 (Loshchilov and Hutter, SGDR, ICLR 2017).
    pub(crate) fn rate(&self, step: usize, steps_of_epoch: usize) -> f64 {
        let (warmup, all) = (self.warmup * steps_of_epoch, self.epochs * steps_of_epoch);
        if step < warmup {
            return (step + 1) as f64 / (warmup + 1) as f64;
        }
        let done = (step - warmup) as f64 / (all - warmup).max(1) as f64;
        0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls() {
        let settings = Settings { epochs: 4, warmup: 1, ..Settings::default() };
        let rates: Vec<f64> = (0..12).map(|step| settings.rate(step, 3)).collect();
        assert_eq!(rates[..4], [0.25, 0.5, 0.75, 1.0]);
        assert!(rates[3..].windows(2).all(|pair| pair[1] < pair[0]));
        assert!(
            (rates[3 + 9 / 2 + 1] - 0.5 * (1.0 + (std::f64::consts::PI * 5.0 / 9.0).cos())).abs() < 1e-12
        );
        let plain = Settings { epochs: 4, ..Settings::default() };
        assert_eq!(plain.rate(0, 3), 1.0);
        assert!((plain.rate(6, 3) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let error = |settings: Settings| settings.check().unwrap_err().to_string();
        let plain = Settings::default();
        plain.check().unwrap();
        insta::assert_snapshot!(error(Settings { batch: 1, ..plain }), @"batch 1 is out of range: take a number from 2 to 4096");
        insta::assert_snapshot!(error(Settings { warmup: 11, ..plain }), @"warmup 11 is out of range: take a number from 0 to 10");
        insta::assert_snapshot!(error(Settings { drop_path: 1.0, ..plain }), @"drop path 1 is out of range: take a number from 0 to 0.99");
        insta::assert_snapshot!(error(Settings { label_smoothing: f64::NAN, ..plain }), @"label smoothing NaN is out of range: take a number from 0 to 0.99");
    }
}
