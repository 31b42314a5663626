//! Texts, for networks that read tokens: a text is an image of one row, whose pixels are the numbers of its tokens.

use std::fmt;

use rand::RngExt;
use rayon::prelude::*;
use swapnas_graph::Shape;

use super::{Images, InputError, InputSpec, image_rng, npy};

/// Random texts by Zipf's law: the `k`-th most frequent of all tokens, whose number is `k - 1`, is drawn with a
/// probability that is proportional to `1 / k^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    exponent: f64,
}

impl Zipf {
    /// The exponents that there may be.
    pub(super) const EXPONENTS: [f64; 2] = [0.0, 10.0];

    /// `None` if the exponent is out of range.
    pub fn new(exponent: f64) -> Option<Self> {
        let [low, high] = Zipf::EXPONENTS;
        (low..=high).contains(&exponent).then_some(Zipf { exponent })
    }

    /// The exponent.
    pub fn exponent(&self) -> f64 {
        self.exponent
    }

    /// `count` texts of the tokens of a vocabulary.
    fn draw(&self, shape: Shape, vocabulary: usize, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut texts = Images::zeros(shape, count)?;
        // Sums of the weights up to each token; library functions that give the same bits everywhere.
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=vocabulary)
            .map(|rank| {
                sum += 1.0 / libm::pow(rank as f64, self.exponent);
                sum
            })
            .collect();
        texts.each_mut().enumerate().for_each(|(index, text)| {
            let mut rng = image_rng("zipf", seed, index);
            text.fill_with(|| {
                let drawn = rng.random::<f64>() * sum;
                sums.partition_point(|sum| *sum <= drawn).min(vocabulary - 1) as f32
            });
        });
        Ok(texts)
    }
}

impl Default for Zipf {
    fn default() -> Self {
        Zipf { exponent: 1.0 }
    }
}

impl fmt::Display for Zipf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zipf:exponent={}", self.exponent)
    }
}

impl InputSpec {
    /// What networks of texts are shown where this is asked for: the default for images stands for that for texts.
    #[must_use]
    pub fn for_texts(&self) -> InputSpec {
        if *self == InputSpec::default() { InputSpec::Zipf(Zipf::default()) } else { self.clone() }
    }

    /// Draws `count` texts of `shape`, one row of as many pixels as there are tokens, for a network that knows the
    /// tokens below `vocabulary`; the same ones for the same seed.
    ///
    /// # Errors
    ///
    /// When files cannot be read, are not what they should be, hold too few texts or other tokens, when images are
    /// asked for, and when a batch of that size cannot be made.
    pub fn draw_texts(
        &self,
        shape: Shape,
        vocabulary: usize,
        count: usize,
        seed: u64,
    ) -> Result<Images, InputError> {
        let texts = match &self.for_texts() {
            InputSpec::Zipf(zipf) => zipf.draw(shape, vocabulary, count, seed),
            InputSpec::Npy(file) => npy::draw_tokens(file, shape, count, seed),
            InputSpec::Array(array) => array.draw(shape, count, seed),
            other => Err(InputError::Texts { found: other.to_string() }),
        }?;
        check_tokens(&texts.data, shape.width, vocabulary)?;
        Ok(texts)
    }
}

/// Makes sure that numbers are tokens that a network knows, of texts of that length.
pub(crate) fn check_tokens(numbers: &[f32], length: usize, vocabulary: usize) -> Result<(), InputError> {
    let is_token = |x: &f32| x.fract() == 0.0 && (0.0..vocabulary as f32).contains(x);
    match numbers.iter().position(|x| !is_token(x)) {
        None => Ok(()),
        Some(index) => {
            let (text, place) = (index / length, index % length);
            Err(InputError::Token { text, place, found: numbers[index], vocabulary })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_depends_on_its_number_and_the_seed_only() {
        let shape = Shape::new(1, 1, 20);
        let draw = |count, seed| InputSpec::default().draw_texts(shape, 100, count, seed).unwrap();
        let many = draw(9, 3);
        assert_eq!(many.data[..80], draw(4, 3).data);
        assert_ne!(many.image(0), many.image(1));
        assert_ne!(draw(4, 4), draw(4, 3));
    }

    #[test]
    fn tokens_are_as_frequent_as_the_law_says() {
        for exponent in [0.0, 1.0, 2.5] {
            let (vocabulary, texts) = (10, 2000);
            let spec = InputSpec::Zipf(Zipf::new(exponent).unwrap());
            let drawn = spec.draw_texts(Shape::new(1, 1, 50), vocabulary, texts, 1).unwrap().data;
            let weights: Vec<f64> = (1..=vocabulary).map(|k| (k as f64).powf(-exponent)).collect();
            let sum: f64 = weights.iter().sum();
            for (token, weight) in weights.iter().enumerate() {
                let expected = drawn.len() as f64 * weight / sum;
                let found = drawn.iter().filter(|x| **x == token as f32).count() as f64;
                assert!(
                    (found - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                    "{token}: {found}, {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let shape = Shape::new(1, 1, 4);
        let error = |spec: InputSpec| spec.draw_texts(shape, 9, 1, 0).unwrap_err().to_string();
        insta::assert_snapshot!(error(InputSpec::Gaussian), @"the network reads texts, but the input is `gaussian`; give zipf, or npy:FILE with an array of tokens");
        let array = |x: f32| {
            let array = super::super::Array::new([1, 1, 1, 4], vec![8.0, 0.0, x, 1.0], None).unwrap();
            InputSpec::Array(std::sync::Arc::new(array))
        };
        insta::assert_snapshot!(error(array(9.0)), @"token 2 of text 0, counted from 0, is 9, but the network knows the whole numbers from 0 to 8");
        insta::assert_snapshot!(error(array(0.5)), @"token 2 of text 0, counted from 0, is 0.5, but the network knows the whole numbers from 0 to 8");
        assert!(array(8.0).draw_texts(shape, 9, 1, 0).is_ok());
        insta::assert_snapshot!(InputSpec::Zipf(Zipf::default()).draw(Shape::new(3, 8, 8), 1, 0).unwrap_err(), @"the input is texts, `zipf:exponent=1`, but the network takes images; give images, as spectral");
    }
}
