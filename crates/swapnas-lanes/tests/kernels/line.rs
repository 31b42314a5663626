//! What goes along a dimension.

use swapnas_lanes::kernels::line::{self, Axis, Constants, Normalisation, Tangents};
use swapnas_lanes::{Lane, Level, SAMPLES};

use crate::support::{Noise, Number, at_every_level};

at_every_level!(softmax_is_accurate, normalisations_are_accurate, means_are_accurate, tangents_are_slopes);

/// Lines that are short, longer than what is summed up at a time, in front, in the middle and behind.
const AXES: [Axis; 5] = [
    Axis { outer: 1, len: 1, inner: 3 },
    Axis { outer: 2, len: 5, inner: 3 },
    Axis { outer: 1, len: 70, inner: 2 },
    Axis { outer: 3, len: 64, inner: 1 },
    Axis { outer: 2, len: 130, inner: 1 },
];

fn lanes<E: Number>(seed: u64, count: usize, scale: f64) -> Vec<Lane<E>> {
    let mut noise = Noise::new(seed);
    (0..count).map(|_| Lane(noise.lane().map(|x| E::from_f64(x * scale)))).collect()
}

/// Calls `check` with the places of each line, and the numbers that a sample has there.
fn of_lines<E: Number>(axis: Axis, x: &[Lane<E>], mut check: impl FnMut(&[usize], usize, &[f64])) {
    for outer in 0..axis.outer {
        for inner in 0..axis.inner {
            let places: Vec<usize> =
                (0..axis.len).map(|i| (outer * axis.len + i) * axis.inner + inner).collect();
            for sample in 0..SAMPLES {
                let numbers: Vec<f64> = places.iter().map(|place| x[*place].0[sample].to_f64()).collect();
                check(&places, sample, &numbers);
            }
        }
    }
}

fn softmax_is_accurate<E: Number>(level: Level) {
    // With numbers so large that their exponentials would not be finite.
    for (axis, scale) in AXES.into_iter().flat_map(|axis| [(axis, 1.0), (axis, 2000.0)]) {
        let x = lanes::<E>(1, axis.elements(), scale);
        let run = |level: Level| {
            let mut out = vec![Lane::ZERO; x.len()];
            line::softmax(level, axis, x.as_slice(), &mut out);
            out
        };
        let found = run(level);
        assert_eq!(found, run(Level::PORTABLE));
        of_lines(axis, &x, |places, sample, numbers| {
            let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = numbers.iter().map(|x| (x - most).exp()).sum();
            for (place, x) in places.iter().zip(numbers) {
                let exact = (x - most).exp() / sum;
                let error = (found[*place].0[sample].to_f64() - exact).abs();
                // The difference to the largest is rounded, and so is every sum.
                let roundoffs = (x - most).abs() + axis.len as f64 + 8.0;
                assert!(error <= roundoffs * E::ROUNDOFF * exact + 1e-37, "{axis:?} {scale}");
            }
        });
    }
}

fn normalisations_are_accurate<E: Number>(level: Level) {
    for (axis, centred) in AXES.into_iter().flat_map(|axis| [(axis, true), (axis, false)]) {
        let x = lanes::<E>(2, axis.elements(), 3.0);
        let of = Normalisation { axis, epsilon: 0.01, centred };
        // A weight and a bias for every second element.
        let count = axis.elements().div_ceil(2);
        let mut noise = Noise::new(3);
        let weights = [0, 1].map(|_| noise.numbers(count).into_iter().map(E::from_f64).collect::<Vec<E>>());
        let constants = |which: usize| Constants { numbers: &weights[which], direction: None, alike: 2 };
        let run = |level: Level| {
            let mut out = vec![Lane::ZERO; x.len()];
            line::normalise(level, &of, x.as_slice(), Some(constants(0)), Some(constants(1)), &mut out);
            out
        };
        let found = run(level);
        assert_eq!(found, run(Level::PORTABLE));
        of_lines(axis, &x, |places, sample, numbers| {
            let len = axis.len as f64;
            let mean = if centred { numbers.iter().sum::<f64>() / len } else { 0.0 };
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / len;
            for (place, x) in places.iter().zip(numbers) {
                let [weight, bias] = [0, 1].map(|which| weights[which][place / 2].to_f64());
                let exact = (x - mean) / (variance + 0.01).sqrt() * weight + bias;
                let error = (found[*place].0[sample].to_f64() - exact).abs();
                assert!(error <= 400.0 * E::ROUNDOFF, "{of:?}: {error:e}");
            }
        });
    }
}

fn means_are_accurate<E: Number>(level: Level) {
    for axis in AXES {
        let x = lanes::<E>(4, axis.elements(), 1.0);
        let run = |level: Level| {
            let mut out = vec![Lane::ZERO; axis.lines()];
            line::mean(level, axis, &x, &mut out);
            out
        };
        let found = run(level);
        assert_eq!(found, run(Level::PORTABLE));
        of_lines(axis, &x, |places, sample, numbers| {
            let outer = places[0] / (axis.len * axis.inner);
            let line = outer * axis.inner + places[0] % axis.inner;
            let exact = numbers.iter().sum::<f64>() / axis.len as f64;
            assert!((found[line].0[sample].to_f64() - exact).abs() <= 80.0 * E::ROUNDOFF);
        });
    }
}

/// What is computed of duals is how values change along their tangents.
fn tangents_are_slopes<E: Number>(level: Level) {
    let axis = Axis { outer: 2, len: 5, inner: 3 };
    let (x, along) = (lanes::<E>(5, 30, 1.0), lanes::<E>(6, 30, 1.0));
    let duals = Tangents { values: &x, tangents: Some(&along) };
    let mut found = vec![Lane::ZERO; 30];
    line::softmax(level, axis, duals, &mut found);
    let softmax = |step: f64| {
        let moved: Vec<Lane<f64>> = (x.iter().zip(&along))
            .map(|(x, along)| Lane(std::array::from_fn(|s| x.0[s].to_f64() + step * along.0[s].to_f64())))
            .collect();
        let mut out = vec![Lane::ZERO; 30];
        line::softmax(Level::PORTABLE, axis, moved.as_slice(), &mut out);
        out
    };
    let (before, after) = (softmax(-1e-4), softmax(1e-4));
    for (place, found) in found.iter().enumerate() {
        for sample in 0..SAMPLES {
            let slope = (after[place].0[sample] - before[place].0[sample]) / 2e-4;
            assert!((found.0[sample].to_f64() - slope).abs() < 1e-6);
        }
    }
    // What does not move has no tangent.
    let still = Tangents { values: &x, tangents: None };
    line::softmax(level, axis, still, &mut found);
    assert!(found.iter().all(|lane| *lane == Lane::ZERO));
}
