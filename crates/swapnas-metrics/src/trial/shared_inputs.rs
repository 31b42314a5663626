use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_graph::{Batch, Element, Key, Shape};

use crate::ScoreError;
use crate::definition::Needs;
use crate::inputs::{Images, InputSpec};

/// Images with their classes.
#[derive(Clone, Debug)]
pub(crate) struct Labelled<E> {
    pub images: Batch<E>,
    pub labels: Vec<usize>,
}

/// What all networks are shown: the same for each of them.
pub(crate) struct SharedInputs<E> {
    /// The batch that everything is about.
    pub first: Labelled<E>,
    /// Other images, for metrics that compare the gradients of two batches.
    pub second: Option<Labelled<E>>,
    /// Noise from N(0, 1), and the same images with a little of other noise added.
    pub noise: Option<[Batch<E>; 2]>,
    /// One image of noise, 64x64.
    pub response: Option<Batch<E>>,
    /// Many small images of noise, for the smallest network that the space builds.
    pub smallest: Option<Batch<E>>,
    pub signs: Signs,
}

/// Random signs.
#[derive(Clone, Debug)]
pub(crate) enum Signs {
    /// Drawn from a seed.
    Drawn(u64),
    /// Given for each block.
    #[cfg_attr(not(test), expect(dead_code, reason = "only references come with signs"))]
    Given(Vec<Vec<f64>>),
}

/// How much of the other noise is added (Zen-NAS).
pub(crate) const PERTURBATION: f64 = 0.01;

/// Height and width of the image whose responses are looked at (MeCo).
pub(crate) const RESPONSE_SIDE: usize = 64;

/// How many images the linear regions are counted over (TE-NAS).
pub(crate) const REGION_IMAGES: usize = 1000;

/// Where the shared inputs of one seed come from.
pub(crate) struct Source<'a> {
    pub inputs: &'a InputSpec,
    pub shape: Shape,
    pub batch: usize,
    pub classes: usize,
    /// How many tokens a network of texts knows.
    pub vocabulary: Option<usize>,
    pub seed: u64,
    /// Shape of the images for the smallest network.
    pub smallest: Option<Shape>,
}

impl<E: Element> SharedInputs<E> {
    /// Draws what is needed.
    ///
    /// # Errors
    /// If the images cannot be had, or are of more classes than the network has.
    pub(crate) fn draw(source: &Source<'_>, needs: Needs) -> Result<Self, ScoreError> {
        let &Source { inputs, shape, batch, seed, .. } = source;
        let drawn = |count| match source.vocabulary {
            None => inputs.draw(shape, count, seed),
            Some(vocabulary) => inputs.draw_texts(shape, vocabulary, count, seed),
        };
        let first = source.labelled(drawn(batch)?, 0..batch, 0)?;
        // The images after those of the first batch.
        let second = needs.second.then(|| source.labelled(drawn(2 * batch)?, batch..2 * batch, 1));
        let gaussian = |name: &str, shape, count| -> Result<Images, ScoreError> {
            Ok(InputSpec::Gaussian.draw(shape, count, Key::of((name, seed)).0)?)
        };
        // Noise is no text.
        let noise = (needs.noise && source.vocabulary.is_none()).then(|| {
            let images: Batch<E> = whole(&gaussian("noise", shape, batch)?)?;
            let moved = images.plus(PERTURBATION, &whole(&gaussian("other noise", shape, batch)?)?);
            Ok::<_, ScoreError>([images, moved])
        });
        let response = (needs.response && source.vocabulary.is_none()).then(|| {
            let shape = Shape::new(shape.channels, RESPONSE_SIDE, RESPONSE_SIDE);
            whole(&gaussian("response", shape, 1)?)
        });
        let smallest = source.smallest.map(|shape| whole(&gaussian("regions", shape, REGION_IMAGES)?));
        Ok(SharedInputs {
            first,
            second: second.transpose()?,
            noise: noise.transpose()?,
            response: response.transpose()?,
            smallest: smallest.transpose()?,
            signs: Signs::Drawn(seed),
        })
    }

    /// Only a batch that somebody gives, with the first class for every image.
    pub(crate) fn given(images: Batch<E>, seed: u64) -> Self {
        let labels = vec![0; images.samples()];
        let first = Labelled { images, labels };
        SharedInputs {
            first,
            second: None,
            noise: None,
            response: None,
            smallest: None,
            signs: Signs::Drawn(seed),
        }
    }
}

fn whole<E: Element>(images: &Images) -> Result<Batch<E>, ScoreError> {
    Ok(Batch::from_nchw(images.count, images.shape(), &images.data)?)
}

impl Source<'_> {
    /// Some of the images with their labels; with classes drawn at random if they have none.
    fn labelled<E: Element>(
        &self,
        images: Images,
        range: std::ops::Range<usize>,
        batch: u64,
    ) -> Result<Labelled<E>, ScoreError> {
        let size = self.shape.elements();
        let numbers = &images.data[range.start * size..range.end * size];
        let labels = match &images.labels {
            Some(labels) => labels[range.clone()].to_vec(),
            None => {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(Key::of(("labels", self.seed, batch)).0);
                range.clone().map(|_| rng.random_range(0..self.classes)).collect()
            }
        };
        if let Some(&label) = labels.iter().find(|label| **label >= self.classes) {
            return Err(ScoreError::Label { label, classes: self.classes });
        }
        Ok(Labelled { images: Batch::from_nchw(range.len(), self.shape, numbers)?, labels })
    }
}

impl Signs {
    /// `count` random signs for a block.
    pub(crate) fn of_block(&self, block: usize, count: usize) -> Vec<f64> {
        match self {
            Signs::Given(signs) => signs[block].clone(),
            Signs::Drawn(seed) => {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(Key::of(("signs", seed, block)).0);
                (0..count).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect()
            }
        }
    }
}
