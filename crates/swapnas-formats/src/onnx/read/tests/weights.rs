//! The numbers of a file, and the keys by which others are drawn.

use std::collections::BTreeSet;

use prost::Message;
use swapnas_graph::{Graph, Key};

use super::{graph, int, model, node, weights};
use crate::onnx::proto::{Node, Tensor};
use crate::onnx::read::{Images, Reading, read, read_with_weights};

#[test]
fn weights_are_put_into_the_order_of_their_layers() {
    let nodes = vec![
        node("Conv", "x, w0, b0", "c", Vec::new()),
        node("GlobalAveragePool", "c", "p", Vec::new()),
        node("Flatten", "p", "f", Vec::new()),
        node("MatMul", "f, w1", "m", Vec::new()),
        node("Gemm", "m, w2", "y", vec![int("transB", 1)]),
    ];
    let doubles: Vec<u8> = [0.5f64, 1.5, 2.5].iter().flat_map(|x| x.to_le_bytes()).collect();
    let tensors = vec![
        weights("first.weight", &[3, 4, 1, 1]),
        Tensor { data_type: 11, raw_data: doubles.into(), ..weights("b0", &[3]) },
        weights("w1", &[3, 2]),
        Tensor {
            float_data: (0..10).map(|i| i as f32).collect(),
            raw_data: Vec::new().into(),
            ..weights("w2", &[5, 2])
        },
    ];
    let mut nodes = nodes;
    nodes[0].input[1] = "first.weight".to_owned();
    let file = model(nodes, tensors).encode_to_vec();
    let (graph, tensors) = read_with_weights(file, Images::OfFile).unwrap();
    let numbers = |index: usize| tensors.param(&graph.params()[index]).unwrap().to_vec();
    assert_eq!(graph.params()[0].name, "first.weight");
    assert_eq!(numbers(0), (0..12).map(|i| i as f32).collect::<Vec<_>>());
    assert_eq!(numbers(1), [0.5, 1.5, 2.5]);
    assert_eq!(numbers(2), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(numbers(3), (0..10).map(|i| i as f32).collect::<Vec<_>>());
}

fn keys(graph: &Graph) -> BTreeSet<Key> {
    let keys: BTreeSet<Key> = graph.params().iter().map(|param| param.key).collect();
    assert_eq!(keys.len(), graph.params().len(), "no two are alike");
    keys
}

/// Two branches that are added, with names and an order of nodes.
fn branches(names: [&str; 4], swapped: bool) -> Graph {
    let [a, b, w, v] = names;
    let mut nodes: Vec<Node> = vec![
        node("Conv", &format!("x, {w}"), a, Vec::new()),
        node("Conv", &format!("x, {v}"), b, Vec::new()),
    ];
    let mut sum = format!("{a}, {b}");
    if swapped {
        nodes.swap(0, 1);
        sum = format!("{b}, {a}");
    }
    nodes.push(node("Add", &sum, "sum", Vec::new()));
    nodes.push(node("Conv", "sum, u", "y", Vec::new()));
    let tensors = vec![weights(w, &[4, 4, 1, 1]), weights(v, &[4, 2, 1, 1]), weights("u", &[3, 4, 1, 1])];
    let groups = nodes.iter_mut().find(|node| node.input[1] == v).unwrap();
    groups.attribute.push(int("group", 2));
    graph(nodes, tensors).unwrap()
}

#[test]
fn keys_depend_on_what_layers_are_and_read() {
    let graph = branches(["a", "b", "w", "v"], false);
    assert_eq!(keys(&graph), keys(&branches(["c.1", "z", "layer.weight", "v"], false)));
    assert_eq!(keys(&graph), keys(&branches(["a", "b", "w", "v"], true)));
}

/// Exporters store once what is equal by chance, as new biases are, and what layers share.
#[test]
fn parameters_that_are_stored_once_are_parameters_of_each_layer_if_they_are_all_alike() {
    let nodes = || {
        vec![
            node("Conv", "x, w", "a", Vec::new()),
            node("Identity", "w", "same", Vec::new()),
            node("Conv", "x, same", "b", Vec::new()),
            node("Add", "a, b", "y", Vec::new()),
        ]
    };
    let varied = weights("w", &[4, 4, 1, 1]);
    let alike = Tensor { raw_data: 1.5f32.to_le_bytes().repeat(16).into(), ..varied.clone() };
    let apart = graph(nodes(), vec![alike]).unwrap();
    assert_eq!(apart.parameter_count(), 32);
    keys(&apart);
    let names: BTreeSet<&str> = apart.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    // The same layer of the same images is computed once, and each of its modules knows it.
    let shared = graph(nodes(), vec![varied]).unwrap();
    assert_eq!(shared.parameter_count(), 16);
    assert_eq!(shared.nodes().len(), 3);
    assert!(shared.modules().iter().all(|module| module.output.index() == 1));
}

/// What a module keeps and does not learn is no parameter, but what is stored under its name may be one, if both are
/// alike in all their numbers.
#[test]
fn buffers_are_no_parameters() {
    let scaled = |tensor: Tensor| {
        let nodes = vec![node("Mul", "x, table", "y", Vec::new())];
        let reading = Reading { images: Images::OfFile, buffers: ["table".to_owned()].into() };
        read(model(nodes, vec![tensor]).encode_to_vec(), reading).unwrap().parameter_count()
    };
    let varied = weights("table", &[4, 9, 8]);
    let alike = Tensor { raw_data: 1.5f32.to_le_bytes().repeat(4 * 9 * 8).into(), ..varied.clone() };
    assert_eq!(scaled(varied), 0);
    assert_eq!(scaled(alike), 4 * 9 * 8);
}

#[test]
fn scales_that_are_all_alike_are_those_of_each_node() {
    let scaled = |tensor: Tensor| {
        let nodes = vec![
            node("Mul", "x, scale", "a", Vec::new()),
            node("Relu", "a", "b", Vec::new()),
            node("Mul", "b, scale", "y", Vec::new()),
        ];
        graph(nodes, vec![tensor]).unwrap().parameter_count()
    };
    let varied = weights("scale", &[4, 1, 1]);
    let alike = Tensor { raw_data: 1e-6f32.to_le_bytes().repeat(4).into(), ..varied.clone() };
    assert_eq!(scaled(varied), 4);
    assert_eq!(scaled(alike), 8);
}
