//! The network: a stem that reduces the image to a quarter, modules of blocks, a linear head.

use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Shape, ValueId, Window};

use super::{Cell, Module, Operation};
use crate::NetworkConfig;
use crate::blocks::{Built, conv_bn, factorized_reduce, module, relu_conv_bn};
use crate::network::count;

/// The skeleton of every micro network: 41414.
pub(super) const MICRO: [Module; 5] =
    [Module::WidenShrink, Module::Plain, Module::WidenShrink, Module::Plain, Module::WidenShrink];

/// Base channels and blocks of a module.
fn size(config: &NetworkConfig) -> (usize, usize) {
    (config.channels.unwrap_or(64), config.cells.unwrap_or(2))
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let (channels, blocks) = size(config);
    config.describe(&format!("stem {channels}, {} a module", count(blocks, "block")))
}

/// Where a block is, and what it changes.
pub(super) struct Place {
    /// Number of the block, from 0.
    index: usize,
    /// What it changes.
    change: Module,
    /// Its output channels.
    channels: usize,
}

impl Place {
    fn stride(&self) -> usize {
        if self.change.shrinks() { 2 } else { 1 }
    }

    /// The shape of the block's output, given that of its input.
    fn shape(&self, input: Shape) -> Shape {
        let side = |size: usize| size.div_ceil(self.stride());
        Shape::new(self.channels, side(input.height), side(input.width))
    }
}

pub(super) fn build(
    modules: &[Module],
    config: &NetworkConfig,
    block: impl Fn(&mut GraphBuilder, ValueId, &Place) -> Built,
) -> Result<Graph, GraphError> {
    let (mut channels, blocks) = size(config);
    let halved = Window::square(3).stride(2);
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let mut x = module(&mut b, "stem", image, |b| {
        let y = conv_bn(b, ["0", "1"], image, Conv::new(channels / 2, halved))?;
        module(b, "2", y, |b| relu_conv_bn(b, "ops", y, Conv::new(channels, halved), true))
    })?;
    for (m, &change) in modules.iter().enumerate() {
        if change.widens() {
            channels *= 2;
        }
        x = module(&mut b, format_args!("layer{m}"), x, |b| {
            (0..blocks).try_fold(x, |x, k| {
                let change = if k == 0 { change } else { Module::Plain };
                let place = Place { index: m * blocks + k, change, channels };
                module(b, k, x, |b| block(b, x, &place))
            })
        })?;
    }
    let features = b.global_avg_pool("avgpool", x)?;
    let logits = b.linear("head", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

/// The block of the macro space: two 3x3 convolutions and a shortcut.
pub(super) fn basic_block(b: &mut GraphBuilder, x: ValueId, place: &Place) -> Built {
    let window = Window::square(3);
    let conv = Conv::new(place.channels, window);
    let strided = Conv::new(place.channels, window.stride(place.stride()));
    b.keyed(("transnas-macro", place.index, place.change.digit()), |b| {
        let y = module(b, "conv_a", x, |b| relu_conv_bn(b, "ops", x, strided, true))?;
        let y = module(b, "conv_b", y, |b| relu_conv_bn(b, "ops", y, conv, true))?;
        let shortcut = if place.change == Module::Plain {
            x
        } else {
            let conv = Conv::new(place.channels, Window::square(1).stride(place.stride()));
            module(b, "downsample", x, |b| conv_bn(b, ["0", "1"], x, conv))?
        };
        b.add(&[shortcut, y])
    })
}

/// The block of the micro space. The edges from its input do what the module changes.
pub(super) fn cell_block(b: &mut GraphBuilder, x: ValueId, place: &Place, cell: &Cell) -> Built {
    let mut nodes = vec![x];
    let mut terms = Vec::with_capacity(3);
    for (k, (&op, &(source, target))) in cell.0.iter().zip(&Cell::EDGES).enumerate() {
        // How many times the cell had this operation on this node before.
        let occurrence = (source + 1..target).filter(|&t| cell.op(source, t) == op).count();
        let key = ("transnas-micro", place.index, op.name(), source, occurrence);
        let x = nodes[source];
        let change = if source == 0 { place.change } else { Module::Plain };
        let edge = Place { change, ..*place };
        let build = |b: &mut GraphBuilder| b.keyed(key, |b| build_edge(b, op, x, &edge));
        terms.push(module(b, format_args!("edges.{k}"), x, build)?);
        if source + 1 == target {
            nodes.push(b.add(&terms)?);
            terms.clear();
        }
    }
    Ok(nodes[3])
}

fn build_edge(b: &mut GraphBuilder, op: Operation, x: ValueId, place: &Place) -> Built {
    let conv = |kernel| Conv::new(place.channels, Window::square(kernel).stride(place.stride()));
    match op {
        Operation::None => {
            let shape = place.shape(b.shape(x));
            Ok(b.zero(shape))
        }
        Operation::SkipConnect if place.change == Module::Plain => Ok(x),
        Operation::SkipConnect => factorized_reduce(b, x, place.channels, true),
        Operation::NorConv1x1 => relu_conv_bn(b, "ops", x, conv(1), true),
        Operation::NorConv3x3 => relu_conv_bn(b, "ops", x, conv(3), true),
    }
}
