//! Combinations of planes, and sums over pixels.

use proptest::prelude::*;
use swapnas_lanes::kernels::chain::{Argument, Scaling};
use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::kernels::sums;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

use super::{assert_near, at_every_level, cases, narrow, noise};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn combinations_and_sums_are_those_of_plain_loops(
        terms in 0..7usize,
        (channels, height, width) in (1..4usize, 1..4usize, 1..10usize),
        constant: bool,
        factors: bool,
    ) {
        check_combinations(terms, Layout::new(channels, height, width, 0), constant, factors);
    }
}

fn check_combinations(terms: usize, layout: Layout, constant: bool, factors: bool) {
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
    let of = combined::<f64>(&images, &by, &c, &start, &added);
    assert_near(&combine_everything(Level::best(), &of, layout, constant, factors), &all, 1e-12);
    let of = combined::<f32>(&images, &by, &c, &start, &added);
    assert_near(
        &at_every_level(|level| combine_everything(level, &of, layout, constant, factors)),
        &all,
        1e-4,
    );
}

struct Combined<E> {
    images: Vec<Vec<Lane<E>>>,
    by: Vec<Vec<Lane<E>>>,
    c: Vec<Lane<E>>,
    start: Vec<Lane<E>>,
    added: Vec<Lane<E>>,
}

fn combine_everything<E: Element>(
    level: Level,
    of: &Combined<E>,
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

fn combined<E: Element>(
    images: &[Vec<Lane<f64>>],
    by: &[Vec<Lane<f64>>],
    c: &[Lane<f64>],
    start: &[Lane<f64>],
    added: &[[f64; SAMPLES]],
) -> Combined<E> {
    let added: Vec<Lane<f64>> = added.iter().map(|x| Lane(*x)).collect();
    Combined {
        images: images.iter().map(|x| narrow(x)).collect(),
        by: by.iter().map(|x| narrow(x)).collect(),
        c: narrow(c),
        start: narrow(start),
        added: narrow(&added),
    }
}
