//! A network whose numbers overflow is no network to be scored: a ReLU makes numbers of what is none, and they
//! would look like any others.

use std::collections::BTreeMap;

use swapnas_graph::grad::{Differentiator, GradError, GradientPlan, Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{
    Activation, Batch, Conv, Element, Executor, Graph, GraphBuilder, GraphError, Level, Observer, Plan, Relu,
    RunError, Shape, Signs, Tensor, Tensors, ValueCache, ValueId, Want, Weights, Window,
};

const SHAPE: Shape = Shape::new(2, 5, 6);

/// A network of a trunk with a ReLU and a classifier behind it.
fn network(trunk: impl FnOnce(&mut GraphBuilder, ValueId) -> Result<ValueId, GraphError>) -> Graph {
    let mut b = GraphBuilder::new(SHAPE);
    let x = b.input();
    let x = trunk(&mut b, x).unwrap();
    let x = b.relu("relu", x).unwrap();
    let x = b.mean(x).unwrap();
    let logits = b.linear("classifier", x, 3, true).unwrap();
    b.finish(&[logits])
}

/// Weights that go up and down between -1 and 1, but for those that are given, all of one number.
fn weights(graphs: &[&Graph], given: &[(&str, f32)]) -> Tensors {
    let mut tensors = BTreeMap::new();
    for param in graphs.iter().flat_map(|graph| graph.params()) {
        let number = |index: usize| match given.iter().find(|(name, _)| *name == param.name) {
            Some((_, number)) => *number,
            None => ((index * 37) % 21) as f32 / 10.0 - 1.0,
        };
        let numbers = (0..param.len()).map(number).collect();
        tensors.insert(param.name.clone(), Tensor { shape: param.shape.clone(), numbers });
    }
    Tensors::new("weights".into(), tensors)
}

fn batch<E: Element>(samples: usize, scale: f32) -> Batch<E> {
    let numbers: Vec<f32> =
        (0..samples * SHAPE.elements()).map(|i| scale * (((i * 7919) % 1009) as f32 / 504.5 - 1.0)).collect();
    Batch::from_nchw(samples, SHAPE, &numbers).unwrap()
}

struct All;

impl Observer for All {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, _relu: &Relu, _signs: Signs<'_>) {}
}

/// What executor and differentiator say of a network: where it is not finite, if it is not.
fn place<E: Element>(graph: &Graph, tensors: &Tensors, samples: usize, scale: f32) -> Option<String> {
    let batch = batch::<E>(samples, scale);
    let place = |result: Result<(), RunError>| match result {
        Ok(()) => None,
        Err(RunError::NotFinite { place }) => Some(place),
        Err(error) => panic!("{error}"),
    };
    let mut places = Vec::new();
    for level in Level::available() {
        for want in
            [Want { signs: true, values: Vec::new() }, Want { signs: true, values: graph.outputs().to_vec() }]
        {
            let plan = Plan::new(graph.clone(), &want);
            let run = Executor::<E>::new(level).run(&plan, &batch, Weights::Loaded(tensors), None, &mut All);
            places.push(place(run));
        }
        let plan = GradientPlan::new(graph.clone(), &Want { signs: true, values: Vec::new() });
        let params = ParamSet::load(graph, Weights::Loaded(tensors)).unwrap();
        let mut engine = Differentiator::<E>::new(level);
        places.push(place(engine.forward(&plan, &batch, &params, StatisticsOver::Batch).map(drop)));
    }
    let first = places[0].clone();
    assert!(places.iter().all(|place| *place == first), "{places:?}");
    first
}

fn conv(out: usize) -> Conv {
    Conv::new(out, Window::square(3))
}

#[test]
fn what_overflows_is_found_where_it_does() {
    let plain = network(|b, x| {
        let x = b.conv2d("a", x, conv(12))?;
        let x = b.relu("relu_a", x)?;
        b.conv2d("b", x, conv(12))
    });
    let normal = network(|b, x| {
        let x = b.conv2d("a", x, conv(4))?;
        let x = b.batch_norm("norm", x, true)?;
        let x = b.relu("relu_a", x)?;
        b.conv2d("b", x, conv(4).with_bias())
    });
    let pooled = network(|b, x| {
        let x = b.conv2d("a", x, conv(3))?;
        b.max_pool("pool", x, Window::square(3))
    });
    let two = Window { kernel: [2, 2], ..Window::square(1).stride(2) };
    let transposed = network(|b, x| b.conv_transpose("up", x, Conv::new(4, two).with_bias()));
    let doubled = network(|b, x| (0..140).try_fold(x, |x, _| b.add(&[x, x])));
    let squared = network(|b, x| {
        let x = b.act("act", x, Activation::HardSwish)?;
        (0..8).try_fold(x, |x, _| b.mul(x, x))
    });
    let returns = |module: &str| Some(format!("what '{module}' returns"));
    // The network, weights that are given, how large images are, and where it is not finite.
    type Case<'a> = (&'a Graph, &'a [(&'a str, f32)], f32, Option<String>);
    let cases: [Case<'_>; 17] = [
        (&plain, &[], 1.0, None),
        (&plain, &[], 1e30, None),
        (&plain, &[], f32::MAX, returns("a")),
        (&plain, &[("b.weight", 1e37)], 100.0, returns("b")),
        (&normal, &[], 1.0, None),
        (&normal, &[], 1e30, returns("a")),
        (&normal, &[("norm.weight", 1e36), ("b.weight", 1e3)], 1.0, returns("b")),
        (&normal, &[("norm.weight", f32::MAX)], 1.0, returns("norm")),
        (&normal, &[("b.bias", 1e30)], 1.0, None),
        (&pooled, &[("a.weight", f32::MAX)], 1.0, returns("a")),
        (&transposed, &[], 1e30, None),
        (&transposed, &[], f32::MAX, returns("up")),
        (&transposed, &[("up.weight", 1e38)], 100.0, returns("up")),
        (&transposed, &[("up.bias", 1e30)], 1.0, None),
        (&doubled, &[], 1.0, Some("the addition of the images".to_owned())),
        (&doubled, &[], 1e-10, None),
        (&squared, &[], 2.0, Some("the multiplication behind 'act'".to_owned())),
    ];
    for (graph, given, scale, expected) in cases {
        let tensors = weights(&[graph], given);
        for samples in [3, 16] {
            let found = place::<f32>(graph, &tensors, samples, scale);
            assert_eq!(found, expected, "{given:?}, images up to {scale}");
        }
        // Double precision holds more.
        assert_eq!(place::<f64>(graph, &tensors, 3, scale), None, "{given:?}, images up to {scale}");
    }
}

/// Bounds of what layers can do grow without end, the numbers themselves do not.
#[test]
fn deep_networks_without_normalisation_are_looked_at_before_they_are_refused() {
    let deep = network(|b, x| {
        (0..90).try_fold(x, |x, layer| {
            let x = b.conv2d(&format!("layer{layer}"), x, conv(4).with_bias())?;
            b.relu(&format!("relu{layer}"), x)
        })
    });
    for (size, expected) in [(0.07, None), (0.2, Some(()))] {
        // Sums of 36 products could be 2.5 times as large as the numbers, and are 2.1 times as large.
        let names: Vec<&str> = deep.params().iter().map(|param| param.name.as_str()).collect();
        let given: Vec<(&str, f32)> = names.into_iter().map(|name| (name, size)).collect();
        let found = place::<f32>(&deep, &weights(&[&deep], &given), 5, 1.0);
        assert_eq!(found.map(drop), expected, "weights of {size}");
    }
}

/// Values that networks share are left out of no network's account.
#[test]
fn a_cache_knows_nothing_of_values_that_are_not_finite() {
    let trunk = |last: &'static str| {
        network(|b, x| {
            let x = b.conv2d("a", x, conv(4))?;
            let y = b.relu("relu_a", x)?;
            let y = b.conv2d("b", y, conv(4))?;
            let y = b.relu("relu_b", y)?;
            b.conv2d(last, y, conv(4))
        })
    };
    let graphs = [trunk("b_again"), trunk("c"), trunk("d")];
    let batch = batch::<f32>(3, 1.0);
    let tensors = weights(&graphs.each_ref(), &[("b.weight", 1e38)]);
    let plans = graphs.map(|graph| Plan::new(graph, &Want { signs: true, values: Vec::new() }));
    let mut cache = ValueCache::new(1 << 20);
    plans.iter().for_each(|plan| cache.expect(plan));
    let mut executor = Executor::<f32>::new(Level::best());
    for plan in &plans {
        let run = executor.run(plan, &batch, Weights::Loaded(&tensors), Some(&mut cache), &mut All);
        assert!(matches!(run, Err(RunError::NotFinite { place }) if place == "what 'b' returns"));
    }
}

#[test]
fn gradients_that_overflow_are_refused() {
    let graph = network(|b, x| {
        let x = b.conv2d("a", x, conv(4))?;
        b.conv2d("b", x, conv(4))
    });
    // Logits are small where images are, and gradients are as large as weights.
    let tensors = weights(&[&graph], &[("classifier.weight", 1e20), ("b.weight", 1e20)]);
    let params = ParamSet::load(&graph, Weights::Loaded(&tensors)).unwrap();
    let plan = GradientPlan::new(graph, &Want::default());
    let batch = batch::<f32>(3, 1e-30);
    let mut engine = Differentiator::<f32>::new(Level::best());
    let mut pass = engine.forward(&plan, &batch, &params, StatisticsOver::Batch).unwrap();
    let gradient = pass.backward(Loss::Sum, &Wanted::params());
    assert!(matches!(gradient, Err(GradError::NotFinite { .. })), "{gradient:?}");
}

#[test]
fn rows_that_a_table_has_not_are_an_error() {
    let shape = Shape::new(1, 1, 2);
    let mut b = GraphBuilder::new(shape);
    let x = b.input();
    let rows = b.embedding("words", x, 7, 3).unwrap();
    let graph = b.finish(&[rows]);
    let tensors = weights(&[&graph], &[]);
    let run = |row: f32| {
        let batch = Batch::<f32>::from_nchw(2, shape, &[0.0, 6.0, 1.0, row]).unwrap();
        let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![rows] });
        let mut executor = Executor::<f32>::new(Level::best());
        executor
            .run(&plan, &batch, Weights::Loaded(&tensors), None, &mut ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(run(5.0), Ok(()));
    for row in [7.0, -1.0, 0.5] {
        let error = run(row).unwrap_err();
        assert!(error.starts_with("values of the network are not finite: what 'words' returns"), "{error}");
    }
}
