use std::collections::HashSet;
use std::sync::Arc;

use prost::Message;
use swapnas_graph::Level;
use swapnas_graph::tensor::{Axis, Product};
use swapnas_graph::{
    Activation, Batch, Conv, Draw, FixedStatistics, Graph, GraphBuilder, GraphError, Init, Padding, Shape,
    Strided, ValueId, Weights, Window,
};

use super::proto::{AttributeType, DataType, DimensionValue, Model, Tensor};
use super::{Contents, Images, OnnxError, export, read};

const WEIGHTS: Weights<'_> = Weights::Drawn(Draw { init: Init::PyTorch, seed: 1, repeat: 0, network: None });

/// A network with every operation and every kind of padding.
fn everything() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(Shape::new(3, 17, 15));
    let image = b.input();
    let mut x = b.conv2d("stem.0", image, Conv::new(8, Window::square(3)).with_bias())?;
    x = b.batch_norm("stem.1", x, true)?;
    let acts = Activation::EACH.map(|act| b.act(&format!("acts.{}", act.name()), x, act));
    let mut terms = Vec::new();
    for act in acts {
        terms.push(act?);
    }
    x = b.add(&terms)?;
    let cut = Window::square(1).stride(2).padding(Padding { top: -1, left: -1, bottom: 1, right: 1 });
    let even = b.conv2d("convs.0", x, Conv::new(4, Window::square(1).stride(2)))?;
    let odd = b.conv2d("convs.1", x, Conv::new(4, cut))?;
    x = b.concat(&[even, odd])?;
    x = b.batch_norm("bn", x, false)?;
    let depthwise = Window::square(5).dilation(2);
    let y = b.conv2d("depthwise", x, Conv::depthwise(8, depthwise))?;
    let max = b.max_pool("pools.0", x, Window::square(3))?;
    let mean = b.avg_pool("pools.1", x, Window::square(3), true)?;
    let inner = b.avg_pool("pools.2", x, Window::square(3), false)?;
    let zero = b.zero(Shape::new(2, 9, 8));
    let part = b.slice(max, 3, 6 - 3)?;
    x = b.concat(&[y, mean, inner, part, zero])?;
    // Squeeze and excite: linear layers whose result scales channels.
    let channels = b.shape(x).channels;
    let squeezed = b.global_avg_pool("pool", x)?;
    let squeezed = b.linear("fc1", squeezed, 5, true)?;
    let squeezed = b.act("act", squeezed, Activation::Silu)?;
    let gate = b.linear("fc2", squeezed, channels, false)?;
    x = b.mul(x, gate)?;
    x = b.linear("pixels", x, 6, true)?;
    // Nobody reads this.
    b.conv2d("unused", x, Conv::new(7, Window::square(1)))?;
    let features = b.mean(x)?;
    let logits = b.linear("classifier", features, 10, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

fn statistics(graph: &Graph) -> FixedStatistics {
    let shape = graph.shape(graph.input());
    let numbers: Vec<f32> = (0..5 * shape.elements()).map(|i| (i as f32).sin()).collect();
    let batch = Batch::from_nchw(5, shape, &numbers).unwrap();
    let plan = FixedStatistics::plan(Arc::new(graph.clone()));
    FixedStatistics::measure(&plan, WEIGHTS, &batch, Level::best()).unwrap()
}

fn model(graph: &Graph) -> Model {
    let statistics = statistics(graph);
    let contents = Contents { weights: WEIGHTS, statistics: &statistics, about: "a test" };
    Model::decode(&export(graph, &contents).unwrap()[..]).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    let (numbers, []) = tensor.raw_data.as_chunks::<4>() else { panic!("half a number") };
    assert_eq!(tensor.data_type, i32::from(DataType::Float));
    assert_eq!(numbers.len() as i64, tensor.dims.iter().product::<i64>());
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn everything_is_defined_once_and_before_it_is_read() {
    let model = model(&everything().unwrap());
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
    assert_eq!(model.doc_string, "a test");
    check_names(&model.graph.unwrap());
}

#[test]
fn modules_may_have_any_names() {
    let names = [
        "0",
        "1",
        "6",
        "0.5",
        "1x4",
        "0x4",
        "integers[2, 3]",
        "value.2",
        "images",
        "logits",
        "bn.running_mean",
        "fc.image",
        "fc.flat",
        "act",
        "act.gate",
        "act",
        "act.erf",
        "zero.batch",
        "0.weight",
        "pixels.kernel",
    ];
    let mut b = GraphBuilder::new(Shape::new(3, 9, 9));
    let mut x = b.input();
    for name in names {
        x = b.conv2d(name, x, Conv::new(4, Window::square(3).stride(2))).unwrap();
        x = b.batch_norm("bn", x, false).unwrap();
    }
    let y = b.linear("pixels", x, 4, false).unwrap();
    let z = b.linear("fc", y, 4, true).unwrap();
    x = b.add(&[y, z]).unwrap();
    for act in [Activation::Relu6, Activation::Silu, Activation::Gelu] {
        x = b.act("act", x, act).unwrap();
    }
    let zero = b.zero(b.shape(x));
    x = b.concat(&[x, zero]).unwrap();
    let graph = b.finish(&[x]);
    let file = model(&graph).graph.unwrap();
    check_names(&file);
    assert!(file.initializer.iter().any(|tensor| tensor.name == "6.weight" && tensor.dims == [4, 4, 3, 3]));
    assert!(file.initializer.iter().any(|tensor| tensor.name == "6_" && tensor.dims.is_empty()));
}

/// Reshapes in a row, of which the last one is enough, leave nothing behind.
#[test]
fn views_have_no_more_than_they_need() {
    let mut b = GraphBuilder::new(Shape::new(6, 1, 4));
    let view = |dims: &[(usize, usize)]| Strided::new(dims, 0).unwrap();
    let x = b.linear("tokens", b.input(), 6, true).unwrap();
    let [heads, all] = [view(&[(2, 12), (4, 1), (3, 4)]), view(&[(2, 16), (4, 4), (4, 1)])];
    let scores = Product { a: heads, b: heads.permuted(&[0, 2, 1]), out: all };
    let scores = b.product([x, x], scores, Shape::new(2, 4, 4)).unwrap();
    let scores = b.softmax(scores, Axis { outer: 8, len: 4, inner: 1 }).unwrap();
    let mixed = Product { a: all, b: heads, out: heads };
    let x = b.product([scores, x], mixed, Shape::new(6, 1, 4)).unwrap();
    let x = b.linear("out", x, 6, true).unwrap();
    let file = model(&b.finish(&[x])).graph.unwrap();
    check_names(&file);
    let operators: Vec<&str> = file.node.iter().map(|node| node.op_type.as_str()).collect();
    let expected = "Transpose Transpose MatMul Add Reshape Transpose Reshape Transpose MatMul Softmax Reshape \
                    Transpose MatMul Transpose Reshape Transpose MatMul Add Transpose Identity";
    assert_eq!(operators.join(" "), expected);
}

fn check_names(graph: &super::proto::Graph) {
    let inputs = graph.input.iter().map(|input| &input.name);
    let mut defined: HashSet<&String> = inputs.clone().collect();
    for name in graph.initializer.iter().map(|tensor| &tensor.name) {
        assert!(defined.insert(name), "{name} is there twice");
    }
    let mut node_names = HashSet::new();
    for node in &graph.node {
        for input in &node.input {
            assert!(defined.contains(input), "{} reads {input}", node.name);
        }
        let [output] = &node.output[..] else { panic!("{} has one output", node.name) };
        assert!(defined.insert(output), "{output} is computed twice");
        assert!(node_names.insert(&node.name), "{} is there twice", node.name);
        assert!(node.attribute.iter().all(|a| a.r#type != i32::from(AttributeType::Undefined)));
    }
    assert!(graph.output.iter().all(|output| defined.contains(&output.name)));
    let read: HashSet<&String> = graph.node.iter().flat_map(|node| &node.input).collect();
    assert!(graph.initializer.iter().all(|tensor| read.contains(&tensor.name)), "all initialisers are used");
}

#[test]
fn parameters_and_statistics_are_the_graphs_own() {
    let graph = everything().unwrap();
    let statistics = statistics(&graph);
    let file = model(&graph).graph.unwrap();
    let find = |name: &str| file.initializer.iter().find(|tensor| tensor.name == name).unwrap();
    let mut count = 0;
    for param in graph.params() {
        let tensor = find(&param.name);
        assert_eq!(tensor.dims, param.shape.iter().map(|&d| d as i64).collect::<Vec<_>>());
        let mut drawn = Vec::new();
        let Weights::Drawn(draw) = WEIGHTS else { unreachable!() };
        draw.fill(param, &mut drawn);
        assert_eq!(floats(tensor), drawn);
        count += drawn.len() as u64;
    }
    assert_eq!(count, graph.parameter_count());
    let norms = graph.modules().iter().filter(|module| ["stem.1", "bn"].contains(&module.name.as_str()));
    for module in norms {
        let expected = statistics.of(module.output).unwrap();
        let mean = floats(find(&format!("{}.running_mean", module.name)));
        let variance = floats(find(&format!("{}.running_var", module.name)));
        assert_eq!(mean, expected.iter().map(|s| s.0 as f32).collect::<Vec<_>>());
        assert_eq!(variance, expected.iter().map(|s| s.1 as f32).collect::<Vec<_>>());
        assert!(mean.iter().any(|&m| m != 0.0) && variance.iter().all(|&v| v > 0.0));
    }
}

#[test]
fn the_batch_is_open_and_all_else_is_fixed() {
    let graph = model(&everything().unwrap()).graph.unwrap();
    let dims = |info: &super::proto::ValueInfo| {
        let shape = info.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
        let text = |value: DimensionValue| match value {
            DimensionValue::Size(size) => size.to_string(),
            DimensionValue::Name(name) => name,
        };
        shape.dim.into_iter().map(|dim| text(dim.value.unwrap())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(dims(&graph.input[0]), "batch 3 17 15");
    assert_eq!(dims(&graph.output[0]), "batch 10");
    assert_eq!((graph.input.len(), graph.output.len()), (1, 1));
}

#[test]
fn what_onnx_cannot_have_is_an_error() {
    let statistics = FixedStatistics::default();
    let contents = Contents { weights: WEIGHTS, statistics: &statistics, about: "" };
    let error = |b: GraphBuilder, outputs: &[ValueId]| export(&b.finish(outputs), &contents).unwrap_err();
    let new = || GraphBuilder::new(Shape::new(16_384, 9, 9));
    assert!(matches!(error(new(), &[]), OnnxError::NoOutput));
    let mut b = new();
    let x = b.conv2d("c", b.input(), Conv::new(16_384, Window::square(3))).unwrap();
    insta::assert_snapshot!(error(b, &[x]), @"the network has 2415919104 parameters, but an ONNX file cannot be larger than 2 GB; use fewer channels");
    let mut b = new();
    let cut = Window::square(3).padding(Padding { top: -1, ..Padding::default() });
    let x = b.max_pool("p", b.input(), cut).unwrap();
    insta::assert_snapshot!(error(b, &[x]), @"p: the max pool with kernel 3x3 cuts pixels away, which ONNX cannot say; give it a padding of 0 or more");
    let mut b = new();
    let x = b.scope("cell", |b| b.avg_pool("p", b.input(), cut, false)).unwrap();
    insta::assert_snapshot!(error(b, &[x]), @"cell.p: the average pool with kernel 3x3 cuts pixels away, which ONNX cannot say; give it a padding of 0 or more");
    let mut b = new();
    let outside = Window::square(2).padding(Padding { bottom: 2, ..Padding::default() });
    let x = b.scope("cell", |b| b.avg_pool("p", b.input(), outside, false)).unwrap();
    insta::assert_snapshot!(error(b, &[x]), @"cell.p: the average pool has windows that lie within its padding, which ONNX Runtime refuses; give it less padding than its kernel is wide");
    // A network that does nothing has a file that can be read.
    let b = GraphBuilder::new(Shape::new(3, 4, 5));
    let images = b.input();
    let file = export(&b.finish(&[images]), &contents).unwrap();
    assert_eq!(read(file, Images::OfFile).unwrap().nodes().len(), 1);
    let mut b = new();
    let dilated = Window::square(3).dilation(2);
    let x = b.scope("cell", |b| b.avg_pool("p", b.input(), dilated, false)).unwrap();
    insta::assert_snapshot!(error(b, &[x]), @"cell.p: the average pool has dilation 2x2, but ONNX has only 1x1 before version 19 of its operators, and the file is of version 17; use a dense window");
}
