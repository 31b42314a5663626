//! Small files, made of messages.

mod beside;
mod corruption;
mod mistakes;
mod operators;
mod texts;
mod transposed;
mod weights;

use prost::Message;
use prost::bytes::Bytes;
use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{AvgPool, BatchNorm, Conv2d, Graph, Linear, MaxPool, Op, Slice};

use super::{Images, ReadError, read};
use crate::onnx::proto::{
    Attribute, AttributeType, DataType, Dimension, DimensionValue, Graph as GraphProto, Model, Node,
    OperatorSet, Tensor, TensorShape, TensorType, Type, ValueInfo,
};

/// A file with an input `x` of 4x9x8 and an output `y`.
pub(super) fn model(node: Vec<Node>, initializer: Vec<Tensor>) -> Model {
    Model {
        opset_import: vec![OperatorSet { domain: String::new(), version: 20 }],
        graph: Some(GraphProto {
            node,
            initializer,
            input: vec![images("x", &[None, Some(4), Some(9), Some(8)])],
            output: vec![ValueInfo { name: "y".to_owned(), r#type: None }],
            ..GraphProto::default()
        }),
        ..Model::default()
    }
}

pub(super) fn images(name: &str, dims: &[Option<i64>]) -> ValueInfo {
    let size = |size: &Option<i64>| match size {
        Some(size) => DimensionValue::Size(*size),
        None => DimensionValue::Name("open".to_owned()),
    };
    let dim = dims.iter().map(|dim| Dimension { value: Some(size(dim)) }).collect();
    let tensor_type = TensorType { elem_type: DataType::Float.into(), shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

/// `operator` of comma-separated inputs.
pub(super) fn node(operator: &str, inputs: &str, output: &str, attribute: Vec<Attribute>) -> Node {
    Node {
        op_type: operator.to_owned(),
        input: inputs.split(',').filter(|_| !inputs.is_empty()).map(|name| name.trim().to_owned()).collect(),
        output: output.split(',').map(|name| name.trim().to_owned()).collect(),
        attribute,
        ..Node::default()
    }
}

pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: AttributeType::Int.into(), ..Attribute::default() }
}

pub(super) fn ints(name: &str, ints: &[i64]) -> Attribute {
    let r#type = AttributeType::Ints.into();
    Attribute { name: name.to_owned(), ints: ints.to_vec(), r#type, ..Attribute::default() }
}

pub(super) fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, r#type: AttributeType::Float.into(), ..Attribute::default() }
}

pub(super) fn text(name: &str, s: &str) -> Attribute {
    let r#type = AttributeType::String.into();
    Attribute { name: name.to_owned(), s: s.as_bytes().to_vec(), r#type, ..Attribute::default() }
}

/// Numbers that differ.
pub(super) fn weights(name: &str, dims: &[i64]) -> Tensor {
    let len = dims.iter().product::<i64>();
    let numbers = (0..len).flat_map(|i| (i as f32).to_le_bytes()).collect::<Vec<_>>();
    Tensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float.into(),
        raw_data: Bytes::from(numbers),
        ..Tensor::default()
    }
}

/// One number.
pub(super) fn number(name: &str, number: f32) -> Tensor {
    let (name, data_type) = (name.to_owned(), DataType::Float.into());
    Tensor { name, data_type, float_data: vec![number], ..Tensor::default() }
}

pub(super) fn whole(name: &str, numbers: &[i64]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        dims: vec![numbers.len() as i64],
        data_type: DataType::Int64.into(),
        int64_data: numbers.to_vec(),
        ..Tensor::default()
    }
}

pub(super) fn graph(node: Vec<Node>, initializer: Vec<Tensor>) -> Result<Graph, ReadError> {
    read(model(node, initializer).encode_to_vec(), Images::OfFile)
}

/// The operations that the logits depend on, one a line.
pub(super) fn lines(node: Vec<Node>, initializer: Vec<Tensor>) -> String {
    let graph = graph(node, initializer).unwrap();
    let mut needed = vec![false; graph.nodes().len()];
    needed[graph.outputs()[0].index()] = true;
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        if needed[index] {
            node.inputs.iter().for_each(|input| needed[input.index()] = true);
        }
    }
    let line = |(index, node): (usize, &swapnas_graph::Node)| {
        let window = |window: &swapnas_graph::Window| {
            let swapnas_graph::Window { kernel, stride, dilation, padding: p } = window;
            let sides = [p.top, p.left, p.bottom, p.right];
            format!(" kernel {kernel:?} stride {stride:?} dilation {dilation:?} padding {sides:?}")
        };
        let more = match &node.op {
            Op::Conv2d(Conv2d { window: w, groups, bias, .. }) => {
                format!("{} groups {groups} bias {}", window(w), bias.is_some())
            }
            Op::Tensor(TensorOp::ConvTranspose(of)) => {
                format!("{} groups {} bias {}", window(&of.window), of.groups, of.bias.is_some())
            }
            Op::Linear(Linear { bias, .. }) => format!(" bias {}", bias.is_some()),
            Op::BatchNorm(BatchNorm { affine, epsilon }) => {
                format!(" affine {} epsilon {epsilon:?}", affine.is_some())
            }
            Op::MaxPool(MaxPool { window: w }) => window(w),
            Op::AvgPool(AvgPool { window: w, count_padding }) => {
                format!("{} count {count_padding}", window(w))
            }
            Op::Slice(Slice { start }) => format!(" from {start}"),
            _ => String::new(),
        };
        let inputs: Vec<String> = node.inputs.iter().map(|input| input.index().to_string()).collect();
        format!("{index} = {}({}){more}: {}", node.op.name(), inputs.join(", "), node.shape)
    };
    let nodes = graph.nodes().iter().enumerate().skip(1).filter(|(index, _)| needed[*index]);
    nodes.map(line).collect::<Vec<_>>().join("\n")
}

/// The message of a file that cannot be read.
pub(super) fn error(node: Vec<Node>, initializer: Vec<Tensor>) -> String {
    graph(node, initializer).unwrap_err().to_string()
}
