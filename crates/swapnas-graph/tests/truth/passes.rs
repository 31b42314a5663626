//! What the differentiator promises besides right numbers: parts of gradients, the same bits at every level
//! and on any number of threads, errors.

use swapnas_graph::grad::{
    Differentiator, Elements, GradError, GradientPlan, Loss, ParamSet, StatisticsOver, Wanted,
};
use swapnas_graph::{Batch, Conv, GraphBuilder, Level, RunError, Shape, Want, Window};

use crate::cases::{Case, case, cases};
use crate::differentiator::ALL;
use crate::numbers::{Numbers, direction, param_set};

/// The first elements alone have the gradients that they have among all.
#[test]
fn first_elements_have_the_gradients_of_all() {
    for case in cases() {
        let (samples, Case { name, graph }) = (case.samples(17), case);
        let numbers = Numbers::new(&graph, samples);
        let (batch, weights) = (numbers.batch::<f32>(&graph), param_set::<f32>(&graph, &numbers.weights));
        let plan = GradientPlan::new(graph.clone(), &Want::default());
        let mut engine = Differentiator::new(Level::best());
        let labels = numbers.labels(&graph);
        for statistics in ALL {
            let mut pass = engine.forward(&plan, &batch, &weights, statistics).unwrap();
            let mut firsts = |params: Elements| {
                let (mut firsts, mut counts) = (Vec::new(), Vec::new());
                let wanted = Wanted { params, ..Wanted::default() };
                let loss = Loss::CrossEntropy(&labels);
                let found = pass.backward_by_sample(loss, &wanted, |id, gradients| {
                    assert_eq!(gradients.samples(), samples);
                    counts.push(gradients.elements());
                    firsts.extend((0..samples).map(|sample| (id, gradients.get(sample, 0))));
                });
                (firsts, counts, found.unwrap().params)
            };
            let (all, counts, batch) = firsts(Elements::All);
            let (first, ones, first_batch) = firsts(Elements::First);
            assert_eq!(first, all, "{name}");
            assert_eq!(ones, vec![1; counts.len()], "{name}");
            for (found, expected) in first_batch.iter().zip(batch.iter()) {
                assert_eq!(found[0], expected[0], "{name}");
                assert!(found[1..].iter().all(|x| *x == 0.0), "{name}");
            }
        }
    }
}

/// Everything that a forward pass, a backward pass and a Hessian product give, as bits.
fn everything(engine: &mut Differentiator<f32>, case: &Case) -> Vec<u64> {
    let graph = &case.graph;
    let along = param_set(graph, &direction(graph, 300));
    let plan = GradientPlan::new(graph.clone(), &Want::default());
    let mut bits = Vec::new();
    for (samples, statistics) in
        [(17, StatisticsOver::Batch), (3, StatisticsOver::Sample), (2, StatisticsOver::None)]
    {
        let numbers = Numbers::new(graph, case.samples(samples));
        let (batch, labels) = (numbers.batch(graph), numbers.labels(graph));
        let weights = param_set(graph, &numbers.weights);
        let loss = Loss::CrossEntropy(&labels);
        let mut pass = engine.forward(&plan, &batch, &weights, statistics).unwrap();
        let wanted = Wanted { values: vec![graph.input()], ..Wanted::params() };
        let gradients = pass.backward(loss, &wanted).unwrap();
        bits.push(gradients.loss.to_bits());
        bits.extend(gradients.values.iter().flatten().map(|x| x.to_bits()));
        bits.extend(gradients.params.iter().flatten().map(|x| u64::from(x.to_bits())));
        let product = pass.hessian_product(loss, &along).unwrap();
        bits.extend(product.iter().flatten().map(|x| u64::from(x.to_bits())));
        bits.push(pass.hessian_form(loss, &along).unwrap().to_bits());
        pass.backward_by_sample(loss, &Wanted::params(), |_, gradients| {
            let lanes = gradients.blocks().flatten().flat_map(|lane| lane.0);
            bits.extend(lanes.map(|x| u64::from(x.to_bits())));
        })
        .unwrap();
    }
    bits
}

/// Nor does it matter what was run before in the same memory, large or small.
#[test]
fn bits_are_the_same_at_every_level_on_any_number_of_threads_and_after_anything() {
    let cases = cases();
    let mut used = Differentiator::new(Level::best());
    for case in cases.iter().rev() {
        let name = &case.name;
        let expected = everything(&mut Differentiator::new(Level::PORTABLE), case);
        for level in Level::available().into_iter().filter(|level| *level != Level::PORTABLE) {
            let found = everything(&mut Differentiator::new(level), case);
            assert!(found == expected, "{name} at level {level}");
        }
        let threads = everything(&mut Differentiator::new(Level::best()).parallel(true), case);
        assert!(threads == expected, "{name} on several threads");
        assert!(everything(&mut used, case) == expected, "{name} after others");
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let Case { graph, .. } = case("a classifier", Shape::new(2, 9, 6), |b, x| {
        let x = b.conv2d("a", x, Conv::new(5, Window::square(3)))?;
        let x = b.relu("b", x)?;
        let x = b.global_avg_pool("c", x)?;
        Ok([b.linear("d", x, 3, true)?])
    });
    let plan = GradientPlan::new(graph.clone(), &Want::default());
    let numbers = Numbers::new(&graph, 1);
    let (batch, weights) = (numbers.batch::<f64>(&graph), param_set::<f64>(&graph, &numbers.weights));
    let mut engine = Differentiator::new(Level::best());
    let small = Batch::from_nchw(1, Shape::new(2, 3, 3), &[0.0; 18]).unwrap();
    let wrong = engine.forward(&plan, &small, &weights, StatisticsOver::Batch);
    assert!(matches!(wrong.err(), Some(RunError::InputShape { .. })));
    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    let mut error = |loss, wanted| pass.backward(loss, &wanted).unwrap_err().to_string();
    let message = error(Loss::CrossEntropy(&[0, 1]), Wanted::params());
    assert_eq!(message, "the batch has 1 samples, but there are 2 labels; give one label per sample");
    let message = error(Loss::CrossEntropy(&[3]), Wanted::params());
    assert_eq!(message, "label 3 of sample 0 names none of the 3 classes, which count from 0");
    let message = error(Loss::SumOf(1), Wanted::params());
    assert_eq!(message, "the batch has 1 samples, counted from 0, so there is no sample 1");
    let relu = graph.relu_values()[0];
    let kept = error(Loss::Sum, Wanted::value(relu));
    assert!(kept.starts_with("value 2 is not kept by the plan"), "{kept}");
    let wrong = Loss::Product { value: relu, gradient: &[0.0] };
    assert!(matches!(pass.backward(wrong, &Wanted::params()), Err(GradError::GradientSize { .. })));
}

#[test]
fn of_nothing_there_is_no_gradient() {
    let run = |samples: usize, shape: Shape| -> Result<f64, GradError> {
        let mut b = GraphBuilder::new(shape);
        let y = b.relu("relu", b.input()).unwrap();
        let plan = GradientPlan::new(b.finish(&[y]), &Want::default());
        let batch = Batch::<f64>::from_nchw(samples, shape, &vec![1.0; samples * shape.elements()]).unwrap();
        let weights = ParamSet::zeros(plan.graph());
        let mut engine = Differentiator::new(Level::best());
        let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch)?;
        Ok(pass.backward(Loss::Sum, &Wanted::params())?.loss)
    };
    assert_eq!(run(2, Shape::new(3, 1, 4)).unwrap(), 24.0);
    assert!(matches!(run(0, Shape::new(3, 1, 4)), Err(GradError::Run(RunError::NoSamples))));
    for shape in [Shape::new(3, 0, 4), Shape::new(0, 1, 4)] {
        assert!(matches!(run(2, shape), Err(GradError::NoElements { shape: of }) if of == shape));
    }
    let message = run(2, Shape::new(3, 0, 4)).unwrap_err().to_string();
    assert_eq!(
        message,
        "the loss is of a value of shape 3x0x4, which has no elements; give images with pixels"
    );
}
