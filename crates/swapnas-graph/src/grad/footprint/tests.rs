use swapnas_lanes::{Lane, Level};

use super::Footprint;
use crate::grad::jobs::Scratch;
use crate::grad::{Differentiator, GradientPlan, Loss, ParamSet, SampleGradients, StatisticsOver, Wanted};
use crate::{
    Activation, Batch, Conv, Draw, Element, Graph, GraphBuilder, Init, Shape, Want, Weights, Window,
};

/// Residual blocks of growing width and shrinking size.
fn network() -> Graph {
    let mut b = GraphBuilder::new(Shape::new(3, 32, 32));
    let mut x = b.input();
    for (block, channels) in [8, 16, 24].into_iter().enumerate() {
        let name = |part: &str| format!("{block}.{part}");
        let stride = Window { stride: [2, 2], ..Window::square(3) };
        x = b.conv2d(&name("conv"), x, Conv::new(channels, stride)).unwrap();
        for part in ["a", "b"] {
            let y = b.relu(&name(&format!("{part}.relu")), x).unwrap();
            let conv = Conv::new(channels, Window::square(3));
            let y = b.conv2d(&name(&format!("{part}.conv")), y, conv).unwrap();
            let y = b.batch_norm(&name(&format!("{part}.norm")), y, true).unwrap();
            x = b.add(&[x, y]).unwrap();
        }
    }
    let x = b.global_avg_pool("pool", x).unwrap();
    let logits = b.linear("classifier", x, 10, true).unwrap();
    b.finish(&[logits])
}

/// Every kind of step but those of `network`.
fn mixed() -> Graph {
    let mut b = GraphBuilder::new(Shape::new(3, 32, 32));
    let x = b.input();
    let x = b.conv2d("stem", x, Conv::new(16, Window::square(3))).unwrap();
    let x = b.act("silu", x, Activation::Silu).unwrap();
    let largest = b.max_pool("largest", x, Window::square(3)).unwrap();
    let mean = b.avg_pool("mean", x, Window::square(5), false).unwrap();
    let x = b.concat(&[largest, mean]).unwrap();
    let x = b.slice(x, 8, 16).unwrap();
    let gate = b.global_avg_pool("squeeze", x).unwrap();
    let gate = b.act("gate", gate, Activation::Sigmoid).unwrap();
    let x = b.mul(x, gate).unwrap();
    let x = b.batch_norm("norm", x, true).unwrap();
    let x = b.global_avg_pool("pool", x).unwrap();
    let logits = b.linear("classifier", x, 10, true).unwrap();
    b.finish(&[logits])
}

/// What is asked of the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Back {
    Params,
    BySample,
    /// The gradient of the first layer's result, and its product with it.
    Value,
    Along,
}

/// Bytes that a pass and a way back leave behind in the engine and in what they return.
fn taken<E: Element>(plan: &GradientPlan, samples: usize, back: Back, wanted: &Wanted) -> usize {
    let draw = Draw { init: Init::PyTorch, seed: 1, repeat: 0, network: None };
    let weights = ParamSet::<E>::load(plan.graph(), Weights::Drawn(draw)).unwrap();
    let shape = plan.graph().shape(plan.graph().input());
    let images: Vec<f32> = (0..samples * shape.elements()).map(|i| (i as f32).sin()).collect();
    let batch = Batch::from_nchw(samples, shape, &images).unwrap();
    let labels = vec![1; samples];
    let loss = Loss::CrossEntropy(&labels);
    let mut engine = Differentiator::new(Level::best());
    let mut pass = engine.forward(plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    let mut returned = 0;
    match back {
        Back::Params | Back::Value => {
            let found = pass.backward(loss, wanted).unwrap();
            let numbers = found.values.iter().chain(&found.products).map(Vec::len).sum::<usize>();
            returned = numbers * size_of::<f64>() + plan.graph().parameter_count() as usize * size_of::<E>();
        }
        Back::BySample => {
            let largest = |_, of: SampleGradients<'_, E>| {
                returned = returned.max(of.blocks().len() * of.elements() * size_of::<Lane<E>>());
            };
            pass.backward_by_sample(loss, wanted, largest).unwrap();
        }
        Back::Along => {
            pass.hessian_form(loss, &weights).unwrap();
        }
    }
    drop(pass);
    let Scratch { a, b, c, d, e, f } = &engine.scratch;
    let scratch = [a, b, c, d, e, f].into_iter().map(Vec::capacity);
    let lanes: usize = engine.memory.free.values().flatten().map(Vec::capacity).chain(scratch).sum();
    returned + lanes * size_of::<Lane<E>>()
}

fn check<E: Element>(graph: Graph, samples: usize, back: Back) {
    let layer = graph.modules()[0].output;
    let plan = GradientPlan::new(graph, &Want { values: vec![layer], ..Want::default() });
    let wanted = match back {
        Back::Value => Wanted { products: vec![layer], ..Wanted::value(layer) },
        _ => Wanted::params(),
    };
    let taken = taken::<E>(&plan, samples, back, &wanted);
    let footprint = plan.footprint(samples, size_of::<E>(), 1);
    let said = footprint.forward()
        + match back {
            Back::Along => footprint.along(),
            _ => footprint.back(None, &wanted, back == Back::BySample),
        };
    assert!(
        taken <= said && said < taken + taken * 3 / 10 + (10 << 20),
        "{taken} of {said} bytes, {back:?}, {samples} samples"
    );
}

#[test]
fn memory_of_passes_is_as_large_as_is_said() {
    for back in [Back::Params, Back::BySample, Back::Value, Back::Along] {
        for samples in [16, 40] {
            check::<f32>(network(), samples, back);
            check::<f32>(mixed(), samples, back);
        }
        check::<f64>(mixed(), 160, back);
    }
}

/// Threads share values, and each has rooms of its own.
#[test]
fn every_thread_takes_as_much_as_another() {
    let graph = mixed();
    let input = graph.input();
    let plan = GradientPlan::new(graph, &Want::default());
    let of = |threads| plan.footprint(40, 4, threads);
    let by_threads = |bytes: &dyn Fn(Footprint<'_>) -> usize| {
        let [one, two, four] = [1, 2, 4].map(|threads| bytes(of(threads)));
        assert!(one < two && four - two == 2 * (two - one), "{one} {two} {four}");
    };
    by_threads(&|footprint| footprint.forward());
    by_threads(&|footprint| footprint.value(input));
    by_threads(&|footprint| footprint.back(None, &Wanted::value(input), false));
    // Each returns the gradients of bands of a layer, of which several wait for others.
    let back = |threads| of(threads).back(None, &Wanted::params(), false);
    assert!(back(1) < back(2) && back(2) < back(4));
    let by_sample = |threads| of(threads).back(None, &Wanted::params(), true);
    assert!(by_sample(1) < by_sample(2) && by_sample(1) > back(1));
}
