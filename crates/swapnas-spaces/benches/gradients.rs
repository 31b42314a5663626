//! Forward and backward passes, gradients of each sample and Hessian-vector products of the largest
//! network of NAS-Bench-201, on one core. Items are floating-point operations.

use divan::Bencher;
use divan::counter::ItemsCount;
use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, ParamSet, Pass, StatisticsOver, Wanted};
use swapnas_graph::{Batch, Draw, Init, Level, Shape, Want, Weights};
use swapnas_spaces::by_name;

fn main() {
    divan::main();
}

const SAMPLES: usize = 64;

struct Setup {
    plan: GradientPlan,
    batch: Batch,
    weights: ParamSet,
    labels: Vec<usize>,
    /// Of one forward pass.
    flops: u64,
}

/// Every edge a 3x3 convolution, 16 channels, five cells a stage.
fn setup() -> Setup {
    let space = by_name("nb201").expect("NAS-Bench-201 is a space");
    let conv = "nor_conv_3x3";
    let arch = format!("|{conv}~0|+|{conv}~0|{conv}~1|+|{conv}~0|{conv}~1|{conv}~2|");
    let arch = space.parse(&arch).expect("an architecture of the space");
    let graph = space.network(&arch, &space.default_network()).expect("the benchmark's network");
    let draw = Draw { init: Init::PyTorch, seed: 1, repeat: 0, network: None };
    let weights = ParamSet::load(&graph, Weights::Drawn(draw)).expect("random weights fit any network");
    let shape = Shape::new(3, 32, 32);
    let images: Vec<f32> = (0..SAMPLES * shape.elements()).map(|i| (i as f32 * 0.7).sin()).collect();
    Setup {
        batch: Batch::from_nchw(SAMPLES, shape, &images).expect("as many numbers as the images have"),
        labels: (0..SAMPLES).map(|i| i % 10).collect(),
        flops: 2 * graph.macs() * SAMPLES as u64,
        plan: GradientPlan::new(graph, &Want::default()),
        weights,
    }
}

/// Measures passes that do the arithmetic of `forwards` forward passes.
fn measure(bencher: Bencher<'_, '_>, forwards: u64, mut run: impl FnMut(&Setup, &mut Pass<'_, f32>)) {
    let setup = setup();
    let mut engine = Differentiator::new(Level::best());
    bencher.counter(ItemsCount::new(forwards * setup.flops)).bench_local(|| {
        let Setup { plan, batch, weights, .. } = &setup;
        let pass = engine.forward(plan, batch, weights, StatisticsOver::Batch);
        run(&setup, &mut pass.expect("the batch fits"));
    });
}

#[divan::bench(sample_count = 5)]
fn forward(bencher: Bencher<'_, '_>) {
    measure(bencher, 1, |_, _| {});
}

#[divan::bench(sample_count = 5)]
fn forward_backward(bencher: Bencher<'_, '_>) {
    measure(bencher, 3, |setup, pass| {
        pass.backward(Loss::CrossEntropy(&setup.labels), &Wanted::params()).expect("labels fit");
    });
}

#[divan::bench(sample_count = 5)]
fn forward_backward_by_sample(bencher: Bencher<'_, '_>) {
    measure(bencher, 3, |setup, pass| {
        let loss = Loss::CrossEntropy(&setup.labels);
        pass.backward_by_sample(loss, &Wanted::params(), |_, gradients| {
            divan::black_box(gradients);
        })
        .expect("labels fit");
    });
}

/// The forward pass (1), its tangent (2), and the way back: gradients (1), their tangents (2), and those
/// of the gradients of weights (2).
#[divan::bench(sample_count = 3)]
fn hessian_product(bencher: Bencher<'_, '_>) {
    measure(bencher, 8, |setup, pass| {
        pass.hessian_product(Loss::CrossEntropy(&setup.labels), &setup.weights).expect("labels fit");
    });
}
