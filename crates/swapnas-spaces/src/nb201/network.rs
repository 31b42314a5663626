//! The network around NAS-Bench-201 cells: three stages of cells, with residual blocks between them
//! that double the channels and halve the image.

use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Padding, Shape, ValueId, Window};

use super::{Cell, Operation};
use crate::NetworkConfig;
use crate::blocks::{Built, conv_bn, module, relu_conv_bn};
use crate::network::count;

const STAGES: usize = 3;

/// Channels of the first stage and cells in each.
fn size(config: &NetworkConfig) -> (usize, usize) {
    (config.channels.unwrap_or(16), config.cells.unwrap_or(5))
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let (channels, cells) = size(config);
    config.describe(&format!(
        "{STAGES} stages of {}, {channels}, {} and {} channels",
        count(cells, "cell"),
        2 * channels,
        4 * channels
    ))
}

pub(super) fn build(cell: &Cell, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let (channels, cells) = size(config);
    let stage = |index: usize| index / (cells + 1);
    // The residual block between two stages is the first layer of the wider one.
    let widths: Vec<usize> =
        (0..STAGES * (cells + 1) - 1).map(|index| channels << stage(index + 1)).collect();
    build_layers(cell, &widths, cells, config)
}

/// The network whose layers have these output channels, the first of them the stem as well. Behind every so many
/// `cells` there is a residual block.
pub(crate) fn build_layers(
    cell: &Cell,
    widths: &[usize],
    cells: usize,
    config: &NetworkConfig,
) -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let mut x = module(&mut b, "stem", image, |b| {
        conv_bn(b, ["0", "1"], image, Conv::new(widths[0], Window::square(3)))
    })?;
    for (index, &channels) in widths.iter().enumerate() {
        let name = format_args!("cells.{index}");
        x = if index % (cells + 1) == cells {
            module(&mut b, name, x, |b| residual_block(b, x, channels))?
        } else {
            module(&mut b, name, x, |b| build_cell(b, cell, index, x, channels))?
        };
    }
    let x = module(&mut b, "lastact", x, |b| {
        let y = b.batch_norm("0", x, true)?;
        b.relu("1", y)
    })?;
    let features = b.global_avg_pool("global_pooling", x)?;
    let logits = b.linear("classifier", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

fn residual_block(b: &mut GraphBuilder, x: ValueId, channels: usize) -> Built {
    let window = Window::square(3);
    let y =
        module(b, "conv_a", x, |b| relu_conv_bn(b, "op", x, Conv::new(channels, window.stride(2)), true))?;
    let y = module(b, "conv_b", y, |b| relu_conv_bn(b, "op", y, Conv::new(channels, window), true))?;
    let shortcut = module(b, "downsample", x, |b| {
        // Of a last row or column that is odd, the mean is over what there is, so that the shortcut is as
        // large as what it is added to. Images of the benchmark have none.
        let Shape { height, width, .. } = b.shape(x);
        let [bottom, right] = [height, width].map(|size| (size % 2) as i32);
        let window = Window::square(2).stride(2).padding(Padding { bottom, right, ..Padding::default() });
        let halved = b.avg_pool("0", x, window, false)?;
        b.conv2d("1", halved, Conv::new(channels, Window::square(1)))
    })?;
    b.add(&[shortcut, y])
}

/// A cell whose edges from its input lead to other numbers of channels, if it has others.
fn build_cell(b: &mut GraphBuilder, cell: &Cell, index: usize, x: ValueId, channels: usize) -> Built {
    let mut nodes = vec![x];
    let mut terms = Vec::with_capacity(3);
    for (k, (&op, &(source, target))) in cell.0.iter().zip(&Cell::EDGES).enumerate() {
        // How many times the cell had this operation on this node before.
        let occurrence = (source + 1..target).filter(|&t| cell.op(source, t) == op).count();
        let key = ("nb201", index, op.name(), source, occurrence);
        let x = nodes[source];
        terms.push(module(b, format_args!("layers.{k}"), x, |b| {
            b.keyed(key, |b| build_op(b, op, x, channels))
        })?);
        if source + 1 == target {
            nodes.push(b.add(&terms)?);
            terms.clear();
        }
    }
    Ok(nodes[3])
}

fn build_op(b: &mut GraphBuilder, op: Operation, x: ValueId, channels: usize) -> Built {
    let shape = b.shape(x);
    let conv = |kernel| Conv::new(channels, Window::square(kernel));
    match op {
        Operation::None => Ok(b.zero(shape.with_channels(channels))),
        Operation::SkipConnect if shape.channels == channels => Ok(x),
        Operation::SkipConnect => conv_bn(b, ["conv", "bn"], x, conv(1)),
        Operation::NorConv1x1 => relu_conv_bn(b, "op", x, conv(1), true),
        Operation::NorConv3x3 => relu_conv_bn(b, "op", x, conv(3), true),
        // Channels stay as many as they are: no cell with pools has layers of other widths.
        Operation::AvgPool3x3 => b.avg_pool("op", x, Window::square(3), false),
    }
}
