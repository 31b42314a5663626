use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use swapnas_lanes::{Element, Lane, SAMPLES};

use crate::{Shape, magnitude};

/// Images that a network is run on, as lanes: `[block][channel][row][column]`, 16 samples a block.
///
/// Where the number of samples is not a multiple of 16, the last block is filled up with zeros that
/// no reduction over samples counts.
#[derive(Clone, Debug)]
pub struct Batch<E = f32> {
    samples: usize,
    shape: Shape,
    lanes: Vec<Lane<E>>,
    /// No number is larger in magnitude; infinite if there is one that is not finite.
    largest: f64,
}

/// Numbers that do not make up the images they are said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{samples} images of {shape} have {} numbers, but there are {found}", samples * shape.elements())]
pub struct BatchError {
    /// Number of images.
    pub samples: usize,
    /// Shape of each.
    pub shape: Shape,
    /// Numbers given.
    pub found: usize,
}

impl<E: Element> Batch<E> {
    /// Takes over `samples` images in NCHW order.
    ///
    /// # Errors
    /// If there are not as many numbers as that.
    pub fn from_nchw(samples: usize, shape: Shape, numbers: &[f32]) -> Result<Self, BatchError> {
        let elements = shape.elements();
        if numbers.len() != samples * elements {
            return Err(BatchError { samples, shape, found: numbers.len() });
        }
        let mut lanes = vec![Lane::ZERO; samples.div_ceil(SAMPLES) * elements];
        for sample in 0..samples {
            let image = &numbers[sample * elements..][..elements];
            let block = &mut lanes[sample / SAMPLES * elements..][..elements];
            for (lane, &x) in block.iter_mut().zip(image) {
                lane.0[sample % SAMPLES] = E::from_f64(x.into());
            }
        }
        Ok(Batch { samples, shape, largest: largest(&lanes), lanes })
    }

    /// The first images by themselves.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    pub fn first(&self, samples: usize) -> Self {
        assert!(samples <= self.samples, "{samples} of {} images", self.samples);
        let blocks = samples.div_ceil(SAMPLES);
        let mut lanes = self.lanes[..blocks * self.shape.elements()].to_vec();
        if let Some(last) = blocks.checked_sub(1) {
            for lane in &mut lanes[last * self.shape.elements()..] {
                lane.0[samples - last * SAMPLES..].fill(E::ZERO);
            }
        }
        Batch { samples, shape: self.shape, lanes, largest: self.largest }
    }

    /// These images plus `factor` times as many others.
    ///
    /// # Panics
    /// If the others are of another number or shape.
    #[must_use]
    pub fn plus(&self, factor: f64, others: &Self) -> Self {
        assert_eq!((self.samples, self.shape), (others.samples, others.shape));
        let factor = E::from_f64(factor);
        let mut sum = self.clone();
        for (lane, other) in sum.lanes.iter_mut().zip(&others.lanes) {
            for (x, y) in lane.0.iter_mut().zip(other.0) {
                *x = *x + factor * y;
            }
        }
        sum.largest = largest(&sum.lanes);
        sum
    }

    /// The same images in double precision.
    pub fn to_double(&self) -> Batch<f64> {
        let lanes = self.lanes.iter().map(|lane| Lane(lane.0.map(Element::to_f64))).collect();
        Batch { samples: self.samples, shape: self.shape, lanes, largest: self.largest }
    }

    /// For each image the first one that has the same numbers, which may be itself.
    pub fn twins(&self) -> Vec<usize> {
        let elements = self.shape.elements();
        let number = |sample: usize, element: usize| {
            // The sum makes -0 equal to 0.
            (self.lanes[sample / SAMPLES * elements + element].0[sample % SAMPLES].to_f64() + 0.0).to_bits()
        };
        let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
        let twin = |sample: usize| {
            let mut hash = DefaultHasher::new();
            for element in 0..elements {
                hash.write_u64(number(sample, element));
            }
            let alike = known.entry(hash.finish()).or_default();
            let same = |other: &&usize| (0..elements).all(|e| number(sample, e) == number(**other, e));
            let twin = alike.iter().find(same).copied();
            if twin.is_none() {
                alike.push(sample);
            }
            twin.unwrap_or(sample)
        };
        (0..self.samples).map(twin).collect()
    }

    /// Number of images.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of blocks of 16 samples, the last one perhaps not full.
    pub fn blocks(&self) -> usize {
        self.samples.div_ceil(SAMPLES)
    }

    /// How many samples of a block count.
    pub fn samples_in(&self, block: usize) -> usize {
        (self.samples - block * SAMPLES).min(SAMPLES)
    }

    /// Shape of an image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// No number is larger in magnitude; infinite if there is one that is not finite.
    pub(crate) fn largest(&self) -> f64 {
        self.largest
    }

    /// The lanes, `[block][channel][row][column]`.
    pub(crate) fn lanes(&self) -> &[Lane<E>] {
        &self.lanes
    }
}

fn largest<E: Element>(lanes: &[Lane<E>]) -> f64 {
    magnitude::of_lanes(lanes, SAMPLES)
}

#[cfg(test)]
mod tests {
    use super::Batch;
    use crate::Shape;

    #[test]
    fn images_know_their_twins() {
        let images = [[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [0.0, 0.0], [1.0, 0.0]];
        let many: Vec<f32> = images.iter().cycle().take(19).flatten().copied().collect();
        let batch = Batch::<f32>::from_nchw(19, Shape::new(1, 1, 2), &many).unwrap();
        let expected: Vec<usize> = [0, 1, 0, 3, 1].into_iter().cycle().take(19).collect();
        assert_eq!(batch.twins(), expected);
        assert_eq!(batch.first(4).to_double().twins(), [0, 1, 0, 3]);
    }
}
