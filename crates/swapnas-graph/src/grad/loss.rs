//! The scalar whose gradient is taken.

use crate::{Shape, ValueId};

use super::GradError;

/// What the gradient is taken of.
#[derive(Clone, Copy, Debug)]
pub enum Loss<'a> {
    /// The mean over the batch of the cross entropy between the softmax of the network's first output
    /// and the label of each sample, with natural logarithms.
    CrossEntropy(&'a [usize]),
    /// The sum of all elements of the network's first output over the batch.
    Sum,
    /// The sum of all elements of the network's first output for one sample. With statistics over the
    /// batch it depends on the other samples, too.
    SumOf(usize),
    /// The sum of the products of a value's elements with given numbers, `[sample][channel][row][column]`.
    Product {
        /// The value.
        value: ValueId,
        /// The numbers: the gradient of the loss with respect to the value.
        gradient: &'a [f64],
    },
}

/// A loss at the numbers of a value over the batch: what it is, and its gradient.
#[derive(Debug)]
pub(super) struct Start {
    pub loss: f64,
    pub gradient: Vec<f64>,
}

impl Loss<'_> {
    /// The value it is a function of.
    pub(super) fn value(&self, outputs: &[ValueId]) -> Result<ValueId, GradError> {
        match self {
            Loss::Product { value, .. } => Ok(*value),
            _ => outputs.first().copied().ok_or(GradError::NoOutputs),
        }
    }

    /// The loss and its gradient, from the `numbers` of its value with the given shape.
    pub(super) fn start(&self, numbers: &[f64], shape: Shape) -> Result<Start, GradError> {
        let elements = shape.elements();
        let samples = numbers.len().checked_div(elements).ok_or(GradError::NoElements { shape })?;
        match *self {
            Loss::CrossEntropy(labels) => {
                check_labels(labels, samples, elements)?;
                let mut gradient = Vec::with_capacity(numbers.len());
                let mut loss = 0.0;
                for (logits, &label) in numbers.chunks_exact(elements).zip(labels) {
                    let (probabilities, log_sum) = softmax(logits);
                    loss += log_sum - logits[label];
                    let start = gradient.len();
                    gradient.extend(probabilities.iter().map(|p| p / samples as f64));
                    gradient[start + label] -= 1.0 / samples as f64;
                }
                Ok(Start { loss: loss / samples as f64, gradient })
            }
            Loss::Sum => Ok(Start { loss: numbers.iter().sum(), gradient: vec![1.0; numbers.len()] }),
            Loss::SumOf(sample) => {
                if sample >= samples {
                    return Err(GradError::Sample { sample, samples });
                }
                let mut gradient = vec![0.0; numbers.len()];
                let part = sample * elements..(sample + 1) * elements;
                gradient[part.clone()].fill(1.0);
                Ok(Start { loss: numbers[part].iter().sum(), gradient })
            }
            Loss::Product { value, gradient } => {
                if gradient.len() != numbers.len() {
                    let (expected, found) = (numbers.len(), gradient.len());
                    return Err(GradError::GradientSize { value, expected, found });
                }
                let loss = numbers.iter().zip(gradient).map(|(x, g)| x * g).sum();
                Ok(Start { loss, gradient: gradient.to_vec() })
            }
        }
    }

    /// The tangent of the gradient, where the numbers move by `tangent`.
    pub(super) fn tangent(&self, numbers: &[f64], tangent: &[f64], shape: Shape) -> Vec<f64> {
        let Loss::CrossEntropy(labels) = self else { return vec![0.0; numbers.len()] };
        let elements = shape.elements();
        let mut result = Vec::with_capacity(numbers.len());
        for (logits, tangent) in numbers.chunks_exact(elements).zip(tangent.chunks_exact(elements)) {
            let (probabilities, _) = softmax(logits);
            let mean: f64 = probabilities.iter().zip(tangent).map(|(p, t)| p * t).sum();
            let change = probabilities.iter().zip(tangent).map(|(p, t)| p * (t - mean) / labels.len() as f64);
            result.extend(change);
        }
        result
    }
}

fn check_labels(labels: &[usize], samples: usize, classes: usize) -> Result<(), GradError> {
    if labels.len() != samples {
        return Err(GradError::LabelCount { samples, labels: labels.len() });
    }
    match labels.iter().position(|label| *label >= classes) {
        Some(sample) => Err(GradError::Label { sample, label: labels[sample], classes }),
        None => Ok(()),
    }
}

/// The softmax, and the logarithm of the sum of the exponentials.
fn softmax(logits: &[f64]) -> (Vec<f64>, f64) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|x| libm::exp(x - largest)).collect();
    let sum: f64 = powers.iter().sum();
    (powers.iter().map(|p| p / sum).collect(), largest + libm::log(sum))
}
