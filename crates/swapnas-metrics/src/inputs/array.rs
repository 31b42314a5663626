//! Images that are in memory already.

use swapnas_graph::Shape;

use super::error::unfit;
use super::pick::pick;
use super::{Images, InputError, Place};

/// Images given as numbers, with or without their classes: see
/// [`InputSpec::Array`](super::InputSpec::Array).
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Shape,
    values: Vec<f32>,
    labels: Option<Vec<usize>>,
}

/// Numbers that are no images.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArrayError {
    /// Not as many numbers as the dimensions say.
    #[error(
        "{found} numbers make no array of shape ({}, {}, {}, {}); give one for each place, and at least one \
         image",
        dims[0], dims[1], dims[2], dims[3]
    )]
    Length {
        /// Images, channels, rows and columns.
        dims: [usize; 4],
        /// How many numbers there are.
        found: usize,
    },
    /// A number that is none.
    #[error("{place} is {value:?}, {}; replace it by a number that is finite as a 32-bit float", unfit(*value))]
    Value {
        /// Where the value is.
        place: Place,
        /// The value.
        value: f64,
    },
    /// Not one class for each image.
    #[error("there are {images} images, but {labels} labels; give one for each image")]
    Labels {
        /// How many images there are.
        images: usize,
        /// How many labels there are.
        labels: usize,
    },
}

impl Array {
    /// Images of `values`, `[images][channels][rows][columns]` with `dims` of each, and the class of each
    /// image, counted from 0, if it is known.
    ///
    /// # Errors
    /// If there are more or fewer values or labels than that, or values are not finite.
    pub fn new(dims: [usize; 4], values: Vec<f32>, labels: Option<Vec<usize>>) -> Result<Self, ArrayError> {
        let [images, channels, height, width] = dims;
        let product = dims.into_iter().try_fold(1, usize::checked_mul);
        if values.is_empty() || product != Some(values.len()) {
            return Err(ArrayError::Length { dims, found: values.len() });
        }
        let shape = Shape::new(channels, height, width);
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let (image, within) = (index / shape.elements(), index % shape.elements());
            let place = Place::new(image as u64, shape, within);
            return Err(ArrayError::Value { place, value: values[index].into() });
        }
        if let Some(labels) = labels.as_ref().map(Vec::len).filter(|labels| *labels != images) {
            return Err(ArrayError::Labels { images, labels });
        }
        Ok(Array { shape, values, labels })
    }

    /// The shape of each image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The values, `[images][channels][rows][columns]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The class of each image, if it is known.
    pub fn labels(&self) -> Option<&[usize]> {
        self.labels.as_deref()
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.values.len() / self.shape.elements()
    }

    /// Takes or draws `count` of the images.
    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut images = Images::zeros(shape, count)?;
        let found = self.count();
        if self.shape != shape {
            return Err(InputError::ArrayShape { expected: shape, found: self.shape });
        }
        if found < count {
            return Err(InputError::ArrayTooFew { needed: count, found });
        }
        let picks: Vec<u64> = match found {
            _ if found == count => (0..found as u64).collect(),
            _ => pick("npy", found as u64, count, seed),
        };
        let size = shape.elements();
        for (image, &pick) in images.data.chunks_exact_mut(size).zip(&picks) {
            image.copy_from_slice(&self.values[pick as usize * size..][..size]);
        }
        images.labels =
            self.labels.as_ref().map(|labels| picks.iter().map(|&pick| labels[pick as usize]).collect());
        Ok(images)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inputs::InputSpec;

    fn array(images: usize) -> Array {
        let values = (0..images * 6).map(|n| n as f32).collect();
        Array::new([images, 1, 2, 3], values, Some((0..images).map(|n| n % 4).collect())).unwrap()
    }

    #[test]
    fn a_batch_keeps_its_order_and_a_larger_array_is_drawn_from() {
        let shape = Shape::new(1, 2, 3);
        let spec = InputSpec::Array(Arc::new(array(5)));
        let all = spec.draw(shape, 5, 1).unwrap();
        assert_eq!(all.data, (0..30).map(|n| n as f32).collect::<Vec<_>>());
        assert_eq!(all.labels, Some(vec![0, 1, 2, 3, 0]));
        let some = spec.draw(shape, 3, 1).unwrap();
        let labels = some.labels.clone().unwrap();
        for (index, label) in labels.into_iter().enumerate() {
            let first = some.image(index)[0] as usize / 6;
            assert_eq!(label, first % 4);
            assert_eq!(some.image(index), all.image(first));
        }
        assert_ne!(some, spec.draw(shape, 3, 2).unwrap());
    }

    #[test]
    fn numbers_that_are_no_images_are_errors() {
        let message =
            |dims, values: &[f32], labels| Array::new(dims, values.to_vec(), labels).unwrap_err().to_string();
        insta::assert_snapshot!(message([2, 1, 1, 2], &[0.0; 3], None), @"3 numbers make no array of shape (2, 1, 1, 2); give one for each place, and at least one image");
        insta::assert_snapshot!(message([0, 1, 1, 2], &[], None), @"0 numbers make no array of shape (0, 1, 1, 2); give one for each place, and at least one image");
        insta::assert_snapshot!(message([2, 1, 1, 2], &[0.0, 0.0, 0.0, f32::NAN], None), @"image 1, channel 0, row 0, column 1 is NaN, which is no number; replace it by a number that is finite as a 32-bit float");
        insta::assert_snapshot!(message([2, 1, 1, 1], &[0.0; 2], Some(vec![1])), @"there are 2 images, but 1 labels; give one for each image");
        assert!(Array::new([usize::MAX, 2, 1, 1], vec![0.0], None).is_err());
        let draw = |shape, count| InputSpec::Array(Arc::new(array(5))).draw(shape, count, 0).unwrap_err();
        insta::assert_snapshot!(draw(Shape::new(3, 2, 3), 5), @"the images are 1x2x3, but the network takes 3x2x3; resize them, or build the network for them");
        insta::assert_snapshot!(draw(Shape::new(1, 2, 3), 6), @"there are 5 images, but 6 are needed; add images or draw fewer");
    }
}
