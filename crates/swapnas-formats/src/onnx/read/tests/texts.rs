//! Networks that read tokens.

use prost::Message;

use super::{int, ints, model, node, weights, whole};
use crate::onnx::proto::{
    DataType, Dimension, DimensionValue, Model, Node, Tensor, TensorShape, TensorType, Type, ValueInfo,
};
use crate::onnx::read::{Images, ReadError, read};
use swapnas_graph::tensor::{Embedding, TensorOp};
use swapnas_graph::{Graph, Linear, Op, Shape};

fn texts(name: &str, length: Option<i64>) -> ValueInfo {
    let length = match length {
        Some(length) => DimensionValue::Size(length),
        None => DimensionValue::Name("length".to_owned()),
    };
    let sizes = [DimensionValue::Name("batch".to_owned()), length];
    let dim = sizes.into_iter().map(|value| Dimension { value: Some(value) }).collect();
    let tensor_type = TensorType { elem_type: DataType::Int64.into(), shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

/// Embeddings of tokens and places, and a layer for the words, which shares the table of the tokens.
fn language_model(input: Vec<ValueInfo>) -> Model {
    let nodes = vec![
        node("Gather", "words.weight, input_ids", "words", Vec::new()),
        node("Gather", "places.weight, position_ids", "places", Vec::new()),
        node("Add", "words, places", "sum", Vec::new()),
        node("Relu", "sum", "hidden", Vec::new()),
        node("Transpose", "words.weight", "turned", vec![ints("perm", &[1, 0])]),
        node("MatMul", "hidden, turned", "y", Vec::new()),
    ];
    let mut model = model(nodes, vec![weights("words.weight", &[50, 6]), weights("places.weight", &[8, 6])]);
    model.graph.as_mut().unwrap().input = input;
    model
}

fn graph(model: &Model, images: Images) -> Result<Graph, ReadError> {
    read(model.encode_to_vec(), images)
}

#[test]
fn tokens_are_rows_of_a_table_that_layers_share() {
    let model = language_model(vec![texts("input_ids", Some(8)), texts("position_ids", Some(8))]);
    let graph = graph(&model, Images::OfFile).unwrap();
    assert_eq!(graph.shape(graph.input()), Shape::new(1, 1, 8));
    assert_eq!(graph.vocabulary(), Some(50));
    assert_eq!(graph.parameter_count(), 50 * 6 + 8 * 6);
    assert_eq!(graph.relus().count(), 1);
    assert_eq!(graph.shape(graph.outputs()[0]), Shape::new(50, 1, 8));
    let embedding = graph.nodes().iter().find_map(|node| match node.op {
        Op::Tensor(TensorOp::Embedding(Embedding { table })) => Some(table),
        _ => None,
    });
    let of_words = graph.nodes().iter().find_map(|node| match node.op {
        Op::Linear(Linear { weight, .. }) => Some(weight),
        _ => None,
    });
    assert_eq!(embedding, of_words);
    assert_eq!(graph.param(embedding.unwrap()).name, "words.weight");
}

#[test]
fn the_length_of_texts_may_be_given() {
    let open = language_model(vec![texts("input_ids", None), texts("position_ids", None)]);
    let shape = |images| graph(&open, images).map(|graph| graph.shape(graph.input()));
    assert_eq!(shape(Images::Side(5)).unwrap(), Shape::new(1, 1, 5));
    let error = |images| shape(images).unwrap_err().to_string();
    insta::assert_snapshot!(error(Images::OfFile), @"the file leaves the length of the texts open; give it, as in size 128");
    insta::assert_snapshot!(error(Images::Shape(Shape::new(3, 8, 8))), @"the network takes texts, not images; give the number of their tokens, as in size 128");
    insta::assert_snapshot!(error(Images::Side(10_000)), @"tokens of a text: 10000; the most is 8192");
    // More places than the table has.
    assert!(error(Images::Side(9)).starts_with("node 2, Gather: "));
    let several = language_model(vec![texts("input_ids", Some(8)), texts("decoder_ids", Some(8))]);
    insta::assert_snapshot!(graph(&several, Images::OfFile).unwrap_err(), @"the network takes 2 inputs; networks are supported that take one, a batch of images, or the tokens of texts with what is called a mask, type or position of them");
}

/// As attention does it: what is masked is excluded, which nothing is.
#[test]
fn masks_and_parts_are_known_before_the_network_runs() {
    let nodes: Vec<Node> = vec![
        node("Gather", "words.weight, input_ids", "words", Vec::new()),
        node("Gather", "parts.weight, token_type_ids", "parts", Vec::new()),
        node("Add", "words, parts", "sum", Vec::new()),
        node("Equal", "attention_mask, zero", "excluded", Vec::new()),
        node("Unsqueeze", "excluded, axes", "last", Vec::new()),
        node("Where", "last, huge, sum", "kept", Vec::new()),
        node("Trilu", "square, one", "above", vec![int("upper", 1)]),
        node("ReduceMean", "kept, axis", "y", vec![int("keepdims", 0)]),
    ];
    let tensors = vec![
        weights("words.weight", &[50, 6]),
        weights("parts.weight", &[2, 6]),
        whole("zero", &[0]),
        whole("axes", &[-1]),
        whole("axis", &[1]),
        whole("one", &[1]),
        Tensor { dims: vec![2, 2], ..whole("square", &[1, 2, 3, 4]) },
        super::number("huge", -1e9),
    ];
    let mut model = model(nodes, tensors);
    let inputs = ["attention_mask", "input_ids", "token_type_ids"].map(|name| texts(name, Some(8)));
    model.graph.as_mut().unwrap().input = inputs.to_vec();
    let graph = graph(&model, Images::OfFile).unwrap();
    assert_eq!(graph.parameter_count(), 50 * 6 + 2 * 6);
    assert_eq!(graph.shape(graph.outputs()[0]).elements(), 6);
}
