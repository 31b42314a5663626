//! How accurate activations and the functions that they are made of are.

use swapnas_lanes::kernels::rows::{self, Source, WriteMode};
use swapnas_lanes::{Activation, Element, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

use crate::support::{Near, Number, at_every_level, bits};

at_every_level!(activations_are_accurate_everywhere, activations_of_special_numbers);

/// The definition, by the functions of double precision.
fn exact(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2) / 2.0,
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::LeakyRelu { slope } => x.max(slope.number() * x),
    }
}

/// Roundings on the way from the argument to SiLU, hard-swish or their gates, each counted as many times as it may
/// be amplified: exp is good to 1 ulp, two roundoffs; sums and quotients add one each.
const RELATIVE_ROUNDOFFS: f64 = 6.0;

/// GELU adds 1 to the error function, so what is lost below -1 is lost with respect to the argument:
/// 1 ulp of erf, its argument's two roundings, and those of sum and products.
const GELU_ROUNDOFFS: f64 = 6.0;

/// The steepest that any of the functions gets (hard-swish at 3, where GELU has 1.13 and SiLU 1.1).
const STEEPEST: f64 = 1.5;

/// What a kernel may make of the argument `x`, which it knows up to `argument_error`.
pub(crate) fn near<E: Number>(activation: Activation, x: f64, argument_error: f64) -> Near {
    let value = exact(activation, x);
    let rounding = match activation {
        Activation::Relu | Activation::Relu6 => 0.0,
        Activation::Silu | Activation::Sigmoid => RELATIVE_ROUNDOFFS * value.abs(),
        // The sum x + 3 is rounded relatively to itself, also where it is near 0.
        Activation::HardSwish | Activation::HardSigmoid => RELATIVE_ROUNDOFFS * value.abs(),
        Activation::Gelu => GELU_ROUNDOFFS * x.abs(),
        // The slope and the product are rounded.
        Activation::LeakyRelu { .. } => 2.0 * value.abs(),
    };
    Near { value, tolerance: STEEPEST * argument_error + E::ROUNDOFF * rounding + SMALLEST }
}

/// In single precision, exp(-x) overflows from x = -88.8 on. What SiLU has then is smaller than this,
/// and may come out as zero.
const SMALLEST: f64 = 89.0 / f32::MAX as f64;

fn apply<E: Element>(level: Level, activation: Activation, numbers: &[E]) -> Vec<Lane<E>> {
    let lanes: Vec<_> = numbers.iter().map(|x| Lane::splat(*x)).collect();
    let layout = Layout::new(1, 1, lanes.len(), 0);
    let planes = Planes::new(&lanes, layout);
    let source = Source { planes, affine: None, activation: Some(activation) };
    let mut out = vec![Lane::ZERO; lanes.len()];
    let into = WriteMode::Overwrite;
    rows::load(level, &source, 0..1, lanes.len(), into, PlanesMut::new(&mut out, layout), None);
    out
}

fn activations_are_accurate_everywhere<E: Number>(level: Level) {
    // From -100 to 100, and ever closer to 0.
    let numbers: Vec<E> = (-10_000..=10_000)
        .step_by(if cfg!(miri) { 100 } else { 1 })
        .map(|i| f64::from(i) / 100.0)
        .chain((0..120).flat_map(|i| [0.9f64, -0.9].map(|x| x * 0.5f64.powi(i))))
        .map(E::from_f64)
        .collect();
    for activation in Activation::EACH {
        let found = apply(level, activation, &numbers);
        assert!(bits(&found) == bits(&apply(Level::PORTABLE, activation, &numbers)), "{activation:?}");
        for (x, found) in numbers.iter().zip(&found) {
            let Near { value, tolerance } = near::<E>(activation, x.to_f64(), 0.0);
            for found in found.0 {
                let error = (found.to_f64() - value).abs();
                assert!(error <= tolerance, "{activation:?}({x:?}) = {found:?}, {value} +- {tolerance}");
                let bound = activation.bound(x.to_f64().abs());
                assert!(found.to_f64().abs() <= bound + tolerance, "{activation:?}({x:?}) is above {bound}");
            }
        }
    }
}

fn activations_of_special_numbers<E: Number>(level: Level) {
    let of = |activation, x: f64| apply(level, activation, &[E::from_f64(x)])[0].0[SAMPLES - 1].to_f64();
    for activation in Activation::EACH {
        let (at_zero, at_infinity) = match activation {
            Activation::Sigmoid | Activation::HardSigmoid => (0.5, 1.0),
            Activation::Relu6 => (0.0, 6.0),
            _ => (0.0, f64::INFINITY),
        };
        assert_eq!(of(activation, 0.0), at_zero);
        assert_eq!(of(activation, -0.0), at_zero);
        assert_eq!(of(activation, f64::INFINITY), at_infinity);
    }
    // Comparisons with NaN fail, so it counts as negative.
    assert_eq!(of(Activation::Relu, f64::NAN), 0.0);
    assert_eq!(of(Activation::Relu6, f64::NAN), 0.0);
    // Where there is arithmetic, it spreads.
    assert!(of(Activation::Silu, f64::NAN).is_nan());
    assert!(of(Activation::Gelu, f64::NAN).is_nan());
    assert!(of(Activation::HardSwish, f64::NAN).is_nan());
    assert!(of(Activation::Sigmoid, f64::NAN).is_nan());
    for gate in [Activation::Sigmoid, Activation::HardSigmoid] {
        assert_eq!(of(gate, f64::NEG_INFINITY), 0.0);
    }
}

/// Those that one operator of ONNX computes are read as it, but for ReLU and ReLU6, which are read as bounds.
#[test]
fn operators_are_read_as_the_activations_they_are_written_for() {
    let mut read = Vec::new();
    for activation in Activation::EACH {
        let [node] = &activation.onnx()[..] else { continue };
        let number = |name: &str| node.attributes.iter().find(|(known, _)| *known == name);
        let found =
            Activation::of_onnx(node.operator, &mut |name, usual| number(name).map_or(usual, |(_, x)| *x));
        if let Some(found) = found {
            assert_eq!(found, Ok(activation));
            read.push(activation.name());
        }
    }
    assert_eq!(read, ["hard-swish", "sigmoid", "hard-sigmoid", "leaky ReLU"]);
    let error =
        |operator, number: f64| Activation::of_onnx(operator, &mut |_, _| number).unwrap().unwrap_err();
    assert_eq!(error("Swish", 2.0), "SiLU, with alpha 1");
    assert_eq!(error("LeakyRelu", f64::NAN), "a finite alpha");
    assert_eq!(Activation::of_onnx("Softsign", &mut |_, usual| usual), None);
}

/// Largest error of the exponential function, in units in the last place.
const LARGEST_ULPS: f64 = 1.0;

/// Largest error of the error function.
const LARGEST_ERROR: f64 = 5e-7;

fn ulps<E: Number>(found: E, exact: f64) -> f64 {
    let unit = (2.0 * E::ROUNDOFF * exact.abs()).max(f32::MIN_POSITIVE.into());
    (found.to_f64() - exact).abs() / unit
}

#[test]
fn exp_and_erf_of_single_precision_are_those_of_double_precision() {
    for i in (-80_000..80_000).step_by(if cfg!(miri) { 1000 } else { 1 }) {
        let x = i as f32 / 1000.0;
        assert!(ulps(Element::exp(x), f64::from(x).exp()) <= LARGEST_ULPS, "exp({x})");
        let erf: f32 = Element::erf(x);
        assert!((f64::from(erf) - libm::erf(x.into())).abs() <= LARGEST_ERROR, "erf({x})");
    }
}

#[test]
fn exp_and_erf_have_published_values() {
    // NIST Digital Library of Mathematical Functions, table 7.6; Abramowitz and Stegun, table 7.1.
    for (x, erf) in [(0.5f64, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
        assert!((Element::erf(x) - erf).abs() < 1e-10);
        assert_eq!(Element::erf(-x), -Element::erf(x));
    }
    assert_eq!(Element::exp(0.0), 1.0);
    assert!((Element::exp(1.0) - std::f64::consts::E).abs() <= f64::EPSILON * 2.0);
    assert_eq!(Element::exp(f64::NEG_INFINITY), 0.0);
    assert_eq!(Element::erf(f64::INFINITY), 1.0);
}
