//! What operators are read as.

use insta::assert_snapshot;

use super::{float, int, ints, lines, model, node, number, text, weights, whole};
use crate::onnx::proto::{Attribute, AttributeType, Node, Tensor};
use crate::onnx::read::{Images, read};

/// A constant that no initialiser holds.
fn constant(output: &str, tensor: Tensor) -> Node {
    let r#type = AttributeType::Tensor.into();
    let value = Attribute { name: "value".to_owned(), t: Some(tensor), r#type, ..Attribute::default() };
    node("Constant", "", output, vec![value])
}

/// `operator` of the images and nothing else.
fn one(operator: &str, attributes: Vec<Attribute>) -> String {
    lines(vec![node(operator, "x", "y", attributes)], Vec::new())
}

#[test]
fn convolutions() {
    let conv = |attributes: Vec<Attribute>, dims: &[i64]| {
        lines(vec![node("Conv", "x, w", "y", attributes)], vec![weights("w", dims)])
    };
    assert_snapshot!(conv(Vec::new(), &[5, 4, 3, 2]), @"1 = convolution(0) kernel [3, 2] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x7x7");
    let placed = vec![
        ints("strides", &[2, 1]),
        ints("dilations", &[1, 2]),
        ints("pads", &[1, 2, 0, 3]),
        int("group", 2),
    ];
    assert_snapshot!(conv(placed, &[6, 2, 3, 3]), @"1 = convolution(0) kernel [3, 3] stride [2, 1] dilation [1, 2] padding [1, 2, 0, 3] groups 2 bias false: 6x4x9");
    let strides = || ints("strides", &[2, 2]);
    assert_snapshot!(conv(vec![text("auto_pad", "SAME_UPPER"), strides()], &[1, 4, 3, 3]), @"1 = convolution(0) kernel [3, 3] stride [2, 2] dilation [1, 1] padding [1, 0, 1, 1] groups 1 bias false: 1x5x4");
    assert_snapshot!(conv(vec![text("auto_pad", "SAME_LOWER"), strides()], &[1, 4, 2, 2]), @"1 = convolution(0) kernel [2, 2] stride [2, 2] dilation [1, 1] padding [1, 0, 0, 0] groups 1 bias false: 1x5x4");
    assert_snapshot!(conv(vec![text("auto_pad", "VALID"), ints("pads", &[1, 1, 1, 1])], &[1, 4, 3, 3]), @"1 = convolution(0) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 1x7x6");
}

#[test]
fn biases() {
    let conv = |inputs: &str| node("Conv", inputs, "c", Vec::new());
    let w = || weights("w", &[5, 4, 1, 1]);
    let added = |dims: &[i64]| {
        lines(vec![conv("x, w"), node("Add", "c, b", "y", Vec::new())], vec![w(), weights("b", dims)])
    };
    assert_snapshot!(lines(vec![node("Conv", "x, w, b", "y", Vec::new())], vec![w(), weights("b", &[5])]), @"1 = convolution(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias true: 5x9x8");
    assert_snapshot!(added(&[1, 5, 1, 1]), @"1 = convolution(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias true: 5x9x8");
    assert_eq!(added(&[5, 1, 1]), added(&[1, 5, 1, 1]));
    // Zeros that are no parameter are none.
    let zeros = Tensor { raw_data: vec![0; 20].into(), ..weights("", &[5]) };
    let without = vec![constant("b", zeros), node("Conv", "x, w, b", "y", Vec::new())];
    assert_snapshot!(lines(without, vec![w()]), @"1 = convolution(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x9x8");
}

#[test]
fn zeros_around_images_and_parts_of_them() {
    let padded = |pads: &[i64], next: Node, more: Vec<Tensor>| {
        let mut tensors = more;
        tensors.push(whole("pads", pads));
        lines(vec![node("Pad", "x, pads", "p", Vec::new()), next], tensors)
    };
    let pads = [0, 0, 1, 2, 0, 0, 3, 0];
    let conv = || node("Conv", "p, w", "y", vec![ints("pads", &[1, 1, 1, 1])]);
    let w = || vec![weights("w", &[5, 4, 3, 3])];
    assert_snapshot!(padded(&pads, conv(), w()), @"1 = convolution(0) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [2, 3, 4, 1] groups 1 bias false: 5x13x10");
    // What is cut away does not come back as zeros.
    assert_snapshot!(padded(&[0, 0, -1, 0, 0, 0, 0, 0], conv(), w()), @"
1 = average pool(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [-1, 0, 0, 0] count true: 4x8x8
2 = convolution(1) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [1, 1, 1, 1] groups 1 bias false: 5x8x8
");
    let average = |attributes: Vec<Attribute>| node("AveragePool", "p", "y", attributes);
    assert_snapshot!(padded(&pads, average(vec![ints("kernel_shape", &[3, 3])]), Vec::new()), @"1 = average pool(0) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [1, 2, 3, 0] count true: 4x11x8");
    let own = vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])];
    assert_snapshot!(padded(&pads, average(own), Vec::new()), @"
1 = average pool(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [1, 2, 3, 0] count true: 4x13x10
2 = average pool(1) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [1, 1, 1, 1] count false: 4x13x10
");
    assert_snapshot!(padded(&pads, node("MaxPool", "p", "y", vec![ints("kernel_shape", &[3, 3])]), Vec::new()), @"
1 = average pool(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [1, 2, 3, 0] count true: 4x13x10
2 = max pool(1) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0]: 4x11x8
");

    let sliced = |starts: &[i64], ends: &[i64], axes: &[i64], steps: &[i64]| {
        let nodes = vec![
            node("Slice", "x, starts, ends, axes, steps", "s", Vec::new()),
            node("Conv", "s, w", "y", Vec::new()),
        ];
        let lists = [("starts", starts), ("ends", ends), ("axes", axes), ("steps", steps)];
        let channels = if axes == [1] { ends[0] - starts[0] } else { 4 };
        let mut tensors: Vec<Tensor> = lists.map(|(name, list)| whole(name, list)).into();
        tensors.push(weights("w", &[5, channels, 1, 1]));
        lines(nodes, tensors)
    };
    assert_snapshot!(sliced(&[1, -7], &[i64::MAX, -1], &[2, -1], &[1, 1]), @"1 = convolution(0) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [-1, -1, 0, -1] groups 1 bias false: 5x8x6");
    assert_snapshot!(sliced(&[1, 0], &[8, 8], &[2, 3], &[2, 3]), @"
1 = max pool(0) kernel [1, 1] stride [2, 3] dilation [1, 1] padding [-1, 0, -1, 0]: 4x4x3
2 = convolution(1) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x4x3
");
    assert_snapshot!(sliced(&[1], &[3], &[1], &[1]), @"
1 = channel slice(0) from 1: 2x9x8
2 = convolution(1) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 5x9x8
");
}

#[test]
fn pools() {
    let kernel = || ints("kernel_shape", &[3, 2]);
    let ceil = || vec![kernel(), ints("strides", &[2, 3]), int("ceil_mode", 1)];
    assert_snapshot!(one("MaxPool", vec![kernel(), ints("dilations", &[2, 1]), ints("pads", &[1, 0, 1, 1])]), @"1 = max pool(0) kernel [3, 2] stride [1, 1] dilation [2, 1] padding [1, 0, 1, 1]: 4x7x8");
    assert_snapshot!(one("MaxPool", [ceil(), vec![ints("pads", &[0, 1, 1, 1])]].concat()), @"1 = max pool(0) kernel [3, 2] stride [2, 3] dilation [1, 1] padding [0, 1, 2, 1]: 4x5x3");
    assert_snapshot!(one("AveragePool", ceil()), @"1 = average pool(0) kernel [3, 2] stride [2, 3] dilation [1, 1] padding [0, 0, 0, 0] count false: 4x4x3");
    assert_snapshot!(one("AveragePool", vec![kernel(), ints("pads", &[1, 1, 1, 1]), int("count_include_pad", 1)]), @"1 = average pool(0) kernel [3, 2] stride [1, 1] dilation [1, 1] padding [1, 1, 1, 1] count true: 4x9x9");
    // Another window that would begin beyond the image is none.
    let late = vec![ints("kernel_shape", &[1, 1]), ints("strides", &[4, 8]), int("ceil_mode", 1)];
    assert_snapshot!(one("MaxPool", late), @"1 = max pool(0) kernel [1, 1] stride [4, 8] dilation [1, 1] padding [0, 0, 0, 0]: 4x3x1");
    assert_snapshot!(one("GlobalMaxPool", Vec::new()), @"1 = max pool(0) kernel [9, 8] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0]: 4x1x1");
    assert_snapshot!(one("GlobalAveragePool", Vec::new()), @"1 = global average pool(0): 4x1x1");
    assert_eq!(one("ReduceMean", vec![ints("axes", &[-1, 2])]), one("GlobalAveragePool", Vec::new()));
    assert_eq!(
        one("ReduceMean", vec![ints("axes", &[2, 3]), int("keepdims", 0)]),
        one("GlobalAveragePool", Vec::new())
    );
    assert_eq!(one("AveragePool", vec![ints("kernel_shape", &[1, 1])]), "");
}

#[test]
fn normalisations() {
    let parameters = || vec![weights("s", &[4]), weights("b", &[4]), weights("m", &[4])];
    let norm =
        |attributes| lines(vec![node("BatchNormalization", "x, s, b, m, m", "y", attributes)], parameters());
    assert_snapshot!(norm(Vec::new()), @"1 = batch norm(0) affine true epsilon 1e-5: 4x9x8");
    assert_snapshot!(norm(vec![float("epsilon", 1e-3), int("training_mode", 1)]), @"1 = batch norm(0) affine true epsilon 0.001: 4x9x8");
    let one = Tensor { float_data: vec![1.0; 4], raw_data: Vec::new().into(), ..weights("", &[4]) };
    let zero = Tensor { float_data: vec![0.0; 4], ..one.clone() };
    let nodes = vec![
        constant("one", one),
        constant("zero", zero),
        node("BatchNormalization", "x, one, zero, m, m", "y", Vec::new()),
    ];
    assert_snapshot!(lines(nodes, parameters()), @"1 = batch norm(0) affine false epsilon 1e-5: 4x9x8");
}

#[test]
fn activations() {
    for (operator, attributes, expected) in [
        ("Relu", Vec::new(), "ReLU"),
        ("Clip", vec![float("min", 0.0), float("max", 6.0)], "ReLU6"),
        ("Clip", vec![float("min", 0.0)], "ReLU"),
        ("HardSwish", Vec::new(), "hard-swish"),
        ("HardSigmoid", vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)], "hard-sigmoid"),
        ("LeakyRelu", vec![float("alpha", 0.25)], "leaky ReLU"),
        ("Gelu", Vec::new(), "GELU"),
        ("Swish", Vec::new(), "SiLU"),
    ] {
        assert_eq!(one(operator, attributes), format!("1 = {expected}(0): 4x9x8"), "{operator}");
    }
}

#[test]
fn activations_put_together() {
    let root = std::f32::consts::SQRT_2;
    let numbers = || {
        let numbers = [("0", 0.0), ("half", 0.5), ("1", 1.0), ("3", 3.0), ("6", 6.0), ("sixth", 1.0 / 6.0)];
        let mut tensors: Vec<Tensor> = numbers.map(|(name, value)| number(name, value)).into();
        tensors.extend([number("root", root), number("1/root", 1.0 / root), number("low", f32::MIN)]);
        tensors
    };
    let of = |nodes: &[(&str, &str, &str)]| {
        let nodes = nodes.iter().map(|(operator, inputs, output)| {
            let attributes =
                if *operator == "HardSigmoid" { vec![float("alpha", 1.0 / 6.0)] } else { Vec::new() };
            node(operator, inputs, output, attributes)
        });
        lines(nodes.collect(), numbers())
    };
    let act = |name: &str| format!("1 = {name}(0): 4x9x8");
    assert_eq!(of(&[("Max", "x, 0", "a"), ("Min", "6, a", "y")]), act("ReLU6"));
    assert_eq!(of(&[("Min", "x, 6", "a"), ("Max", "a, 0", "y")]), act("ReLU6"));
    assert_eq!(of(&[("Relu", "x", "a"), ("Clip", "a, low, 6", "y")]), act("ReLU6"));
    assert_eq!(of(&[("Max", "0, x", "y")]), act("ReLU"));
    assert_eq!(of(&[("Sigmoid", "x", "a"), ("Mul", "a, x", "y")]), act("SiLU"));
    assert_eq!(of(&[("HardSigmoid", "x", "a"), ("Mul", "x, a", "y")]), act("hard-swish"));
    let ramp = [("Add", "x, 3", "a"), ("Clip", "a, 0, 6", "b")];
    assert_eq!(of(&[&ramp[..], &[("Div", "b, 6", "y")]].concat()), act("hard-sigmoid"));
    assert_eq!(
        of(&[&ramp[..], &[("Mul", "x, b", "c"), ("Mul", "c, sixth", "y")]].concat()),
        act("hard-swish")
    );
    assert_eq!(of(&[&ramp[..], &[("Div", "b, 6", "c"), ("Mul", "c, x", "y")]].concat()), act("hard-swish"));
    let relu = [
        ("Add", "3, x", "a"),
        ("Relu", "a", "b"),
        ("Min", "b, 6", "c"),
        ("Mul", "c, x", "d"),
        ("Div", "d, 6", "y"),
    ];
    assert_eq!(of(&relu), act("hard-swish"));
    let erf = [("Div", "x, root", "a"), ("Erf", "a", "b"), ("Add", "b, 1", "c")];
    assert_eq!(of(&[&erf[..], &[("Mul", "x, c", "d"), ("Mul", "d, half", "y")]].concat()), act("GELU"));
    assert_eq!(of(&[&erf[..], &[("Mul", "c, half", "d"), ("Mul", "x, d", "y")]].concat()), act("GELU"));
    let scaled = [
        ("Mul", "x, 1/root", "a"),
        ("Erf", "a", "b"),
        ("Add", "1, b", "c"),
        ("Mul", "x, half", "h"),
        ("Mul", "h, c", "y"),
    ];
    assert_eq!(of(&scaled), act("GELU"));
    // An activation in parts of an activation in parts, of which multiples are taken.
    let silu = [("Sigmoid", "x", "s"), ("Mul", "s, x", "t")];
    let of_silu = scaled.map(|(operator, inputs, output)| match inputs {
        "x, 1/root" => (operator, "t, 1/root", output),
        "x, half" => (operator, "t, half", output),
        _ => (operator, inputs, output),
    });
    assert_snapshot!(of(&[&silu[..], &of_silu].concat()), @"
1 = SiLU(0): 4x9x8
2 = GELU(1): 4x9x8
");
    // The same gate for two: one takes it to pieces, one does not.
    assert_snapshot!(of(&[("Sigmoid", "x", "a"), ("Mul", "a, x", "b"), ("Add", "a, b", "y")]), @"
1 = sigmoid(0): 4x9x8
2 = SiLU(0): 4x9x8
3 = addition(1, 2): 4x9x8
");
    // The sign of a ReLU is captured where it is, not at what is made of it.
    assert_snapshot!(of(&[("Relu", "x", "a"), ("Sigmoid", "a", "b"), ("Mul", "a, b", "y")]), @"
1 = ReLU(0): 4x9x8
2 = SiLU(1): 4x9x8
");
}

#[test]
fn products_and_sums() {
    let gated = |mul: &str| {
        let nodes = vec![
            node("GlobalAveragePool", "x", "p", Vec::new()),
            node("Conv", "p, w", "c", Vec::new()),
            node("Sigmoid", "c", "g", Vec::new()),
            node("Mul", mul, "y", Vec::new()),
        ];
        lines(nodes, vec![weights("w", &[4, 4, 1, 1])])
    };
    assert_snapshot!(gated("x, g"), @"
1 = global average pool(0): 4x1x1
2 = convolution(1) kernel [1, 1] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 4x1x1
3 = sigmoid(2): 4x1x1
4 = multiplication(0, 3): 4x9x8
");
    assert_eq!(gated("g, x"), gated("x, g"));
    let identity = |operator: &str, inputs: &str| {
        lines(
            vec![node(operator, inputs, "a", Vec::new()), node("Relu", "a", "y", Vec::new())],
            vec![number("0", 0.0), number("1", 1.0)],
        )
    };
    for (operator, inputs) in [
        ("Add", "x, 0"),
        ("Sub", "x, 0"),
        ("Mul", "1, x"),
        ("Div", "x, 1"),
        ("Dropout", "x"),
        ("Identity", "x"),
    ] {
        assert_eq!(identity(operator, inputs), "1 = ReLU(0): 4x9x8", "{operator}");
    }
    assert_snapshot!(lines(vec![node("Relu", "x", "a", Vec::new()), node("Sum", "x, a, x", "y", Vec::new())], Vec::new()), @"
1 = ReLU(0): 4x9x8
2 = addition(0, 1, 0): 4x9x8
");
}

#[test]
fn linear_layers() {
    let flat = |next: Vec<Node>, tensors: Vec<Tensor>| {
        let mut nodes =
            vec![node("GlobalAveragePool", "x", "p", Vec::new()), node("Flatten", "p", "f", Vec::new())];
        nodes.extend(next);
        lines(nodes, tensors)
    };
    let bias = || weights("b", &[7]);
    let gemm =
        flat(vec![node("Gemm", "f, w, b", "y", vec![int("transB", 1)])], vec![weights("w", &[7, 4]), bias()]);
    assert_snapshot!(gemm, @"
1 = global average pool(0): 4x1x1
2 = linear layer(1) bias true: 7x1x1
");
    assert_eq!(
        flat(vec![node("Gemm", "f, w, b", "y", Vec::new())], vec![weights("w", &[4, 7]), bias()]),
        gemm
    );
    let added = vec![node("MatMul", "f, w", "m", Vec::new()), node("Add", "b, m", "y", Vec::new())];
    assert_eq!(flat(added, vec![weights("w", &[4, 7]), bias()]), gemm);
    let whole =
        vec![node("Flatten", "x", "f", Vec::new()), node("Gemm", "f, w", "y", vec![int("transB", 1)])];
    assert_snapshot!(lines(whole, vec![weights("w", &[7, 288])]), @"1 = convolution(0) kernel [9, 8] stride [1, 1] dilation [1, 1] padding [0, 0, 0, 0] groups 1 bias false: 7x1x1");
}

#[test]
fn shapes() {
    // As x.view(x.shape[0], 2, x.shape[1] // 2, ...) is written, with what is known of shapes.
    let shuffle = vec![
        node("Shape", "x", "dims", Vec::new()),
        node("Slice", "dims, c0, c1", "n", Vec::new()),
        node("Gather", "dims, c1", "c", Vec::new()),
        node("Slice", "dims, c2, end", "hw", Vec::new()),
        node("Div", "c, c2", "of_group", Vec::new()),
        node("Concat", "n, c2, of_group, hw", "to", vec![int("axis", 0)]),
        node("Reshape", "x, to", "g", Vec::new()),
        node("Transpose", "g", "t", vec![ints("perm", &[0, 2, 1, 3, 4])]),
        node("Reshape", "t, back", "y", Vec::new()),
    ];
    let tensors = || {
        vec![
            whole("c0", &[0]),
            whole("c1", &[1]),
            whole("c2", &[2]),
            whole("end", &[i64::MAX]),
            whole("back", &[-1, 4, 9, 8]),
        ]
    };
    assert_snapshot!(lines(shuffle, tensors()), @"
1 = rearrangement(0): 4x9x8
");
    let vector = |nodes: Vec<Node>| {
        let mut all = vec![node("GlobalAveragePool", "x", "p", Vec::new())];
        all.extend(nodes);
        all.push(node("Gemm", "f, w", "y", Vec::new()));
        lines(all, vec![weights("w", &[4, 3]), whole("flat", &[0, -1]), whole("23", &[2, 3])])
    };
    let flatten = vector(vec![node("Flatten", "p", "f", Vec::new())]);
    assert_eq!(vector(vec![node("Reshape", "p, flat", "f", Vec::new())]), flatten);
    assert_eq!(vector(vec![node("Squeeze", "p, 23", "f", Vec::new())]), flatten);
    assert_eq!(
        vector(vec![
            node("Squeeze", "p", "q", Vec::new()),
            node("Unsqueeze", "q, 23", "r", Vec::new()),
            node("Flatten", "r", "f", Vec::new())
        ]),
        flatten
    );
}

#[test]
fn parts() {
    let split = |node_of_split: Node| {
        let nodes = vec![node_of_split, node("Concat", "b, a", "y", vec![int("axis", -3)])];
        lines(nodes, vec![whole("sizes", &[1, 3])])
    };
    assert_snapshot!(split(node("Split", "x, sizes", "a, b", vec![int("axis", 1)])), @"
1 = channel slice(0) from 0: 1x9x8
2 = channel slice(0) from 1: 3x9x8
3 = concatenation(2, 1): 4x9x8
");
    assert_eq!(
        split(node("Split", "x", "a, b", vec![int("axis", 1), ints("split", &[1, 3])])),
        split(node("Split", "x, sizes", "a, b", vec![int("axis", 1)]))
    );
    assert_snapshot!(split(node("Split", "x", "a, b", vec![int("axis", 1)])), @"
1 = channel slice(0) from 0: 2x9x8
2 = channel slice(0) from 2: 2x9x8
3 = concatenation(2, 1): 4x9x8
");
    let sequence = vec![
        node("SplitToSequence", "x, size", "s", vec![int("axis", 1)]),
        node("SequenceAt", "s, place", "y", Vec::new()),
    ];
    let scalar = |name: &str, number: i64| Tensor { dims: Vec::new(), ..whole(name, &[number]) };
    assert_snapshot!(lines(sequence, vec![scalar("size", 3), scalar("place", -1)]), @"2 = channel slice(0) from 3: 1x9x8");
}

#[test]
fn what_metrics_do_not_read_is_left_out() {
    for last in ["Softmax", "LogSoftmax", "Sigmoid"] {
        let nodes = vec![
            node("GlobalAveragePool", "x", "p", Vec::new()),
            node("Flatten", "p", "f", Vec::new()),
            node(last, "f", "y", Vec::new()),
        ];
        assert_eq!(lines(nodes, Vec::new()), "1 = global average pool(0): 4x1x1", "{last}");
    }
}

#[test]
fn zeros() {
    let nodes = vec![
        node("Shape", "x", "n", vec![int("end", 1)]),
        node("Concat", "n, rest", "dims", vec![int("axis", 0)]),
        node("ConstantOfShape", "dims", "z", Vec::new()),
        node("Concat", "x, z", "y", vec![int("axis", 1)]),
    ];
    assert_snapshot!(lines(nodes, vec![whole("rest", &[2, 9, 8])]), @"
1 = zero(): 2x9x8
2 = concatenation(0, 1): 6x9x8
");
}

#[test]
fn sizes_of_images() {
    use prost::Message;

    use super::images;
    let read_as = |dims: &[Option<i64>], images_wanted| {
        let mut model = model(vec![node("Relu", "x", "y", Vec::new())], Vec::new());
        model.graph.as_mut().unwrap().input = vec![images("x", dims)];
        let graph = read(model.encode_to_vec(), images_wanted).map_err(|error| error.to_string())?;
        Ok(graph.shape(graph.input()).to_string())
    };
    let shape = |c, h, w| Images::Shape(swapnas_graph::Shape::new(c, h, w));
    let open = [None, Some(3), None, None];
    let fixed = [Some(2), Some(3), Some(8), Some(6)];
    let all_open = [None; 4];
    let text = |result: Result<String, String>| result.unwrap_or_else(|error| error);
    assert_snapshot!(text(read_as(&fixed, Images::OfFile)), @"3x8x6");
    assert_snapshot!(text(read_as(&fixed, Images::Side(5))), @"3x5x5");
    assert_snapshot!(text(read_as(&open, Images::OfFile)), @"the file leaves the height and width of the images open; give them, as in size 3x224x224");
    assert_snapshot!(text(read_as(&open, Images::Side(5))), @"3x5x5");
    assert_snapshot!(text(read_as(&open, shape(3, 4, 5))), @"3x4x5");
    assert_snapshot!(text(read_as(&open, shape(1, 4, 5))), @"the network takes images of 3 channels, not of 1");
    assert_snapshot!(text(read_as(&all_open, Images::OfFile)), @"the file leaves the shape of the images open; give them, as in size 3x224x224");
    assert_snapshot!(text(read_as(&all_open, Images::Side(5))), @"the file leaves the channels of the images open; give them, as in size 3x224x224");
    assert_snapshot!(text(read_as(&all_open, shape(2, 4, 5))), @"2x4x5");
    assert_snapshot!(text(read_as(&[None, Some(16), Some(64)], Images::OfFile)), @"the input `x` is a tensor of numbers of 3 dimensions (open x 16 x 64); networks are supported that take images, batch x channels x height x width, or texts, whole numbers of batch x tokens");
    assert_snapshot!(text(read_as(&[None, Some(3), Some(-4), Some(4)], Images::OfFile)), @"the input `x` is a tensor of numbers of 4 dimensions (open x 3 x -4 x 4); networks are supported that take images, batch x channels x height x width, or texts, whole numbers of batch x tokens");
    assert_snapshot!(text(read_as(&[None, Some(3), Some(1 << 40), Some(4)], Images::OfFile)), @"channels, rows or columns of the images: 1099511627776; the most is 8192");
}

/// Attention as exporters write it: heads, scaled keys, a softmax, and what becomes of it.
#[test]
fn attention() {
    let nodes = vec![
        node("Reshape", "x, tokens", "t", Vec::new()),
        node("Transpose", "t", "u", vec![ints("perm", &[0, 2, 1])]),
        node("LayerNormalization", "u, norm.weight, norm.bias", "n", Vec::new()),
        node("MatMul", "n, qkv.weight", "m", Vec::new()),
        node("Add", "qkv.bias, m", "qkv", Vec::new()),
        node("Reshape", "qkv, heads", "h", Vec::new()),
        node("Transpose", "h", "v", vec![ints("perm", &[2, 0, 3, 1, 4])]),
        node("Gather", "v, c0", "q", vec![int("axis", 0)]),
        node("Gather", "v, c1", "k", vec![int("axis", 0)]),
        node("Gather", "v, c2", "w", vec![int("axis", 0)]),
        node("Mul", "q, half", "r", Vec::new()),
        node("Transpose", "k", "kt", vec![ints("perm", &[0, 1, 3, 2])]),
        node("MatMul", "r, kt", "s", Vec::new()),
        node("Softmax", "s", "p", vec![int("axis", -1)]),
        node("MatMul", "p, w", "o", Vec::new()),
        node("Transpose", "o", "ot", vec![ints("perm", &[0, 2, 1, 3])]),
        node("Reshape", "ot, back", "y", Vec::new()),
    ];
    let scalar = |name: &str, number: i64| Tensor { dims: Vec::new(), ..whole(name, &[number]) };
    let tensors = vec![
        whole("tokens", &[0, 4, 72]),
        weights("norm.weight", &[4]),
        weights("norm.bias", &[4]),
        weights("qkv.weight", &[4, 12]),
        weights("qkv.bias", &[12]),
        whole("heads", &[0, -1, 3, 2, 2]),
        scalar("c0", 0),
        scalar("c1", 1),
        scalar("c2", 2),
        number("half", 0.5),
        whole("back", &[0, 72, 4]),
    ];
    // Channels stay channels, and tokens pixels: nothing is moved but what is scaled, and what is returned.
    assert_snapshot!(lines(nodes, tensors), @"
1 = normalisation(0): 4x9x8
2 = linear layer(1) bias true: 12x9x8
3 = rearrangement(2): 2x72x2
4 = function(3): 2x72x2
5 = matrix product(4, 2): 2x72x72
6 = softmax(5): 2x72x72
7 = matrix product(6, 2): 2x2x72
8 = rearrangement(7): 4x1x72
");
}

#[test]
fn constants_among_values() {
    // A class token, a position embedding, a scale of channels, a mask.
    let nodes = vec![
        node("Reshape", "x, tokens", "t", Vec::new()),
        node("Transpose", "t", "u", vec![ints("perm", &[0, 2, 1])]),
        node("Shape", "x", "n", vec![int("end", 1)]),
        node("Concat", "n, ones", "dims", vec![int("axis", 0)]),
        node("Expand", "cls_token, dims", "c", Vec::new()),
        node("Concat", "c, u", "j", vec![int("axis", 1)]),
        node("Add", "j, pos_embed", "a", Vec::new()),
        node("Mul", "a, ls1.gamma", "g", Vec::new()),
        node("Slice", "g, start, end, axis", "y", Vec::new()),
    ];
    let tensors = vec![
        whole("tokens", &[0, 4, 72]),
        whole("ones", &[1, 4]),
        weights("cls_token", &[1, 1, 4]),
        weights("pos_embed", &[1, 73, 4]),
        weights("ls1.gamma", &[4]),
        whole("start", &[0]),
        whole("end", &[1]),
        whole("axis", &[1]),
    ];
    assert_snapshot!(lines(nodes, tensors), @"
1 = parameter(): 1x1x4
2 = rearrangement(1): 4x1x1
3 = rearrangement(0): 4x1x72
4 = joined values(2, 3): 4x1x73
5 = parameter(): 73x1x4
6 = rearrangement(5): 4x1x73
7 = addition(4, 6): 4x1x73
8 = parameter(): 4x1x1
9 = multiplication(7, 8): 4x1x73
10 = rearrangement(9): 4x1x1
");
    let masked =
        vec![node("Equal", "table, one", "is", Vec::new()), node("Where", "is, x, low", "y", Vec::new())];
    let table = Tensor { dims: vec![1, 8], ..whole("table", &[0, 1, 1, 1, 0, 1, 0, 1]) };
    let masked = lines(masked, vec![table, whole("one", &[1]), number("low", -9.0)]);
    assert_eq!(masked.matches("multiplication").count(), 2, "{masked}");
}

#[test]
fn functions_and_activations_of_functions() {
    assert_snapshot!(one("Tanh", Vec::new()), @"1 = function(0): 4x9x8");
    assert_snapshot!(one("Clip", vec![float("min", -1.0), float("max", 1.0)]), @"
1 = function(0): 4x9x8
2 = function(1): 4x9x8
");
    assert_snapshot!(one("ReduceMean", vec![ints("axes", &[1]), int("keepdims", 0)]), @"
1 = mean(0): 9x1x8
2 = rearrangement(1): 8x1x9
");
    let pixels = vec![node("ReduceL2", "x, axes", "y", Vec::new())];
    assert_snapshot!(lines(pixels, vec![whole("axes", &[1])]), @"
1 = function(0): 4x9x8
2 = mean(1): 9x1x8
3 = function(2): 9x1x8
4 = function(3): 9x1x8
5 = rearrangement(4): 1x9x8
");
    let scaled = vec![node("Mul", "x, c", "y", Vec::new())];
    assert_snapshot!(lines(scaled, vec![number("c", 2.0)]), @"1 = function(0): 4x9x8");
    let resized = |mode: &str| {
        let scales = Tensor {
            float_data: vec![1.0, 1.0, 2.0, 0.5],
            raw_data: Vec::new().into(),
            ..weights("s", &[4])
        };
        lines(vec![node("Resize", "x, , s", "y", vec![text("mode", mode)])], vec![scales])
    };
    assert_snapshot!(resized("nearest"), @"
1 = constant(): 9x1x18
2 = matrix product(1, 0): 4x8x18
3 = constant(): 8x1x4
4 = matrix product(3, 2): 4x18x4
");
    assert_eq!(resized("linear"), resized("nearest"));
}

#[test]
fn windows_of_images_are_images() {
    // As x.view(B, C, 3, 3, 2, 4).permute(0, 2, 4, 1, 3, 5).reshape(-1, C, 3, 4) is written, and a convolution of these.
    let nodes = vec![
        node("Reshape", "x, parts", "p", Vec::new()),
        node("Transpose", "p", "t", vec![ints("perm", &[0, 2, 4, 1, 3, 5])]),
        node("Reshape", "t, windows", "w", Vec::new()),
        node("Conv", "w, weight", "c", vec![ints("pads", &[1, 1, 1, 1])]),
        node("Reshape", "c, back", "y", Vec::new()),
    ];
    let tensors = vec![
        whole("parts", &[-1, 4, 3, 3, 2, 4]),
        whole("windows", &[-1, 4, 3, 4]),
        weights("weight", &[5, 4, 3, 3]),
        whole("back", &[-1, 6, 5, 12]),
    ];
    assert_snapshot!(lines(nodes, tensors), @"
1 = rearrangement(0): 6x12x4
2 = zero(): 6x4x4
3 = rearrangement(1): 6x16x3
4 = joined values(2, 3): 6x16x4
5 = joined values(4, 2): 6x16x5
6 = rearrangement(5): 4x30x4
7 = convolution(6) kernel [3, 3] stride [1, 1] dilation [1, 1] padding [0, 1, 0, 1] groups 1 bias false: 5x28x4
8 = rearrangement(7): 6x5x12
");
}
