//! The kernels of backward passes against plain loops and differences, and against each other at every
//! level.

use std::collections::BTreeSet;

use proptest::prelude::*;
use swapnas_lanes::kernels::chain::{self, Argument, Scaling};
use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::pool::Pool;
use swapnas_lanes::kernels::pool_gradient::{self, MaxPool};
use swapnas_lanes::kernels::rows::{Activation, WriteMode};
use swapnas_lanes::kernels::sums;
use swapnas_lanes::kernels::transpose::{phases, transpose_weights};
use swapnas_lanes::kernels::weight_gradient::{self, WeightSums, total};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

/// Numbers between -1 and 1 that look random.
fn noise<E: Element>(lanes: usize, seed: u64) -> Vec<Lane<E>> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        E::from_f64((state >> 40) as f64 / f64::from(1 << 23) - 1.0)
    };
    (0..lanes).map(|_| Lane(std::array::from_fn(|_| next()))).collect()
}

fn bits(lanes: &[Lane<f32>]) -> Vec<u32> {
    lanes.iter().flat_map(|lane| lane.0.map(f32::to_bits)).collect()
}

/// Runs something at every level and checks that all give the same bits; returns them as numbers.
fn at_every_level(run: impl Fn(Level) -> Vec<Lane<f32>>) -> Vec<Lane<f32>> {
    let expected = run(Level::PORTABLE);
    for level in Level::available() {
        assert!(bits(&run(level)) == bits(&expected), "{level} gives other bits than portable code");
    }
    expected
}

#[track_caller]
fn assert_near<E: Element>(found: &[Lane<E>], expected: &[[f64; SAMPLES]], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (found, expected) in found.0.iter().zip(expected) {
            let error = (found.to_f64() - expected).abs();
            assert!(error <= tolerance * expected.abs().max(1.0), "{place}: {found:?} is not {expected}");
        }
    }
}

/// A place in an image that may lie outside: what is there, or `outside`.
fn at(
    image: &[Lane<f64>],
    layout: Layout,
    channel: usize,
    row: isize,
    column: isize,
    outside: f64,
) -> [f64; SAMPLES] {
    let inside = (0..layout.rows as isize).contains(&row) && (0..layout.columns as isize).contains(&column);
    match inside {
        true => image[(channel * layout.rows + row as usize) * layout.columns + column as usize].0,
        false => [outside; SAMPLES],
    }
}

/// Zeros around an image that no window of these tests leaves: the last of five windows begins at most
/// 4 * 3 + 1 pixels in and reaches 2 * 3 further.
const HALO: usize = 20;

/// The image with its halo.
fn padded<E: Element>(image: &[Lane<f64>], layout: Layout, outside: f64) -> (Vec<Lane<E>>, Layout) {
    let wide = Layout::new(layout.channels, layout.rows, layout.columns, HALO);
    let mut lanes = vec![Lane::ZERO; wide.lanes()];
    let mut planes = PlanesMut::new(&mut lanes, wide);
    for channel in 0..layout.channels {
        for row in wide.row_range() {
            for (column, lane) in wide.column_range().zip(planes.row(channel, row, wide.column_range())) {
                *lane = Lane(at(image, layout, channel, row, column, outside).map(E::from_f64));
            }
        }
    }
    (lanes, wide)
}

fn narrow<E: Element>(lanes: &[Lane<f64>]) -> Vec<Lane<E>> {
    lanes.iter().map(|lane| Lane(lane.0.map(E::from_f64))).collect()
}

#[derive(Clone, Debug)]
struct Geometry {
    window: Window,
    height: usize,
    width: usize,
    outputs: [usize; 2],
}

fn geometries() -> impl Strategy<Value = Geometry> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let origin = [-3isize..2, -3isize..2];
    let sizes = (pair(1..4), pair(1..4), pair(1..4), origin, 1..8usize, 1..8usize, pair(1..6));
    sizes.prop_map(|(kernel, stride, dilation, origin, height, width, outputs)| Geometry {
        window: Window { kernel, stride, dilation, origin },
        height,
        width,
        outputs,
    })
}

/// All taps of an output: number of the tap, row and column.
fn taps(window: &Window, row: usize, column: usize) -> Vec<(usize, isize, isize)> {
    let [rows, columns] = window.kernel;
    let place = |tap: usize| {
        let y = window.start(0, row) + (tap / columns * window.dilation[0]) as isize;
        let x = window.start(1, column) + (tap % columns * window.dilation[1]) as isize;
        (tap, y, x)
    };
    (0..rows * columns).map(place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 48 }))]

    #[test]
    fn weight_gradients_are_sums_over_pixels(
        geometry in geometries(),
        groups in 1..4usize,
        inputs in 1..8usize,
        outputs in 1..10usize,
    ) {
        check_weight_gradients(geometry, groups, inputs, outputs);
    }

    #[test]
    fn phases_are_the_transpose_of_a_window(geometry in geometries()) {
        check_phases(geometry);
    }

    #[test]
    fn pools_give_gradients_and_tangents_to_their_pixels(geometry in geometries(), channels in 1..3usize) {
        check_pools(geometry, channels);
    }

    #[test]
    fn blends_and_sums_are_those_of_plain_loops(
        terms in 0..7usize,
        (channels, height, width) in (1..4usize, 1..4usize, 1..10usize),
        constant: bool,
        factors: bool,
    ) {
        check_blends(terms, Layout::new(channels, height, width, 0), constant, factors);
    }
}

fn check_weight_gradients(geometry: Geometry, groups: usize, inputs: usize, outputs: usize) {
    let Geometry { window, height, width, outputs: [rows, columns] } = geometry;
    let layout = Layout::new(groups * inputs, height, width, 0);
    let out = Layout::new(groups * outputs, rows, columns, 0);
    let (x, g) = (noise::<f64>(layout.lanes(), 1), noise::<f64>(out.lanes(), 2));
    let mut expected = vec![[0.0; SAMPLES]; groups * outputs * inputs * window.taps()];
    for channel in 0..groups * outputs {
        for row in 0..rows {
            for column in 0..columns {
                let g = at(&g, out, channel, row as isize, column as isize, 0.0);
                for input in 0..inputs {
                    let from = channel / outputs * inputs + input;
                    for (tap, y, z) in taps(&window, row, column) {
                        let x = at(&x, layout, from, y, z, 0.0);
                        let sum = &mut expected[(channel * inputs + input) * window.taps() + tap];
                        for i in 0..SAMPLES {
                            sum[i] += x[i] * g[i];
                        }
                    }
                }
            }
        }
    }
    let weights = expected.len();
    let mut all = expected.clone();
    for sum in &mut all {
        *sum = sum.map(|x| x + 1.0);
    }
    all.extend(expected.iter().map(|sum| [1.0 + sum.iter().sum::<f64>(); SAMPLES]));
    let found =
        weight_gradients(Level::best(), &padded::<f64>(&x, layout, 0.0), (&g, out), &window, groups, weights);
    assert_near(&found, &all, 1e-12);
    let (x, g) = (padded::<f32>(&x, layout, 0.0), narrow::<f32>(&g));
    let found = at_every_level(|level| weight_gradients(level, &x, (&g, out), &window, groups, weights));
    assert_near(&found, &all, 1e-4);
}

fn weight_gradients<E: Element>(
    level: Level,
    (x, wide): &(Vec<Lane<E>>, Layout),
    (g, out): (&[Lane<E>], Layout),
    window: &Window,
    groups: usize,
    weights: usize,
) -> Vec<Lane<E>> {
    let mut sums = vec![Lane::splat(E::ONE); weights];
    let mut totals = vec![E::ONE; weights];
    for sums in [WeightSums::Samples(&mut sums), WeightSums::Total(&mut totals)] {
        let (x, g) = (Planes::new(x, *wide), Planes::new(g, out));
        weight_gradient::accumulate(level, x, g, window, groups, 0..out.rows, out.columns, sums);
    }
    sums.extend(totals.into_iter().map(Lane::splat));
    sums
}

/// Whatever output looks at a pixel through whatever tap: the phases say the same.
fn check_phases(geometry: Geometry) {
    let Geometry { window, height, width, outputs } = geometry;
    let mut expected = BTreeSet::new();
    for row in 0..outputs[0] {
        for column in 0..outputs[1] {
            for (tap, y, x) in taps(&window, row, column) {
                if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                    expected.insert((y as usize, x as usize, tap, row as isize, column as isize));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    let mut pixels = BTreeSet::new();
    for phase in phases(&window, [height, width]) {
        for row in 0..phase.size[0] {
            for column in 0..phase.size[1] {
                let y = phase.first[0] + row * phase.stride[0];
                let x = phase.first[1] + column * phase.stride[1];
                assert!(pixels.insert((y, x)), "pixel {y}, {x} is of two phases");
                assert_eq!(phase.window.is_none(), phase.taps.iter().any(Vec::is_empty));
                let Some(back) = &phase.window else { continue };
                for (tap, output_row, output_column) in taps(back, row, column) {
                    let columns = phase.taps[1].len();
                    let tap = phase.taps[0][tap / columns] * window.kernel[1] + phase.taps[1][tap % columns];
                    if (0..outputs[0] as isize).contains(&output_row)
                        && (0..outputs[1] as isize).contains(&output_column)
                    {
                        found.insert((y, x, tap, output_row, output_column));
                    }
                }
            }
        }
    }
    assert_eq!(pixels.len(), height * width);
    assert_eq!(found, expected);
}

fn check_pools(geometry: Geometry, channels: usize) {
    let Geometry { window, height, width, outputs: [rows, columns] } = geometry;
    let layout = Layout::new(channels, height, width, 0);
    let out = Layout::new(channels, rows, columns, 0);
    // Few different numbers, so that several pixels are the largest.
    let x: Vec<Lane<f64>> =
        noise::<f64>(layout.lanes(), 3).iter().map(|lane| Lane(lane.0.map(|x| (x * 2.0).round()))).collect();
    let (g, t) = (noise::<f64>(out.lanes(), 4), noise::<f64>(layout.lanes(), 5));
    let wide = Layout::new(channels, height, width, HALO);
    let place = |channel: usize, y: isize, x: isize| {
        (channel * wide.rows + (y + HALO as isize) as usize) * wide.columns + (x + HALO as isize) as usize
    };
    let mut largest = vec![Lane::ZERO; out.lanes()];
    let mut backward = vec![[0.0; SAMPLES]; 3 * wide.lanes()];
    let mut tangent = vec![[0.0; SAMPLES]; out.lanes()];
    for channel in 0..channels {
        for row in 0..rows {
            for column in 0..columns {
                let index = (channel * rows + row) * columns + column;
                let taps = taps(&window, row, column);
                let inside = taps
                    .iter()
                    .filter(|(_, y, x)| (0..height as isize).contains(y) && (0..width as isize).contains(x));
                let inside = inside.count().max(1) as f64;
                for i in 0..SAMPLES {
                    let value = |(_, y, z): &(usize, isize, isize)| {
                        at(&x, layout, channel, *y, *z, f64::NEG_INFINITY)[i]
                    };
                    let mut best = taps[0];
                    for tap in &taps {
                        if value(tap) > value(&best) {
                            best = *tap;
                        }
                    }
                    largest[index].0[i] = value(&best);
                    backward[place(channel, best.1, best.2)][i] += g[index].0[i];
                    tangent[index][i] = at(&t, layout, channel, best.1, best.2, 0.0)[i];
                    for (_, y, z) in &taps {
                        backward[wide.lanes() + place(channel, *y, *z)][i] += g[index].0[i] / inside;
                        backward[2 * wide.lanes() + place(channel, *y, *z)][i] +=
                            g[index].0[i] / window.taps() as f64;
                    }
                }
            }
        }
    }
    let expected: Vec<[f64; SAMPLES]> = backward.into_iter().chain(tangent).collect();
    let of = pooled::<f64>(&x, &t, layout, &g, &largest);
    assert_near(&pool_everything(Level::best(), &of, layout, wide, out, &window), &expected, 1e-12);
    let of = pooled::<f32>(&x, &t, layout, &g, &largest);
    assert_near(
        &at_every_level(|level| pool_everything(level, &of, layout, wide, out, &window)),
        &expected,
        1e-5,
    );
}

struct Pooled<E> {
    x: Vec<Lane<E>>,
    t: Vec<Lane<E>>,
    g: Vec<Lane<E>>,
    largest: Vec<Lane<E>>,
}

fn pooled<E: Element>(
    x: &[Lane<f64>],
    t: &[Lane<f64>],
    layout: Layout,
    g: &[Lane<f64>],
    largest: &[Lane<f64>],
) -> Pooled<E> {
    Pooled {
        x: padded(x, layout, f64::NEG_INFINITY).0,
        t: padded(t, layout, 0.0).0,
        g: narrow(g),
        largest: narrow(largest),
    }
}

fn pool_everything<E: Element>(
    level: Level,
    pooled: &Pooled<E>,
    layout: Layout,
    wide: Layout,
    out: Layout,
    window: &Window,
) -> Vec<Lane<E>> {
    let of =
        MaxPool { input: Planes::new(&pooled.x, wide), output: Planes::new(&pooled.largest, out), window };
    let g = Planes::new(&pooled.g, out);
    let mut all = Vec::new();
    let mut into = vec![Lane::ZERO; wide.lanes()];
    pool_gradient::max_backward(level, of, g, 0..out.rows, out.columns, PlanesMut::new(&mut into, wide));
    all.extend(into);
    for pool in [Pool::Mean { height: layout.rows, width: layout.columns }, Pool::MeanWithHalo] {
        let mut into = vec![Lane::ZERO; wide.lanes()];
        pool_gradient::mean_backward(
            level,
            window,
            pool,
            g,
            0..out.rows,
            out.columns,
            PlanesMut::new(&mut into, wide),
        );
        all.extend(into);
    }
    let mut tangent = vec![Lane::ZERO; out.lanes()];
    let t = Planes::new(&pooled.t, wide);
    pool_gradient::max_tangent(level, of, t, 0..out.rows, out.columns, PlanesMut::new(&mut tangent, out));
    all.extend(tangent);
    all
}

fn check_blends(terms: usize, layout: Layout, constant: bool, factors: bool) {
    let channels = layout.channels;
    let pixels = layout.channel_stride();
    let images: Vec<_> = (0..terms).map(|i| noise::<f64>(layout.lanes(), 20 + i as u64)).collect();
    let by: Vec<_> = (0..terms).map(|i| noise::<f64>(channels, 30 + i as u64)).collect();
    let (c, start) = (noise::<f64>(channels, 40), noise::<f64>(layout.lanes(), 41));
    let mut expected = vec![[0.0; SAMPLES]; layout.lanes()];
    for (place, sum) in expected.iter_mut().enumerate() {
        let channel = place / pixels;
        for (i, sum) in sum.iter_mut().enumerate() {
            *sum = if constant { c[channel].0[i] } else { 0.0 };
            for (image, by) in images.iter().zip(&by) {
                *sum += image[place].0[i] * if factors { by[channel].0[i] } else { 1.0 };
            }
        }
    }
    let added: Vec<_> = expected
        .iter()
        .zip(&start)
        .map(|(sum, start)| std::array::from_fn(|i| sum[i] + start.0[i]))
        .collect();
    let mut totals = vec![[0.0; SAMPLES]; 2 * channels];
    for (place, start) in start.iter().enumerate() {
        let channel = place / pixels;
        for i in 0..SAMPLES {
            totals[channel][i] += start.0[i];
            totals[channels + channel][i] += start.0[i] * (0.5 * added[place][i] + c[channel].0[i]);
        }
    }
    let all: Vec<_> = expected.into_iter().chain(added.iter().copied()).chain(totals).collect();
    let of = blended::<f64>(&images, &by, &c, &start, &added);
    assert_near(&blend_everything(Level::best(), &of, layout, constant, factors), &all, 1e-12);
    let of = blended::<f32>(&images, &by, &c, &start, &added);
    assert_near(&at_every_level(|level| blend_everything(level, &of, layout, constant, factors)), &all, 1e-4);
}

struct Blended<E> {
    images: Vec<Vec<Lane<E>>>,
    by: Vec<Vec<Lane<E>>>,
    c: Vec<Lane<E>>,
    start: Vec<Lane<E>>,
    added: Vec<Lane<E>>,
}

fn blend_everything<E: Element>(
    level: Level,
    of: &Blended<E>,
    layout: Layout,
    constant: bool,
    factors: bool,
) -> Vec<Lane<E>> {
    let terms: Vec<Term<'_, E>> = of
        .images
        .iter()
        .zip(&of.by)
        .map(|(image, by)| Term {
            planes: Planes::new(image, layout),
            factor: factors.then_some(by.as_slice()),
        })
        .collect();
    let constant = constant.then_some(of.c.as_slice());
    let mut all = Vec::new();
    for into in [WriteMode::Overwrite, WriteMode::Sum] {
        let mut out = of.start.clone();
        combination::combine(
            level,
            &terms,
            constant,
            0..layout.rows,
            layout.columns,
            into,
            PlanesMut::new(&mut out, layout),
        );
        all.extend(out);
    }
    let half = vec![Lane::splat(E::from_f64(0.5)); layout.channels];
    let by = Argument {
        planes: Planes::new(&of.added, layout),
        scaling: Some(Scaling { scale: &half, shift: &of.c }),
    };
    let mut sums = vec![Lane::ZERO; layout.channels];
    let mut products = sums.clone();
    let x = Planes::new(&of.start, layout);
    sums::sums_and_products(level, x, &by, 0..layout.rows, layout.columns, &mut sums, &mut products);
    let mut alone = vec![Lane::ZERO; layout.channels];
    sums::sum(level, x, 0..layout.rows, layout.columns, &mut alone);
    assert!(alone == sums);
    all.extend(sums);
    all.extend(products);
    all
}

fn blended<E: Element>(
    images: &[Vec<Lane<f64>>],
    by: &[Vec<Lane<f64>>],
    c: &[Lane<f64>],
    start: &[Lane<f64>],
    added: &[[f64; SAMPLES]],
) -> Blended<E> {
    let added: Vec<Lane<f64>> = added.iter().map(|x| Lane(*x)).collect();
    Blended {
        images: images.iter().map(|x| narrow(x)).collect(),
        by: by.iter().map(|x| narrow(x)).collect(),
        c: narrow(c),
        start: narrow(start),
        added: narrow(&added),
    }
}

const ACTIVATIONS: [Option<Activation>; 8] = [
    None,
    Some(Activation::Relu),
    Some(Activation::Relu6),
    Some(Activation::Silu),
    Some(Activation::Gelu),
    Some(Activation::HardSwish),
    Some(Activation::Sigmoid),
    Some(Activation::HardSigmoid),
];

/// What lies where slopes and bends are added to it or multiplied with it.
const BEFORE: f64 = 2.0;

/// Value, slope, slope put to use in three ways, and bend of an activation at some numbers.
fn chain_of<E: Element>(
    level: Level,
    act: Option<Activation>,
    x: &[Lane<E>],
    g: &[Lane<E>],
) -> Vec<Vec<Lane<E>>> {
    let layout = Layout::new(1, 1, x.len(), 0);
    let (scale, shift) = ([Lane::splat(E::from_f64(0.5))], [Lane::splat(E::from_f64(-0.25))]);
    let argument =
        Argument { planes: Planes::new(x, layout), scaling: Some(Scaling { scale: &scale, shift: &shift }) };
    let (rows, width, gradient) = (0..1, x.len(), Planes::new(g, layout));
    let mut results = vec![vec![Lane::splat(E::from_f64(BEFORE)); x.len()]; 5];
    let [value, slope, added, scaled, bend] = &mut results[..] else { unreachable!("there are five") };
    let out = |lanes| PlanesMut::new(lanes, layout);
    chain::activate(level, &argument, act, rows.clone(), width, WriteMode::Overwrite, out(value));
    chain::slope(level, &argument, act, gradient, rows.clone(), width, WriteMode::Overwrite, out(slope));
    chain::slope(level, &argument, act, gradient, rows.clone(), width, WriteMode::Sum, out(added));
    if let Some(act) = act {
        chain::scale_by_slope(level, &argument, act, rows.clone(), width, out(scaled));
        chain::second_derivative(level, &argument, act, gradient, gradient, rows, width, out(bend));
    }
    results
}

#[test]
fn slopes_and_bends_are_differences() {
    let step = 1e-5;
    // None of these is near a kink once halved and shifted.
    let x: Vec<Lane<f64>> = noise::<f64>(64, 50).iter().map(|x| Lane(x.0.map(|x| x * 20.0))).collect();
    let ones = vec![Lane::splat(1.0); x.len()];
    let moved =
        |step: f64| -> Vec<Lane<f64>> { x.iter().map(|x| Lane(x.0.map(|x| x + 2.0 * step))).collect() };
    for act in ACTIVATIONS {
        let [value, slope, added, scaled, bend] = &chain_of(Level::best(), act, &x, &ones)[..] else {
            unreachable!("there are five")
        };
        let difference = |which: usize| -> Vec<[f64; SAMPLES]> {
            let after = &chain_of(Level::best(), act, &moved(step), &ones)[which];
            let before = &chain_of(Level::best(), act, &moved(-step), &ones)[which];
            let difference =
                |(a, b): (&Lane<f64>, &Lane<f64>)| std::array::from_fn(|i| (a.0[i] - b.0[i]) / (2.0 * step));
            after.iter().zip(before).map(difference).collect()
        };
        assert_near(slope, &difference(0), 1e-8);
        let numbers = |lanes: &[Lane<f64>], f: fn(f64) -> f64| -> Vec<[f64; SAMPLES]> {
            lanes.iter().map(|lane| lane.0.map(f)).collect()
        };
        assert_near(added, &numbers(slope, |x| x + BEFORE), 1e-12);
        if act.is_some() {
            assert_near(scaled, &numbers(slope, |x| x * BEFORE), 1e-12);
            let second: Vec<_> = difference(1).into_iter().map(|lane| lane.map(|x| x + BEFORE)).collect();
            assert_near(bend, &second, 1e-8);
        }
        // Single precision, at every level.
        let (x, ones) = (narrow::<f32>(&x), narrow::<f32>(&ones));
        let found = at_every_level(|level| chain_of(level, act, &x, &ones).concat());
        let expected: Vec<_> =
            [value, slope, added, scaled, bend].iter().flat_map(|lanes| numbers(lanes, |x| x)).collect();
        assert_near(&found, &expected, 1e-5);
    }
}

/// Where an activation has no derivative, it is the one that PyTorch takes.
#[test]
fn kinks_have_the_slope_of_their_flat_side() {
    // 0.5 x - 0.25 is 0 and 6 here.
    let x: Vec<Lane<f64>> = [0.5, 12.5].map(Lane::splat).into();
    let ones = vec![Lane::splat(1.0); x.len()];
    for act in [Activation::Relu, Activation::Relu6] {
        let slope = &chain_of(Level::best(), Some(act), &x, &ones)[1];
        assert_eq!(slope[0], Lane::ZERO);
        assert_eq!(slope[1], Lane::splat(if act == Activation::Relu { 1.0 } else { 0.0 }));
    }
}

#[test]
fn signs_are_those_of_positive_arguments() {
    let x = noise::<f32>(24, 60);
    let layout = Layout::new(2, 3, 4, 0);
    let (scale, shift) = (noise::<f32>(2, 61), noise::<f32>(2, 62));
    for scaling in [None, Some(Scaling { scale: &scale, shift: &shift })] {
        for level in Level::available() {
            let mut words = vec![0; layout.lanes()];
            let argument = Argument { planes: Planes::new(&x, layout), scaling };
            chain::signs(level, &argument, 0..3, 4, PlanesMut::new(&mut words, layout));
            for (place, word) in words.into_iter().enumerate() {
                for i in 0..SAMPLES {
                    let x = x[place].0[i];
                    let x = if scaling.is_some() {
                        x.mul_add(scale[place / 12].0[i], shift[place / 12].0[i])
                    } else {
                        x
                    };
                    assert_eq!(word >> i & 1 == 1, x > 0.0, "place {place}, sample {i} at {level}");
                }
            }
        }
    }
}

#[test]
fn weights_are_transposed_group_by_group_and_turned() {
    // Two groups of one output and two inputs, kernels of 1 x 2.
    let weights = [1, 2, 3, 4, 5, 6, 7, 8];
    let window = Window { kernel: [1, 2], stride: [1, 1], dilation: [1, 1], origin: [0, 0] };
    let phases = phases(&window, [3, 3]);
    let [phase] = &phases[..] else { panic!("stride 1 has one phase") };
    let mut transposed = Vec::new();
    transpose_weights(&weights, 2, 2, [1, 2], phase, &mut transposed);
    assert_eq!(transposed, [2, 1, 4, 3, 6, 5, 8, 7]);
}

/// Weights that are numbered in their order are found by their numbers.
#[test]
fn weights_of_every_phase_are_those_of_its_taps() {
    for (groups, inputs, outputs, kernel, stride) in [
        (1, 1, 1, [1, 1], [1, 1]),
        (2, 3, 5, [2, 3], [1, 1]),
        (3, 2, 2, [3, 2], [2, 1]),
        (1, 4, 3, [3, 4], [2, 3]),
    ] {
        let [rows, columns] = kernel;
        let window = Window { kernel, stride, dilation: [1, 1], origin: [-1, 0] };
        let weights: Vec<usize> = (0..groups * outputs * inputs * rows * columns).collect();
        for phase in phases(&window, [7, 7]) {
            let mut expected = Vec::new();
            for (group, input) in (0..groups).flat_map(|group| (0..inputs).map(move |input| (group, input))) {
                for output in 0..outputs {
                    let kernel = (group * outputs + output) * inputs + input;
                    for row in &phase.taps[0] {
                        expected.extend(
                            phase.taps[1].iter().map(|column| (kernel * rows + row) * columns + column),
                        );
                    }
                }
            }
            let mut transposed = Vec::new();
            transpose_weights(&weights, groups, inputs, kernel, &phase, &mut transposed);
            assert_eq!(transposed, expected, "{window:?}");
        }
    }
}

#[test]
fn nothing_comes_of_no_pixels() {
    let (layout, window) = (Layout::new(1, 3, 3, 0), Window::POINT);
    let lanes = noise::<f32>(layout.lanes(), 70);
    for (rows, width) in [(1..1, 3), (0..3, 0)] {
        let mut sums = [Lane::splat(1.0)];
        let (x, g) = (Planes::new(&lanes, layout), Planes::new(&lanes, layout));
        weight_gradient::accumulate(
            Level::best(),
            x,
            g,
            &window,
            1,
            rows,
            width,
            WeightSums::Samples(&mut sums),
        );
        assert_eq!(sums, [Lane::splat(1.0)]);
    }
}

#[test]
fn totals_are_sums_over_samples() {
    assert_eq!(total(&Lane(std::array::from_fn(|i| (i + 1) as f64))), 136.0);
}
