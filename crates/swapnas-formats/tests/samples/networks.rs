//! Transformers: what search spaces and the files of others have of these operations, in modules as usual.

use std::f64::consts::PI;

use swapnas_graph::tensor::{Axis, Function, Norm, Product, Real};
use swapnas_graph::{
    Activation, Conv, Epsilon, Graph, GraphBuilder, GraphError, Shape, Strided, ValueId, Window,
};

use crate::cases::{real, view};

type Built = Result<ValueId, GraphError>;

type Build = fn() -> Result<Graph, GraphError>;

/// All of them, by names.
pub(crate) fn all() -> Vec<(String, Graph)> {
    let networks: [(&str, Build); 4] =
        [("encoder", encoder), ("vision", vision), ("shared", shared), ("tokens", tokens)];
    networks.into_iter().map(|(name, build)| (name.to_owned(), build().unwrap())).collect()
}

fn module(
    b: &mut GraphBuilder,
    name: &str,
    x: ValueId,
    build: impl FnOnce(&mut GraphBuilder) -> Built,
) -> Built {
    b.scope(name, |b| {
        let y = build(b)?;
        b.container(x, y);
        Ok(y)
    })
}

fn layer_norm(b: &mut GraphBuilder, name: &str, x: ValueId) -> Built {
    let epsilon = Epsilon::new(1e-12).unwrap();
    let norm = Norm { epsilon, ..Norm::over_channels(b.shape(x)) };
    b.normalise(name, x, norm)
}

/// Attention in so many heads of the tokens of `x`, which are pixels.
fn attention(b: &mut GraphBuilder, x: ValueId, heads: usize) -> Built {
    let shape = b.shape(x);
    let (tokens, size) = (shape.pixels(), shape.channels / heads);
    let [query, key, value] = ["query", "key", "value"].map(|name| b.linear(name, x, shape.channels, true));
    let [query, key, value] = [query?, key?, value?];
    let factor = real(1.0 / (size as f64).sqrt());
    let query = b.function(query, Function::Linear { factor, summand: real(0.0) });
    let of_tokens = view(&[(heads, size * tokens), (tokens, 1), (size, tokens)], 0);
    let all = Strided::contiguous(&[heads, tokens, tokens]).unwrap();
    let scores = Product { a: of_tokens, b: of_tokens.permuted(&[0, 2, 1]), out: all };
    let scores = b.product([query, key], scores, Shape::new(heads, tokens, tokens))?;
    let weights = b.softmax(scores, Axis { outer: heads * tokens, len: tokens, inner: 1 })?;
    b.product([weights, value], Product { a: all, b: of_tokens, out: of_tokens }, shape)
}

/// The real part of a Fourier transform over the tokens and the features of each head: two products with tables.
fn fourier(b: &mut GraphBuilder, x: ValueId, heads: usize) -> Built {
    let shape = b.shape(x);
    let (tokens, size) = (shape.pixels(), shape.channels / heads);
    let turn = |k: usize, n: usize, length: usize| 2.0 * PI * ((k * n) % length) as f64 / length as f64;
    let functions = [f64::cos as fn(f64) -> f64, f64::sin];
    let numbers = functions
        .into_iter()
        .flat_map(|function| (0..size * size).map(move |i| real(function(turn(i / size, i % size, size)))));
    let of_features = b.constant(numbers.collect(), Shape::new(2, size, size))?;
    let inner = Product {
        a: view(&[(heads, size * tokens), (2, 0), (tokens, 1), (size, tokens)], 0),
        b: view(&[(heads, 0), (2, size * size), (size, size), (size, 1)], 0),
        out: Strided::contiguous(&[heads, 2, tokens, size]).unwrap(),
    };
    let inner = b.product([x, of_features], inner, Shape::new(heads * 2, tokens, size))?;
    let row = |row: usize| {
        let column = move |i: usize| match i / tokens {
            0 => real(turn(row, i, tokens).cos()),
            _ => real(-turn(row, i % tokens, tokens).sin()),
        };
        (0..2 * tokens).map(column)
    };
    let numbers: Vec<Real> = (0..tokens).flat_map(row).collect();
    let of_tokens = b.constant(numbers.into(), Shape::new(1, tokens, 2 * tokens))?;
    let outer = Product {
        a: view(&[(heads, 0), (tokens, 2 * tokens), (2 * tokens, 1)], 0),
        b: Strided::contiguous(&[heads, 2 * tokens, size]).unwrap(),
        out: view(&[(heads, size * tokens), (tokens, 1), (size, tokens)], 0),
    };
    b.product([of_tokens, inner], outer, shape)
}

/// Every token's neighbours times a kernel that is made of the token, head by head.
fn convolution(b: &mut GraphBuilder, x: ValueId, heads: usize, kernel: usize) -> Built {
    let shape = b.shape(x);
    let (features, tokens, size) = (shape.channels, shape.width, shape.channels / heads);
    let kernels = b.linear("kernels", x, heads * kernel, true)?;
    let kernels = b.softmax(kernels, Axis { outer: heads, len: kernel, inner: tokens })?;
    let zeros =
        b.constant(vec![real(0.0); features * (kernel / 2)].into(), Shape::new(features, 1, kernel / 2))?;
    let length = tokens + kernel - 1;
    let points = b.join(&[zeros, x, zeros], features, 1, Shape::new(features, 1, length))?;
    let convolve = Product {
        a: view(&[(tokens, 1), (heads, size * length), (size, length), (kernel, 1)], 0),
        b: view(&[(tokens, 1), (heads, kernel * tokens), (kernel, tokens), (1, 0)], 0),
        out: view(&[(tokens, 1), (heads, size * tokens), (size, tokens), (1, 0)], 0),
    };
    b.product([points, kernels], convolve, shape)
}

fn mlp(b: &mut GraphBuilder, x: ValueId, hidden: usize) -> Built {
    let features = b.shape(x).channels;
    let y = b.linear("0", x, hidden, true)?;
    let y = b.act("1", y, Activation::Gelu)?;
    b.linear("2", y, features, true)
}

/// An encoder of texts: layers of attention, of a Fourier transform, and of a convolution, and a classifier of the first
/// token.
fn encoder() -> Result<Graph, GraphError> {
    let (length, features) = (7, 12);
    let mut b = GraphBuilder::new(Shape::new(1, 1, length));
    let text = b.input();
    let mut x = module(&mut b, "embeddings", text, |b| {
        let words = b.embedding("words", text, 19, features)?;
        let table =
            b.scope("positions", |b| b.parameter("weight", vec![16, features], Shape::new(16, 1, features)))?;
        let positions = b.rearrange(table, view(&[(features, 1), (length, features)], 0), b.shape(words))?;
        let types = b.parameter("types", vec![2, features], Shape::new(2, 1, features))?;
        let types = b.rearrange(types, view(&[(features, 1), (length, 0)], features), b.shape(words))?;
        let sum = b.add(&[words, types, positions])?;
        layer_norm(b, "norm", sum)
    })?;
    for layer in 0..4 {
        x = module(&mut b, &format!("layer.{layer}"), x, |b| {
            let mixed = module(b, "mixing", x, |b| match layer {
                0 | 3 => attention(b, x, 3),
                1 => fourier(b, x, 3),
                _ => convolution(b, x, 2, 3),
            })?;
            let sum = b.add(&[mixed, x])?;
            let x = layer_norm(b, "norm1", sum)?;
            let y = module(b, "mlp", x, |b| mlp(b, x, 2 * features))?;
            let sum = b.add(&[y, x])?;
            layer_norm(b, "norm2", sum)
        })?;
    }
    let first = b.rearrange(x, view(&[(features, length)], 0), Shape::new(features, 1, 1))?;
    let logits = b.linear("classifier", first, 5, true)?;
    b.container(text, logits);
    Ok(b.finish(&[logits, first]))
}

/// A transformer of images: patches, a class token, positions, and a layer that scales what it adds.
fn vision() -> Result<Graph, GraphError> {
    let (features, side) = (12, 3);
    let mut b = GraphBuilder::new(Shape::new(3, 4 * side, 4 * side));
    let image = b.input();
    let x = b.conv2d(
        "patches",
        image,
        Conv::new(features, Window::square(4).stride(4).padding(Default::default())).with_bias(),
    )?;
    let tokens = b.shape(x).pixels() + 1;
    let shape = Shape::new(features, 1, tokens);
    let x = b.rearrange(
        x,
        view(&[(features, tokens - 1), (tokens - 1, 1)], 0),
        Shape::new(features, 1, tokens - 1),
    )?;
    let token = b.parameter("class_token", vec![1, 1, features], Shape::new(features, 1, 1))?;
    let x = b.join(&[token, x], features, 1, shape)?;
    let positions = b.parameter("positions", vec![1, tokens, features], Shape::new(tokens, 1, features))?;
    let positions = b.rearrange(positions, view(&[(features, 1), (tokens, features)], 0), shape)?;
    let mut x = b.add(&[x, positions])?;
    for layer in 0..2 {
        x = b.scope(format_args!("blocks.{layer}"), |b| {
            let y = layer_norm(b, "norm1", x)?;
            let y = module(b, "attention", y, |b| attention(b, y, 2))?;
            let scale = b.parameter("scale", vec![features], Shape::new(features, 1, 1))?;
            let y = b.mul(y, scale)?;
            let x = b.add(&[x, y])?;
            let y = layer_norm(b, "norm2", x)?;
            let y = module(b, "mlp", y, |b| mlp(b, y, 16))?;
            b.add(&[x, y])
        })?;
    }
    // The first token, normalised, and the mean of all.
    let first = b.rearrange(x, view(&[(features, tokens)], 0), Shape::new(features, 1, 1))?;
    let first = layer_norm(&mut b, "norm", first)?;
    let mean =
        b.mean_along(x, Axis { outer: features, len: tokens, inner: 1 }, Shape::new(features, 1, 1))?;
    let both = b.concat(&[first, mean])?;
    let logits = b.linear("head", both, 4, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits]))
}

/// Layers that share what they learn, with each other and with an embedding.
fn shared() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(Shape::new(1, 1, 5));
    let text = b.input();
    let mut x = b.embedding("words", text, 8, 6)?;
    let first = b.params().len();
    x = b.linear("layers.0", x, 6, true)?;
    for layer in 1..3 {
        let y = b.act(&format!("acts.{layer}"), x, Activation::Relu)?;
        let own = b.params().len();
        b.linear(&format!("layers.{layer}"), y, 6, true)?;
        b.share(own, first);
        x = b.share(own, first + 1);
    }
    let own = b.params().len();
    b.linear("decoder", x, 8, false)?;
    let logits = b.share(own, 0);
    Ok(b.finish(&[logits]))
}

/// Tokens that are picked and repeated, and read as numbers.
fn tokens() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(Shape::new(1, 1, 6));
    let text = b.input();
    let some = b.rearrange(text, view(&[(3, 2)], 1), Shape::new(1, 1, 3))?;
    let others = b.pick(text, [4, 4, 0].into(), Shape::new(1, 1, 3))?;
    let x = b.embedding("some", some, 11, 4)?;
    let y = b.embedding("others", others, 13, 4)?;
    let zeros = b.zero(Shape::new(4, 1, 1));
    let x = b.join(&[x, zeros, y], 4, 1, Shape::new(4, 1, 7))?;
    let numbers = b.function(some, Function::Linear { factor: real(0.125), summand: real(-0.5) });
    let numbers = b.linear("numbers", numbers, 4, true)?;
    let x = b.join(&[x, numbers], 4, 1, Shape::new(4, 1, 10))?;
    let gate = b.mean(x)?;
    let gate = b.linear("gate", gate, 4, true)?;
    let x = b.mul(x, gate)?;
    let part = b.slice(x, 1, 2)?;
    let x = b.concat(&[x, part])?;
    let logits = b.linear("last", x, 3, true)?;
    Ok(b.finish(&[logits]))
}
