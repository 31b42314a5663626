//! Transposed convolutions.

use insta::assert_snapshot;
use swapnas_graph::Shape;

use super::{error, graph, int, ints, lines, node, text, weights};
use crate::onnx::proto::Attribute;

fn of(attributes: Vec<Attribute>, weights_dims: &[i64]) -> String {
    lines(vec![node("ConvTranspose", "x, w", "y", attributes)], vec![weights("w", weights_dims)])
}

#[test]
fn attributes() {
    assert_snapshot!(of(Vec::new(), &[4, 5, 3, 2]), @"1 = transposed convolution(0) kernel [3, 2] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x11x9");
    let attributes = vec![
        ints("strides", &[2, 3]),
        ints("pads", &[1, 0, 1, 2]),
        ints("output_padding", &[1, 0]),
        ints("dilations", &[1, 2]),
        int("group", 2),
    ];
    assert_snapshot!(of(attributes, &[4, 3, 3, 3]), @"1 = transposed convolution(0) kernel [3, 3] stride [2, 3] dilation [1, 2] padding [1, 0, 0, 2] groups 2 bias false: 6x18x24");
    // More than the whole is what comes of a longer result.
    let longer = |attributes| of(attributes, &[4, 5, 2, 2]);
    let two = || ints("strides", &[2, 2]);
    assert_snapshot!(longer(vec![two(), ints("output_padding", &[1, 1])]), @"1 = transposed convolution(0) kernel [2, 2] stride [2, 2] dilation [1, 1] padding [0, 0, -1, -1] groups 1 bias false: 5x19x17");
    assert_eq!(
        longer(vec![two(), ints("output_shape", &[19, 17])]),
        longer(vec![two(), ints("output_padding", &[1, 1])])
    );
}

#[test]
fn padding_by_itself() {
    let padded = |auto: &str, more: Vec<Attribute>| {
        let attributes = [vec![text("auto_pad", auto), ints("strides", &[2, 2])], more].concat();
        of(attributes, &[4, 5, 3, 3])
    };
    assert_snapshot!(padded("SAME_UPPER", Vec::new()), @"1 = transposed convolution(0) kernel [3, 3] stride [2, 2] dilation [1, 1] padding [0, 0, 1, 1] groups 1 bias false: 5x18x16");
    assert_snapshot!(padded("SAME_LOWER", Vec::new()), @"1 = transposed convolution(0) kernel [3, 3] stride [2, 2] dilation [1, 1] padding [1, 1, 0, 0] groups 1 bias false: 5x18x16");
    assert_snapshot!(padded("VALID", vec![ints("pads", &[1, 1, 1, 1])]), @"1 = transposed convolution(0) kernel [3, 3] stride [2, 2] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x19x17");
    // Without anything else, more of it lies in front.
    assert_snapshot!(padded("NOTSET", vec![ints("output_shape", &[16, 15])]), @"1 = transposed convolution(0) kernel [3, 3] stride [2, 2] dilation [1, 1] padding [2, 1, 1, 1] groups 1 bias false: 5x16x15");
}

#[test]
fn biases() {
    let tensors = || vec![weights("w", &[4, 3, 2, 2]), weights("b", &[6])];
    let group = || vec![int("group", 2)];
    let own = lines(vec![node("ConvTranspose", "x, w, b", "y", group())], tensors());
    assert_snapshot!(own, @"1 = transposed convolution(0) kernel [2, 2] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 2 bias true: 6x10x9");
    // One that is added behind it is its own.
    let nodes = vec![node("ConvTranspose", "x, w", "a", group()), node("Add", "a, b", "y", Vec::new())];
    assert_eq!(lines(nodes, vec![weights("w", &[4, 3, 2, 2]), weights("b", &[6, 1, 1])]), own);
}

#[test]
fn lines_of_numbers() {
    let attributes = vec![ints("strides", &[2]), ints("pads", &[1, 1]), ints("output_padding", &[1])];
    let nodes = vec![
        node("ReduceMean", "x", "m", vec![ints("axes", &[2]), int("keepdims", 0)]),
        node("ConvTranspose", "m, w", "y", attributes),
    ];
    let graph = graph(nodes, vec![weights("w", &[4, 5, 3])]).unwrap();
    let layer = graph.modules().last().expect("there is a layer");
    assert_eq!(graph.shape(layer.output), Shape::new(5, 1, 16));
    assert_eq!(graph.params()[0].shape, [4, 5, 1, 3]);
}

#[test]
fn what_is_refused() {
    let of = |attributes, dims: &[i64]| {
        error(vec![node("ConvTranspose", "x, w", "y", attributes)], vec![weights("w", dims)])
    };
    assert_snapshot!(of(Vec::new(), &[5, 4, 3, 3]), @"node 1, ConvTranspose: the file is broken: the weights are for 5 channels, but the image has 4");
    assert_snapshot!(of(vec![int("group", 3)], &[4, 4, 3, 3]), @"node 1, ConvTranspose: y: transposed convolution needs input and output channels (12) that 3 groups divide, but the value has 4x9x8");
    assert_snapshot!(of(vec![ints("strides", &[0, 1])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: the file is broken: strides is [0, 1]");
    assert_snapshot!(of(vec![ints("pads", &[1, 1])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: the file is broken: pads is [1, 1]");
    assert_snapshot!(of(vec![ints("pads", &[-1, 0, 0, 0])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: y: the transposed convolution cannot have padding -1, 0, 0, 0 (top, left, bottom, right); it takes none below 0, but for output padding, smaller than its stride or dilation");
    assert_snapshot!(of(vec![ints("output_padding", &[0, 1])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: y: the transposed convolution cannot have padding 0, 0, 0, -1 (top, left, bottom, right); it takes none below 0, but for output padding, smaller than its stride or dilation");
    assert_snapshot!(of(vec![ints("pads", &[9, 0, 9, 0])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: y: the transposed convolution with kernel 3x3 does not fit an image of 4x9x8; use a larger input or fewer strides");
    assert_snapshot!(of(vec![ints("strides", &[8192, 1])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: rows or columns of an image: 65539; the most is 8192");
    assert_snapshot!(of(vec![ints("output_shape", &[1 << 20, 10])], &[4, 4, 3, 3]), @"node 1, ConvTranspose: the file is broken: a padding is not from -8192 to 8192");
}
