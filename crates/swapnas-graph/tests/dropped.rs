//! Paths that are left out: what passes make of them, against the definition.

use swapnas_graph::grad::{
    Differentiator, DroppedPaths, GradientPlan, Loss, ParamSet, RunningStatistics, StatisticsOver, Wanted,
};
use swapnas_graph::{
    Batch, Conv, Draw, Graph, GraphBuilder, GraphError, Init, Level, Shape, ValueId, Want, Weights, Window,
};

const SHAPE: Shape = Shape { channels: 2, height: 4, width: 3 };
const SAMPLES: usize = 19;

/// Two branches that are summed with what they read, and logits.
fn network() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(SHAPE);
    let x = b.input();
    let x = b.conv2d("stem", x, Conv::new(4, Window::square(3)))?;
    let x = b.batch_norm("stem_norm", x, true)?;
    let y = b.relu("relu", x)?;
    let wide = b.conv2d("wide", y, Conv::new(4, Window::square(3)))?;
    let wide = b.batch_norm("wide_norm", wide, true)?;
    let narrow = b.conv2d("narrow", y, Conv::new(4, Window::square(1)))?;
    let narrow = b.batch_norm("narrow_norm", narrow, false)?;
    let y = b.add(&[wide, narrow, y])?;
    let y = b.relu("last_relu", y)?;
    let y = b.global_avg_pool("pool", y)?;
    let logits = b.linear("classifier", y, 3, true)?;
    Ok(b.finish(&[logits]))
}

struct Setup {
    plan: GradientPlan,
    batch: Batch<f64>,
    weights: ParamSet<f64>,
    labels: Vec<usize>,
    branches: Vec<ValueId>,
}

fn setup() -> Setup {
    let graph = network().unwrap();
    let branches = DroppedPaths::branches(&graph);
    let draw = Draw { init: Init::PyTorch, seed: 3, repeat: 0, network: None };
    let weights = ParamSet::load(&graph, Weights::Drawn(draw)).unwrap();
    let images: Vec<f32> = (0..SAMPLES * SHAPE.elements()).map(|i| (i as f32 * 0.37).sin()).collect();
    let want = Want { signs: false, values: branches.clone() };
    Setup {
        batch: Batch::from_nchw(SAMPLES, SHAPE, &images).unwrap(),
        labels: (0..SAMPLES).map(|i| i % 3).collect(),
        plan: GradientPlan::new(graph, &want),
        weights,
        branches,
    }
}

/// Another factor for each branch and sample.
fn dropped(branches: &[ValueId]) -> DroppedPaths {
    let mut dropped = DroppedPaths::default();
    for (index, branch) in branches.iter().enumerate() {
        let factor =
            |sample: usize| if (sample + index).is_multiple_of(3) { 0.0 } else { 1.5 - 0.25 * index as f64 };
        dropped.set(*branch, (0..SAMPLES).map(factor).collect());
    }
    dropped
}

#[test]
fn branches_are_what_sums_alone_read() {
    let Setup { plan, branches, .. } = setup();
    let names = branches.iter().map(|value| {
        let module = plan.graph().modules().iter().find(|module| module.output == *value);
        module.map(|module| module.name.as_str())
    });
    assert_eq!(names.collect::<Vec<_>>(), [Some("wide_norm"), Some("narrow_norm")]);
}

#[test]
fn results_of_branches_are_multiplied() {
    let Setup { plan, batch, weights, branches, .. } = setup();
    let mut engine = Differentiator::<f64>::new(Level::best());
    let plain: Vec<Vec<f64>> = {
        let pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
        branches.iter().map(|branch| pass.value(*branch).unwrap()).collect()
    };
    let dropped = dropped(&branches);
    let pass = engine.forward_dropping(&plan, &batch, &weights, &dropped).unwrap();
    for (index, (branch, plain)) in branches.iter().zip(plain).enumerate() {
        let found = pass.value(*branch).unwrap();
        let elements = found.len() / SAMPLES;
        for (place, (found, plain)) in found.iter().zip(plain).enumerate() {
            let sample = place / elements;
            let factor = if (sample + index).is_multiple_of(3) { 0.0 } else { 1.5 - 0.25 * index as f64 };
            assert!((found - factor * plain).abs() < 1e-12, "branch {index}, {place}");
        }
    }
}

#[test]
fn gradients_are_slopes_and_hessian_products_slopes_of_gradients() {
    let Setup { plan, batch, weights, labels, branches } = setup();
    let dropped = dropped(&branches);
    let mut engine = Differentiator::<f64>::new(Level::best());
    let mut at = |weights: &ParamSet<f64>| {
        let mut pass = engine.forward_dropping(&plan, &batch, weights, &dropped).unwrap();
        pass.backward(Loss::CrossEntropy(&labels), &Wanted::params()).unwrap()
    };
    let found = at(&weights).params;
    let mut direction = ParamSet::<f64>::zeros(plan.graph());
    for id in plan.graph().param_ids() {
        for (place, x) in direction.get_mut(id).iter_mut().enumerate() {
            *x = ((place * 7 + id.index()) as f64 * 0.61).cos();
        }
    }
    const STEP: f64 = 1e-5;
    let moved = |step: f64| {
        let mut moved = weights.clone();
        for id in plan.graph().param_ids() {
            moved.get_mut(id).iter_mut().zip(direction.get(id)).for_each(|(x, d)| *x += step * d);
        }
        moved
    };
    let (after, before) = (at(&moved(STEP)), at(&moved(-STEP)));
    let slope = (after.loss - before.loss) / (2.0 * STEP);
    let pairs = |a: &ParamSet<f64>, b: &ParamSet<f64>| -> f64 {
        a.iter().zip(b.iter()).flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| a * b).sum()
    };
    assert!((pairs(&found, &direction) - slope).abs() < 1e-7 * slope.abs().max(1.0), "{slope}");
    let mut pass = engine.forward_dropping(&plan, &batch, &weights, &dropped).unwrap();
    let product = pass.hessian_product(Loss::CrossEntropy(&labels), &direction).unwrap();
    for id in plan.graph().param_ids() {
        let both = after.params.get(id).iter().zip(before.params.get(id));
        for ((a, b), found) in both.zip(product.get(id)) {
            let expected = (a - b) / (2.0 * STEP);
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} {expected}");
        }
    }
}

#[test]
fn running_statistics_of_one_batch_are_its_own_but_for_the_divisor() {
    let Setup { plan, batch, weights, .. } = setup();
    let mut engine = Differentiator::<f64>::new(Level::best());
    let mut running = RunningStatistics::new(plan.graph());
    let logits = plan.graph().outputs()[0];
    let of_batch = {
        let pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
        running.update(&pass, 1.0);
        pass.value(logits).unwrap()
    };
    let numbers = (SAMPLES * SHAPE.pixels()) as f64;
    for (_, statistics) in running.iter_mut() {
        statistics.variance.iter_mut().for_each(|variance| *variance *= (numbers - 1.0) / numbers);
    }
    let predicted = engine.predict(&plan, &batch, &weights, &running).unwrap();
    assert_eq!(predicted.len(), of_batch.len());
    assert!(predicted.iter().zip(&of_batch).all(|(a, b)| (a - b).abs() < 1e-12));
}
