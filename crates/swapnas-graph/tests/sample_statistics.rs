//! With statistics over each sample, every sample is a batch of its own, whichever block of lanes it is in.

use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{Batch, Conv, Draw, Graph, GraphBuilder, Init, Level, Shape, Want, Weights, Window};

const IMAGE: Shape = Shape::new(2, 4, 5);

fn network() -> Graph {
    let mut b = GraphBuilder::new(IMAGE);
    let x = b.input();
    let x = b.conv2d("conv", x, Conv::new(3, Window::square(3))).unwrap();
    let x = b.batch_norm("norm", x, true).unwrap();
    let x = b.relu("relu", x).unwrap();
    let x = b.conv2d("last", x, Conv::new(2, Window::square(3))).unwrap();
    let x = b.batch_norm("last_norm", x, true).unwrap();
    b.finish(&[x])
}

/// The result and the gradient of the images, of the sum of all results times numbers.
fn run(samples: usize, images: &[f32], numbers: &[f64], statistics: StatisticsOver) -> [Vec<f64>; 2] {
    let graph = network();
    let (input, output) = (graph.input(), graph.outputs()[0]);
    let draw = Draw { init: Init::PyTorch, seed: 1, repeat: 0, network: None };
    let weights = ParamSet::<f64>::load(&graph, Weights::Drawn(draw)).unwrap();
    let batch = Batch::<f64>::from_nchw(samples, IMAGE, images).unwrap();
    let plan = GradientPlan::new(graph, &Want { values: vec![input, output], ..Want::default() });
    let mut engine = Differentiator::new(Level::best());
    let mut pass = engine.forward(&plan, &batch, &weights, statistics).unwrap();
    let value = pass.value(output).unwrap();
    let loss = Loss::Product { value: output, gradient: numbers };
    let found = pass.backward(loss, &Wanted::value(input)).unwrap();
    [value, found.values.concat()]
}

#[test]
fn samples_are_batches_of_their_own() {
    let samples = 35;
    let (inputs, outputs) = (IMAGE.elements(), IMAGE.elements());
    let images: Vec<f32> = (0..samples * inputs).map(|i| (i as f32 * 1.7).sin() + (i / 90) as f32).collect();
    let numbers: Vec<f64> = (0..samples * outputs).map(|i| (i as f64 * 2.3).cos()).collect();
    let together = run(samples, &images, &numbers, StatisticsOver::Sample);
    let alone = images.chunks_exact(inputs).zip(numbers.chunks_exact(outputs));
    for (sample, (image, numbers)) in alone.enumerate() {
        let alone = run(1, image, numbers, StatisticsOver::Batch);
        for (together, alone) in together.iter().zip(&alone) {
            for (together, alone) in together[sample * alone.len()..].iter().zip(alone) {
                let error = (together - alone).abs();
                assert!(error < 1e-9 * (1.0 + alone.abs()), "{together} instead of {alone}, sample {sample}");
            }
        }
    }
}
