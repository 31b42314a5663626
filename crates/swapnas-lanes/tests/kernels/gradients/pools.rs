//! Pools, backward and forward along a direction.

use proptest::prelude::*;
use swapnas_lanes::kernels::pool::Pool;
use swapnas_lanes::kernels::pool_gradient::{self, MaxPool};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

use super::{
    Geometry, HALO, assert_near, at, at_every_level, cases, geometries, narrow, noise, padded, taps,
};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn pools_give_gradients_and_tangents_to_their_pixels(geometry in geometries(), channels in 1..3usize) {
        check_pools(geometry, channels);
    }
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
