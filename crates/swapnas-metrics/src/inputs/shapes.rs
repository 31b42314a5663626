//! Drawn shapes: labelled images that need no file.
//!
//! What a network has to see is the outline of a shape, wherever it lies, however it is turned and whatever it is
//! coloured with. Colours, gratings, patches that hide parts and noise are there to be seen past; they say nothing of
//! the class. So a network that looks at single pixels or at colours alone learns little, and one that puts small parts
//! of outlines together learns much.

use std::f64::consts::{PI, TAU};
use std::fmt;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use swapnas_graph::Shape;

use super::{Images, InputError, SpecError, image_rng};

/// Images of drawn shapes, each of one of ten classes: disc, ring, square, frame, triangle, cross, star, half disc,
/// crescent and bars.
///
/// Numbers are brightnesses less a half, times three, plus noise: their mean is about 0 and their variance about 1.
/// Image `i` depends on its number, the seed, the noise and the shape asked for alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shapes {
    noise: f64,
}

/// The outlines, in the order of the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outline {
    Disc,
    Ring,
    Square,
    Frame,
    Triangle,
    Cross,
    Star,
    HalfDisc,
    Crescent,
    Bars,
}

const OUTLINES: [Outline; Shapes::CLASSES] = [
    Outline::Disc,
    Outline::Ring,
    Outline::Square,
    Outline::Frame,
    Outline::Triangle,
    Outline::Cross,
    Outline::Star,
    Outline::HalfDisc,
    Outline::Crescent,
    Outline::Bars,
];

/// Points in a row and a column of a pixel at which it is looked whether they lie within a shape.
const POINTS: usize = 3;

/// How far from its centre a shape is painted, in units of its plane, and a pixel more.
const REACH: f64 = 1.3;

/// Patches that hide parts of an image.
const PATCHES: usize = 3;

impl Default for Shapes {
    fn default() -> Self {
        Shapes { noise: 0.1 }
    }
}

impl Shapes {
    /// How many classes there are.
    pub const CLASSES: usize = 10;

    /// With that standard deviation of the noise.
    ///
    /// # Errors
    /// If it is not from 0 to 10.
    pub fn new(noise: f64) -> Result<Self, SpecError> {
        let [low, high] = [0.0, 10.0];
        if (low..=high).contains(&noise) {
            Ok(Shapes { noise })
        } else {
            Err(SpecError::Range { name: "noise", value: noise, low, high })
        }
    }

    /// The standard deviation of the noise.
    pub fn noise(&self) -> f64 {
        self.noise
    }

    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut images = Images::zeros(shape, count)?;
        let labels = images
            .each_mut()
            .enumerate()
            .map(|(index, image)| {
                let mut rng = image_rng("shapes", seed, index);
                let class = rng.random_range(0..Self::CLASSES);
                self.paint(OUTLINES[class], shape, &mut rng, image);
                class
            })
            .collect();
        images.labels = Some(labels);
        Ok(images)
    }

    /// Paints an image.
    fn paint(&self, outline: Outline, shape: Shape, rng: &mut impl Rng, image: &mut [f32]) {
        let Shape { channels, height, width } = shape;
        let figure = Placed::draw(rng, height, width, 0.2, 0.46);
        let (ground, cover) = (Grating::draw(rng, height, width), Grating::draw(rng, height, width));
        let patches: Vec<Placed> =
            (0..PATCHES).map(|_| Placed::draw(rng, height, width, 0.03, 0.12)).collect();
        // Shares of each pixel that the figure and the patches cover.
        let covered = |placed: &Placed, outline| -> Vec<f64> {
            let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
            pixels.map(|(row, column)| placed.share(outline, row, column)).collect()
        };
        let figure = covered(&figure, outline);
        let patches: Vec<Vec<f64>> = patches
            .iter()
            .enumerate()
            .map(|(index, patch)| {
                covered(patch, if index % 2 == 0 { Outline::Disc } else { Outline::Square })
            })
            .collect();
        for plane in image.chunks_exact_mut(height * width).take(channels) {
            let (below, above) = contrast(rng);
            let colours: Vec<f64> = patches.iter().map(|_| rng.random()).collect();
            for (pixel, out) in plane.iter_mut().enumerate() {
                let (row, column) = (pixel / width, pixel % width);
                let ground = below + ground.at(row, column);
                let mut value = ground + figure[pixel] * (above + cover.at(row, column) - ground);
                for (patch, colour) in patches.iter().zip(&colours) {
                    value += patch[pixel] * (colour - value);
                }
                let noise: f64 = StandardNormal.sample(rng);
                *out = (3.0 * (value - 0.5) + self.noise * noise) as f32;
            }
        }
    }
}

/// Brightnesses of the ground and of what lies on it, from 0 to 1 and a fifth apart at least.
fn contrast(rng: &mut impl Rng) -> (f64, f64) {
    let apart = rng.random_range(0.2..1.0);
    let low = (1.0 - apart) * rng.random::<f64>();
    let high = low + apart;
    if rng.random() { (low, high) } else { (high, low) }
}

/// Where a shape lies.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// Centre, in pixels.
    row: f64,
    column: f64,
    /// Pixels for a unit of the shape's own plane.
    size: f64,
    sine: f64,
    cosine: f64,
}

impl Placed {
    /// Anywhere within the image, turned anyhow, with a size from `low` to `high` of the shorter side.
    fn draw(rng: &mut impl Rng, height: usize, width: usize, low: f64, high: f64) -> Self {
        let size = height.min(width) as f64 * rng.random_range(low..high);
        let (sine, cosine) = libm::sincos(rng.random_range(0.0..TAU));
        let mut centre = |side: usize| {
            let free = (side as f64 - 2.0 * size).max(0.0);
            (side as f64 - free) / 2.0 + free * rng.random::<f64>()
        };
        Placed { row: centre(height), column: centre(width), size, sine, cosine }
    }

    /// The share of a pixel that lies within an outline.
    fn share(&self, outline: Outline, row: usize, column: usize) -> f64 {
        let far = REACH * self.size + 1.0;
        let (down, right) = (row as f64 + 0.5 - self.row, column as f64 + 0.5 - self.column);
        if down * down + right * right > far * far {
            return 0.0;
        }
        let mut inside = 0;
        for point in 0..POINTS * POINTS {
            let place = |whole: usize, part: usize| whole as f64 + (part as f64 + 0.5) / POINTS as f64;
            let down = (place(row, point / POINTS) - self.row) / self.size;
            let right = (place(column, point % POINTS) - self.column) / self.size;
            let (u, v) = (right * self.cosine + down * self.sine, down * self.cosine - right * self.sine);
            inside += usize::from(outline.contains(u, v));
        }
        inside as f64 / (POINTS * POINTS) as f64
    }
}

impl Outline {
    /// Whether a point lies within, in a plane in which all outlines are about two units high.
    fn contains(self, u: f64, v: f64) -> bool {
        let radius = (u * u + v * v).sqrt();
        let side = u.abs().max(v.abs());
        match self {
            Outline::Disc => radius < 0.85,
            Outline::Ring => (0.5..0.95).contains(&radius),
            Outline::Square => side < 0.75,
            Outline::Frame => (0.45..0.8).contains(&side),
            // The edges of a regular triangle are half as far from its centre as its corners.
            Outline::Triangle => {
                let edge = |turn: f64| u * libm::sin(turn) - v * libm::cos(turn);
                [0.0, TAU / 3.0, 2.0 * TAU / 3.0].into_iter().all(|turn| edge(turn) < 0.5)
            }
            Outline::Cross => side < 0.95 && u.abs().min(v.abs()) < 0.3,
            // Between a corner and the notch beside it, the edge is a straight line.
            Outline::Star => {
                let turned = libm::atan2(v, u).rem_euclid(TAU / 5.0);
                let turn = turned.min(TAU / 5.0 - turned);
                let (corner, notch) = (1.0, 0.42);
                let (x, y) = (radius * libm::cos(turn), radius * libm::sin(turn));
                let (notch_x, notch_y) = (notch * libm::cos(PI / 5.0), notch * libm::sin(PI / 5.0));
                (x - corner) * notch_y < y * (notch_x - corner)
            }
            Outline::HalfDisc => radius < 1.0 && v > -0.15 && v < 1.0,
            Outline::Crescent => {
                let (du, dv) = (u - 0.45, v);
                radius < 0.95 && (du * du + dv * dv).sqrt() > 0.7
            }
            Outline::Bars => v.abs() < 0.9 && [-0.7, 0.0, 0.7].iter().any(|bar: &f64| (u - bar).abs() < 0.2),
        }
    }
}

/// Light and dark stripes, and a slope of brightness.
#[derive(Clone, Copy, Debug)]
struct Grating {
    amplitude: f64,
    by_row: f64,
    by_column: f64,
    phase: f64,
}

impl Grating {
    fn draw(rng: &mut impl Rng, height: usize, width: usize) -> Self {
        let amplitude = rng.random_range(0.0..0.2);
        // From one wave over the image to one over three pixels.
        let longest = height.max(width).max(4) as f64;
        let wavelength = 3.0 * libm::pow(longest / 3.0, rng.random());
        let (sine, cosine) = libm::sincos(rng.random_range(0.0..TAU));
        let (by_row, by_column) = (TAU / wavelength * sine, TAU / wavelength * cosine);
        Grating { amplitude, by_row, by_column, phase: rng.random_range(0.0..TAU) }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.amplitude * libm::sin(self.by_row * row as f64 + self.by_column * column as f64 + self.phase)
    }
}

impl fmt::Display for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shapes")?;
        if self.noise != Shapes::default().noise {
            write!(f, ":noise={}", self.noise)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(shape: Shape, count: usize, seed: u64) -> Images {
        Shapes::default().draw(shape, count, seed).unwrap()
    }

    #[test]
    fn an_image_depends_on_its_number_and_the_seed_only() {
        let shape = Shape::new(3, 16, 12);
        let (few, many) = (draw(shape, 3, 5), draw(shape, 7, 5));
        assert_eq!(few.data, many.data[..3 * shape.elements()]);
        assert_eq!(few.labels.unwrap(), many.labels.clone().unwrap()[..3]);
        assert_ne!(draw(shape, 7, 6).data, many.data);
    }

    #[test]
    fn numbers_are_of_the_size_that_networks_are_used_to_and_all_classes_are_there() {
        let images = draw(Shape::new(3, 32, 32), 300, 0);
        let count = images.data.len() as f64;
        let mean = images.data.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = images.data.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 0.1 && (0.7..1.5).contains(&variance), "{mean} {variance}");
        let mut seen = [0; Shapes::CLASSES];
        images.labels.unwrap().into_iter().for_each(|label| seen[label] += 1);
        assert!(seen.iter().all(|count| (15..=45).contains(count)), "{seen:?}");
    }

    #[test]
    fn outlines_are_what_they_are_called() {
        let map = |outline: Outline| -> Vec<String> {
            let row = |v: i32| {
                let at = |u: i32| outline.contains(f64::from(u) / 5.5, f64::from(v) / 5.5);
                (-6..=6).map(|u| if at(u) { '#' } else { '.' }).collect()
            };
            (-6..=6).map(row).collect()
        };
        let all: Vec<String> = OUTLINES.iter().map(|o| format!("{o:?}\n{}", map(*o).join("\n"))).collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        Disc
        .............
        .............
        ....#####....
        ...#######...
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ...#######...
        ....#####....
        .............
        .............
        Ring
        .............
        .....###.....
        ...#######...
        ..#########..
        ..###...###..
        .###.....###.
        .###.....###.
        .###.....###.
        ..###...###..
        ..#########..
        ...#######...
        .....###.....
        .............
        Square
        .............
        .............
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        ..#########..
        .............
        .............
        Frame
        .............
        .............
        ..#########..
        ..#########..
        ..##.....##..
        ..##.....##..
        ..##.....##..
        ..##.....##..
        ..##.....##..
        ..#########..
        ..#########..
        .............
        .............
        Triangle
        .............
        .............
        .............
        .............
        ..#########..
        ...#######...
        ...#######...
        ....#####....
        ....#####....
        .....###.....
        ......#......
        ......#......
        .............
        Cross
        .............
        .....###.....
        .....###.....
        .....###.....
        .....###.....
        .###########.
        .###########.
        .###########.
        .....###.....
        .....###.....
        .....###.....
        .....###.....
        .............
        Star
        .............
        .............
        .......#.....
        ..#...##.....
        ...#####.....
        ....#####....
        ....########.
        ....#####....
        ...#####.....
        ..#...##.....
        .......#.....
        .............
        .............
        HalfDisc
        .............
        .............
        .............
        .............
        .............
        .............
        .###########.
        .###########.
        .###########.
        ..#########..
        ...#######...
        ....#####....
        .............
        Crescent
        .............
        .....###.....
        ...#######...
        ..#####......
        ..####.......
        .####........
        .####........
        .####........
        ..####.......
        ..#####......
        ...#######...
        .....###.....
        .............
        Bars
        .............
        .............
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        ..##.###.##..
        .............
        .............
        ");
    }

    #[test]
    fn a_seed_means_the_same_images_on_every_machine() {
        let images = draw(Shape::new(1, 8, 8), 2, 0);
        let key = swapnas_graph::Key::of(images.data.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        insta::assert_snapshot!(format!("{:?} {:016x}", images.labels.unwrap(), key.0), @"[5, 9] 17972934f2fc4d33");
    }
}
