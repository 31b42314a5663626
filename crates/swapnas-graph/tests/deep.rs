//! Networks that are far deeper or wider than anybody builds: nothing may recurse with the depth, or take the
//! square of a number of nodes.

use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, ParamSet, StatisticsOver as Over, Wanted};
use swapnas_graph::{
    Batch, Conv, Draw, Executor, Graph, GraphBuilder, Init, Level, Plan, Shape, ValueId, Want, Weights,
    Window,
};

const DEPTH: usize = 20_000;

fn draw() -> Weights<'static> {
    Weights::Drawn(Draw { init: Init::PyTorch, seed: 3, repeat: 0, network: None })
}

/// Does everything that there is to do with a network.
fn use_all(graph: &Graph) {
    let shape = graph.shape(graph.input());
    assert_ne!(graph.key().0, 0);
    let batch = Batch::<f32>::from_nchw(1, shape, &vec![0.5; shape.elements()]).unwrap();
    let want = Want { signs: true, values: graph.outputs().to_vec() };
    let plan = Plan::new(graph.clone(), &want);
    let mut executor = Executor::<f32>::new(Level::best());
    executor.run(&plan, &batch, draw(), None, &mut ()).unwrap();
    let logits = executor.value(&plan, &batch, graph.outputs()[0]).unwrap();

    let weights = ParamSet::load(graph, draw()).unwrap();
    let plan = GradientPlan::new(graph.clone(), &want);
    let mut engine = Differentiator::<f32>::new(Level::best());
    let mut pass = engine.forward(&plan, &batch, &weights, Over::Batch).unwrap();
    let found = pass.value(graph.outputs()[0]).unwrap();
    for (logit, other) in logits.iter().zip(found) {
        assert!((logit - other).abs() <= 1e-4 * (1.0 + other.abs()), "{logit}, {other}");
    }
    let gradients = pass.backward(Loss::Sum, &Wanted::params()).unwrap();
    pass.hessian_product(Loss::Sum, &gradients.params).unwrap();
}

/// On a stack on which a function that called itself for every node would come to nothing.
fn on_a_small_stack(build: impl FnOnce(&mut GraphBuilder, ValueId) -> ValueId + Send) {
    std::thread::scope(|scope| {
        let work = || {
            let mut b = GraphBuilder::new(Shape::new(2, 1, 1));
            let x = b.input();
            let x = build(&mut b, x);
            let logits = b.linear("classifier", x, 2, true).unwrap();
            b.container(b.input(), logits);
            use_all(&b.finish(&[logits]));
        };
        std::thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}

#[test]
fn chains_of_relus() {
    on_a_small_stack(|b, x| (0..DEPTH).fold(x, |x, layer| b.relu(&format!("relu{layer}"), x).unwrap()));
}

#[test]
fn chains_of_convolutions() {
    on_a_small_stack(|b, x| {
        (0..DEPTH).fold(x, |x, layer| {
            let point = Conv::new(2, Window::square(1)).with_bias();
            b.conv2d(&format!("conv{layer}"), x, point).unwrap()
        })
    });
}

#[test]
fn chains_of_functions() {
    on_a_small_stack(|b, x| {
        let x = b.relu("relu", x).unwrap();
        (0..DEPTH / 4).fold(x, |x, layer| {
            let (a, b_) = (b.slice(x, 0, 1).unwrap(), b.slice(x, 1, 1).unwrap());
            let y = b.concat(&[b_, a]).unwrap();
            if layer % 100 == 0 { b.add(&[x, y]).unwrap() } else { y }
        })
    });
}

#[test]
fn a_value_with_many_readers_and_their_sum() {
    on_a_small_stack(|b, x| {
        let mut conv = |layer: usize| {
            b.conv2d(&format!("conv{layer}"), x, Conv::new(2, Window::square(1)).with_bias()).unwrap()
        };
        let terms: Vec<ValueId> = (0..DEPTH).map(&mut conv).collect();
        b.add(&terms).unwrap()
    });
}

#[test]
fn a_concatenation_of_many_parts() {
    on_a_small_stack(|b, x| {
        let parts: Vec<ValueId> = (0..DEPTH / 4)
            .map(|layer| {
                let conv = Conv::new(1, Window::square(1));
                let conv = if layer % 3 == 0 { conv.with_bias() } else { conv };
                let y = b.conv2d(&format!("conv{layer}"), x, conv).unwrap();
                if layer % 2 == 0 { b.relu(&format!("relu{layer}"), y).unwrap() } else { y }
            })
            .collect();
        b.concat(&parts).unwrap()
    });
}
