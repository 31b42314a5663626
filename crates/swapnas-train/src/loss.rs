//! What is made smaller by training.

/// The mean cross entropy of logits `[sample][class]` with smoothed labels, its gradient, and how many labels have the
/// largest logit.
pub(crate) struct Entropy {
    pub loss: f64,
    pub gradient: Vec<f64>,
    pub right: usize,
}

impl Entropy {
    /// Of labels of which the share `smoothing` is spread evenly over all `classes`.
    pub(crate) fn of(logits: &[f64], labels: &[usize], classes: usize, smoothing: f64) -> Self {
        let samples = labels.len() as f64;
        let (even, own) = (smoothing / classes as f64, 1.0 - smoothing);
        let mut entropy = Entropy { loss: 0.0, gradient: Vec::with_capacity(logits.len()), right: 0 };
        for (logits, &label) in logits.chunks_exact(classes).zip(labels) {
            let (best, largest) =
                logits.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (class, x)| {
                    if *x > best.1 { (class, *x) } else { best }
                });
            entropy.right += usize::from(best == label);
            let powers: Vec<f64> = logits.iter().map(|x| libm::exp(x - largest)).collect();
            let sum: f64 = powers.iter().sum();
            let log_sum = largest + libm::log(sum);
            let mean = logits.iter().sum::<f64>() / classes as f64;
            entropy.loss += log_sum - own * logits[label] - smoothing * mean;
            let target = |class: usize| even + if class == label { own } else { 0.0 };
            let slope = powers.iter().enumerate().map(|(class, p)| (p / sum - target(class)) / samples);
            entropy.gradient.extend(slope);
        }
        entropy.loss /= samples;
        entropy
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_gradient_is_the_slope(
            logits in prop::collection::vec(-3.0..3.0, 8),
            labels in [0_usize..4, 0..4],
            smoothing in 0.0..0.9,
        ) {
            let of = |logits: &[f64]| Entropy::of(logits, &labels, 4, smoothing);
            let entropy = of(&logits);
            for index in 0..logits.len() {
                let at = |step: f64| {
                    let mut moved = logits.clone();
                    moved[index] += step;
                    of(&moved).loss
                };
                prop_assert!(((at(1e-5) - at(-1e-5)) / 2e-5 - entropy.gradient[index]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn the_largest_logit_is_the_answer() {
        let entropy = Entropy::of(&[1.0, 3.0, 2.0, 0.0, 0.0, 0.0], &[1, 2], 3, 0.0);
        assert_eq!(entropy.right, 1);
        let first = (1f64.exp() + 3f64.exp() + 2f64.exp()).ln() - 3.0;
        assert!((entropy.loss - (first + 3f64.ln()) / 2.0).abs() < 1e-12);
    }
}
