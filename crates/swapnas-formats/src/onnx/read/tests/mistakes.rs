//! Files that cannot be read, and what is said of them.

use insta::assert_snapshot;
use prost::Message;

use super::{error, float, images, int, ints, model, node, text, weights, whole};
use crate::onnx::proto::{Model, Tensor};
use crate::onnx::read::{Images, read, read_with_weights};

fn of(model: &Model) -> String {
    read(model.encode_to_vec(), Images::OfFile).unwrap_err().to_string()
}

#[test]
fn other_files() {
    let of = |bytes: &[u8]| read(bytes.to_vec(), Images::OfFile).unwrap_err().to_string();
    assert_snapshot!(of(b""), @"this is no ONNX file: there is no graph in it");
    assert_snapshot!(of(b"import torch\n"), @"this is no ONNX file, or not all of it: failed to decode Protobuf message: buffer underflow");
    let good = model(vec![node("Relu", "x", "y", Vec::new())], Vec::new()).encode_to_vec();
    assert_snapshot!(of(&good[..good.len() - 3]), @"this is no ONNX file, or not all of it: failed to decode Protobuf message: Model.opset_import: invalid varint");
}

#[test]
fn networks_of_another_kind() {
    let relu = || vec![node("Relu", "x", "y", Vec::new())];
    let with = |change: &dyn Fn(&mut Model)| {
        let mut model = model(relu(), Vec::new());
        change(&mut model);
        of(&model)
    };
    assert_snapshot!(with(&|model| model.graph.as_mut().unwrap().input.push(images("z", &[None]))), @"the network takes 2 inputs; networks are supported that take one, a batch of images, or the tokens of texts with what is called a mask, type or position of them");
    assert_snapshot!(with(&|model| model.graph.as_mut().unwrap().input.clear()), @"the network takes 0 inputs; networks are supported that take one, a batch of images, or the tokens of texts with what is called a mask, type or position of them");
    assert_snapshot!(with(&|model| model.graph.as_mut().unwrap().output.clear()), @"the network returns nothing; its first output has to be computed from its images");
    assert_snapshot!(with(&|model| model.graph.as_mut().unwrap().output[0].name = "z".to_owned()), @"node 1, Relu: the file is broken: nothing before it computes `z`");
    assert_snapshot!(with(&|model| model.opset_import[0].version = 6), @"the file has version 6 of the operators of ONNX; export it with 7 or a later one");
    assert_snapshot!(with(&|model| model.graph.as_mut().unwrap().node[0].domain = "com.microsoft".to_owned()), @"node 1, Relu: the operator belongs to the domain com.microsoft; those of ONNX itself are supported");
    assert_snapshot!(with(&|model| {
        let node = &mut model.graph.as_mut().unwrap().node[0];
        (node.op_type, node.name) = ("Foo".to_owned(), "a\n\x1b[1mname".repeat(20));
    }), @r#"node 1, Foo `a\n\u{1b}[1mnamea\n\u{1b}[1mnamea\n\u{1b}[1mnamea\n\u{1b}[1mnamea\n\u{1b}[1mname…(123 more)…[1mnamea\n\u{1b}[1mnamea\n\u{1b}[1mname`: the operator is not supported; those of networks of images are: convolutions, products of matrices, normalisations, activations, pools, sums, products, functions of elements, and what takes values apart and puts them together"#);
}

#[test]
fn operators_that_are_not_there() {
    let one = |operator: &str| error(vec![node(operator, "x", "y", Vec::new())], Vec::new());
    assert_snapshot!(one("If"), @"node 1, If: the operator is not supported; networks without control flow are");
    assert_snapshot!(one("LRN"), @"node 1, LRN: the operator is not supported; of normalisations, those of batches, layers, groups and instances are, and RMSNorm");
    assert_snapshot!(one("GridSample"), @"node 1, GridSample: the operator is not supported; images are made larger by Resize and ConvTranspose");
    assert_snapshot!(one("RandomUniformLike"), @"node 1, RandomUniformLike: the operator is not supported; networks that draw no random numbers are: export the model in evaluation mode, as after model.eval()");
    assert_snapshot!(one("QuantizeLinear"), @"node 1, QuantizeLinear: the operator is not supported; networks of floating-point numbers are: export the model before it is quantised");
    assert_snapshot!(one("Foo"), @"node 1, Foo: the operator is not supported; those of networks of images are: convolutions, products of matrices, normalisations, activations, pools, sums, products, functions of elements, and what takes values apart and puts them together");
}

#[test]
fn things_that_operators_may_do_but_not_here() {
    let conv = |attributes, dims: &[i64]| {
        error(vec![node("Conv", "x, w", "y", attributes)], vec![weights("w", dims)])
    };
    assert_snapshot!(conv(Vec::new(), &[5, 4, 3]), @"node 1, Conv: this convolution of lines cannot be expressed here; supported: batch x channels x elements");
    assert_snapshot!(conv(Vec::new(), &[5, 4]), @"node 1, Conv: a convolution with weights of 2 dimensions cannot be expressed here; supported: those of images, with weights of four dimensions");
    let of = |operator: &str, attributes| error(vec![node(operator, "x", "y", attributes)], Vec::new());
    assert_snapshot!(of("HardSigmoid", Vec::new()), @"node 1, HardSigmoid: alpha 0.2 and beta 0.5 cannot be expressed here; supported: hard-sigmoid as of PyTorch, with alpha 1/6 and beta 1/2");
    let counted = vec![
        ints("kernel_shape", &[2, 2]),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 1, 0, 0]),
        int("count_include_pad", 1),
        int("ceil_mode", 1),
    ];
    assert_snapshot!(of("AveragePool", [counted, vec![int("storage_order", 0)]].concat()), @"node 1, AveragePool: an average pool that counts its padding and rounds the number of windows up cannot be expressed here; supported: average pools that do one of both");
    let two = |operator: &str, inputs: &str, tensors: Vec<Tensor>| {
        error(vec![node(operator, inputs, "y", Vec::new())], tensors)
    };
    assert_snapshot!(of("ReduceMean", vec![ints("axes", &[0])]), @"node 1, ReduceMean: a mean over the batch cannot be expressed here; supported: means within samples");
    assert_snapshot!(of("Resize", vec![text("mode", "lanczos")]), @"node 1, Resize: images resized by the mode `lanczos` cannot be expressed here; supported: nearest, linear and cubic");
    assert_snapshot!(two("MatMul", "x, x", Vec::new()), @"node 1, MatMul: the file is broken: values of batchx4x9x8 and batchx4x9x8 do not fit");
    assert_snapshot!(two("MatMul", "x, w", vec![weights("w", &[9, 3])]), @"node 1, MatMul: the linear layer takes 9 numbers, but gets 288 (4x9x8); give images of the size that it is made for");
    assert_snapshot!(two("Add", "x, c", vec![weights("c", &[3, 1, 1])]), @"node 1, Add: the file is broken: values of batchx4x9x8 and 3x1x1 do not fit");
    assert_snapshot!(two("Reshape", "x, d", vec![whole("d", &[0, 9, 33])]), @"node 1, Reshape: the file is broken: dimensions [1, 4, 9, 8] of a sample cannot become batchx9x33");
    assert_snapshot!(two("Reshape", "x, d", vec![whole("d", &[9, -1, 32])]), @"node 1, Reshape: the file is broken: dimensions [1, 4, 9, 8] of a sample cannot become 9x-1x32");
    assert_snapshot!(two("Pad", "x, d", vec![whole("d", &[1, 0, 0, 0, 0, 0, 0, 0])]), @"node 1, Pad: padding of the batch, or less than nothing cannot be expressed here; supported: zeros around samples");
    let einsum = |equation: &str| {
        error(vec![node("Einsum", "x, x", "y", vec![text("equation", equation)])], Vec::new())
    };
    assert_snapshot!(einsum("bbhw,bchw->b"), @"node 1, Einsum: the sum `bbhw,bchw->b` cannot be expressed here; supported: products of two values with a letter for each dimension");
    assert_snapshot!(einsum("bchw,dchw->bd"), @"node 1, Einsum: the file is broken: values of batchx4x9x8 and batchx4x9x8 do not fit");
    let linear = vec![node("Flatten", "x", "f", Vec::new()), node("Gemm", "f, w", "y", Vec::new())];
    assert_snapshot!(error(linear, vec![weights("w", &[100, 7])]), @"node 2, Gemm: the linear layer takes 100 numbers, but gets 288 (4x9x8); give images of the size that it is made for");
}

#[test]
fn files_that_are_broken() {
    let relu = |input: &str, output: &str| node("Relu", input, output, Vec::new());
    assert_snapshot!(error(vec![relu("z", "y")], Vec::new()), @"node 1, Relu: the file is broken: nothing before it computes `z`");
    assert_snapshot!(error(vec![relu("b", "a"), relu("a", "b"), relu("b", "y")], Vec::new()), @"node 1, Relu: the file is broken: nothing before it computes `b`");
    assert_snapshot!(error(vec![relu("x", "y"), relu("x", "y")], Vec::new()), @"node 2, Relu: the file is broken: `y` is computed twice");
    assert_snapshot!(error(vec![node("Relu", "", "y", Vec::new())], Vec::new()), @"node 1, Relu: the file is broken: input 1 is missing");
    let conv = |attributes, tensor| error(vec![node("Conv", "x, w", "y", attributes)], vec![tensor]);
    let w = || weights("w", &[5, 4, 3, 3]);
    assert_snapshot!(conv(vec![int("group", 0)], w()), @"node 1, Conv: the file is broken: a convolution needs one group at least");
    assert_snapshot!(conv(vec![int("group", 2)], w()), @"node 1, Conv: the file is broken: the weights are for 2 x 4 channels, but the image has 4");
    assert_snapshot!(conv(vec![ints("strides", &[0, 1])], w()), @"node 1, Conv: the file is broken: strides is [0, 1]");
    assert_snapshot!(conv(vec![ints("strides", &[1])], w()), @"node 1, Conv: strides of 1 dimensions cannot be expressed here; supported: windows of rows and columns");
    assert_snapshot!(conv(vec![ints("pads", &[1, 1, 1, -1])], w()), @"node 1, Conv: the file is broken: the padding of a window is negative");
    assert_snapshot!(conv(vec![ints("kernel_shape", &[5, 5])], w()), @"node 1, Conv: the file is broken: kernel_shape is [5, 5], but the weights say [3, 3]");
    assert_snapshot!(conv(vec![float("strides", 1.0)], w()), @"node 1, Conv: the file is broken: the attribute `strides` is not a list of whole numbers");
    assert_snapshot!(conv(vec![ints("dilations", &[8, 8])], w()), @"node 1, Conv: y: the convolution with kernel 3x3 does not fit an image of 4x9x8; use a larger input or fewer strides");
    assert_snapshot!(conv(Vec::new(), weights("w", &[5, 4, 0, 3])), @"node 1, Conv: the file is broken: its weights have no elements");
    assert_snapshot!(conv(Vec::new(), Tensor { dims: vec![5, 4, 3, -3], ..w() }), @"node 1, Conv: the file is broken: the tensor `w` has the dimensions [5, 4, 3, -3]");
    assert_snapshot!(conv(Vec::new(), Tensor { dims: vec![5, 4, 3, 4], ..w() }), @"node 1, Conv: the file is broken: the tensor `w` has 180 numbers for 240 elements");
    assert_snapshot!(conv(Vec::new(), Tensor { dims: vec![1 << 20, 4, 3 << 20, 3], ..w() }), @"node 1, Conv: elements of a tensor: 39582418599936; the most is 2147483648");
    assert_snapshot!(conv(Vec::new(), Tensor { raw_data: vec![0; 719].into(), ..w() }), @"node 1, Conv: the file is broken: the tensor `w` ends within a number");
    assert_snapshot!(conv(Vec::new(), Tensor { data_type: 99, ..w() }), @"node 1, Conv: the tensor `w` of type 99 cannot be expressed here; supported: floating-point numbers, whole numbers of 32 and 64 bits");
    // Doubled so often that no memory would hold it.
    let mut nodes = vec![node("Shape", "x", "s0", Vec::new())];
    nodes.extend(
        (0..60).map(|i| node("Concat", &format!("s{i}, s{i}"), &format!("s{}", i + 1), vec![int("axis", 0)])),
    );
    nodes.push(relu("x", "y"));
    assert_snapshot!(error(nodes, Vec::new()), @"node 22, Concat: numbers of a table: 8388608; the most is 4194304");
}

#[test]
fn weights_in_another_file() {
    let conv = || vec![node("Conv", "x, w", "y", Vec::new())];
    let external = Tensor { raw_data: Vec::new().into(), data_location: 1, ..weights("w", &[5, 4, 3, 3]) };
    // Nobody needs them, since weights are drawn.
    let file = model(conv(), vec![external.clone()]).encode_to_vec();
    assert_eq!(read(file.clone(), Images::OfFile).unwrap().parameter_count(), 180);
    assert_snapshot!(read_with_weights(file, Images::OfFile).unwrap_err(), @"the numbers of `w` cannot be read: they are in another file; export the model as a single one");
    let huge = |name: &str| Tensor {
        name: name.to_owned(),
        dims: vec![1 << 10, 4, 1 << 9, 1 << 9],
        ..external.clone()
    };
    let nodes = vec![
        node("Conv", "x, w", "a", vec![ints("pads", &[512, 512, 512, 512])]),
        node("Conv", "x, v", "y", vec![ints("pads", &[512, 512, 512, 512])]),
        node("Conv", "x, u", "b", vec![ints("pads", &[512, 512, 512, 512])]),
    ];
    assert_snapshot!(error(nodes, vec![huge("w"), huge("v"), huge("u")]), @"node 3, Conv: parameters of the network: 3221225472; the most is 2147483648");
}

#[test]
fn dimensions_beside_one_of_zero() {
    for dims in [[1 << 40, 1 << 40, 0, 1], [0, 1 << 40, 1 << 40, 1], [0, 1, 1, 1 << 62]] {
        let tensor = Tensor { dims: dims.to_vec(), ..weights("w", &[0]) };
        let error = error(vec![node("Conv", "x, w", "y", Vec::new())], vec![tensor]);
        assert!(error.contains("elements of a tensor"), "{error}");
    }
}
