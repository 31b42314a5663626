use swapnas_lanes::{Element, Lane, SAMPLES};

use crate::Shape;

/// Images that a network is run on, as lanes: `[block][channel][row][column]`, 16 samples a block.
///
/// Where the number of samples is not a multiple of 16, the last block is filled up with zeros that
/// no reduction over samples counts.
#[derive(Clone, Debug)]
pub struct Batch<E = f32> {
    samples: usize,
    shape: Shape,
    lanes: Vec<Lane<E>>,
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
        Ok(Batch { samples, shape, lanes })
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

    /// The lanes, `[block][channel][row][column]`.
    pub(crate) fn lanes(&self) -> &[Lane<E>] {
        &self.lanes
    }
}
