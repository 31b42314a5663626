//! ONNX files.

use std::sync::Arc;

use arbitrary::Unstructured;
use swapnas_formats::onnx::{Contents, Images, ReadError, export, read, read_with_weights};
use swapnas_formats::torch;
use swapnas_graph::{
    Batch, Executor, FixedStatistics, Graph, Level, Plan, RunError, Shape, Tensors, Want, Weights,
};

use crate::{choice, networks, onnx_graph, told};

/// The largest networks that are written again, and those that are run.
const MOST_PARAMETERS: u64 = 1 << 13;
const MOST_WORK: u64 = 1 << 13;

/// A file, for images that the first byte chooses.
pub(crate) fn file(input: &[u8]) {
    let (first, rest) = choice(input);
    let images =
        [Images::OfFile, Images::OfFile, Images::Side(5), Images::Shape(Shape::new(3, 8, 7))][first & 3];
    check(rest, images);
}

/// A file that the bytes choose, part by part.
pub(crate) fn graph(input: &[u8]) {
    let (first, rest) = choice(input);
    let images = if first & 7 == 7 { Images::Side(9) } else { Images::OfFile };
    check(&onnx_graph::file(&mut Unstructured::new(rest)), images);
}

fn check(bytes: &[u8], images: Images) {
    let with_weights = read_with_weights(bytes.to_vec(), images);
    let graph = match read(bytes.to_vec(), images) {
        Ok(graph) => graph,
        Err(error) => {
            let text = told(&error);
            assert_eq!(with_weights.err().map(|error| error.to_string()), Some(text));
            return;
        }
    };
    networks::sound(&graph);
    match with_weights {
        Ok((same, tensors)) => {
            assert_eq!(same.key(), graph.key());
            for param in graph.params() {
                let numbers = tensors.param(param).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(numbers.len(), param.shape.iter().product::<usize>());
            }
            if graph.parameter_count() <= MOST_PARAMETERS {
                // Either takes as long as all else together, so a network has one of them done.
                let choice = graph.key().0 as usize;
                if choice.is_multiple_of(2) {
                    again(&graph, &tensors);
                } else {
                    let levels = Level::available();
                    run(graph, &tensors, levels[choice / 2 % levels.len()]);
                }
            }
        }
        Err(error @ ReadError::Weights { .. }) => {
            told(&error);
        }
        Err(error) => panic!("read without the weights, but not with them: {error}"),
    }
}

/// What was read is written, and read as the same network.
fn again(graph: &Graph, tensors: &Tensors) {
    if let Err(error) = torch::module(graph, "a network") {
        told(&error);
    }
    let contents = Contents {
        weights: Weights::Loaded(tensors),
        statistics: &FixedStatistics::default(),
        about: "a network",
    };
    let written = match export(graph, &contents) {
        Ok(written) => written,
        Err(error) => {
            told(&error);
            return;
        }
    };
    let (read, weights) = read_with_weights(written, Images::OfFile)
        .unwrap_or_else(|error| panic!("what was written: {error}"));
    assert_eq!(read.shape(read.outputs()[0]).elements(), graph.shape(graph.outputs()[0]).elements());
    for param in read.params() {
        assert!(weights.param(param).is_ok());
    }
}

/// A level of instructions gives the same bits as the best one, which is so every time.
fn run(graph: Graph, tensors: &Tensors, level: Level) {
    let elements: usize = graph.nodes().iter().map(|node| node.shape.elements()).sum();
    let input = graph.shape(graph.input());
    if graph.macs() + elements as u64 > MOST_WORK {
        return;
    }
    let numbers: Vec<f32> = (0..3 * input.elements()).map(|i| (i * 29 % 41) as f32 / 16.0 - 1.25).collect();
    let batch = Batch::from_nchw(3, input, &numbers).expect("as many numbers as the shape says");
    let output = graph.outputs()[0];
    let plan = Plan::new(Arc::new(graph), &Want { signs: true, values: vec![output] });
    let bits = |level| -> Result<Vec<u64>, String> {
        let mut executor = Executor::<f32>::new(level);
        match executor.run(&plan, &batch, Weights::Loaded(tensors), None, &mut ()) {
            Ok(()) => {}
            // A value that is multiplied by itself again and again grows beyond all numbers.
            Err(error @ RunError::NotFinite { .. }) => return Err(told(&error)),
            Err(error) => panic!("{error}"),
        }
        let values = executor.value(&plan, &batch, output).expect("it was asked for");
        // Which of several NaNs comes out is the processor's affair.
        Ok(values.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect())
    };
    let best = bits(Level::best());
    assert!(best.as_ref().map_or(true, |bits| bits.len() == 3 * plan.graph().shape(output).elements()));
    assert_eq!(bits(level), best, "{level}");
}
