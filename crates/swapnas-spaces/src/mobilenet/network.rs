//! The network: a stem that halves the image, the stages, a pointwise convolution and a linear head.
//! Modules are named as in torchvision. The activation is ReLU, as in Zen-NAS, ZiCo and AZ-NAS,
//! not ReLU6.

use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, ValueId, Window};

use super::{Stage, Stages};
use crate::NetworkConfig;
use crate::blocks::{Built, conv_bn, conv_bn_relu, module};
use crate::diagram::Diagram;

const STEM: usize = 32;
const HEAD: usize = 1280;

/// The stride of the first block of each stage.
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

/// The number of channels in a network whose stem has `config.channels`, when it is `width` in one
/// whose stem has 32.
fn scaled(config: &NetworkConfig, width: usize) -> usize {
    config.scaled(STEM, width)
}

pub(super) fn describe(config: &NetworkConfig) -> String {
    let scale = config.describe_scale(STEM);
    config.describe(&format!("{scale}stem {}, head {}", scaled(config, STEM), scaled(config, HEAD)))
}

/// The stages in a row.
pub(super) fn diagram(stages: &Stages) -> Diagram {
    let stages = stages.stages().iter().zip(STRIDES).map(|(stage, stride)| {
        let Stage { kernel, expansion, depth, width } = stage;
        let stride = if stride > 1 { format!("\nstride {stride}") } else { String::new() };
        format!("{depth} × MB{expansion} {kernel}×{kernel}\n{width} channels{stride}")
    });
    let stem = format!("conv 3×3\n{STEM} channels\nstride 2");
    let head = format!("conv 1×1\n{HEAD} channels");
    Diagram::chain("stages", [stem].into_iter().chain(stages).chain([head]))
}

pub(super) fn build(stages: &Stages, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let features = module(&mut b, "features", image, |b| {
        let stem = Conv::new(scaled(config, STEM), Window::square(3).stride(2));
        let mut x = module(b, "0", image, |b| conv_bn_relu(b, NAMES, image, stem))?;
        let mut index = 1;
        for (s, (stage, first_stride)) in stages.stages().iter().zip(STRIDES).enumerate() {
            let out = scaled(config, stage.width);
            for depth in 0..stage.depth {
                let stride = if depth == 0 { first_stride } else { 1 };
                let key = ("mobilenet", s, depth, stage.kernel, stage.expansion);
                let build = |b: &mut GraphBuilder| b.keyed(key, |b| build_block(b, stage, x, out, stride));
                x = module(b, index, x, build)?;
                index += 1;
            }
        }
        let head = Conv::new(scaled(config, HEAD), Window::square(1));
        module(b, index, x, |b| conv_bn_relu(b, NAMES, x, head))
    })?;
    // In torchvision this is a function of no module.
    let features = b.mean(features)?;
    let logits = module(&mut b, "classifier", features, |b| b.linear("1", features, config.classes, true))?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

const NAMES: [&str; 3] = ["0", "1", "2"];

/// An inverted residual block. Without an expansion there is no first convolution.
fn build_block(b: &mut GraphBuilder, stage: &Stage, x: ValueId, out: usize, stride: usize) -> Built {
    let channels = b.shape(x).channels;
    let hidden = channels * stage.expansion;
    let depthwise = Conv::depthwise(hidden, Window::square(stage.kernel).stride(stride));
    let y = module(b, "conv", x, |b| {
        let expanded = if stage.expansion == 1 {
            x
        } else {
            let conv = Conv::new(hidden, Window::square(1));
            module(b, "0", x, |b| conv_bn_relu(b, NAMES, x, conv))?
        };
        let [depthwise_name, pointwise, norm] =
            if stage.expansion == 1 { ["0", "1", "2"] } else { ["1", "2", "3"] };
        let y = module(b, depthwise_name, expanded, |b| conv_bn_relu(b, NAMES, expanded, depthwise))?;
        conv_bn(b, [pointwise, norm], y, Conv::new(out, Window::square(1)))
    })?;
    if stride == 1 && channels == out { b.add(&[x, y]) } else { Ok(y) }
}
