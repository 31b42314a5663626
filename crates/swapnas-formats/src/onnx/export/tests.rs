//! Operations on single samples, written and read again.

use std::sync::Arc;

use swapnas_graph::tensor::{Axis, Function, Norm, Product, Real};
use swapnas_graph::{
    Batch, Draw, Executor, Graph, GraphBuilder, GraphError, Init, Level, Plan, Shape, Statistics, Strided,
    ValueId, Want, Weights,
};

use crate::onnx::{Contents, Images, OnnxError, export, read_with_weights};

/// The largest difference of a result, as a part of the largest one: numbers of the graph are doubles, those of the file
/// are not.
const TOLERANCE: f64 = 1e-6;

const SAMPLES: usize = 3;

fn view(dims: &[(usize, usize)], offset: usize) -> Strided {
    Strided::new(dims, offset).unwrap()
}

fn real(number: f64) -> Real {
    Real::new(number).unwrap()
}

fn run(graph: &Arc<Graph>, weights: Weights<'_>, numbers: &[f32]) -> Vec<f64> {
    let shape = graph.shape(graph.input());
    let batch: Batch<f64> = Batch::from_nchw(SAMPLES, shape, numbers).unwrap();
    let output = graph.outputs()[0];
    let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![output] });
    let mut executor = Executor::<f64>::new(Level::best());
    executor.run(&plan, &batch, weights, None, &mut ()).unwrap();
    executor.value(&plan, &batch, output).unwrap()
}

/// Writes a graph, reads it again, and compares what the two compute.
fn check(what: &str, graph: Graph) {
    let graph = Arc::new(graph);
    // Others than those of new networks, in which normalisations change nothing.
    let draw = Draw { init: Init::Gaussian, seed: 5, repeat: 0, network: None };
    let tensors = graph.params().iter().enumerate().map(|(index, param)| {
        let mut numbers = Vec::new();
        draw.fill(param, &mut numbers);
        numbers.iter_mut().enumerate().for_each(|(i, x)| *x += ((i + index) as f32 * 0.7).sin() * 0.5);
        (param.name.clone(), swapnas_graph::Tensor { shape: param.shape.clone(), numbers })
    });
    let tensors = swapnas_graph::Tensors::new("a test".into(), tensors.collect());
    let weights = Weights::Loaded(&tensors);
    let contents = Contents { weights, statistics: &Statistics::default(), about: "" };
    let file = export(&graph, &contents).unwrap();
    let (read, read_weights) = read_with_weights(file, Images::OfFile).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(read.parameter_count(), graph.parameter_count(), "{what}");
    assert_eq!(read.vocabulary(), graph.vocabulary(), "{what}");
    let elements = SAMPLES * graph.shape(graph.input()).elements();
    let numbers: Vec<f32> = match graph.vocabulary() {
        Some(vocabulary) => (0..elements).map(|i| (i * 7 % vocabulary) as f32).collect(),
        None => (0..elements).map(|i| (i as f32 * 0.61).sin()).collect(),
    };
    let expected = run(&graph, weights, &numbers);
    let found = run(&Arc::new(read), Weights::Loaded(&read_weights), &numbers);
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() <= TOLERANCE * largest, "{what}: {found} {expected} at {place}");
    }
}

/// Checks what is built of an image, with a linear layer in front whose result lies pixel by pixel, and without.
fn check_all(
    what: &str,
    shape: Shape,
    build: impl Fn(&mut GraphBuilder, ValueId) -> Result<ValueId, GraphError>,
) {
    for layers in [false, true] {
        let mut b = GraphBuilder::new(shape);
        let mut x = b.input();
        if layers {
            x = b.linear("before", x, shape.channels, true).unwrap();
        }
        let mut y = build(&mut b, x).unwrap();
        if layers {
            y = b.linear("behind", y, 3, false).unwrap();
        }
        check(what, b.finish(&[y]));
    }
}

#[test]
fn views_and_selections() {
    let shape = Shape::new(4, 2, 6);
    for (dims, offset, to) in [
        (&[(6, 1), (4, 12), (2, 6)][..], 0, Shape::new(6, 4, 2)),
        (&[(2, 24), (12, 1), (2, 12)], 0, Shape::new(4, 4, 3)),
        (&[(4, 12), (5, 1)], 7, Shape::new(4, 1, 5)),
        (&[(4, 12)], 0, Shape::new(4, 1, 1)),
        (&[(3, 12), (3, 2)], 13, Shape::new(3, 1, 3)),
        (&[(4, 12), (3, 1), (4, 1)], 0, Shape::new(4, 3, 4)),
        (&[(4, 0), (5, 7), (2, 3)], 1, Shape::new(4, 5, 2)),
        (&[(4, 12), (12, 0)], 3, Shape::new(4, 3, 4)),
        (&[(3, 0)], 5, Shape::new(1, 1, 3)),
    ] {
        let view = view(dims, offset);
        check_all(&format!("{view:?}"), shape, |b, x| b.rearrange(x, view, to));
    }
    check_all("picked", shape, |b, x| b.pick(x, [5, 5, 40, 2, 0, 47].into(), Shape::new(2, 1, 3)));
}

#[test]
fn joined_values() {
    let shape = Shape::new(3, 2, 4);
    for (outer, inner, shape_of) in [
        (3, 1, Shape::new(3, 1, 16)),
        (1, 8, Shape::new(6, 2, 4)),
        (6, 1, Shape::new(3, 2, 8)),
        (6, 2, Shape::new(12, 1, 4)),
    ] {
        check_all("joined", shape, |b, x| {
            let y = b.function(x, Function::Sin);
            b.join(&[x, y], outer, inner, shape_of)
        });
    }
    check_all("a class token", Shape::new(4, 1, 5), |b, x| {
        let token = b.parameter("token", vec![1, 4], Shape::new(4, 1, 1))?;
        let zeros = b.constant(vec![real(0.0); 8].into(), Shape::new(4, 1, 2))?;
        b.join(&[token, x, zeros], 4, 1, Shape::new(4, 1, 8))
    });
}

#[test]
fn products() {
    let (heads, size, tokens) = (2, 3, 4);
    let shape = Shape::new(heads * size, 1, tokens);
    let of_tokens = view(&[(heads, size * tokens), (tokens, 1), (size, tokens)], 0);
    let out = Strided::contiguous(&[heads, tokens, tokens]).unwrap();
    let scores = Product { a: of_tokens, b: of_tokens.permuted(&[0, 2, 1]), out };
    let scores_shape = Shape::new(heads, tokens, tokens);
    check_all("scores", shape, |b, x| b.product([x, x], scores, scores_shape));
    check_all("attention", shape, |b, x| {
        let scores = b.product([x, x], scores, scores_shape)?;
        let weights = b.softmax(scores, Axis { outer: heads * tokens, len: tokens, inner: 1 })?;
        b.product([weights, x], Product { a: out, b: of_tokens, out: of_tokens }, shape)
    });
    check_all("a table times a value, repeated", shape, |b, x| {
        let numbers: Vec<_> = (0..tokens * tokens).map(|i| real((i as f64).cos())).collect();
        let table = b.constant(numbers.into(), Shape::new(1, tokens, tokens))?;
        let a = view(&[(heads, 0), (tokens, tokens), (tokens, 1)], 0);
        b.product([table, x], Product { a, b: of_tokens, out: of_tokens }, shape)
    });
    check_all("a parameter", shape, |b, x| {
        let table = b.parameter("table", vec![tokens, tokens], Shape::new(1, tokens, tokens))?;
        let a = view(&[(heads, 0), (tokens, tokens), (tokens, 1)], 0);
        b.product([table, x], Product { a, b: of_tokens, out: of_tokens }, shape)
    });
    // Windows of three tokens, each times a kernel of its own.
    check_all("windows", Shape::new(6, 1, 5), |b, x| {
        let a = view(&[(3, 1), (2, 15), (3, 5), (3, 1)], 0);
        let kernels = view(&[(3, 1), (2, 9), (3, 3), (1, 0)], 0);
        let out = view(&[(3, 1), (2, 9), (3, 3), (1, 0)], 0);
        b.product([x, x], Product { a, b: kernels, out }, Shape::new(6, 1, 3))
    });
    check_all("rows and matrices that are repeated", shape, |b, x| {
        let a = view(&[(2, 0), (3, 0), (4, 1)], 0);
        let second = view(&[(2, 0), (4, 2), (2, 1)], 0);
        let out = Strided::contiguous(&[2, 3, 2]).unwrap();
        b.product([x, x], Product { a, b: second, out }, Shape::new(2, 3, 2))
    });
}

#[test]
fn normalisations() {
    let shape = Shape::new(6, 2, 4);
    let over = |centred, weight, bias, norm| Norm { centred, weight, bias, ..norm };
    for (weight, bias) in [(true, true), (false, false), (true, false), (false, true)] {
        for centred in [true, false] {
            let norms = [
                Norm::over_channels(shape),
                Norm::over_groups(shape, 3),
                Norm::over_groups(shape, 6),
                Norm { axis: Axis { outer: 3, len: 16, inner: 1 }, count: 16, alike: 1, ..Norm::over_channels(shape) },
                Norm { axis: Axis { outer: 12, len: 4, inner: 1 }, ..Norm::over_channels(shape) },
                Norm { axis: Axis { outer: 2, len: 3, inner: 8 }, count: 5, alike: 3, ..Norm::over_channels(shape) },
            ];
            for norm in norms {
                let norm = over(centred, weight, bias, norm);
                check_all(&format!("{norm:?}"), shape, |b, x| b.normalise("norm", x, norm));
            }
        }
    }
    check_all("one pixel", Shape::new(6, 1, 1), |b, x| {
        let norm = Norm::over_channels(b.shape(x));
        b.normalise("norm", x, norm)
    });
}

#[test]
fn softmax_means_and_functions() {
    let shape = Shape::new(6, 2, 4);
    for (outer, len, inner) in [(1, 6, 8), (6, 2, 4), (12, 4, 1), (3, 2, 8), (4, 12, 1)] {
        let axis = Axis { outer, len, inner };
        check_all("softmax", shape, |b, x| {
            let y = b.softmax(x, axis)?;
            b.add(&[y, x])
        });
        check_all("mean", shape, |b, x| b.mean_along(x, axis, Shape::new(outer, 1, inner)));
    }
    let positive = Function::Linear { factor: real(0.5), summand: real(4.0) };
    for function in [
        Function::Exp,
        Function::Ln,
        Function::Sqrt,
        Function::Reciprocal,
        Function::Sin,
        Function::Cos,
        Function::Tanh,
        Function::Erf,
        Function::Power(2),
        Function::Power(3),
        Function::RealPower(real(1.5)),
        Function::Max(real(4.25)),
        Function::Min(real(4.25)),
        Function::Linear { factor: real(1.0), summand: real(0.0) },
        Function::Linear { factor: real(-2.5), summand: real(0.0) },
        Function::Linear { factor: real(1.0), summand: real(-1.25) },
    ] {
        check_all(&format!("{function:?}"), shape, |b, x| {
            let x = b.function(x, Function::Tanh);
            let x = b.function(x, positive);
            Ok(b.function(x, function))
        });
    }
}

/// Tokens that are picked and repeated, positions that are cut, and one table for two embeddings.
#[test]
fn texts() {
    let mut b = GraphBuilder::new(Shape::new(1, 1, 5));
    let text = b.input();
    let x = b.embedding("words", text, 11, 6).unwrap();
    let turned = b.rearrange(text, view(&[(3, 2)], 0), Shape::new(1, 1, 3)).unwrap();
    let first = b.params().len();
    b.embedding("again", turned, 11, 6).unwrap();
    let again = b.share(first, 0);
    let table = b.parameter("positions", vec![9, 6], Shape::new(9, 1, 6)).unwrap();
    let positions = b.rearrange(table, view(&[(6, 1), (5, 6)], 0), Shape::new(6, 1, 5)).unwrap();
    let types = b.rearrange(table, view(&[(6, 1), (5, 0)], 6), Shape::new(6, 1, 5)).unwrap();
    let x = b.add(&[x, types, positions]).unwrap();
    let x = b.join(&[x, again], 6, 1, Shape::new(6, 1, 8)).unwrap();
    let norm = Norm::over_channels(b.shape(x));
    let x = b.normalise("norm", x, norm).unwrap();
    let gate = b.mean(x).unwrap();
    let gate = b.linear("gate", gate, 6, true).unwrap();
    let x = b.mul(x, gate).unwrap();
    let part = b.slice(x, 1, 3).unwrap();
    let x = b.concat(&[x, part]).unwrap();
    let x = b.linear("last", x, 7, true).unwrap();
    check("texts", b.finish(&[x]));
}

#[test]
fn a_product_whose_elements_share_a_place_is_an_error() {
    let mut b = GraphBuilder::new(Shape::new(1, 1, 4));
    let a = view(&[(2, 0), (2, 3), (1, 0)], 0);
    let product = Product { a: view(&[(2, 0), (2, 1), (1, 0)], 0), b: view(&[(2, 0), (1, 0), (1, 0)], 0), out: a };
    let x = b.product([b.input(), b.input()], product, Shape::new(1, 1, 4)).unwrap();
    let graph = b.finish(&[x]);
    let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 0, repeat: 0, network: None });
    let contents = Contents { weights, statistics: &Statistics::default(), about: "" };
    let error = export(&graph, &contents).unwrap_err();
    assert!(matches!(error, OnnxError::Overlap { .. }), "{error}");
}
