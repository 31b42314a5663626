//! What is exported is read again as the same network.

use std::sync::Arc;

use swapnas::export::{Export, Format};
use swapnas::{Arch, Level, NetworkConfig, Shape, Space};
use swapnas_formats::onnx::{Images, read_with_weights};
use swapnas_graph::{Batch, Executor, Graph, Op, Plan, Want, Weights};

/// The largest difference of a logit, as a part of the largest one, in double precision.
const TOLERANCE: f64 = 1e-9;

/// The same where there are factors and tables in a file, which are rounded to single precision.
const TOLERANCE_OF_NUMBERS: f64 = 1e-6;

fn archs(space: &dyn Space) -> Vec<Arch> {
    let example = space.parse(space.encodings()[0].example).unwrap();
    [example].into_iter().chain(swapnas::sample(space, 3, 7)).collect()
}

/// Logits, and features in front of the classifier.
fn outputs(graph: &Arc<Graph>, weights: Weights<'_>, batch: &Batch<f64>) -> Vec<f64> {
    let values = graph.outputs().to_vec();
    let plan = Plan::new(graph.clone(), &Want { signs: false, values });
    let mut executor = Executor::<f64>::new(Level::best());
    executor.run(&plan, batch, weights, None, &mut ()).unwrap();
    graph.outputs().iter().flat_map(|value| executor.value(&plan, batch, *value).unwrap()).collect()
}

/// Seven images, or texts.
fn batch(graph: &Graph) -> Batch<f64> {
    let input = graph.shape(graph.input());
    let number = |i: usize| match graph.vocabulary() {
        Some(vocabulary) => (i * 7919 % vocabulary) as f32,
        None => (i as f32 * 0.37).sin(),
    };
    let numbers: Vec<f32> = (0..7 * input.elements()).map(number).collect();
    Batch::from_nchw(7, input, &numbers).unwrap()
}

/// The shapes of all ReLUs, sorted.
fn relus(graph: &Graph) -> Vec<String> {
    let values = graph.relu_values();
    let mut shapes: Vec<String> = values.iter().map(|value| graph.shape(*value).to_string()).collect();
    shapes.sort();
    shapes
}

#[test]
fn networks_of_all_spaces_are_read_as_they_were_written() {
    for &space in swapnas::spaces() {
        for arch in archs(space) {
            let own = space.final_network().input;
            // Texts stay as long as they are.
            let input = if own.height == 1 { own } else { Shape::new(3, 33, 34) };
            let darts = space.name() == "darts";
            let channels = if darts { Some(8) } else { space.scored_network().channels };
            let cells = darts.then_some(3);
            let network = NetworkConfig { input, channels, cells, ..space.final_network() };
            let export = Export { space, arch: &arch, network, seed: 3 };
            let written = Arc::new(space.network(&arch, &network).unwrap());
            let file = export.contents(Format::Onnx).unwrap();
            let (read, weights) = read_with_weights(file, Images::OfFile).unwrap();
            let read = Arc::new(read);
            let name = || format!("{} {}", space.name(), space.print(&arch));
            assert_eq!(read.parameter_count(), written.parameter_count(), "{}", name());
            assert_eq!(read.macs(), written.macs(), "{}", name());
            assert_eq!(relus(&read), relus(&written), "{}", name());
            let shapes = |graph: &Graph| graph.outputs().iter().map(|v| graph.shape(*v)).collect::<Vec<_>>();
            assert_eq!(shapes(&read), shapes(&written), "{}", name());
            let batch = batch(&written);
            let expected = outputs(&written, Weights::Drawn(export.weights()), &batch);
            let found = outputs(&read, Weights::Loaded(&weights), &batch);
            let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let has_numbers = written.nodes().iter().any(|node| matches!(node.op, Op::Tensor(_)));
            let tolerance = if has_numbers { TOLERANCE_OF_NUMBERS } else { TOLERANCE };
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() <= tolerance * largest, "{}: {found} {expected}", name());
            }
        }
    }
}
