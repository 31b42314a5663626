//! Activations with their first and second derivatives.

use swapnas_lanes::kernels::chain::{self, Argument, Scaling};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Activation, Element, Lane, Layout, Level, Planes, PlanesMut, Real, SAMPLES};

use super::{assert_near, at_every_level, bits, narrow, noise};

/// What lies where slopes and second derivatives are added to it or multiplied with it.
const BEFORE: f64 = 2.0;

/// Value, slope, slope put to use in three ways, and second derivative of an activation at some numbers.
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
    let [value, slope, added, scaled, second] = &mut results[..] else { unreachable!("there are five") };
    let out = |lanes| PlanesMut::new(lanes, layout);
    chain::activate(level, &argument, act, rows.clone(), width, WriteMode::Overwrite, out(value));
    chain::slope(level, &argument, act, gradient, rows.clone(), width, WriteMode::Overwrite, out(slope));
    chain::slope(level, &argument, act, gradient, rows.clone(), width, WriteMode::Sum, out(added));
    if let Some(act) = act {
        chain::scale_by_slope(level, &argument, act, rows.clone(), width, out(scaled));
        chain::second_derivative(level, &argument, act, gradient, gradient, rows, width, out(second));
    }
    results
}

#[test]
fn slopes_and_second_derivatives_are_differences() {
    let step = 1e-5;
    // None of these is near a kink once halved and shifted.
    let x: Vec<Lane<f64>> = noise::<f64>(64, 50).iter().map(|x| Lane(x.0.map(|x| x * 20.0))).collect();
    let ones = vec![Lane::splat(1.0); x.len()];
    let moved =
        |step: f64| -> Vec<Lane<f64>> { x.iter().map(|x| Lane(x.0.map(|x| x + 2.0 * step))).collect() };
    for act in Activation::EACH.map(Some).into_iter().chain([None]) {
        let [value, slope, added, scaled, second] = &chain_of(Level::best(), act, &x, &ones)[..] else {
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
            let expected: Vec<_> = difference(1).into_iter().map(|lane| lane.map(|x| x + BEFORE)).collect();
            assert_near(second, &expected, 1e-8);
        }
        // Single precision, at every level.
        let (x, ones) = (narrow::<f32>(&x), narrow::<f32>(&ones));
        let found = at_every_level(|level| chain_of(level, act, &x, &ones).concat());
        let expected: Vec<_> =
            [value, slope, added, scaled, second].iter().flat_map(|lanes| numbers(lanes, |x| x)).collect();
        assert_near(&found, &expected, 1e-5);
    }
}

/// Where an activation has no derivative, it is the one that PyTorch takes.
#[test]
fn kinks_have_the_slope_of_one_side() {
    // 0.5 x - 0.25 is 0 and 6 here.
    let x: Vec<Lane<f64>> = [0.5, 12.5].map(Lane::splat).into();
    let ones = vec![Lane::splat(1.0); x.len()];
    let leaky = Activation::LeakyRelu { slope: Real::new(0.25).unwrap() };
    for (act, slopes) in
        [(Activation::Relu, [0.0, 1.0]), (Activation::Relu6, [0.0, 0.0]), (leaky, [0.25, 1.0])]
    {
        let slope = &chain_of(Level::best(), Some(act), &x, &ones)[1];
        assert_eq!(slope[..], slopes.map(Lane::splat));
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

/// Without a scaling, nothing becomes of the numbers, -0 and infinity among them.
#[test]
fn numbers_that_nothing_scales_stay_as_they_are() {
    let x = [0.0, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, -3.5].map(Lane::splat);
    let layout = Layout::new(1, 1, x.len(), 0);
    let argument = Argument { planes: Planes::new(&x, layout), scaling: None };
    let found = at_every_level(|level| {
        let mut out = vec![Lane::ZERO; x.len()];
        let to = PlanesMut::new(&mut out, layout);
        chain::activate(level, &argument, None, 0..1, x.len(), WriteMode::Overwrite, to);
        out
    });
    assert_eq!(bits(&found), bits(&x));
}
