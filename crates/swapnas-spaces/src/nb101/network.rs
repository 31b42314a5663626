//! The network around NAS-Bench-101 cells: a stem and three stacks of cells, with max pools between
//! them that halve the image while the channels double.

use std::collections::HashMap;

use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Key, Padding, ValueId, Window};

use super::cell::{Cell, MAX_VERTICES, Operation};
use crate::NetworkConfig;
use crate::blocks::{Built, conv_bn_relu, module};
use crate::network::count;

const STACKS: usize = 3;

/// Channels of the stem and cells of a stack.
fn size(config: &NetworkConfig) -> (usize, usize) {
    (config.channels.unwrap_or(128), config.cells.unwrap_or(3))
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let (channels, cells) = size(config);
    config.describe(&format!(
        "stem {channels}, {STACKS} stacks of {}, {channels}, {} and {} channels",
        count(cells, "cell"),
        2 * channels,
        4 * channels
    ))
}

/// Builds the network of a pruned cell.
pub(super) fn build(cell: &Cell, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let (mut channels, cells) = size(config);
    let keys = vertex_keys(cell);
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let conv = Conv::new(channels, Window::square(3));
    let mut x = module(&mut b, "layers.0", image, |b| unit(b, image, conv))?;
    let mut layer = 1;
    for stack in 0..STACKS {
        if stack > 0 {
            let halved = Window::square(2).stride(2).padding(Padding::default());
            x = b.max_pool(&format!("layers.{layer}"), x, halved)?;
            layer += 1;
            channels *= 2;
        }
        for index in stack * cells..(stack + 1) * cells {
            let place = Place { index, channels, keys: &keys };
            x = module(&mut b, format_args!("layers.{layer}"), x, |b| build_cell(b, cell, &place, x))?;
            layer += 1;
        }
    }
    let features = b.mean(x)?;
    let logits = b.linear("classifier", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

/// Where in the network a cell is.
struct Place<'a> {
    /// Number of the cell, from 0.
    index: usize,
    /// Its output channels.
    channels: usize,
    /// What the vertices compute.
    keys: &'a [(Key, usize)],
}

/// For each vertex but the output, what it computes from the input, whatever the order of vertices,
/// and how many vertices before it compute the same from the same.
fn vertex_keys(cell: &Cell) -> Vec<(Key, usize)> {
    let mut keys = vec![(Key::of("input"), 0)];
    let mut seen: HashMap<Key, usize> = HashMap::new();
    for (vertex, op) in (1..).zip(cell.ops()) {
        let mut sources: Vec<(Key, usize)> = cell.sources(vertex).map(|source| keys[source]).collect();
        sources.sort_unstable();
        let key = Key::of((op.name(), sources));
        let occurrence = seen.entry(key).or_default();
        keys.push((key, *occurrence));
        *occurrence += 1;
    }
    keys
}

/// The channels of every vertex of a pruned cell with `channels` at its output; 0 for the input.
///
/// The vertices that feed the output share its channels, the first ones taking one more if they do
/// not divide evenly. Any other vertex has as many as the widest vertex that reads it.
fn vertex_channels(cell: &Cell, channels: usize) -> [usize; MAX_VERTICES] {
    let output = cell.output();
    let feeding: Vec<usize> = cell.sources(output).filter(|&vertex| vertex > 0).collect();
    let mut widths = [0; MAX_VERTICES];
    widths[output] = channels;
    for (i, &vertex) in feeding.iter().enumerate() {
        widths[vertex] = channels / feeding.len() + usize::from(i < channels % feeding.len());
    }
    for vertex in (1..output).rev().filter(|vertex| !feeding.contains(vertex)) {
        let readers = (vertex + 1..output).filter(|&reader| cell.has_edge(vertex, reader));
        widths[vertex] = readers.map(|reader| widths[reader]).max().unwrap_or_default();
    }
    widths
}

fn build_cell(b: &mut GraphBuilder, cell: &Cell, place: &Place<'_>, x: ValueId) -> Built {
    let output = cell.output();
    let widths = vertex_channels(cell, place.channels);
    // The module of the input's projection to a vertex, which is named by what the vertex computes.
    let project = |b: &mut GraphBuilder, vertex: usize| {
        let key = ("nb101", place.index, "projection", place.keys.get(vertex));
        let conv = Conv::new(widths[vertex], Window::square(1));
        module(b, format_args!("input_op.{vertex}"), x, |b| b.keyed(key, |b| unit(b, x, conv)))
    };
    let mut values = vec![x];
    for (vertex, &op) in (1..).zip(cell.ops()) {
        let mut terms = Vec::with_capacity(vertex);
        for source in cell.sources(vertex).filter(|&source| source > 0) {
            terms.push(b.slice(values[source], 0, widths[vertex])?);
        }
        if cell.has_edge(0, vertex) {
            terms.push(project(b, vertex)?);
        }
        let sum = b.add(&terms)?;
        let key = ("nb101", place.index, "vertex", place.keys[vertex]);
        let build = |b: &mut GraphBuilder| b.keyed(key, |b| build_op(b, op, sum));
        values.push(module(b, format_args!("vertex_op.{vertex}"), sum, build)?);
    }
    let mut results = Vec::with_capacity(2);
    let joined: Vec<ValueId> =
        cell.sources(output).filter(|&source| source > 0).map(|source| values[source]).collect();
    if !joined.is_empty() {
        results.push(b.concat(&joined)?);
    }
    if cell.has_edge(0, output) {
        results.push(project(b, output)?);
    }
    b.add(&results)
}

fn build_op(b: &mut GraphBuilder, op: Operation, x: ValueId) -> Built {
    let channels = b.shape(x).channels;
    let conv = |kernel| Conv::new(channels, Window::square(kernel));
    match op {
        Operation::Conv3x3BnRelu => module(b, "conv3x3", x, |b| unit(b, x, conv(3))),
        Operation::Conv1x1BnRelu => module(b, "conv1x1", x, |b| unit(b, x, conv(1))),
        Operation::MaxPool3x3 => b.max_pool("maxpool", x, Window::square(3)),
    }
}

/// A convolution with BatchNorm and ReLU, in a module of its own.
fn unit(b: &mut GraphBuilder, x: ValueId, conv: Conv) -> Built {
    module(b, "conv_bn_relu", x, |b| conv_bn_relu(b, ["0", "1", "2"], x, conv))
}
