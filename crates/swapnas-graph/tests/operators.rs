//! What operators say of themselves.

use std::collections::HashSet;

use swapnas_graph::tensor::{
    Axis, Constant, Function, Join, Mean, Norm, Pick, Real, Rearrange, Softmax, TensorOp,
};
use swapnas_graph::{
    Activation, AvgPool, BatchNorm, Conv, Conv2d, Epsilon, GraphBuilder, GraphError, Key, Linear, MaxPool,
    Op, Padding, Shape, Slice, Strided, ValueId, Window,
};

const AXIS: Axis = Axis { outer: 1, len: 3, inner: 4 };
const WINDOW: Window = Window::square(3);

/// Operators without parameters, and what else they are.
fn without_params() -> Vec<(Op, Key)> {
    let tensor = |op, key| (Op::Tensor(op), key);
    let (view, half) = (Strided::contiguous(&[4, 3]).unwrap(), Real::new(0.5).unwrap());
    let epsilon = Epsilon::new(1e-3).unwrap();
    let nothing = Key::of(());
    vec![
        (Op::Input, nothing),
        (Op::Zero, nothing),
        (Op::Add, nothing),
        (Op::Mul, nothing),
        (Op::Concat, nothing),
        (Op::GlobalAvgPool, nothing),
        (Op::Act(Activation::Relu), nothing),
        (Op::BatchNorm(BatchNorm { affine: None, epsilon }), Key::of(epsilon)),
        (Op::MaxPool(MaxPool { window: WINDOW }), Key::of(WINDOW)),
        (Op::AvgPool(AvgPool { window: WINDOW, count_padding: true }), Key::of((WINDOW, true))),
        (Op::Slice(Slice { start: 1 }), Key::of(1usize)),
        tensor(TensorOp::Constant(Constant { numbers: [half].into() }), Key::of((1isize, [half].as_slice()))),
        tensor(TensorOp::Rearrange(Rearrange { view }), Key::of((2isize, view))),
        tensor(TensorOp::Pick(Pick { places: [2, 0].into() }), Key::of((3isize, [2u32, 0].as_slice()))),
        tensor(TensorOp::Join(Join { outer: 1, inner: 2 }), Key::of((4isize, 1usize, 2usize))),
        tensor(TensorOp::Softmax(Softmax { axis: AXIS }), Key::of((6isize, AXIS))),
        tensor(TensorOp::Mean(Mean { axis: AXIS }), Key::of((8isize, AXIS))),
        tensor(TensorOp::Function(Function::Exp), Key::of((9isize, Function::Exp))),
    ]
}

/// Weights that networks do not share are named by these keys, so they are the same in every version.
#[test]
fn keys_do_not_depend_on_how_operators_are_written() {
    for (op, key) in without_params() {
        assert_eq!(op.attributes(), key, "{}", op.name());
        assert_eq!(op.weight_and_bias(), [None; 2], "{}", op.name());
    }
}

#[test]
fn every_operator_has_a_name_of_its_own() {
    let operators = without_params();
    let names: HashSet<&str> = operators.iter().map(|(op, _)| op.name()).collect();
    assert_eq!(names.len(), operators.len());
}

/// Nodes with parameters that read the image, one of each operator that has any.
fn with_params(b: &mut GraphBuilder) -> Result<Vec<ValueId>, GraphError> {
    let (x, conv) = (b.input(), Conv::new(3, WINDOW).with_bias());
    let shape = b.shape(x);
    let tokens = b.slice(x, 0, 1)?;
    Ok(vec![
        b.conv2d("conv", x, conv)?,
        b.conv_transpose("transposed", x, conv)?,
        b.batch_norm("norm", x, true)?,
        b.linear("linear", x, 3, true)?,
        b.normalise("layer_norm", x, Norm::over_channels(shape))?,
        b.embedding("embedding", tokens, 5, 2)?,
        b.parameter("free", vec![3], Shape::new(3, 1, 1))?,
    ])
}

#[test]
fn a_copy_has_parameters_of_its_own_and_is_the_same_otherwise() {
    let mut b = GraphBuilder::new(Shape::new(3, 4, 4));
    let values = with_params(&mut b).unwrap();
    let graph = b.finish(&values);
    let mut copies = GraphBuilder::new(Shape::new(3, 4, 4));
    let x = copies.input();
    let tokens = copies.slice(x, 0, 1).unwrap();
    // What the copies have is not what the others have by chance.
    copies.linear("before", x, 2, false).unwrap();
    for value in values {
        let node = graph.node(value);
        let inputs = if node.op.name() == "embedding" { vec![tokens] } else { vec![x; node.inputs.len()] };
        let first = copies.params().len();
        let copy = copies.copy(&format!("copy{}", value.index()), &graph, value, &inputs).unwrap();
        let op = &copies.nodes()[copy.index()].op;
        assert_eq!((op.name(), op.attributes()), (node.op.name(), node.op.attributes()));
        let places: Vec<usize> = op.params().map(|id| id.index()).collect();
        assert_eq!(places, (first..copies.params().len()).collect::<Vec<_>>(), "{}", op.name());
        let shapes: Vec<_> = op.params().map(|id| &copies.params()[id.index()].shape).collect();
        let theirs: Vec<_> = node.op.params().map(|id| &graph.param(id).shape).collect();
        assert!(!shapes.is_empty() && shapes == theirs, "{}", op.name());
    }
}

#[test]
fn errors_name_the_module_and_the_operator() {
    let mut b = GraphBuilder::new(Shape::new(3, 4, 4));
    let x = b.input();
    let large = Window { padding: Padding::default(), ..Window::square(5) };
    let mut errors = Vec::new();
    b.scope("block", |b| {
        errors.extend(b.conv2d("conv", x, Conv::new(4, large)).err());
        errors.extend(b.conv2d("groups", x, Conv { groups: 2, ..Conv::new(4, WINDOW) }).err());
        errors.extend(b.max_pool("max", x, large).err());
        errors.extend(b.avg_pool("avg", x, large, true).err());
        errors.extend(b.linear("linear", x, 0, true).err());
        errors.extend(b.slice(x, 2, 2).err());
        errors.extend(b.add(&[]).err());
        let small = b.mean(x)?;
        errors.extend(b.add(&[x, small]).err());
        errors.extend(b.concat(&[x, small]).err());
        errors.extend(b.mul(small, x).err());
        errors.extend(b.softmax(x, AXIS).err());
        errors.extend(b.embedding("table", x, 0, 1).err());
        Ok::<_, GraphError>(())
    })
    .unwrap();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(errors.join("\n"), @r"
    block.conv: the convolution with kernel 5x5 does not fit an image of 3x4x4; use a larger input or fewer strides
    block.groups: convolution needs input and output channels (4) that 2 groups divide, but the value has 3x4x4
    block.max: the max pool with kernel 5x5 does not fit an image of 3x4x4; use a larger input or fewer strides
    block.avg: the average pool with kernel 5x5 does not fit an image of 3x4x4; use a larger input or fewer strides
    block.linear: linear layer needs at least one output, but the value has 3x4x4
    block: channel slice needs channels 2 to 4, but the value has 3x4x4
    block: addition of nothing
    block: addition of values of different shapes, 3x4x4 and 3x1x1
    block: concatenation of values of different shapes, 3x4x4 and 3x1x1
    block: multiplication of values of different shapes, 3x1x1 and 3x4x4
    block: softmax needs 1 x 3 x 4 elements, but the value has 3x4x4
    block: embedding needs a table with rows, and one channel of their numbers, but the value has 3x4x4
    ");
}

/// A linear layer and a convolution of 1x1 do the same and count the same, each by its own name.
#[test]
fn counts_are_by_kind() {
    let mut b = GraphBuilder::new(Shape::new(3, 4, 4));
    let x = b.input();
    let conv = b.conv2d("conv", x, Conv::new(5, Window::square(1))).unwrap();
    let linear = b.linear("linear", x, 5, false).unwrap();
    let graph = b.finish(&[conv, linear]);
    let (Op::Conv2d(Conv2d { groups: 1, .. }), Op::Linear(Linear { bias: None, .. })) =
        (&graph.node(conv).op, &graph.node(linear).op)
    else {
        panic!("other operators than were built");
    };
    assert_eq!(graph.macs(), 2 * 3 * 5 * 16);
    assert_eq!((graph.flops().conv, graph.flops().linear), (3 * 5 * 16, 3 * 5 * 16));
}
