//! The networks around DARTS cells.
//!
//! `swap` is the one of the released SWAP code: no stem, one cell, which is a reduction cell.
//! `benchmark` is the evaluation network of NAS-Bench-301 without the auxiliary head. There,
//! BatchNorm inside cells has no parameters and follows the pools as well.

use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Shape, ValueId, Window};

use super::{Cell, Edge, Genotype, Operation};
use crate::blocks::{Built, conv_bn, factorized_reduce, module, relu_conv_bn};
use crate::network::count;
use crate::{NetworkConfig, Preset};

/// Channels of the stem for each channel of the first cell.
const STEM_MULTIPLIER: usize = 3;

/// What a preset says, with the numbers of the configuration filled in.
struct Plan {
    stem: bool,
    channels: usize,
    cells: usize,
    style: Style,
}

impl Plan {
    fn new(config: &NetworkConfig) -> Self {
        let (stem, channels, cells, style) = match config.preset {
            Preset::Swap => (false, 3, 1, Style { affine: true, normed_pools: false }),
            Preset::Benchmark => (true, 32, 8, Style { affine: false, normed_pools: true }),
        };
        let (channels, cells) = (config.channels.unwrap_or(channels), config.cells.unwrap_or(cells));
        Plan { stem, channels, cells, style }
    }

    /// Whether cell `i` is a reduction cell: those at one and at two thirds of the depth are.
    fn is_reduction(&self, i: usize) -> bool {
        i == self.cells / 3 || i == 2 * self.cells / 3
    }
}

/// How the operations inside cells are normalised.
#[derive(Clone, Copy)]
struct Style {
    /// Whether BatchNorm has a weight and a bias.
    affine: bool,
    /// Whether BatchNorm follows pools.
    normed_pools: bool,
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let plan = Plan::new(config);
    let stem = if plan.stem { format!("stem {}", STEM_MULTIPLIER * plan.channels) } else { "no stem".into() };
    let (channels, cells) = (count(plan.channels, "channel"), count(plan.cells, "cell"));
    config.describe(&format!("{stem}, {channels}, {cells}"))
}

pub(super) fn build(genotype: &Genotype, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let plan = Plan::new(config);
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let stem = if plan.stem {
        let conv = Conv::new(STEM_MULTIPLIER * plan.channels, Window::square(3));
        module(&mut b, "stem", image, |b| conv_bn(b, ["0", "1"], image, conv))?
    } else {
        image
    };
    let (mut s0, mut s1) = (stem, stem);
    let mut channels = plan.channels;
    let mut reduced = false;
    for i in 0..plan.cells {
        let reduction = plan.is_reduction(i);
        if reduction {
            channels *= 2;
        }
        let place = Place { index: i, channels, reduction, reduced, style: plan.style };
        let cell = if reduction { &genotype.reduce } else { &genotype.normal };
        let output = module(&mut b, format_args!("cells.{i}"), s1, |b| build_cell(b, cell, place, s0, s1))?;
        (s0, s1, reduced) = (s1, output, reduction);
    }
    let features = match config.preset {
        Preset::Swap => b.mean(s1)?,
        Preset::Benchmark => b.global_avg_pool("global_pooling", s1)?,
    };
    let logits = b.linear("classifier", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

/// Where in the network a cell is.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    channels: usize,
    reduction: bool,
    /// Whether the cell before it is a reduction cell, so that the one before that has a larger
    /// image.
    reduced: bool,
    style: Style,
}

fn build_cell(b: &mut GraphBuilder, cell: &Cell, place: Place, s0: ValueId, s1: ValueId) -> Built {
    let pointwise = Conv::new(place.channels, Window::square(1));
    let s0 = module(b, "preprocess0", s0, |b| {
        if place.reduced {
            factorized_reduce(b, s0, place.channels, true)
        } else {
            relu_conv_bn(b, "op", s0, pointwise, true)
        }
    })?;
    let s1 = module(b, "preprocess1", s1, |b| relu_conv_bn(b, "op", s1, pointwise, true))?;
    let mut states = [s0; 6];
    states[1] = s1;
    let mut results = [s0; 2];
    for (k, edge) in cell.edges().iter().enumerate() {
        // How many times the cell had this operation on this input before.
        let occurrence = cell.edges()[..k].iter().filter(|e| *e == edge).count();
        let key = ("darts", place.index, edge.op.name(), edge.input, occurrence);
        let x = states[edge.input];
        let stride = if place.reduction && edge.input < 2 { 2 } else { 1 };
        let operation = |b: &mut GraphBuilder| build_edge(b, edge, x, place, stride);
        results[k % 2] = module(b, format_args!("_ops.{k}"), x, |b| b.keyed(key, operation))?;
        if k % 2 == 1 {
            states[2 + k / 2] = b.add(&results)?;
        }
    }
    let joined: Vec<ValueId> = cell.concat().iter().map(|&state| states[state]).collect();
    b.concat(&joined)
}

fn build_edge(b: &mut GraphBuilder, edge: &Edge, x: ValueId, place: Place, stride: usize) -> Built {
    let Style { affine, normed_pools } = place.style;
    let pool = Window::square(3).stride(stride);
    match edge.op {
        Operation::None => {
            let Shape { channels, height, width } = b.shape(x);
            Ok(b.zero(Shape::new(channels, height.div_ceil(stride), width.div_ceil(stride))))
        }
        Operation::SkipConnect if stride == 1 => Ok(x),
        Operation::SkipConnect => factorized_reduce(b, x, place.channels, affine),
        Operation::AvgPool3x3 | Operation::MaxPool3x3 => {
            let name = if normed_pools { "0" } else { "" };
            let y = match edge.op {
                Operation::AvgPool3x3 => b.avg_pool(name, x, pool, false)?,
                _ => b.max_pool(name, x, pool)?,
            };
            if normed_pools { b.batch_norm("1", y, affine) } else { Ok(y) }
        }
        Operation::SepConv3x3 => sep_conv(b, x, 3, stride, affine),
        Operation::SepConv5x5 => sep_conv(b, x, 5, stride, affine),
        Operation::DilConv3x3 => dil_conv(b, x, 3, stride, affine),
        Operation::DilConv5x5 => dil_conv(b, x, 5, stride, affine),
    }
}

/// Twice ReLU, depthwise and pointwise convolution, BatchNorm; the stride is in the first.
fn sep_conv(b: &mut GraphBuilder, x: ValueId, kernel: usize, stride: usize, affine: bool) -> Built {
    let window = Window::square(kernel);
    module(b, "op", x, |b| {
        let y = separable(b, ["0", "1", "2", "3"], x, window.stride(stride), affine)?;
        separable(b, ["4", "5", "6", "7"], y, window, affine)
    })
}

fn dil_conv(b: &mut GraphBuilder, x: ValueId, kernel: usize, stride: usize, affine: bool) -> Built {
    let window = Window::square(kernel).dilation(2).stride(stride);
    module(b, "op", x, |b| separable(b, ["0", "1", "2", "3"], x, window, affine))
}

/// ReLU, depthwise convolution, 1x1 convolution, BatchNorm, under the four names.
fn separable(b: &mut GraphBuilder, names: [&str; 4], x: ValueId, window: Window, affine: bool) -> Built {
    let [relu, depthwise, pointwise, norm] = names;
    let channels = b.shape(x).channels;
    let y = b.relu(relu, x)?;
    let y = b.conv2d(depthwise, y, Conv::depthwise(channels, window))?;
    let y = b.conv2d(pointwise, y, Conv::new(channels, Window::square(1)))?;
    b.batch_norm(norm, y, affine)
}
