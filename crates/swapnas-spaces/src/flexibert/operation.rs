//! What layers do with tokens, each as modules of its own. A value has the features of tokens as channels of an
//! image of one row, so the element of feature `c` and token `t` of `tokens` is number `c * tokens + t`.

use std::f64::consts::PI;

use swapnas_graph::tensor::{Axis, Function, Product, Real};
use swapnas_graph::{Conv, GraphBuilder, GraphError, Padding, Shape, Strided, ValueId, Window};

use super::Operation;
use crate::blocks::{Built, module, real, strided};

/// The operation on the tokens of `x`, in so many heads; as many features as before.
pub(super) fn build(b: &mut GraphBuilder, operation: Operation, x: ValueId, heads: usize) -> Built {
    let hidden = b.shape(x).channels;
    let of = |parts: usize| Heads { count: heads / parts, size: hidden / heads, tokens: b.shape(x).width };
    match operation {
        Operation::ScaledDotProduct => {
            let heads = of(1);
            let [query, key, value] = projections(b, x, hidden)?;
            heads.attention(b, [query, key, value])
        }
        Operation::WeightedMultiplicative => {
            let heads = of(1);
            let [query, key, value] = projections(b, x, hidden)?;
            let query = b.linear("weight", query, hidden, false)?;
            heads.attention(b, [query, key, value])
        }
        Operation::Fourier | Operation::Cosine => {
            let heads = of(1);
            let x = b.linear("input", x, hidden, true)?;
            let transform =
                if operation == Operation::Fourier { Transform::fourier } else { Transform::cosine };
            heads.transform(b, x, &transform(heads.size), &transform(heads.tokens))
        }
        Operation::Convolution5 => of(2).convolution(b, x, 5),
        Operation::Convolution9 => of(2).convolution(b, x, 9),
    }
}

/// Queries, keys and values.
fn projections(b: &mut GraphBuilder, x: ValueId, features: usize) -> Result<[ValueId; 3], GraphError> {
    let mut linear = |name| b.linear(name, x, features, true);
    Ok([linear("query")?, linear("key")?, linear("value")?])
}

/// The heads into which features are divided.
#[derive(Clone, Copy)]
struct Heads {
    count: usize,
    /// Features of each.
    size: usize,
    tokens: usize,
}

impl Heads {
    /// All features.
    fn features(&self) -> usize {
        self.count * self.size
    }

    /// The shape of all features of all tokens.
    fn shape(&self) -> Shape {
        Shape::new(self.features(), 1, self.tokens)
    }

    /// A matrix of tokens and features for each head.
    fn tokens_by_features(&self) -> Strided {
        view(&[(self.count, self.size * self.tokens), (self.tokens, 1), (self.size, self.tokens)])
    }

    /// softmax(query key^T / sqrt(size)) value, head by head (Vaswani et al., 2017, equation 1).
    fn attention(&self, b: &mut GraphBuilder, [query, key, value]: [ValueId; 3]) -> Built {
        let (of_features, tokens) = (self.tokens_by_features(), self.tokens);
        let scale = 1.0 / (self.size as f64).sqrt();
        let query = b.function(query, Function::Linear { factor: real(scale), summand: real(0.0) });
        let scores = Product {
            a: of_features,
            b: of_features.permuted(&[0, 2, 1]),
            out: contiguous(&[self.count, tokens, tokens]),
        };
        let scores = b.product([query, key], scores, Shape::new(self.count, tokens, tokens))?;
        let weights = b.softmax(scores, Axis { outer: self.count * tokens, len: tokens, inner: 1 })?;
        let mixed =
            Product { a: contiguous(&[self.count, tokens, tokens]), b: of_features, out: of_features };
        b.product([weights, value], mixed, self.shape())
    }

    /// A transform over tokens and features of each head: the real part of `T^T x S`, where `x` has a row for each
    /// token, and `T` and `S` are the transforms' matrices. With two parts, that is `T0^T x S0 - T1^T x S1`.
    fn transform(&self, b: &mut GraphBuilder, x: ValueId, features: &Transform, tokens: &Transform) -> Built {
        let &Heads { count, size, tokens: length } = self;
        let parts = features.parts.len();
        let numbers = features.parts.iter().flatten().copied().collect();
        let of_features = b.constant(numbers, Shape::new(parts, size, size))?;
        // A head's tokens with the features of each part, one part below the other.
        let inner = Product {
            a: view(&[(count, size * length), (parts, 0), (length, 1), (size, length)]),
            b: view(&[(count, 0), (parts, size * size), (size, size), (size, 1)]),
            out: contiguous(&[count, parts, length, size]),
        };
        let inner = b.product([x, of_features], inner, Shape::new(count * parts, length, size))?;
        // The matrices of tokens beside each other, those of further parts negative.
        let row = |row: usize| {
            let signed = |(part, numbers): (usize, &Vec<Real>)| {
                let sign = if part == 0 { 1.0 } else { -1.0 };
                let column = |token: usize| real(sign * numbers[token * length + row].number());
                (0..length).map(column).collect::<Vec<Real>>()
            };
            tokens.parts.iter().enumerate().flat_map(signed).collect::<Vec<Real>>()
        };
        let numbers = (0..length).flat_map(row).collect();
        let of_tokens = b.constant(numbers, Shape::new(1, length, parts * length))?;
        let outer = Product {
            a: view(&[(count, 0), (length, parts * length), (parts * length, 1)]),
            b: contiguous(&[count, parts * length, size]),
            out: self.tokens_by_features(),
        };
        b.product([of_tokens, inner], outer, self.shape())
    }

    /// ConvBERT's mixed attention (Jiang et al., 2020): self-attention in these heads, and as many others that
    /// convolve tokens with kernels made of them.
    fn convolution(&self, b: &mut GraphBuilder, x: ValueId, kernel: usize) -> Built {
        let &Heads { count, size, tokens } = self;
        let features = self.features();
        let [query, key, value] = projections(b, x, features)?;
        let spans = module(b, "key_conv_attn_layer", x, |b| self.separable(b, x, kernel))?;
        let spans = b.mul(spans, query)?;
        let kernels = b.linear("conv_kernel_layer", spans, count * kernel, true)?;
        let kernels = b.softmax(kernels, Axis { outer: count, len: kernel, inner: tokens })?;
        let points = b.linear("conv_out_layer", x, features, true)?;
        // Zeros before and behind, so that every token has neighbours.
        let margin = kernel / 2;
        let zeros = b.constant(vec![real(0.0); features * margin].into(), Shape::new(features, 1, margin))?;
        let length = tokens + 2 * margin;
        let points = b.join(&[zeros, points, zeros], features, 1, Shape::new(features, 1, length))?;
        // For every token and head, the features of the tokens around, times the kernel.
        let convolve = Product {
            a: view(&[(tokens, 1), (count, size * length), (size, length), (kernel, 1)]),
            b: view(&[(tokens, 1), (count, kernel * tokens), (kernel, tokens), (1, 0)]),
            out: view(&[(tokens, 1), (count, size * tokens), (size, tokens), (1, 0)]),
        };
        let convolved = b.product([points, kernels], convolve, self.shape())?;
        let attended = self.attention(b, [query, key, value])?;
        b.concat(&[attended, convolved])
    }

    /// A convolution along the tokens, feature by feature, and one of all features at each token.
    fn separable(&self, b: &mut GraphBuilder, x: ValueId, kernel: usize) -> Built {
        let (hidden, margin) = (b.shape(x).channels, (kernel / 2) as i32);
        let padding = Padding { left: margin, right: margin, ..Padding::default() };
        let along = Window { kernel: [1, kernel], padding, ..Window::square(1) };
        let y = b.conv2d("depthwise", x, Conv::depthwise(hidden, along))?;
        let y = b.conv2d("pointwise", y, Conv::new(self.features(), Window::square(1)))?;
        let bias = b.parameter("bias", vec![self.features(), 1], Shape::new(self.features(), 1, 1))?;
        let bias = b.rearrange(bias, view(&[(self.features(), 1), (self.tokens, 0)]), self.shape())?;
        b.add(&[y, bias])
    }
}

/// The matrix of a transform of real numbers, with a row for each of them and a column for each of the results: its
/// real part, and minus its imaginary part if there is one.
struct Transform {
    parts: Vec<Vec<Real>>,
}

impl Transform {
    /// The discrete Fourier transform: e^(-2 pi i k n / length).
    fn fourier(length: usize) -> Self {
        let matrix = |function: fn(f64) -> f64| {
            // Angles within a turn are exact as they can be.
            let turn = move |k: usize, n: usize| 2.0 * PI * ((k * n) % length) as f64 / length as f64;
            (0..length).flat_map(move |k| (0..length).map(move |n| real(function(turn(k, n))))).collect()
        };
        Transform { parts: vec![matrix(libm::cos), matrix(libm::sin)] }
    }

    /// The discrete cosine transform, DCT-II without normalisation: 2 cos(pi k (2 n + 1) / (2 length)).
    fn cosine(length: usize) -> Self {
        let turn = |k: usize, n: usize| PI * ((k * (2 * n + 1)) % (4 * length)) as f64 / (2 * length) as f64;
        let number = |k: usize, n: usize| real(2.0 * libm::cos(turn(k, n)));
        let rows = (0..length).flat_map(|n| (0..length).map(move |k| (k, n)));
        Transform { parts: vec![rows.map(|(k, n)| number(k, n)).collect()] }
    }
}

/// A view of all elements of a value, or of some that begin with the first.
fn view(dims: &[(usize, usize)]) -> Strided {
    strided(dims, 0)
}

fn contiguous(sizes: &[usize]) -> Strided {
    Strided::contiguous(sizes).expect("far fewer elements than can be counted")
}
