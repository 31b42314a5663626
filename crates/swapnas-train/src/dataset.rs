//! Labelled images, divided into those that are learnt from and those that are asked about.

use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::{Key, Shape};
use swapnas_metrics::inputs::{Images, InputError, InputSpec};

/// Labelled images to train with and to validate on.
#[derive(Clone, Debug)]
pub struct Dataset {
    train: Part,
    validation: Part,
    shape: Shape,
    classes: usize,
    key: Key,
}

/// Some images with the class of each.
#[derive(Clone, Debug)]
pub struct Part {
    /// `[image][channel][row][column]`.
    numbers: Vec<f32>,
    labels: Vec<usize>,
    elements: usize,
}

/// Images that nothing can be learnt from.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// They cannot be had.
    #[error(transparent)]
    Inputs(#[from] InputError),
    /// They have no labels.
    #[error(
        "nothing says of which classes {inputs} are: train with shapes, cifar10:PATH, or images:DIR with a folder for \
         each class"
    )]
    NoLabels {
        /// Where they come from.
        inputs: String,
    },
    /// All of one class.
    #[error("all {count} images of {inputs} are of one class, so there is nothing to learn")]
    OneClass {
        /// Where they come from.
        inputs: String,
        /// How many there are.
        count: usize,
    },
    /// Too few images to divide.
    #[error(
        "{train} images to train with and {validation} to validate on: there must be one of each at least"
    )]
    TooFew {
        /// Asked for to train with.
        train: usize,
        /// Asked for to validate on.
        validation: usize,
    },
}

impl Dataset {
    /// Draws images by the seed, each once: the first ones are those to validate on.
    ///
    /// # Errors
    /// If they cannot be had, have no labels, or are of one class.
    pub fn draw(
        inputs: &InputSpec,
        shape: Shape,
        train: usize,
        validation: usize,
        seed: u64,
    ) -> Result<Self, DatasetError> {
        if train == 0 || validation == 0 {
            return Err(DatasetError::TooFew { train, validation });
        }
        let images = inputs.draw(shape, train.saturating_add(validation), seed)?;
        Dataset::of(images, validation, &inputs.to_string())
    }

    /// Divides images: the first ones are those to validate on. `name` is what messages call them.
    ///
    /// # Errors
    /// If they have no labels or are of one class.
    pub fn of(images: Images, validation: usize, name: &str) -> Result<Self, DatasetError> {
        let shape = images.shape();
        let elements = shape.elements();
        let Images { count, data: mut numbers, labels, .. } = images;
        let mut labels = labels.ok_or_else(|| DatasetError::NoLabels { inputs: name.to_owned() })?;
        if count <= validation || validation == 0 {
            return Err(DatasetError::TooFew { train: count.saturating_sub(validation), validation });
        }
        if labels.iter().all(|label| *label == labels[0]) {
            return Err(DatasetError::OneClass { inputs: name.to_owned(), count });
        }
        let bits: Vec<u32> = numbers.iter().map(|x| x.to_bits()).collect();
        let key = Key::of((bits, &labels, validation));
        let classes = labels.iter().max().map_or(0, |label| label + 1);
        let train = Part {
            numbers: numbers.split_off(validation * elements),
            labels: labels.split_off(validation),
            elements,
        };
        let validation = Part { numbers, labels, elements };
        Ok(Dataset { train, validation, shape, classes, key })
    }

    /// The images to train with.
    pub fn train(&self) -> &Part {
        &self.train
    }

    /// The images to validate on.
    pub fn validation(&self) -> &Part {
        &self.validation
    }

    /// Shape of an image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of classes, one more than the largest label.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What tells these images from others.
    pub fn key(&self) -> Key {
        self.key
    }
}

impl Part {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none, which no part of a data set has.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of each image.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The numbers of an image, `[channel][row][column]`.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn image(&self, index: usize) -> &[f32] {
        &self.numbers[index * self.elements..][..self.elements]
    }

    /// The numbers of some images that follow each other.
    pub(crate) fn images(&self, first: usize, count: usize) -> &[f32] {
        &self.numbers[first * self.elements..][..count * self.elements]
    }

    /// All indices in an order that the key decides.
    pub(crate) fn order(&self, key: Key) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(key.0));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(labels: Option<Vec<usize>>) -> Images {
        Images {
            count: 4,
            channels: 1,
            height: 1,
            width: 2,
            data: (0..8).map(|x| x as f32).collect(),
            labels,
        }
    }

    #[test]
    fn the_first_images_are_to_validate_on() {
        let data = Dataset::of(images(Some(vec![2, 0, 1, 0])), 1, "some").unwrap();
        assert_eq!((data.train().len(), data.validation().len(), data.classes()), (3, 1, 3));
        assert_eq!((data.validation().image(0), data.train().image(2)), (&[0.0, 1.0][..], &[6.0, 7.0][..]));
        assert_eq!((data.validation().labels(), data.train().labels()), (&[2][..], &[0, 1, 0][..]));
        let mut order = data.train().order(Key::of("order"));
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
        let other = Dataset::of(images(Some(vec![2, 0, 1, 1])), 1, "some").unwrap();
        assert_ne!(data.key(), other.key());
    }

    #[test]
    fn images_that_teach_nothing_are_errors() {
        let error = |labels, validation| Dataset::of(images(labels), validation, "gaussian").unwrap_err();
        insta::assert_snapshot!(error(None, 1), @"nothing says of which classes gaussian are: train with shapes, cifar10:PATH, or images:DIR with a folder for each class");
        insta::assert_snapshot!(error(Some(vec![1; 4]), 1), @"all 4 images of gaussian are of one class, so there is nothing to learn");
        insta::assert_snapshot!(error(Some(vec![0, 1, 0, 1]), 4), @"0 images to train with and 4 to validate on: there must be one of each at least");
    }
}
