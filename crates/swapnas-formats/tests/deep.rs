//! Networks that are far deeper or wider than anybody builds: nothing may recurse with the depth, or take the
//! square of a number of nodes.

use swapnas_formats::onnx::{self, Contents, Images};
use swapnas_formats::torch;
use swapnas_graph::{Conv, Draw, Graph, GraphBuilder, Init, Shape, Statistics, ValueId, Weights, Window};

const DEPTH: usize = 20_000;

/// Writes a network in every format and reads what can be read.
fn write_and_read(graph: &Graph) {
    assert!(torch::module(graph, "").unwrap().contains("class Network"));
    let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 3, repeat: 0, network: None });
    let contents = Contents { weights, statistics: &Statistics::default(), about: "" };
    let file = onnx::export(graph, &contents).unwrap();
    let read = onnx::read(file, Images::OfFile).unwrap();
    assert_eq!(read.parameter_count(), graph.parameter_count());
    assert_eq!(read.relus().count(), graph.relus().count());
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
            write_and_read(&b.finish(&[logits]));
        };
        std::thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}

#[test]
fn chains_of_layers() {
    on_a_small_stack(|b, x| {
        (0..DEPTH).fold(x, |x, layer| {
            let point = Conv::new(2, Window::square(1)).with_bias();
            let y = b.conv2d(&format!("conv{layer}"), x, point).unwrap();
            b.relu(&format!("relu{layer}"), y).unwrap()
        })
    });
}

#[test]
fn chains_of_functions() {
    on_a_small_stack(|b, x| {
        let x = b.relu("relu", x).unwrap();
        (0..DEPTH / 4).fold(x, |x, layer| {
            let (first, second) = (b.slice(x, 0, 1).unwrap(), b.slice(x, 1, 1).unwrap());
            let y = b.concat(&[second, first]).unwrap();
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
