//! Element-wise kernels against one formula a number.

use swapnas_lanes::kernels::rows::{self, Affine, Source, WriteMode};
use swapnas_lanes::{Activation, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

use crate::support::{Image, Near, Noise, Number, assert_near, at_every_level, bits, cases, written};

at_every_level!(
    loads_of_every_kind,
    images_of_every_size,
    sums_are_loads_one_after_the_other,
    special_numbers_go_through_relu_as_written,
    products_with_images_and_channels
);

/// Every choice that a load has.
#[derive(Clone, Copy, Debug)]
struct Choice {
    affine: bool,
    activation: Option<Activation>,
    sum: bool,
}

fn choices() -> impl Iterator<Item = Choice> {
    let activations = Activation::EACH.map(Some).into_iter().chain([None]);
    activations.flat_map(|activation| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(affine, sum)| Choice {
            affine,
            activation,
            sum,
        })
    })
}

/// Scale and shift of every channel; single precision holds them exactly.
fn affines(channels: usize) -> Vec<Affine<f64>> {
    let mut noise = Noise::new(8);
    (0..channels).map(|_| Affine { scale: noise.number() * 2.0, shift: noise.number() }).collect()
}

const BEFORE: f64 = 0.75;

fn check_load<E: Number>(level: Level, image: &Image, choice: Choice) {
    let [channels, height, width] = image.shape();
    let pixels = height * width;
    let exact = affines(channels);
    let argument = |place: usize, sample: usize| {
        let (x, Affine { scale, shift }) = (image.pixels[place][sample], exact[place / pixels]);
        if choice.affine { x.mul_add(scale, shift) } else { x }
    };

    let stored = image.plain::<E>();
    let narrow = |x: &Affine<f64>| Affine { scale: E::from_f64(x.scale), shift: E::from_f64(x.shift) };
    let narrowed: Vec<Affine<E>> = exact.iter().map(narrow).collect();
    let affine = choice.affine.then_some(narrowed.as_slice());
    let source = Source { planes: stored.planes(), affine, activation: choice.activation };
    let into = if choice.sum { WriteMode::Sum } else { WriteMode::Overwrite };

    let signs = |place: usize| -> u16 {
        (0..SAMPLES).fold(0, |bits, sample| bits | u16::from(argument(place, sample) > 0.0) << sample)
    };
    // The words lie wherever the caller likes: here with a column of others on the right.
    let words_layout = Layout { columns: width + 1, ..Layout::new(channels, height, width, 0) };
    let check_signs = |words: &[u16], band: std::ops::Range<usize>| {
        let planes = Planes::new(words, words_layout);
        for place in 0..channels * pixels {
            let (row, column) = (place / width % height, (place % width) as isize);
            let word = planes.row(place / pixels, row as isize, column..column + 1)[0];
            let expected = if band.contains(&row) { signs(place) } else { 0xAAAA };
            assert_eq!(word, expected, "{choice:?} at {place}");
        }
        for row in 0..height as isize {
            assert_eq!(planes.row(0, row, width as isize..width as isize + 1), [0xAAAA]);
        }
    };

    let shape = image.shape();
    let plain = written(level, shape, E::from_f64(BEFORE), |level, band, out| {
        rows::load(level, &source, band, width, into, out, None);
    });
    let with_signs = written(level, shape, E::from_f64(BEFORE), |level, band, out| {
        let mut words = vec![0xAAAA; words_layout.lanes()];
        let words_out = PlanesMut::new(&mut words, words_layout);
        rows::load(level, &source, band.clone(), width, into, out, Some(words_out));
        check_signs(&words, band.clone());
        words.fill(0xAAAA);
        rows::signs(level, &source, band.clone(), width, PlanesMut::new(&mut words, words_layout));
        check_signs(&words, band);
    });
    assert!(bits(&plain) == bits(&with_signs), "signs change the numbers");

    let expected: Vec<_> = (0..channels * pixels)
        .map(|place| std::array::from_fn(|sample| expected::<E>(argument(place, sample), choice)))
        .collect();
    assert_near(&plain, &expected, &(choice, shape));
}

/// The result for an argument that the kernel has rounded once.
fn expected<E: Number>(x: f64, choice: Choice) -> Near {
    let argument_error = if choice.affine { E::ROUNDOFF * x.abs() } else { 0.0 };
    let near = match choice.activation {
        Some(activation) => crate::functions::near::<E>(activation, x, argument_error),
        None => Near { value: x, tolerance: argument_error },
    };
    if choice.sum {
        let value = near.value + BEFORE;
        let rounding = E::ROUNDOFF * (value.abs() + near.tolerance);
        Near { value, tolerance: near.tolerance + rounding }
    } else {
        near
    }
}

fn loads_of_every_kind<E: Number>(level: Level) {
    let mut noise = Noise::new(6);
    let image = Image::from_fn([3, 4, 5], |_, _, _| std::array::from_fn(|_| noise.number() * 8.0));
    for choice in cases(choices()) {
        check_load::<E>(level, &image, choice);
    }
}

fn images_of_every_size<E: Number>(level: Level) {
    for shape in [[1, 1, 1], [1, 1, 2], [4, 3, 1], [2, 2, 31], [17, 1, 3]] {
        let image = Image::noise(shape, 5);
        let relu = Some(Activation::Relu);
        check_load::<E>(level, &image, Choice { affine: true, activation: relu, sum: false });
        check_load::<E>(level, &image, Choice { affine: false, activation: None, sum: true });
    }
}

fn sums_are_loads_one_after_the_other<E: Number>(level: Level) {
    for shape @ [channels, _, width] in [[1, 1, 1], [3, 4, 5], [2, 2, 31]] {
        let images: Vec<_> = (0..rows::TERMS as u64).map(|i| Image::noise(shape, i).plain::<E>()).collect();
        let narrow = |x: Affine<f64>| Affine { scale: E::from_f64(x.scale), shift: E::from_f64(x.shift) };
        let affines: Vec<Affine<E>> = affines(channels).into_iter().map(narrow).collect();
        for terms in 2..=rows::TERMS {
            let source = |index: usize| Source {
                affine: (index % 2 != terms % 2).then_some(affines.as_slice()),
                ..Source::plain(images[index].planes())
            };
            let sources: Vec<Source<'_, E>> = (0..terms).map(source).collect();
            let found = written(level, shape, E::ZERO, |level, band, out| {
                rows::sum(level, &sources, band, width, out);
            });
            let expected = written(level, shape, E::ZERO, |level, band, mut out| {
                for (term, source) in sources.iter().enumerate() {
                    let into = if term == 0 { WriteMode::Overwrite } else { WriteMode::Sum };
                    rows::load(level, source, band.clone(), width, into, out.reborrow(), None);
                }
            });
            assert!(bits(&found) == bits(&expected), "{terms} terms of {shape:?}");
        }
    }
}

/// `if x > 0 { x } else { 0 }`, bit by bit: zeros come out positive, NaN comes out as zero, and
/// subnormal numbers are neither flushed nor taken for zero.
fn special_numbers_go_through_relu_as_written<E: Number>(level: Level) {
    let smallest = if E::ROUNDOFF < 1e-10 { f64::from_bits(1) } else { f32::from_bits(1).into() };
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        smallest,
        -smallest,
        E::from_f64(f32::MAX.into()).to_f64(),
        E::from_f64(f32::MIN.into()).to_f64(),
    ];
    let layout = Layout::new(1, 1, SAMPLES, 0);
    // Every number in every place of a lane.
    let lanes: Vec<Lane<E>> = (0..SAMPLES)
        .map(|pixel| Lane(std::array::from_fn(|i| E::from_f64(numbers[(pixel + i) % numbers.len()]))))
        .collect();
    let relu = |x: E| if x > E::ZERO { x } else { E::ZERO };
    let expected: Vec<Lane<E>> = lanes.iter().map(|lane| Lane(lane.0.map(relu))).collect();
    let identity = [Affine { scale: E::ONE, shift: E::ZERO }];
    for affine in [None, Some(identity.as_slice())] {
        let planes = Planes::new(&lanes, layout);
        let source = Source { planes, affine, activation: Some(Activation::Relu) };
        let mut out = vec![Lane::splat(E::ONE); SAMPLES];
        let mut words = vec![0; SAMPLES];
        let signs = Some(PlanesMut::new(&mut words, layout));
        rows::load(
            level,
            &source,
            0..1,
            SAMPLES,
            WriteMode::Overwrite,
            PlanesMut::new(&mut out, layout),
            signs,
        );
        assert_eq!(bits(&out), bits(&expected));
        for (word, lane) in words.iter().zip(&lanes) {
            for (i, x) in lane.0.iter().enumerate() {
                assert_eq!(word >> i & 1 == 1, *x > E::ZERO, "{x:?}");
            }
        }
    }
}

fn products_with_images_and_channels<E: Number>(level: Level) {
    for [channels, height, width] in [[1, 1, 1], [3, 5, 7], [2, 1, 3], [17, 2, 1]] {
        let shape = [channels, height, width];
        let image = Image::noise(shape, 1);
        for by in [Image::noise(shape, 2), Image::noise([channels, 1, 1], 3)] {
            let (stored, factors) = (image.plain::<E>(), by.plain::<E>());
            let found = written(level, shape, E::ZERO, |level, band, mut out| {
                let source = Source::plain(stored.planes());
                rows::load(level, &source, band.clone(), width, WriteMode::Overwrite, out.reborrow(), None);
                rows::multiply(level, factors.planes(), band, width, out);
            });
            let expected: Vec<_> = (image.pixels.iter().enumerate())
                .map(|(place, x)| {
                    let by = by.pixels[place * by.pixels.len() / image.pixels.len()];
                    std::array::from_fn(|i| Near::sum::<E>(x[i] * by[i], 0, (x[i] * by[i]).abs()))
                })
                .collect();
            assert_near(&found, &expected, &shape);
        }
    }
}
