//! What the tests of the kernels share: images of random numbers in double precision, from which both
//! the kernel's input and that of its naive twin are made; the ways in which a kernel is run; and the
//! comparison of the two.

use std::ops::Range;

use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

/// The number types that kernels are tested for.
pub(crate) trait Number: Element {
    /// The largest relative error of one rounding to nearest.
    const ROUNDOFF: f64;

    /// The number's bits, with one pattern for all NaN: which NaN an operation returns is left open.
    fn bits(self) -> u64;
}

impl Number for f32 {
    const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;

    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { self.to_bits().into() }
    }
}

impl Number for f64 {
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;

    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { self.to_bits() }
    }
}

/// Makes a test at every level, for both number types, of each `fn name<E: Number>(level: Level)`.
/// Levels that this processor lacks say so and pass.
macro_rules! at_every_level {
    ($($test:ident),+ $(,)?) => {
        at_every_level!(@avx512 $($test)+);
        at_every_level!(@avx2 $($test)+);
        at_every_level!(@neon $($test)+);
        at_every_level!(@portable $($test)+);
    };
    (@$level:ident $($test:ident)+) => {
        mod $level {
            $(
                #[test]
                fn $test() {
                    match stringify!($level).parse() {
                        Ok(level) => {
                            super::$test::<f32>(level);
                            super::$test::<f64>(level);
                        }
                        Err(error) => println!("not tested: {error}"),
                    }
                }
            )+
        }
    };
}
pub(crate) use at_every_level;

/// Numbers that look random, evenly distributed between -1 and 1.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Noise(seed)
    }

    /// The next number; single precision holds it exactly, so that all number types see the same.
    pub(crate) fn number(&mut self) -> f64 {
        // Knuth's linear congruential generator (MMIX); its upper bits are good.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 23) - 1.0
    }

    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    pub(crate) fn lane(&mut self) -> [f64; SAMPLES] {
        std::array::from_fn(|_| self.number())
    }
}

pub(crate) fn convert<E: Element>(numbers: &[f64]) -> Vec<E> {
    numbers.iter().map(|x| E::from_f64(*x)).collect()
}

/// An image in double precision: what naive twins work on.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// By channel, row and column.
    pub(crate) pixels: Vec<[f64; SAMPLES]>,
}

impl Image {
    pub(crate) fn from_fn(
        [channels, height, width]: [usize; 3],
        mut pixel: impl FnMut(usize, usize, usize) -> [f64; SAMPLES],
    ) -> Self {
        let mut pixels = Vec::new();
        for channel in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    pixels.push(pixel(channel, row, column));
                }
            }
        }
        Image { channels, height, width, pixels }
    }

    pub(crate) fn noise(shape: [usize; 3], seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        Image::from_fn(shape, |_, _, _| noise.lane())
    }

    pub(crate) fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// The pixel, or nothing outside of the image.
    pub(crate) fn at(&self, channel: usize, row: isize, column: isize) -> Option<[f64; SAMPLES]> {
        let inside = (0..self.height as isize).contains(&row) && (0..self.width as isize).contains(&column);
        inside.then(|| self.pixels[(channel * self.height + row as usize) * self.width + column as usize])
    }

    /// The image in memory, with all rows and columns that `reach` includes, which hold `outside`
    /// where they are not of the image.
    pub(crate) fn stored<E: Element>(&self, reach: [Range<isize>; 2], outside: f64) -> Stored<E> {
        let span = |range: &Range<isize>, size: usize| range.start.min(0)..range.end.max(size as isize);
        let (rows, columns) = (span(&reach[0], self.height), span(&reach[1], self.width));
        let layout = Layout {
            channels: self.channels,
            first_row: rows.start,
            rows: rows.len(),
            first_column: columns.start,
            columns: columns.len(),
        };
        let mut lanes = Vec::new();
        for channel in 0..self.channels {
            for row in rows.clone() {
                for column in columns.clone() {
                    let pixel = self.at(channel, row, column).unwrap_or([outside; SAMPLES]);
                    lanes.push(Lane(pixel.map(E::from_f64)));
                }
            }
        }
        Stored { lanes, layout }
    }

    /// The image in memory with nothing around it.
    pub(crate) fn plain<E: Element>(&self) -> Stored<E> {
        self.stored([0..0, 0..0], 0.0)
    }
}

/// An image as kernels read it.
pub(crate) struct Stored<E> {
    pub(crate) lanes: Vec<Lane<E>>,
    pub(crate) layout: Layout,
}

impl<E: Element> Stored<E> {
    pub(crate) fn planes(&self) -> Planes<'_, Lane<E>> {
        Planes::new(&self.lanes, self.layout)
    }
}

/// Runs a kernel at a level, and checks that it gives the same bits with plain code, and with its
/// rows computed one by one from the last to the first; that it keeps to the image; and that it
/// writes every pixel of it. Returns the image, by channel, row and column.
#[track_caller]
pub(crate) fn written<E: Number>(
    level: Level,
    shape: [usize; 3],
    before: E,
    kernel: impl Fn(Level, Range<usize>, PlanesMut<'_, Lane<E>>),
) -> Vec<Lane<E>> {
    written_together(level, 1, shape, before, kernel)
}

/// The same with a kernel that does some rows together, and those that are too few at the end with them.
#[track_caller]
pub(crate) fn written_together<E: Number>(
    level: Level,
    together: usize,
    [channels, height, width]: [usize; 3],
    before: E,
    kernel: impl Fn(Level, Range<usize>, PlanesMut<'_, Lane<E>>),
) -> Vec<Lane<E>> {
    // One row and column on each side that the kernel has to leave alone.
    let layout = Layout::new(channels, height, width, 1);
    let border = Lane::splat(E::from_f64(12345.0));
    let compute = |level: Level, bands: &[Range<usize>]| {
        let mut lanes = vec![Lane::splat(before); layout.lanes()];
        PlanesMut::new(&mut lanes, layout).fill_halo(height, width, border);
        for band in bands {
            // A view of the band's rows alone: whoever writes others panics.
            let (_, rest) = PlanesMut::new(&mut lanes, layout).split_at_row(band.start as isize);
            kernel(level, band.clone(), rest.split_at_row(band.end as isize).0);
        }
        lanes
    };
    let all = 0..height;
    let lanes = compute(level, std::slice::from_ref(&all));
    let parts = height / together;
    let edge = |part: usize| if part == parts { height } else { part * together };
    let rows: Vec<_> = (0..parts).rev().map(|part| edge(part)..edge(part + 1)).collect();
    assert!(bits(&lanes) == bits(&compute(level, &rows)), "rows by themselves have other bits");
    let portable = compute(Level::PORTABLE, std::slice::from_ref(&all));
    assert!(bits(&lanes) == bits(&portable), "{level} gives other bits than portable code");

    let planes = Planes::new(&lanes, layout);
    let mut image = Vec::new();
    for channel in 0..channels {
        for row in layout.row_range() {
            for (column, lane) in layout.column_range().zip(planes.row(channel, row, layout.column_range())) {
                if (0..height as isize).contains(&row) && (0..width as isize).contains(&column) {
                    image.push(*lane);
                } else {
                    assert!(*lane == border, "channel {channel}, row {row}, column {column} was written");
                }
            }
        }
    }
    image
}

pub(crate) fn bits<E: Number>(lanes: &[Lane<E>]) -> Vec<u64> {
    lanes.iter().flat_map(|lane| lane.0.map(E::bits)).collect()
}

/// What a naive twin computes: a number, and how far the kernel's result may be from it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Near {
    pub(crate) value: f64,
    pub(crate) tolerance: f64,
}

impl Near {
    /// A sum of `terms` products, the sum of whose absolute values is `magnitude`.
    ///
    /// However it is summed up, the rounding error is at most n u / (1 - n u) times the magnitude,
    /// with u the roundoff and n roundings on the way of a product to the result (Higham, Accuracy
    /// and Stability of Numerical Algorithms, section 3.1). A product may be rounded by itself, and so
    /// may what is done to the sum in the end; the twin, in double precision, makes errors as well.
    pub(crate) fn sum<E: Number>(value: f64, terms: usize, magnitude: f64) -> Near {
        let n = (terms + 2) as f64;
        let bound = |u: f64| n * u / (1.0 - n * u);
        Near { value, tolerance: magnitude * (bound(E::ROUNDOFF) + bound(f64::ROUNDOFF)) }
    }

    /// A number that has to be met exactly.
    pub(crate) fn exactly(value: f64) -> Near {
        Near { value, tolerance: 0.0 }
    }
}

#[track_caller]
pub(crate) fn assert_near<E: Number>(
    found: &[Lane<E>],
    expected: &[[Near; SAMPLES]],
    what: &dyn std::fmt::Debug,
) {
    assert_eq!(found.len(), expected.len(), "{what:?}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (sample, (found, Near { value, tolerance })) in found.0.iter().zip(expected).enumerate() {
            let found = found.to_f64();
            let equal = found == *value || (found.is_nan() && value.is_nan());
            assert!(
                equal || (found - value).abs() <= *tolerance,
                "{found} is not {value} +- {tolerance} at lane {place}, sample {sample} of {what:?}"
            );
        }
    }
}

/// A window on an image.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) size: [usize; 2],
    pub(crate) window: Window,
    pub(crate) outputs: [usize; 2],
}

impl Geometry {
    /// `padding` is before and after the rows, then the columns; negative padding cuts off.
    pub(crate) fn new(
        size: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: [[isize; 2]; 2],
    ) -> Self {
        let outputs = [0, 1].map(|axis| {
            let padded = size[axis] as isize + padding[axis][0] + padding[axis][1];
            let places = padded - ((kernel[axis] - 1) * dilation[axis]) as isize;
            usize::try_from(places).expect("the window fits").div_ceil(stride[axis])
        });
        let window = Window { kernel, stride, dilation, origin: padding.map(|[before, _]| -before) };
        Geometry { size, window, outputs }
    }

    pub(crate) fn reach(&self) -> [Range<isize>; 2] {
        [0, 1].map(|axis| self.window.reach(axis, &(0..self.outputs[axis])))
    }

    /// Row and column of every tap of an output, row by row.
    pub(crate) fn taps(&self, row: usize, column: usize) -> Vec<[isize; 2]> {
        let Window { kernel, stride, dilation, origin } = self.window;
        let mut taps = Vec::new();
        for y in 0..kernel[0] {
            for x in 0..kernel[1] {
                taps.push([
                    (row * stride[0] + y * dilation[0]) as isize + origin[0],
                    (column * stride[1] + x * dilation[1]) as isize + origin[1],
                ]);
            }
        }
        taps
    }
}

/// All cases, but a few only under Miri, which takes some thousand times as long.
pub(crate) fn cases<T>(all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    all.into_iter().step_by(if cfg!(miri) { 7 } else { 1 })
}

/// Windows of every kind, on images of awkward sizes.
pub(crate) fn geometries() -> Vec<Geometry> {
    let same = |size, k: usize, stride, dilation: usize| {
        let pad = (dilation * (k - 1) / 2) as isize;
        Geometry::new(size, [k, k], stride, [dilation, dilation], [[pad, pad], [pad, pad]])
    };
    let mut all = vec![
        same([1, 1], 1, [1, 1], 1),
        same([1, 1], 3, [1, 1], 1),
        same([1, 1], 3, [2, 2], 1),
        same([1, 1], 7, [1, 1], 1),
        // Strides on odd and even sizes.
        same([5, 7], 3, [2, 2], 1),
        same([6, 8], 3, [2, 2], 1),
        same([7, 5], 1, [2, 2], 1),
        same([9, 11], 5, [2, 2], 1),
        same([5, 10], 3, [1, 3], 1),
        same([6, 11], 5, [1, 1], 1),
        same([5, 19], 7, [1, 1], 1),
        same([6, 9], 3, [1, 1], 2),
        same([9, 9], 5, [2, 2], 2),
        // Only the middle tap sees the image.
        same([4, 3], 3, [1, 1], 6),
        same([3, 5], 5, [2, 2], 9),
        // Kernels that are even or not square.
        Geometry::new([5, 6], [2, 2], [1, 1], [1, 1], [[0, 1], [1, 0]]),
        Geometry::new([5, 6], [2, 2], [2, 2], [1, 1], [[0, 0], [0, 0]]),
        Geometry::new([4, 9], [1, 3], [1, 1], [1, 1], [[0, 0], [1, 1]]),
        Geometry::new([4, 9], [7, 1], [1, 1], [1, 1], [[3, 3], [0, 0]]),
        Geometry::new([7, 9], [5, 2], [2, 1], [1, 3], [[2, 2], [0, 3]]),
        // More padding on one side, none, and less than none.
        Geometry::new([4, 5], [3, 3], [2, 2], [1, 1], [[0, 1], [0, 1]]),
        Geometry::new([4, 5], [3, 3], [1, 1], [1, 1], [[0, 0], [0, 0]]),
        Geometry::new([8, 9], [3, 3], [1, 1], [1, 1], [[-1, -2], [-3, 1]]),
        Geometry::new([6, 7], [1, 1], [2, 2], [1, 1], [[-1, 0], [-1, 0]]),
        // Windows that see nothing but padding.
        Geometry::new([2, 2], [2, 2], [1, 1], [1, 1], [[3, 3], [3, 3]]),
    ];
    // Every remainder that a row may leave when it is cut into tiles.
    all.extend((1..=17).map(|width| same([2, width], 3, [1, 1], 1)));
    cases(all).collect()
}
