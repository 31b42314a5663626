//! Networks that are far deeper or wider than anybody builds are written and read as well: nothing may recurse with the
//! depth, or take the square of a number of nodes.

use swapnas_formats::onnx::{self, Contents, Images};
use swapnas_formats::torch;
use swapnas_graph::{Conv, Draw, FixedStatistics, Graph, GraphBuilder, Init, Shape, Weights, Window};

const DEPTH: usize = 10_000;

/// A chain of layers, of functions that read two values each, and of layers that all read one.
fn network() -> Graph {
    let point = Conv::new(2, Window::square(1)).with_bias();
    let mut b = GraphBuilder::new(Shape::new(2, 1, 1));
    let mut x = b.input();
    for layer in 0..DEPTH {
        x = b.conv2d(&format!("conv{layer}"), x, point).unwrap();
        x = b.relu(&format!("relu{layer}"), x).unwrap();
    }
    for _ in 0..DEPTH {
        let parts = [b.slice(x, 1, 1).unwrap(), b.slice(x, 0, 1).unwrap()];
        x = b.concat(&parts).unwrap();
    }
    let terms: Vec<_> = (0..DEPTH).map(|term| b.conv2d(&format!("term{term}"), x, point).unwrap()).collect();
    let x = b.add(&terms).unwrap();
    let logits = b.linear("classifier", x, 2, true).unwrap();
    b.container(b.input(), logits);
    b.finish(&[logits])
}

#[test]
fn very_deep_networks_are_written_and_read() {
    let graph = network();
    let work = || {
        assert!(torch::module(&graph, "").unwrap().contains("class Network"));
        let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 3, repeat: 0, network: None });
        let contents = Contents { weights, statistics: &FixedStatistics::default(), about: "" };
        let read = onnx::read(onnx::export(&graph, &contents).unwrap(), Images::OfFile).unwrap();
        assert_eq!(read.parameter_count(), graph.parameter_count());
        assert_eq!(read.relus().count(), DEPTH);
    };
    // A function that called itself for every node would come to nothing on such a stack.
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}
