//! From decoded pictures to a batch of images.

use image::RgbImage;
use image::imageops::{self, FilterType};
use swapnas_graph::Shape;

use super::{Images, InputError};

/// Mean and standard deviation of red, green and blue, on a scale where the brightest is 1.
pub(super) struct Normalisation {
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
}

impl Normalisation {
    fn value(&self, colour: usize, byte: u8) -> f32 {
        (f32::from(byte) / 255.0 - self.mean[colour]) / self.std[colour]
    }
}

/// A batch being filled with pictures.
pub(super) struct Album {
    images: Images,
    normalisation: Normalisation,
}

impl Album {
    pub(super) fn new(shape: Shape, count: usize, normalisation: Normalisation) -> Result<Self, InputError> {
        Ok(Album { images: Images::zeros(shape, count)?, normalisation })
    }

    /// Puts picture `place` of the batch, which fits, into all the channels that show it.
    pub(super) fn put(&mut self, place: usize, picture: &RgbImage) {
        let Images { count, channels, height, width, .. } = self.images;
        let pixels = height * width;
        for channel in 0..channels {
            // The image whose channel this is comes so many places earlier in the cycle.
            let index = (place + count - channel / 3 % count) % count;
            let values = &mut self.images.data[(index * channels + channel) * pixels..][..pixels];
            let colour = channel % 3;
            for (value, pixel) in values.iter_mut().zip(picture.pixels()) {
                *value = self.normalisation.value(colour, pixel[colour]);
            }
        }
    }

    pub(super) fn finish(self, labels: Option<Vec<usize>>) -> Images {
        Images { labels, ..self.images }
    }
}

/// The largest centred part of the picture with the aspect ratio of `shape`, resized to it.
///
/// The sides of `shape` are those of a batch, and so at most [`MAX_SIDE`](super::MAX_SIDE).
pub(super) fn fit(picture: RgbImage, shape: Shape) -> RgbImage {
    let (height, width) = (shape.height as u32, shape.width as u32);
    let (w, h) = picture.dimensions();
    if (w, h) == (width, height) {
        return picture;
    }
    // Cut before resizing: a strip of one by many thousands must not grow before it is cut.
    let scaled = |side: u32, num: u32, den: u32| {
        let rounded = (u64::from(side) * u64::from(num) + u64::from(den) / 2) / u64::from(den);
        u32::try_from(rounded.max(1)).unwrap_or(u32::MAX)
    };
    let cut_w = w.min(scaled(h, width, height));
    let cut_h = h.min(scaled(w, height, width));
    let cut = imageops::crop_imm(&picture, (w - cut_w) / 2, (h - cut_h) / 2, cut_w, cut_h);
    imageops::resize(&*cut, width, height, FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Normalisation = Normalisation { mean: [0.0; 3], std: [1.0 / 255.0; 3] };

    fn album(shape: Shape, pictures: &[RgbImage]) -> Images {
        let mut album = Album::new(shape, pictures.len(), PLAIN).unwrap();
        for (place, picture) in pictures.iter().enumerate() {
            album.put(place, &fit(picture.clone(), shape));
        }
        album.finish(None)
    }

    #[test]
    fn channels_beyond_three_show_the_next_pictures() {
        let pictures = [10, 20, 30].map(|i| RgbImage::from_pixel(1, 1, Rgb([i, i + 1, i + 2])));
        let rows = |channels| -> Vec<Vec<f32>> {
            let images = album(Shape::new(channels, 1, 1), &pictures);
            (0..3).map(|i| images.image(i).iter().map(|x| x.round()).collect()).collect()
        };
        assert_eq!(rows(1), [[10.0], [20.0], [30.0]]);
        assert_eq!(rows(3)[2], [30.0, 31.0, 32.0]);
        assert_eq!(rows(8)[1], [20.0, 21.0, 22.0, 30.0, 31.0, 32.0, 10.0, 11.0]);
        assert_eq!(rows(11)[0], [10.0, 11.0, 12.0, 20.0, 21.0, 22.0, 30.0, 31.0, 32.0, 10.0, 11.0]);
    }

    #[test]
    fn colours_are_normalised_each_with_its_own_mean_and_deviation() {
        let normalisation = Normalisation { mean: [0.0, 0.5, 1.0], std: [1.0, 0.5, 0.25] };
        let mut album = Album::new(Shape::new(3, 1, 2), 1, normalisation).unwrap();
        album.put(0, &RgbImage::from_raw(2, 1, vec![0, 0, 0, 255, 255, 255]).unwrap());
        assert_eq!(album.finish(None).data, [0.0, 1.0, -1.0, 1.0, -4.0, 0.0]);
    }

    #[test]
    fn the_centre_is_what_stays_of_a_wide_or_high_picture() {
        // Columns 0, 1, 2, ...: the middle square of 4x12 is columns 4 to 7.
        let wide = RgbImage::from_fn(12, 4, |x, _| Rgb([x as u8 * 10; 3]));
        let image = album(Shape::new(1, 4, 4), std::slice::from_ref(&wide));
        assert_eq!(image.data[..4].iter().map(|x| x.round()).collect::<Vec<_>>(), [40.0, 50.0, 60.0, 70.0]);
        let high = imageops::rotate90(&wide);
        let image = album(Shape::new(1, 2, 2), &[high]);
        assert!(image.data[0] < image.data[2] && image.data[0] == image.data[1]);
        // Shrinking averages over the area.
        let mean = album(Shape::new(1, 1, 1), &[wide]).data[0];
        assert!((mean - 55.0).abs() < 1.0, "{mean}");
    }

    proptest! {
        #[test]
        fn an_even_picture_of_any_size_stays_even(
            (w, h) in prop_oneof![(1_u32..40, 1_u32..40), Just((1, 60_000)), Just((60_000, 1))],
            height in 1_usize..70,
            width in 1_usize..70,
        ) {
            let image = album(Shape::new(3, height, width), &[RgbImage::from_pixel(w, h, Rgb([7, 8, 9]))]);
            for (channel, values) in image.data.chunks_exact(height * width).enumerate() {
                prop_assert!(values.iter().all(|x| x.round() == 7.0 + channel as f32));
            }
        }
    }
}
