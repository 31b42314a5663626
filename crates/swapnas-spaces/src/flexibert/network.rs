//! The network: embeddings, layers, and a linear classifier of the first token, as ELECTRA's fine-tuning has it. Modules
//! are named as in the benchmark's PyTorch code, whose encoder has no classifier.

use swapnas_graph::tensor::Norm;
use swapnas_graph::{Activation, Epsilon, Graph, GraphBuilder, GraphError, Shape, ValueId};

use super::operation;
use super::{Encoder, Layer, Operation};
use crate::NetworkConfig;
use crate::blocks::{Built, module, strided};
use crate::diagram::Diagram;

/// Tokens of ELECTRA's vocabulary.
pub(super) const VOCABULARY: usize = 30_522;

/// The most tokens of a text.
pub(super) const POSITIONS: usize = 512;

/// Kinds of texts: the first and the second of a pair. All tokens are of the first.
const TYPES: usize = 2;

/// Features of an embedding.
const EMBEDDING: usize = 128;

/// The number of features in a network whose embeddings have `config.channels`, when it is `width` in one whose
/// embeddings have 128, rounded up to a multiple of the most heads: with fewer than 4 channels, both hidden sizes are one.
fn scaled(config: &NetworkConfig, width: usize) -> usize {
    match config.channels {
        None | Some(EMBEDDING) => width,
        Some(channels) => (width * channels).div_ceil(4 * EMBEDDING) * 4,
    }
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let scale = config.describe_scale(EMBEDDING);
    config.describe_of_texts(&format!("{scale}a vocabulary of {VOCABULARY}"))
}

/// The layers in a row.
pub(super) fn diagram(encoder: &Encoder) -> Diagram {
    let layers = encoder.layers().iter().map(|layer| {
        let Layer { operation, heads, feed_forward, stacks } = layer;
        format!("{}, {heads} heads\n{stacks} × {feed_forward}", operation.name())
    });
    let embeddings = format!("embeddings\n{} features", encoder.hidden());
    Diagram::chain_from("text", "layers", [embeddings].into_iter().chain(layers))
}

pub(super) fn build(encoder: &Encoder, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let hidden = scaled(config, encoder.hidden());
    let mut b = GraphBuilder::new(config.input);
    let text = b.input();
    let embedded = module(&mut b, "embeddings", text, |b| embeddings(b, text, scaled(config, EMBEDDING)))?;
    let mut x = embedded;
    if b.shape(x).channels != hidden {
        x = b.linear("embeddings_project", x, hidden, true)?;
    }
    x = module(&mut b, "encoder", x, |b| {
        b.scope("layer", |b| {
            encoder.layers().iter().enumerate().try_fold(x, |x, (place, layer)| {
                let width = scaled(config, layer.feed_forward);
                module(b, place, x, |b| build_layer(b, x, place, layer, width))
            })
        })
    })?;
    let tokens = b.shape(x).pixels();
    let features = b.rearrange(x, strided(&[(hidden, tokens)], 0), Shape::new(hidden, 1, 1))?;
    let logits = b.linear("classifier", features, config.classes, true)?;
    b.container(text, logits);
    Ok(b.finish(&[logits, features]))
}

/// The features of tokens, of their places, and of their type, which is the first.
fn embeddings(b: &mut GraphBuilder, text: ValueId, features: usize) -> Built {
    let words = b.embedding("word_embeddings", text, VOCABULARY, features)?;
    let shape = b.shape(words);
    let mut table = |name: &str, rows: usize, stride: usize| {
        let whole = b.embeddings(name, rows, features)?;
        let view = strided(&[(features, 1), (shape.width, stride)], 0);
        b.rearrange(whole, view, shape)
    };
    let types = table("token_type_embeddings", TYPES, 0)?;
    let places = table("position_embeddings", POSITIONS, features)?;
    let sum = b.add(&[words, types, places])?;
    layer_norm(b, sum)
}

/// The module `LayerNorm`, over the features of every token.
fn layer_norm(b: &mut GraphBuilder, x: ValueId) -> Built {
    let epsilon = Epsilon::new(1e-12).expect("a positive number");
    b.normalise("LayerNorm", x, Norm { epsilon, ..Norm::over_channels(b.shape(x)) })
}

/// Module `output`: back to the hidden size, added to what went in, and normalised.
fn output(b: &mut GraphBuilder, x: ValueId, beside: ValueId) -> Built {
    module(b, "output", x, |b| {
        let y = b.linear("dense", x, b.shape(beside).channels, true)?;
        let y = b.add(&[y, beside])?;
        layer_norm(b, y)
    })
}

fn build_layer(b: &mut GraphBuilder, x: ValueId, place: usize, layer: &Layer, width: usize) -> Built {
    let Layer { operation, heads, .. } = *layer;
    let hidden = b.shape(x).channels;
    let key = ("flexibert", hidden, place);
    let x = b.keyed((key, operation.name(), heads), |b| {
        module(b, "operation", x, |b| {
            let y = module(b, "operation", x, |b| operation::build(b, operation, x, heads))?;
            // A linear transform is all there is: it is not added to what it transforms.
            let is_transform = matches!(operation, Operation::Fourier | Operation::Cosine);
            if is_transform { Ok(y) } else { output(b, y, x) }
        })
    })?;
    b.keyed((key, width), |b| {
        let y = module(b, "intermediate", x, |b| {
            let mut y = b.linear("dense_in", x, width, true)?;
            y = b.act("intermediate_act_fn", y, Activation::Gelu)?;
            for i in 1..layer.stacks {
                y = b.linear(&format!("dense_list.{}", i - 1), y, width, true)?;
                y = b.act("intermediate_act_fn", y, Activation::Gelu)?;
            }
            Ok(y)
        })?;
        output(b, y, x)
    })
}
