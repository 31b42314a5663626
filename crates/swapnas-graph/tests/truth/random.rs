//! Random networks of all operations: interpreter, executor and differentiator agree.

use proptest::prelude::*;

use swapnas_graph::tensor::{Axis, Function, Norm, Product, Real};
use swapnas_graph::{
    Activation, Conv, Epsilon, Graph, GraphBuilder, GraphError, Level, Padding, Shape, Strided, ValueId,
    Want, Window,
};

use crate::differentiator::{self, ALL};
use crate::executor;
use crate::numbers::Numbers;

/// One node to be added: numbers that decide what it is, each taken modulo what there is to choose from.
pub(crate) type Choice = [usize; 8];

/// Adds a node named by its place, if it fits what it is to read.
type Add = fn(&mut GraphBuilder, &str, &[ValueId], Choice) -> Result<ValueId, GraphError>;

/// The value that a choice is of: late ones more often than early ones.
fn pick(values: &[ValueId], choice: usize) -> ValueId {
    values[values.len() - 1 - (choice % values.len()).min(choice / 7 % values.len())]
}

/// Another value of the shape of `x`, or else `x` itself.
fn alike(b: &GraphBuilder, values: &[ValueId], x: ValueId, choice: usize) -> ValueId {
    let alike: Vec<ValueId> = values.iter().copied().filter(|y| b.shape(*y) == b.shape(x)).collect();
    alike[choice % alike.len()]
}

fn window(c: Choice) -> Window {
    let side = |choice: usize| (choice % 4) as i32 - 1;
    Window {
        kernel: [1 + c[2] % 3, 1 + c[3] % 3],
        stride: [1 + c[4] / 2 % 2, 1 + c[4] % 2],
        dilation: [1 + c[5] / 2 % 2, 1 + c[5] % 2],
        padding: Padding { top: side(c[6]), left: side(c[7]), bottom: side(c[6] / 4), right: side(c[7] / 4) },
    }
}

/// A window for pools, which sees a pixel wherever it is.
fn pool_window(c: Choice) -> Window {
    let kernel = 2 + c[2] % 2;
    Window::square(kernel).stride(1 + c[3] % 2).padding(Padding::same(c[4] % 2))
}

/// Every way to add a node.
const ADDS: [Add; 26] = [
    |b, name, v, c| b.conv2d(name, pick(v, c[1]), Conv::new(1 + c[0] % 5, window(c))),
    |b, name, v, c| b.conv2d(name, pick(v, c[1]), Conv::new(1 + c[0] % 5, window(c)).with_bias()),
    |b, name, v, c| b.conv2d(name, pick(v, c[1]), Conv::new(12 + c[0] % 3, Window::square(3))),
    |b, name, v, c| b.conv2d(name, pick(v, c[1]), Conv { groups: 2, ..Conv::new(4, window(c)) }),
    |b, name, v, c| {
        let x = pick(v, c[1]);
        b.conv2d(name, x, Conv::depthwise(b.shape(x).channels, window(c)))
    },
    |b, name, v, c| b.conv2d(name, pick(v, c[1]), Conv::new(1 + c[0] % 5, Window::square(1))),
    |b, name, v, c| b.batch_norm(name, pick(v, c[1]), true),
    |b, name, v, c| {
        b.batch_norm_with(name, pick(v, c[1]), c[2] % 2 == 0, Epsilon::new(0.1).expect("a number"))
    },
    |b, name, v, c| b.relu(name, pick(v, c[1])),
    |b, name, v, c| b.act(name, pick(v, c[1]), Activation::EACH[c[2] % Activation::EACH.len()]),
    |b, name, v, c| b.max_pool(name, pick(v, c[1]), pool_window(c)),
    |b, name, v, c| b.avg_pool(name, pick(v, c[1]), pool_window(c), c[5] % 2 == 0),
    |b, name, v, c| b.linear(name, pick(v, c[1]), 1 + c[2] % 4, c[3] % 2 == 0),
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let [y, z] = [alike(b, v, x, c[2]), alike(b, v, x, c[3])];
        if c[4] % 2 == 0 { b.add(&[x, y]) } else { b.add(&[x, y, z]) }
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let by = if c[2] % 2 == 0 { b.mean(x)? } else { alike(b, v, x, c[3]) };
        b.mul(x, by)
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let of_size =
            |y: &ValueId| (b.shape(*y).height, b.shape(*y).width) == (b.shape(x).height, b.shape(x).width);
        let others: Vec<ValueId> = v.iter().copied().filter(of_size).collect();
        let zero = b.zero(b.shape(x).with_channels(1));
        let other = others[c[2] % others.len()];
        if c[3] % 4 == 0 { b.concat(&[x, zero, other]) } else { b.concat(&[other, x]) }
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let channels = b.shape(x).channels;
        let start = c[2] % channels;
        b.slice(x, start, 1 + c[3] % (channels - start))
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let Shape { channels, height, width } = b.shape(x);
        let sizes = [channels, height, width];
        let orders = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let order = orders[c[2] % orders.len()];
        let view = Strided::contiguous(&sizes).expect("a small view").permuted(&order);
        let [channels, height, width] = order.map(|axis| sizes[axis]);
        b.rearrange(x, view, Shape::new(channels, height, width))
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let axis = axis(b.shape(x), c[2]);
        b.softmax(x, axis)
    },
    |b, name, v, c| {
        let x = pick(v, c[1]);
        let norm = Norm::over_channels(b.shape(x));
        let epsilon = Epsilon::new(0.1).expect("a number");
        b.normalise(name, x, Norm { epsilon, centred: c[2] % 2 == 0, bias: c[3] % 2 == 0, ..norm })
    },
    |b, _, v, c| {
        // Every channel of a value with every channel of another.
        let x = pick(v, c[1]);
        let y = alike(b, v, x, c[2]);
        let Shape { channels, height, width } = b.shape(x);
        let matrix = Strided::contiguous(&[channels, height * width]).expect("a small view");
        let product = Product {
            a: matrix,
            b: matrix.permuted(&[1, 0]),
            out: Strided::contiguous(&[channels, channels]).expect("a small view"),
        };
        b.product([x, y], product, Shape::new(channels, channels, 1))
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let y = alike(b, v, x, c[2]);
        let shape = b.shape(x);
        let joined = Shape { width: 2 * shape.width, ..shape };
        b.join(&[x, y], shape.channels * shape.height, 1, joined)
    },
    |b, _, v, c| {
        let x = pick(v, c[1]);
        let number = |x: f64| Real::new(x).expect("a number");
        let linear = Function::Linear { factor: number(-1.25), summand: number(0.125) };
        Ok(b.function(x, [linear, Function::Tanh, Function::Erf][c[2] % 3]))
    },
    |b, name, v, c| {
        let x = pick(v, c[1]);
        let first = b.params().len();
        let y = b.linear(name, x, b.shape(x).channels, c[2] % 2 == 0)?;
        Ok(shared(b, first, y, c))
    },
    |b, name, v, c| {
        let first = b.params().len();
        let y = b.conv2d(name, pick(v, c[1]), Conv::new(2, Window::square(3)).with_bias())?;
        Ok(shared(b, first, y, c))
    },
    |b, name, v, c| {
        let x = pick(v, c[1]);
        let groups = if b.shape(x).channels % 2 == 0 { 1 + c[0] / 2 % 2 } else { 1 };
        let conv = Conv { groups, bias: c[0] % 2 == 0, ..Conv::new(2 * (1 + c[3] % 2), window(c)) };
        // So that images stay small.
        if b.shape(x).pixels() > 64 { Ok(x) } else { b.conv_transpose(name, x, conv) }
    },
];

/// The value of a layer that learns what earlier ones of the same size do, as far as there are such.
fn shared(b: &mut GraphBuilder, first: usize, mut value: ValueId, c: Choice) -> ValueId {
    for own in (first..b.params().len()).rev() {
        let alike = |place: &usize| b.params()[*place].shape == b.params()[own].shape;
        let earlier: Vec<usize> = (0..first).filter(alike).collect();
        if !earlier.is_empty() {
            value = b.share(own, earlier[c[3] % earlier.len()]);
        }
    }
    value
}

/// One of the dimensions of a value.
fn axis(Shape { channels, height, width }: Shape, choice: usize) -> Axis {
    match choice % 3 {
        0 => Axis { outer: 1, len: channels, inner: height * width },
        1 => Axis { outer: channels, len: height, inner: width },
        _ => Axis { outer: channels * height, len: width, inner: 1 },
    }
}

/// The network that the choices lead to; those that do not fit are passed over.
pub(crate) fn network(input: Shape, choices: &[(usize, Choice)], outputs: &[usize]) -> Graph {
    let mut b = GraphBuilder::new(input);
    let mut values = vec![b.input()];
    for (index, (kind, choice)) in choices.iter().enumerate() {
        let added = ADDS[kind % ADDS.len()](&mut b, &index.to_string(), &values, *choice);
        values.extend(added.ok().filter(|value| b.shape(*value).channels <= 24));
    }
    let last = values[values.len() - 1];
    let others = outputs.iter().map(|choice| pick(&values, *choice));
    let outputs: Vec<ValueId> = [last].into_iter().chain(others).collect();
    b.finish(&outputs)
}

fn networks() -> impl Strategy<Value = Graph> {
    let node = (any::<usize>(), any::<Choice>());
    let outputs = proptest::collection::vec(any::<usize>(), 0..3);
    let sides = (1..=4_usize, 1..=6_usize, 1..=6_usize);
    (sides, proptest::collection::vec(node, 1..14), outputs).prop_map(
        |((channels, height, width), nodes, outputs)| {
            network(Shape::new(channels, height, width), &nodes, &outputs)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_agree(graph in networks(), samples in 1..=18_usize, wanted in any::<prop::sample::Index>()) {
        let numbers = Numbers::new(&graph, samples);
        let truth = executor::Truth::new("random", &graph, &numbers);
        let all = executor::all_values(&graph);
        for values in [executor::outputs(&graph), vec![all[wanted.index(all.len())]], all] {
            truth.check::<f64>(Level::best(), &Want { signs: true, values }, executor::DOUBLE);
        }
        let truth = differentiator::Truth::new("random", &graph, &numbers, ALL[samples % 3]);
        if truth.is_smooth(1e-8) {
            truth.check::<f64>(Level::best(), differentiator::DOUBLE);
        }
    }
}
