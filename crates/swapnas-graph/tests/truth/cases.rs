//! Small networks with every operation, in every way in which it can be had.

use swapnas_graph::tensor::{Axis, Function, Norm, Product, Real};
use swapnas_graph::{
    Activation, AvgPool, Conv, Epsilon, Graph, GraphBuilder, GraphError, Level, Op, Padding, Shape, Strided,
    ValueId, Want, Window,
};

use crate::numbers::Numbers;
use crate::{differentiator, executor};

/// A network.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) graph: Graph,
}

impl Case {
    /// So many samples, but of large images no more than two, which would take their time.
    pub(crate) fn samples(&self, count: usize) -> usize {
        if self.graph.shape(self.graph.input()).pixels() > 100 { count.min(2) } else { count }
    }
}

pub(crate) fn case<R: AsRef<[ValueId]>>(
    name: impl Into<String>,
    input: Shape,
    build: impl FnOnce(&mut GraphBuilder, ValueId) -> Result<R, GraphError>,
) -> Case {
    let (name, mut b) = (name.into(), GraphBuilder::new(input));
    let x = b.input();
    let outputs = build(&mut b, x).unwrap_or_else(|error| panic!("{name}: {error}"));
    Case { name, graph: b.finish(outputs.as_ref()) }
}

const fn window(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2], pad: [i32; 4]) -> Window {
    let [top, left, bottom, right] = pad;
    Window { kernel, stride, dilation, padding: Padding { top, left, bottom, right } }
}

/// Windows for an image of 5x7.
const WINDOWS: [(&str, Window); 14] = [
    ("1x1", Window::square(1)),
    ("1x1, stride 2", Window::square(1).stride(2)),
    ("2x2, stride 2", window([2, 2], [2, 2], [1, 1], [0; 4])),
    ("2x2, stride 3", window([2, 2], [3, 3], [1, 1], [0; 4])),
    ("3x3", Window::square(3)),
    ("3x3, stride 2", Window::square(3).stride(2)),
    ("5x5", Window::square(5)),
    ("1x5 on rows, stride 2", window([1, 5], [1, 2], [1, 1], [0, 2, 0, 2])),
    ("3x3, dilated by 2, stride 2", window([3, 3], [2, 2], [2, 2], [2; 4])),
    ("3x2, dilated by 3 and 1, uneven strides", window([3, 2], [2, 1], [3, 1], [4, 1, 3, 0])),
    ("3x3, dilated beyond the image", window([3, 3], [1, 1], [8, 8], [8; 4])),
    ("3x3, uneven and negative padding", window([3, 3], [1, 1], [1, 1], [2, -1, 0, 1])),
    ("1x1, negative padding, stride 2", window([1, 1], [2, 2], [1, 1], [-1, -1, 1, 1])),
    ("3x2, uneven padding", window([3, 2], [1, 2], [1, 1], [1, 0, 2, 1])),
];

/// A convolution with a window on `inputs` channels.
type Layer = fn(Window) -> Conv;

/// The ways in which channels can be connected, from 4 channels.
const LAYERS: [(&str, Layer); 6] = [
    ("dense", |window| Conv::new(5, window)),
    ("dense with bias", |window| Conv::new(3, window).with_bias()),
    ("two groups", |window| Conv { groups: 2, ..Conv::new(6, window) }),
    ("two groups with bias", |window| Conv { groups: 2, ..Conv::new(4, window) }.with_bias()),
    ("depthwise", |window| Conv::depthwise(4, window)),
    ("depthwise with two outputs and bias", |window| {
        Conv { out: 8, ..Conv::depthwise(4, window) }.with_bias()
    }),
];

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let image = Shape::new(4, 5, 7);
    let mut cases = Vec::new();
    for (name, window) in WINDOWS {
        for (layer, conv) in LAYERS {
            cases.push(case(format!("{layer}, {name}"), image, |b, x| {
                let x = b.conv2d("first", x, Conv::new(4, Window::square(1)))?;
                let x = b.batch_norm("norm", x, true)?;
                let x = b.relu("relu", x)?;
                Ok([b.conv2d("layer", x, conv(window))?])
            }));
        }
        cases.push(case(format!("separable, {name}"), image, |b, x| {
            let x = b.relu("relu", x)?;
            let x = b.conv2d("depthwise", x, Conv::depthwise(4, window))?;
            let x = b.conv2d("pointwise", x, Conv::new(5, Window::square(1)).with_bias())?;
            let x = b.batch_norm("norm", x, true)?;
            let x = b.relu("again", x)?;
            let x = b.conv2d("depthwise 2", x, Conv::depthwise(5, Window::square(3)))?;
            Ok([b.conv2d("pointwise 2", x, Conv::new(3, Window::square(1)))?])
        }));
        cases.push(case(format!("siblings, {name}"), image, |b, x| {
            let x = b.batch_norm("norm", x, true)?;
            let x = b.act("act", x, Activation::Silu)?;
            let y = b.conv2d("a", x, Conv::new(3, window))?;
            let y = b.batch_norm("norm a", y, true)?;
            let z = b.conv2d("b", x, Conv::new(4, window))?;
            let z = b.slice(z, 1, 3)?;
            let z = b.batch_norm("norm b", z, false)?;
            let z = b.relu("relu", z)?;
            let sum = b.add(&[y, z])?;
            Ok([sum, b.conv2d("c", x, Conv::new(2, window))?])
        }));
        // Dilated beyond the image, a pool would have windows of nothing but padding.
        if !name.contains("beyond") && !name.starts_with("1x1, negative") {
            cases.push(case(format!("pools, {name}"), image, |b, x| {
                let pending = |b: &mut GraphBuilder, name: &str| {
                    let x = b.batch_norm(name, x, true)?;
                    b.act(name, x, Activation::Silu)
                };
                let (max, mean, counted) = (pending(b, "a")?, pending(b, "b")?, pending(b, "c")?);
                let max = b.max_pool("max", max, window)?;
                let mean = b.avg_pool("mean", mean, window, false)?;
                let counted = b.avg_pool("counted", counted, window, true)?;
                Ok([b.concat(&[max, mean, counted])?, max])
            }));
        }
    }
    // Where Winograd's algorithm is used, with whole and divided tiles.
    for (height, width) in [(1, 1), (2, 3), (4, 4), (5, 5), (5, 6), (6, 7), (7, 4)] {
        for (name, bias) in [("", false), (" with bias", true)] {
            let conv = |out| Conv { bias, ..Conv::new(out, Window::square(3)) };
            cases.push(case(
                format!("3x3 of many channels{name}, {height}x{width}"),
                Shape::new(3, height, width),
                |b, x| {
                    let x = b.conv2d("a", x, conv(13))?;
                    let x = b.batch_norm("norm a", x, true)?;
                    let x = b.relu("relu a", x)?;
                    let y = b.conv2d("b", x, conv(12))?;
                    let y = b.batch_norm("norm b", y, true)?;
                    let z = b.conv2d("c", x, conv(14))?;
                    let z = b.slice(z, 1, 12)?;
                    let y = b.add(&[y, z])?;
                    Ok([b.act("last", y, Activation::Silu)?])
                },
            ));
        }
    }
    for act in Activation::EACH {
        cases.push(case(format!("{act:?} where it can be"), image, |b, x| {
            let wide = b.batch_norm("wide", x, true)?;
            let wide = b.add(&[wide, wide, wide, wide, x])?; // So that every part of the curve is met.
            let y = b.act("of a sum", wide, act)?;
            let y = b.act("of itself", y, act)?;
            let z = b.conv2d("conv", y, Conv::new(4, Window::square(3)))?;
            let z = b.batch_norm("norm", z, true)?;
            let z = b.act("of a norm", z, act)?;
            let z = b.act("of another", z, Activation::Silu)?;
            let z = b.act("of that", z, act)?;
            let z = b.batch_norm("norm of an activation", z, true)?;
            let sum = b.add(&[y, z])?;
            let part = b.slice(sum, 1, 2)?;
            let part = b.act("of a part", part, act)?;
            Ok([b.act("last", sum, act)?, part])
        }));
    }
    cases.push(case("normalised input, normalisation of a normalisation", image, |b, x| {
        let x = b.batch_norm("a", x, true)?;
        let y = b.batch_norm("b", x, false)?;
        let y = b.batch_norm_with("c", y, true, Epsilon::new(0.25).expect("a number"))?;
        let y = b.act("d", y, Activation::Gelu)?;
        let y = b.conv2d("e", y, Conv::new(4, Window::square(3)))?;
        let y = b.batch_norm_with("f", y, false, Epsilon::new(0.5).expect("a number"))?;
        let z = b.add(&[x, y])?;
        let z = b.batch_norm("g", z, true)?;
        let z = b.relu("h", z)?;
        Ok([b.conv2d("i", z, Conv::new(3, Window::square(3)))?])
    }));
    cases.push(case("a normalisation that is read as it is, and then normalised", image, |b, x| {
        let x = b.batch_norm("a", x, true)?;
        let y = b.conv2d("b", x, Conv::new(4, Window::square(3)))?;
        let z = b.batch_norm("c", x, false)?;
        Ok([b.add(&[x, y, z])?])
    }));
    cases.push(case("products: of a whole, of channels, of itself, of what is pending", image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.act("c", x, Activation::Silu)?;
        let gate = b.global_avg_pool("d", x)?;
        let gate = b.linear("e", gate, 2, true)?;
        let gate = b.relu("f", gate)?;
        let gate = b.linear("g", gate, 4, true)?;
        let gate = b.act("h", gate, Activation::HardSwish)?;
        let y = b.mul(x, gate)?;
        let y = b.mul(y, x)?;
        let z = b.relu("i", y)?;
        let z = b.mul(z, gate)?;
        Ok([b.mul(y, y)?, z])
    }));
    cases.push(case("sums of many, of the same, with zeros", image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let norm = b.batch_norm("b", x, true)?;
        let relu = b.relu("c", norm)?;
        let silu = b.act("d", x, Activation::Silu)?;
        let zero = b.zero(Shape::new(4, 5, 7));
        let pool = b.avg_pool("e", x, Window::square(3), true)?;
        let y = b.add(&[x, norm, relu, zero, silu, pool, x, norm])?;
        let y = b.batch_norm("f", y, true)?;
        let y = b.relu("g", y)?;
        let y = b.avg_pool("h", y, Window::square(3), false)?;
        Ok([b.add(&[y, y, x])?])
    }));
    cases.push(case(
        "parts joined: written in place, read elsewhere, joined twice, cut again",
        image,
        |b, x| {
            let conv = b.conv2d("a", x, Conv::new(3, Window::square(3)))?;
            let pool = b.max_pool("b", x, Window::square(3))?;
            let zero = b.zero(Shape::new(2, 5, 7));
            let relu = b.relu("c", conv)?;
            let part = b.slice(x, 1, 2)?;
            let joined = b.concat(&[x, conv, pool, zero, relu, part, conv])?;
            let last = b.slice(joined, 2, 9)?;
            let last = b.batch_norm("d", last, true)?;
            let last = b.relu("e", last)?;
            let all = b.concat(&[last, joined])?;
            let of_part = b.slice(all, 4, 12)?;
            let of_part = b.slice(of_part, 1, 10)?;
            Ok([b.conv2d("f", of_part, Conv::new(3, Window::square(3)))?, joined])
        },
    ));
    cases.push(case("nothing but zeros", image, |b, x| {
        let zero = b.zero(Shape::new(2, 5, 7));
        let dead = b.conv2d("a", zero, Conv::new(3, Window::square(3)))?;
        let dead = b.batch_norm("b", dead, true)?;
        let dead = b.relu("c", dead)?;
        let y = b.concat(&[x, dead])?;
        Ok([b.linear("d", y, 2, true)?, zero])
    }));
    cases.push(case("linear layers of pixels and of whole images", image, |b, x| {
        let y = b.linear("a", x, 3, true)?;
        let y = b.relu("b", y)?;
        let y = b.linear("c", y, 5, false)?;
        let y = b.dense("d", y, 4, true)?;
        let y = b.relu("e", y)?;
        Ok([b.dense("f", y, 3, false)?])
    }));
    cases.push(case("outputs that are inputs, the same twice, and in the midst", image, |b, x| {
        let y = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let y = b.batch_norm("b", y, true)?;
        let z = b.relu("c", y)?;
        let z = b.add(&[z, x])?;
        Ok([z, x, y, z])
    }));
    cases.push(case("a global pool of what is pending", image, |b, x| {
        let y = b.batch_norm("a", x, true)?;
        let y = b.relu("b", y)?;
        let y = b.global_avg_pool("c", y)?;
        let y = b.batch_norm("d", y, true)?;
        let y = b.relu("e", y)?;
        Ok([b.linear("f", y, 3, true)?])
    }));
    cases.push(case("a single pixel of a single channel", Shape::new(1, 1, 1), |b, x| {
        let x = b.conv2d("a", x, Conv::new(1, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.relu("c", x)?;
        let x = b.conv2d("d", x, Conv::new(3, Window::square(3).stride(2)))?;
        let x = b.avg_pool("e", x, Window::square(3), false)?;
        Ok([b.linear("f", x, 2, true)?])
    }));
    transposed_cases(&mut cases);
    tensor_cases(&mut cases);
    // More than one band of rows.
    cases.push(case("a large image", Shape::new(2, 29, 27), |b, x| {
        let x = b.conv2d("a", x, Conv::new(12, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.relu("c", x)?;
        let y = b.conv2d("d", x, Conv::new(12, Window::square(3)))?;
        let z = b.max_pool("e", x, Window::square(3))?;
        let y = b.add(&[y, z])?;
        let y = b.batch_norm("f", y, true)?;
        let y = b.relu("g", y)?;
        let y = b.conv2d("h", y, Conv::new(3, Window::square(3).stride(2)))?;
        let y = b.global_avg_pool("i", y)?;
        Ok([b.linear("j", y, 3, true)?])
    }));
    cases
}

/// Windows of transposed convolutions for an image of 3x4.
const TRANSPOSED: [(&str, Window); 10] = [
    ("1x1", Window::square(1)),
    ("1x1, stride 3", Window::square(1).stride(3)),
    ("2x2, stride 2", window([2, 2], [2, 2], [1, 1], [0; 4])),
    ("2x2, stride 3, with output padding", window([2, 2], [3, 3], [1, 1], [0, 0, -2, -1])),
    ("3x3", Window::square(3)),
    ("3x3, stride 2, with output padding", window([3, 3], [2, 2], [1, 1], [1, 1, 0, 0])),
    ("4x4, stride 2", window([4, 4], [2, 2], [1, 1], [1; 4])),
    ("1x5 on rows, stride 2", window([1, 5], [1, 2], [1, 1], [0, 2, 0, 1])),
    ("3x2, dilated by 3 and 1, uneven strides", window([3, 2], [2, 1], [3, 1], [3, 1, 2, 0])),
    ("3x3, most of it cut away", window([3, 3], [1, 1], [1, 1], [2, 3, 1, 2])),
];

/// Transposed convolutions, read as they are and with something pending on them.
fn transposed_cases(cases: &mut Vec<Case>) {
    for (name, window) in TRANSPOSED {
        for (layer, conv) in LAYERS {
            cases.push(case(format!("transposed, {layer}, {name}"), Shape::new(4, 3, 4), |b, x| {
                let x = b.conv2d("first", x, Conv::new(4, Window::square(1)))?;
                let x = b.batch_norm("norm", x, true)?;
                let x = b.relu("relu", x)?;
                let x = b.conv_transpose("layer", x, conv(window))?;
                let y = b.batch_norm("norm behind", x, true)?;
                let y = b.act("act", y, Activation::Silu)?;
                Ok([b.conv2d("last", y, Conv::new(2, Window::square(1)))?, x])
            }));
        }
    }
    cases.push(case("an encoder and a decoder of transposed convolutions", Shape::new(3, 8, 8), |b, x| {
        let x = b.conv2d("down", x, Conv::new(6, Window::square(3).stride(2)))?;
        let x = b.relu("a", x)?;
        let y = b.conv2d("deep", x, Conv::new(12, Window::square(3).stride(2)).with_bias())?;
        let y = b.relu("b", y)?;
        let two = Window { kernel: [2, 2], ..Window::square(1).stride(2) };
        let y = b.conv_transpose("up", y, Conv::new(6, two).with_bias())?;
        let y = b.concat(&[x, y])?;
        let y = b.relu("c", y)?;
        let y = b.conv_transpose("again", y, Conv { groups: 3, ..Conv::new(3, two) })?;
        let y = b.act("d", y, Activation::Gelu)?;
        let y = b.mean(y)?;
        Ok([b.linear("head", y, 3, true)?])
    }));
}

/// The channels of a value as rows of a matrix, its pixels as columns, in so many parts of the channels.
fn heads(shape: Shape, heads: usize) -> Strided {
    Strided::contiguous(&[heads, shape.channels / heads, shape.pixels()]).expect("a small view")
}

fn number(x: f64) -> Real {
    Real::new(x).expect("a number")
}

/// Operations of transformers, between those of convolutional networks.
fn tensor_cases(cases: &mut Vec<Case>) {
    let image = Shape::new(4, 5, 7);
    cases.push(case("attention of two heads", Shape::new(4, 2, 3), |b, x| {
        let shape = b.shape(x);
        let class = b.parameter("class", vec![1, 1, 4], Shape::new(4, 1, 1))?;
        let tokens = b.join(&[class, x], 4, 1, Shape::new(4, 1, 7))?;
        let position = b.parameter("position", vec![4, 7], Shape::new(4, 1, 7))?;
        let x = b.add(&[tokens, position])?;
        let y = b.normalise("norm", x, Norm::over_channels(b.shape(x)))?;
        let qkv = b.linear("qkv", y, 12, true)?;
        let tokens = Shape::new(4, 1, 7);
        let [q, k, v] = [0, 1, 2].map(|part| b.slice(qkv, 4 * part, 4));
        let (q, k, v) = (q?, k?, v?);
        // Keys are rows, queries columns.
        let scores = Product {
            a: heads(tokens, 2).permuted(&[0, 2, 1]),
            b: heads(tokens, 2),
            out: Strided::contiguous(&[2, 7, 7]).expect("a small view"),
        };
        let scores = b.product([k, q], scores, Shape::new(2, 7, 7))?;
        let scores = b.function(scores, Function::Linear { factor: number(0.5), summand: number(0.0) });
        let mask: Vec<Real> = (0..49).map(|i| number(if i / 7 > i % 7 { -5.0 } else { 0.0 })).collect();
        let mask = b.constant(mask.into(), Shape::new(1, 7, 7))?;
        let both = Strided::new(&[(2, 0), (49, 1)], 0).expect("a small view");
        let mask = b.rearrange(mask, both, Shape::new(2, 7, 7))?;
        let scores = b.add(&[scores, mask])?;
        let attention = b.softmax(scores, Axis { outer: 2, len: 7, inner: 7 })?;
        let sums = Product {
            a: heads(tokens, 2),
            b: Strided::contiguous(&[2, 7, 7]).expect("a small view"),
            out: heads(tokens, 2),
        };
        let y = b.product([v, attention], sums, tokens)?;
        let y = b.linear("project", y, 4, true)?;
        let x = b.add(&[x, y])?;
        let y = b.normalise("norm 2", x, Norm::over_channels(tokens))?;
        let y = b.linear("wide", y, 8, true)?;
        let y = b.act("gelu", y, Activation::Gelu)?;
        let y = b.linear("narrow", y, 4, true)?;
        let x = b.add(&[x, y])?;
        let first = Strided::new(&[(4, 7)], 0).expect("a small view");
        let x = b.rearrange(x, first, Shape::new(4, 1, 1))?;
        assert_eq!(shape.pixels(), 6);
        Ok([b.linear("head", x, 3, true)?])
    }));
    cases.push(case("normalisations of single samples", image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let y = b.normalise("layer", x, Norm::over_channels(image))?;
        let y = b.conv2d("c", y, Conv::new(4, Window::square(3)))?;
        let y = b.normalise("group", y, Norm::over_groups(image, 2))?;
        let y = b.relu("d", y)?;
        // Pixels whose channels are all next to 0 are not to become large.
        let epsilon = Epsilon::new(0.5).expect("a number");
        let rms = Norm { centred: false, bias: false, epsilon, ..Norm::over_channels(image) };
        let z = b.normalise("rms", y, rms)?;
        let whole = Norm { count: 140, alike: 1, ..Norm::over_groups(image, 1) };
        let z = b.normalise("whole", z, whole)?;
        let z = b.batch_norm("e", z, true)?;
        let w = b.normalise("instance", z, Norm { weight: false, ..Norm::over_groups(image, 4) })?;
        let plain = Norm { weight: false, ..rms };
        let w = b.normalise("plain", w, plain)?;
        Ok([b.add(&[w, z, y])?, w])
    }));
    cases.push(case("elements in another order, joined, and what reads them", image, |b, x| {
        let x = b.relu("a", x)?;
        let turned = Strided::contiguous(&[4, 5, 7]).expect("a small view").permuted(&[2, 0, 1]);
        let y = b.rearrange(x, turned, Shape::new(7, 4, 5))?;
        let y = b.conv2d("b", y, Conv::new(7, Window::square(3)))?;
        let y = b.batch_norm("c", y, true)?;
        let back = Strided::contiguous(&[7, 4, 5]).expect("a small view").permuted(&[1, 2, 0]);
        let y = b.rearrange(y, back, image)?;
        let part = back.part(0, 1, 2, 1).part(2, 1, 3, 2);
        let z = b.rearrange(y, part, Shape::new(2, 5, 3))?;
        let z = b.conv2d("d", z, Conv::new(3, Window::square(3)))?;
        let several = Strided::new(&[(2, 0), (105, 1), (2, 0)], 0);
        let y = b.rearrange(y, several.expect("a small view"), Shape::new(4, 5, 21)).and_then(|y| {
            let mean = b.mean_along(y, Axis { outer: 4, len: 5, inner: 21 }, Shape::new(4, 1, 21))?;
            b.act("e", mean, Activation::Silu)
        })?;
        let places: Vec<u32> = (0..45).map(|i| i * 7 % 45).collect();
        let w = b.pick(z, places.into(), Shape::new(3, 5, 3))?;
        let w = b.join(&[z, w, z], 15, 1, Shape::new(3, 5, 9))?;
        let w = b.concat(&[w, w])?;
        let w = b.max_pool("f", w, Window::square(3))?;
        Ok([b.dense("g", w, 3, true)?, y])
    }));
    cases.push(case("functions", image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let linear = Function::Linear { factor: number(-0.5), summand: number(0.25) };
        let x = b.function(x, linear);
        let y = b.function(x, Function::Tanh);
        let square = b.function(y, Function::Power(2));
        let positive = Function::Linear { factor: number(1.0), summand: number(0.5) };
        let positive = b.function(square, positive);
        let root = b.function(positive, Function::Sqrt);
        let inverse = b.function(root, Function::Reciprocal);
        let power = b.function(positive, Function::RealPower(number(-1.5)));
        let ln = b.function(positive, Function::Ln);
        let exp = b.function(y, Function::Exp);
        let erf = b.function(x, Function::Erf);
        let cube = b.function(erf, Function::Power(3));
        let above = b.function(x, Function::Max(number(-0.25)));
        let below = b.function(above, Function::Min(number(0.5)));
        let (sine, cosine) = (b.function(x, Function::Sin), b.function(x, Function::Cos));
        let all = b.add(&[inverse, power, ln, exp, erf, cube, below, sine, cosine])?;
        Ok([b.linear("b", all, 3, true)?])
    }));
}

/// Rows of tables; the numbers of samples are whole.
#[test]
fn embeddings_are_rows_of_tables() {
    let shape = Shape::new(1, 1, 5);
    let case = case("embedding", shape, |b, x| {
        let x = b.embedding("table", x, 7, 3)?;
        let x = b.normalise("norm", x, Norm::over_channels(Shape::new(3, 1, 5)))?;
        let x = b.mean(x)?;
        Ok([b.linear("head", x, 3, true)?])
    });
    for samples in [3, 18] {
        let mut numbers = Numbers::new(&case.graph, samples);
        for (place, x) in numbers.images.iter_mut().enumerate() {
            *x = (place * 3 % 7) as f32;
        }
        let truth = executor::Truth::new(&case.name, &case.graph, &numbers);
        for level in Level::available() {
            let want = Want { signs: true, values: executor::all_values(&case.graph) };
            truth.check::<f64>(level, &want, executor::DOUBLE);
            let truth = differentiator::Truth::new(&case.name, &case.graph, &numbers, differentiator::ALL[0]);
            truth.check::<f64>(level, differentiator::DOUBLE);
        }
    }
}

/// Every operation is in some case.
#[test]
fn cases_have_every_operation() {
    let mut names: Vec<&str> = cases()
        .iter()
        .flat_map(|case| case.graph.nodes().iter().map(|node| node.op.name()).collect::<Vec<_>>())
        .collect();
    names.sort_unstable();
    names.dedup();
    // `Op::name` has no catch-all, and the interpreter none either.
    assert_eq!(names.len(), 12 + 11 + Activation::EACH.len(), "{names:?}");
    let counted = |counted| {
        move |case: &Case| {
            case.graph
                .nodes()
                .iter()
                .any(|node| matches!(node.op, Op::AvgPool(AvgPool { count_padding, .. }) if count_padding == counted))
        }
    };
    assert!(cases().iter().any(counted(true)) && cases().iter().any(counted(false)));
}
