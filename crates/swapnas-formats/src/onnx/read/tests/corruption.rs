//! Files with other bytes than they should have.

use proptest::prelude::*;
use prost::Message;

use super::{float, int, ints, model, node, number, text, weights, whole};
use crate::onnx::proto::{Model, Node, Tensor};
use crate::onnx::read::{Images, read, read_with_weights};

/// A file with most of what is read.
fn everything() -> Model {
    let nodes: Vec<Node> = vec![
        node("Pad", "x, pads", "p", vec![text("mode", "constant")]),
        node(
            "Conv",
            "p, w0",
            "c0",
            vec![ints("strides", &[1, 2]), int("group", 2), text("auto_pad", "SAME_UPPER")],
        ),
        node("BatchNormalization", "c0, s, b, b, s", "n0", vec![float("epsilon", 1e-3)]),
        node("Relu", "n0", "r0", Vec::new()),
        node(
            "MaxPool",
            "r0",
            "m0",
            vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), int("ceil_mode", 1)],
        ),
        node("Split", "m0", "a, d", vec![int("axis", 1)]),
        node("Sigmoid", "a", "sa", Vec::new()),
        node("Mul", "a, sa", "silu", Vec::new()),
        node("Concat", "silu, d", "j", vec![int("axis", 1)]),
        node("Shape", "j", "dims", Vec::new()),
        node("Gather", "dims, zero", "n", Vec::new()),
        node("Concat", "n, groups", "grouped", vec![int("axis", 0)]),
        node("Reshape", "j, grouped", "g", Vec::new()),
        node("Transpose", "g", "t", vec![ints("perm", &[0, 2, 1, 3, 4])]),
        node("Reshape", "t, back", "sh", Vec::new()),
        node("Slice", "sh, zero, two, two", "part", Vec::new()),
        node("ReduceMean", "sh", "mean", vec![ints("axes", &[2, 3])]),
        node("HardSigmoid", "mean", "gate", vec![float("alpha", 1.0 / 6.0)]),
        node("Mul", "sh, gate", "scaled", Vec::new()),
        node(
            "AveragePool",
            "scaled",
            "pool",
            vec![ints("kernel_shape", &[2, 2]), ints("pads", &[1, 1, 0, 0])],
        ),
        node("Clip", "pool, low, high", "clipped", Vec::new()),
        node("Flatten", "clipped", "f", Vec::new()),
        node("Gemm", "f, w1, c1", "l", vec![int("transB", 1)]),
        node("Softmax", "l", "y", Vec::new()),
    ];
    let tensors: Vec<Tensor> = vec![
        whole("pads", &[0, 0, 1, 0, 0, 0, 0, 1]),
        weights("w0", &[8, 2, 3, 3]),
        weights("s", &[8]),
        weights("b", &[8]),
        whole("zero", &[0]),
        whole("two", &[2]),
        whole("groups", &[2, 4, 5, 2]),
        whole("back", &[0, 8, 5, -1]),
        number("low", 0.0),
        number("high", 6.0),
        weights("w1", &[3, 80]),
        weights("c1", &[3]),
    ];
    model(nodes, tensors)
}

/// Whatever comes of it, nothing panics; what can be read has a size.
fn survives(file: &[u8]) {
    for images in [Images::OfFile, Images::Side(5)] {
        if let Ok(graph) = read(file.to_vec(), images) {
            assert!(graph.nodes().len() < 1 << 18);
            let _ = (graph.parameter_count(), graph.macs(), graph.flops());
        }
    }
    let _ = read_with_weights(file.to_vec(), Images::OfFile);
}

#[test]
fn the_file_is_a_good_one() {
    let graph = read(everything().encode_to_vec(), Images::OfFile).unwrap();
    assert_eq!(graph.parameter_count(), 144 + 16 + 240 + 3);
    assert_eq!(graph.shape(graph.outputs()[0]).channels, 3);
}

#[test]
fn every_byte_may_be_anything() {
    let file = everything().encode_to_vec();
    for place in 0..file.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff, file[place] ^ 1, file[place].wrapping_add(8)] {
            let mut broken = file.clone();
            broken[place] = byte;
            survives(&broken);
        }
        survives(&file[..place]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_are_flipped_dropped_and_repeated(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in prop::option::of((any::<prop::sample::Index>(), 1usize..40)),
        copy in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1usize..60)),
    ) {
        let mut file = everything().encode_to_vec();
        for (place, byte) in flips {
            let place = place.index(file.len());
            file[place] = byte;
        }
        if let Some((place, len)) = cut {
            let place = place.index(file.len());
            file.drain(place..(place + len).min(file.len()));
        }
        if let Some((from, to, len)) = copy {
            let from = from.index(file.len());
            let piece = file[from..(from + len).min(file.len())].to_vec();
            let to = to.index(file.len());
            file.splice(to..to, piece);
        }
        survives(&file);
    }

    /// Messages that are well-formed, with numbers that make no sense.
    #[test]
    fn numbers_are_wild(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), wild()), 1..4),
    ) {
        let mut model = everything();
        let graph = model.graph.as_mut().unwrap();
        for (of, place, number) in changes {
            let mut numbers: Vec<&mut i64> = match of.index(3) {
                0 => graph.initializer.iter_mut().flat_map(|tensor| &mut tensor.dims).collect(),
                1 => graph.initializer.iter_mut().flat_map(|tensor| &mut tensor.int64_data).collect(),
                _ => {
                    let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
                    attributes.flat_map(|attribute| attribute.ints.iter_mut().chain([&mut attribute.i])).collect()
                }
            };
            let place = place.index(numbers.len());
            *numbers[place] = number;
        }
        // Dimensions alone may be wild if the numbers are in another file.
        for tensor in &mut graph.initializer {
            if tensor.data_type == 1 && tensor.dims.iter().any(|dim| *dim > 100 || *dim < 0) {
                tensor.data_location = 1;
            }
        }
        survives(&model.encode_to_vec());
    }
}

fn wild() -> impl Strategy<Value = i64> {
    prop_oneof![
        -3i64..20,
        Just(i64::MIN),
        Just(i64::MAX),
        Just(1 << 31),
        Just(-(1 << 31)),
        Just(1 << 62),
        (0u32..63).prop_map(|bit| 1i64 << bit),
        any::<i64>(),
    ]
}
