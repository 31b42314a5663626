//! The images that untrained networks are scored on.
//!
//! [`InputSpec`] says where they come from and is what users write (`spectral`, `cifar10:PATH`, ...);
//! [`InputSpec::draw`] makes a batch of [`Images`]. Whatever the source, the batch depends on the
//! specification, the shape and the seed alone, and image `i` of a batch does not depend on how many
//! images follow it (of `spectral` images the common scale does, and an array of exactly as many images
//! as asked for keeps its order).
//!
//! Pictures have three colours, but a network may ask for any number of channels: channel `c` of image
//! `i` is then colour `c % 3` of picture `i + c / 3`, cyclic in the batch. So three channels are the
//! picture itself, and eight are its three colours, the three of the next picture and two of the one
//! after that. A single channel is the red one.

mod array;
mod cifar10;
mod error;
mod folder;
mod gaussian;
mod npy;
mod pick;
mod pictures;
mod shapes;
mod spec;
mod spectral;
mod texts;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use rayon::prelude::*;
use swapnas_graph::{Key, Shape};

pub use array::{Array, ArrayError};
pub use cifar10::Cifar10;
pub use error::{InputError, Place};
pub use folder::{PictureFolder, Skipped, Survey, SurveyError};
pub use npy::draw_npy;
pub use shapes::Shapes;
pub use spec::{InputKind, InputSpec, SpecError};
pub use spectral::Spectral;
pub use texts::Zipf;
pub(crate) use texts::check_tokens;

/// A batch of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// Number of images.
    pub count: usize,
    /// Channels of each image.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// The values, `[count][channels][height][width]`.
    pub data: Vec<f32>,
    /// The class of each image, counted from 0, where the source knows it.
    pub labels: Option<Vec<usize>>,
}

/// More pixels than this along one side are taken for a mistake.
const MAX_SIDE: usize = 65_535;

impl Images {
    /// `count` images of `shape`, all zero.
    fn zeros(shape: Shape, count: usize) -> Result<Self, InputError> {
        let Shape { channels, height, width } = shape;
        let sides = 1..=MAX_SIDE;
        let mut data = Vec::new();
        let allocated = sides.contains(&height)
            && sides.contains(&width)
            && channels.checked_mul(height * width).and_then(|n| n.checked_mul(count)).is_some_and(
                |values| {
                    let reserved = values > 0 && data.try_reserve_exact(values).is_ok();
                    if reserved {
                        data.resize(values, 0.0);
                    }
                    reserved
                },
            );
        if !allocated {
            return Err(InputError::Size { shape, count });
        }
        Ok(Images { count, channels, height, width, data, labels: None })
    }

    /// The shape of one image.
    pub fn shape(&self) -> Shape {
        Shape::new(self.channels, self.height, self.width)
    }

    /// The values of image `index`, `[channels][height][width]`.
    ///
    /// # Panics
    ///
    /// When there is no such image.
    pub fn image(&self, index: usize) -> &[f32] {
        let size = self.shape().elements();
        &self.data[index * size..][..size]
    }

    /// The values of one image after the other, for threads to share.
    fn each(&self) -> impl IndexedParallelIterator<Item = &[f32]> {
        self.data.par_chunks_exact(self.shape().elements())
    }

    /// The same, to be written.
    fn each_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f32]> {
        let size = self.shape().elements();
        self.data.par_chunks_exact_mut(size)
    }
}

impl InputSpec {
    /// Draws `count` images of `shape`; the same ones for the same seed.
    ///
    /// Pictures from files are chosen without replacement.
    ///
    /// # Errors
    ///
    /// When the files cannot be read, are not what they should be or are too few, and when a batch of
    /// that size cannot be made.
    pub fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        match self {
            InputSpec::Spectral(spectral) => spectral.draw(shape, count, seed),
            InputSpec::Gaussian => gaussian::draw(shape, count, seed),
            InputSpec::Shapes(shapes) => shapes.draw(shape, count, seed),
            InputSpec::Zipf(_) => Err(InputError::NoTexts { found: self.to_string() }),
            InputSpec::Cifar10(path) => Cifar10::open(path)?.draw(shape, count, seed),
            InputSpec::Images(folder) => folder.draw(shape, count, seed),
            InputSpec::Npy(file) => npy::draw(file, shape, count, seed),
            InputSpec::Array(array) => array.draw(shape, count, seed),
        }
    }
}

/// What the random numbers of one kind of input, with one seed, are keyed by.
fn key(kind: &str, seed: u64) -> Key {
    Key::of(("inputs", kind)).with(seed)
}

/// The random numbers of one image.
fn image_rng(kind: &str, seed: u64, index: usize) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(key(kind, seed).with(index as u64).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_make_no_batch_are_errors() {
        for (shape, count) in [
            (Shape::new(3, 32, 32), 0),
            (Shape::new(0, 32, 32), 16),
            (Shape::new(3, 0, 32), 16),
            (Shape::new(3, 32, 65_536), 16),
            (Shape::new(usize::MAX, 32, 32), 16),
            (Shape::new(3, 32, 32), usize::MAX / 4),
            (Shape::new(3, 32, 32), usize::MAX),
        ] {
            for spec in [InputSpec::default(), InputSpec::Gaussian] {
                let error = spec.draw(shape, count, 0).unwrap_err();
                assert!(matches!(error, InputError::Size { .. }), "{spec} {shape} x {count}: {error}");
            }
        }
        insta::assert_snapshot!(
            InputSpec::Gaussian.draw(Shape::new(3, 0, 32), 16, 0).unwrap_err(),
            @"cannot make 16 images of 3x0x32: ask for at least one image, one channel and sides of 1 to 65535 pixels, and no more than memory holds"
        );
    }

    #[test]
    fn images_are_slices_of_the_batch() {
        let images = InputSpec::Gaussian.draw(Shape::new(2, 3, 5), 4, 0).unwrap();
        assert_eq!(images.shape(), Shape::new(2, 3, 5));
        assert_eq!((0..4).flat_map(|i| images.image(i).to_vec()).collect::<Vec<_>>(), images.data);
    }
}
