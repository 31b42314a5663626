//! Every operation on registers against its definition, for every kind of number in every place.

use swapnas_lanes::simd::{Simd, Task};
use swapnas_lanes::{Lane, Level, SAMPLES};

use crate::support::{Number, at_every_level, cases};

at_every_level!(operations_have_one_meaning, totals_add_halves);

struct Operations<'a, E> {
    a: &'a Lane<E>,
    b: &'a Lane<E>,
    c: &'a Lane<E>,
}

/// Results in the order of the trait's operations, and the comparison's bits.
impl<E: Number> Task<E> for Operations<'_, E> {
    type Output = ([Lane<E>; 10], u16);

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) -> Self::Output {
        let mut results = [Lane::splat(E::ONE); 10];
        let mut bits = 0;
        for part in 0..S::PARTS {
            let [a, b, c] = [self.a, self.b, self.c].map(|lane| simd.load(lane, part));
            let registers = [
                simd.splat(E::from_f64(0.1)),
                simd.zero(),
                simd.add(a, b),
                simd.sub(a, b),
                simd.mul(a, b),
                simd.div(a, b),
                simd.fma(a, b, c),
                simd.max(a, b),
                simd.min(a, b),
                simd.select(a, b, c, simd.map(c, |x| x + E::ONE)),
            ];
            for (register, result) in registers.into_iter().zip(&mut results) {
                simd.store(register, result, part);
            }
            bits |= simd.greater(a, b) << (part * S::WIDTH);
        }
        (results, bits)
    }
}

fn definitions<E: Number>(a: E, b: E, c: E) -> [E; 10] {
    [
        E::from_f64(0.1),
        E::ZERO,
        a + b,
        a - b,
        a * b,
        a / b,
        a.fma(b, c),
        if a > b { a } else { b },
        if a < b { a } else { b },
        if a > b { c } else { c + E::ONE },
    ]
}

fn operations_have_one_meaning<E: Number>(level: Level) {
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1.0 + 2.0 * E::ROUNDOFF,
        3.7,
        -1e30,
        1e-40,
        -1e-40,
        f32::MIN_POSITIVE.into(),
        f32::MAX.into(),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ]
    .map(E::from_f64);
    let lane = |shift: usize| Lane(std::array::from_fn(|i| numbers[(i + shift) % numbers.len()]));
    for first in cases(0..numbers.len()) {
        for second in 0..numbers.len() {
            let (a, b, c) = (lane(first), lane(second), lane(first + 2 * second + 1));
            let (results, bits) = level.run(Operations { a: &a, b: &b, c: &c });
            for i in 0..SAMPLES {
                let expected = definitions(a.0[i], b.0[i], c.0[i]);
                for (operation, (result, expected)) in results.iter().zip(expected).enumerate() {
                    assert_eq!(
                        result.0[i].bits(),
                        expected.bits(),
                        "operation {operation} of {:?}, {:?}, {:?} is {:?}, not {expected:?}",
                        a.0[i],
                        b.0[i],
                        c.0[i],
                        result.0[i]
                    );
                }
                assert_eq!(bits >> i & 1 == 1, a.0[i] > b.0[i], "{:?} > {:?}", a.0[i], b.0[i]);
            }
        }
    }
}

#[test]
fn levels_have_names() {
    let available = Level::available();
    assert_eq!(available.first(), Some(&Level::best()));
    assert_eq!(available.last(), Some(&Level::PORTABLE));
    for level in available {
        assert_eq!(level.to_string().parse(), Ok(level));
    }
    let error = "sse9".parse::<Level>().unwrap_err().to_string();
    assert!(error.contains("'sse9'") && error.contains("portable"), "{error}");
}

struct Totals<'a, E>(&'a [Lane<E>; 4]);

impl<E: Number> Task<E> for Totals<'_, E> {
    type Output = [E; 4];

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) -> [E; 4] {
        simd.totals(self.0)
    }
}

/// By the definition, where every sum of another order would have other bits.
fn totals_add_halves<E: Number>(level: Level) {
    let lane = |number: usize| {
        let sample =
            |i: usize| E::from_f64(((i + 16 * number) as f64 * 0.7).sin() * 10f64.powi(i as i32 % 5));
        Lane(std::array::from_fn(sample))
    };
    let lanes: [Lane<E>; 4] = std::array::from_fn(lane);
    let expected = lanes.each_ref().map(|lane| {
        let mut numbers = lane.0.to_vec();
        while numbers.len() > 1 {
            let (first, second) = numbers.split_at(numbers.len() / 2);
            numbers = first.iter().zip(second).map(|(a, b)| *a + *b).collect();
        }
        numbers[0]
    });
    assert_eq!(level.run(Totals(&lanes)).map(E::bits), expected.map(E::bits));
}
