//! How images are changed whenever they are seen.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use swapnas_graph::Shape;

use crate::error::{SettingsError, within};

/// How training images are changed, each time anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Whether every second image is mirrored, left for right.
    pub flip: bool,
    /// Pixels by which images are moved at most, up or down and left or right; zeros move in. NAS-Bench-201 and DARTS
    /// have 4 for CIFAR-10.
    pub crop: usize,
    /// Side of a square, centred on any pixel, in which there are zeros afterwards (DeVries and Taylor, 2017); 0 for none.
    /// DARTS has 16 for CIFAR-10.
    pub cutout: usize,
}

impl Default for Augmentation {
    /// Mirrored, and moved by up to 4 pixels.
    fn default() -> Self {
        Augmentation { flip: true, crop: 4, cutout: 0 }
    }
}

impl Augmentation {
    /// Images as they are.
    pub const NONE: Augmentation = Augmentation { flip: false, crop: 0, cutout: 0 };

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        within("crop", self.crop as f64, [0.0, 1024.0])?;
        within("cutout", self.cutout as f64, [0.0, 4096.0])
    }

    /// Appends an image, changed by chance.
    pub(crate) fn apply(&self, image: &[f32], shape: Shape, rng: &mut impl Rng, out: &mut Vec<f32>) {
        let Shape { height, width, .. } = shape;
        let mirrored = self.flip && rng.random::<bool>();
        let mut shift = || rng.random_range(0..=2 * self.crop) as isize - self.crop as isize;
        let (down, right) = if self.crop > 0 { (shift(), shift()) } else { (0, 0) };
        let start = out.len();
        for plane in image.chunks_exact(height * width) {
            for row in 0..height {
                let from = row.checked_add_signed(-down).filter(|row| *row < height);
                out.extend((0..width).map(|column| {
                    let column = column.checked_add_signed(-right).filter(|column| *column < width);
                    match (from, column) {
                        (Some(row), Some(column)) => {
                            let column = if mirrored { width - 1 - column } else { column };
                            plane[row * width + column]
                        }
                        _ => 0.0,
                    }
                }));
            }
        }
        if self.cutout > 0 {
            let (row, column) = (rng.random_range(0..height), rng.random_range(0..width));
            let side = |centre: usize, size: usize| {
                let first = centre.saturating_sub(self.cutout / 2);
                first..(centre + self.cutout.div_ceil(2)).min(size)
            };
            for plane in out[start..].chunks_exact_mut(height * width) {
                for row in side(row, height) {
                    plane[row * width..][side(column, width)].fill(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    const SHAPE: Shape = Shape { channels: 2, height: 3, width: 4 };

    fn applied(augmentation: Augmentation, seed: u64) -> Vec<f32> {
        let image: Vec<f32> = (1..=24).map(|x| x as f32).collect();
        let mut out = Vec::new();
        augmentation.apply(&image, SHAPE, &mut Xoshiro256PlusPlus::seed_from_u64(seed), &mut out);
        out
    }

    #[test]
    fn images_stay_or_are_mirrored() {
        let image: Vec<f32> = (1..=24).map(|x| x as f32).collect();
        assert_eq!(applied(Augmentation::NONE, 0), image);
        let flip = Augmentation { flip: true, ..Augmentation::NONE };
        let mirror: Vec<f32> = image.chunks(4).flat_map(|row| row.iter().rev().copied()).collect();
        let found: Vec<Vec<f32>> = (0..32).map(|seed| applied(flip, seed)).collect();
        assert!(found.iter().all(|found| *found == image || *found == mirror));
        assert!(found.contains(&image) && found.contains(&mirror));
    }

    #[test]
    fn moved_images_are_parts_with_zeros_around() {
        let crop = Augmentation { crop: 1, ..Augmentation::NONE };
        let mut moves = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let found = applied(crop, seed);
            let is = |down: isize, right: isize| {
                (0..3).all(|row: isize| {
                    (0..4).all(|column: isize| {
                        let (from_row, from_column) = (row - down, column - right);
                        let inside = (0..3).contains(&from_row) && (0..4).contains(&from_column);
                        let expected = if inside { 1.0 + (from_row * 4 + from_column) as f32 } else { 0.0 };
                        found[(row * 4 + column) as usize] == expected
                    })
                })
            };
            let of = (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right)));
            moves.extend(of.filter(|(down, right)| is(*down, *right)));
            assert!(
                found[12..].iter().zip(&found).all(|(b, a)| *b == if *a == 0.0 { 0.0 } else { a + 12.0 })
            );
        }
        assert_eq!(moves.len(), 9, "{moves:?}");
    }

    #[test]
    fn a_square_is_cut_out_of_all_channels() {
        for seed in 0..50 {
            let found = applied(Augmentation { cutout: 2, ..Augmentation::NONE }, seed);
            let zeros = found[..12].iter().filter(|x| **x == 0.0).count();
            assert!([1, 2, 4].contains(&zeros), "{found:?}");
            assert!(found[12..].iter().zip(&found).all(|(b, a)| (*b == 0.0) == (*a == 0.0)));
        }
        assert!(applied(Augmentation { cutout: 9, ..Augmentation::NONE }, 0).iter().all(|x| *x == 0.0));
    }
}
