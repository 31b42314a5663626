//! The network: patches, a class token and position embeddings, blocks that are normalised before each part, and a
//! linear head on the mean of the patches' tokens.
//!
//! As the authors train and search it (their options `--gp --change_qkv --relative_position`), with the names of their
//! modules. A value is `[features][1][tokens]`, the class token first.
//!
//! Patches have 16x16 pixels whatever the image. Rows and columns at the end of an image that do not make a patch are
//! not looked at, as by any convolution with strides, and an image of less than a patch is one patch with zeros around
//! it. (The authors take square images only.)

use swapnas_graph::tensor::Norm;
use swapnas_graph::{
    Activation, Conv, Graph, GraphBuilder, GraphError, Padding, Shape, Strided, ValueId, Window,
};

use super::attention::{Grid, attention};
use super::{Block, Subnet, Supernet};
use crate::NetworkConfig;
use crate::blocks::{Built, module};
use crate::diagram::Diagram;

/// Rows and columns of a patch.
const PATCH: usize = 16;

/// Features of a head.
const HEAD: usize = 64;

/// The number of features in a network whose embedding dimension is `config.channels` if it has the largest one, when
/// it is `width` in the authors' network.
fn scaled(supernet: Supernet, config: &NetworkConfig, width: usize) -> usize {
    config.scaled(supernet.widest(), width)
}

pub(super) fn describe(supernet: Supernet, config: &NetworkConfig) -> String {
    let scale = config.describe_scale(supernet.widest());
    let [rows, columns] = [config.input.height, config.input.width].map(|side| (side / PATCH).max(1));
    let head = scaled(supernet, config, HEAD);
    config.describe(&format!("{scale}heads of {head}, {rows}x{columns} patches"))
}

/// The blocks in a row.
pub(super) fn diagram(subnet: &Subnet) -> Diagram {
    let patches = format!("{PATCH}×{PATCH} patches\n{} channels", subnet.embed_dim());
    let blocks = subnet.blocks().iter().map(|block| {
        let Block { mlp_ratio, num_heads } = block;
        format!("{num_heads} heads\nMLP ×{mlp_ratio}")
    });
    Diagram::chain("blocks", [patches].into_iter().chain(blocks))
}

pub(super) fn build(subnet: &Subnet, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let [embed, head] = [subnet.embed_dim(), HEAD].map(|width| scaled(subnet.supernet(), config, width));
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let patches = Conv::new(embed, patches(config.input)).with_bias();
    let patches = module(&mut b, "patch_embed_super", image, |b| b.conv2d("proj", image, patches))?;
    let image_of_patches = b.shape(patches);
    let mut x = tokens(&mut b, patches)?;
    let mut grid = Grid::new(&mut b, image_of_patches.height, image_of_patches.width)?;
    for (i, block) in subnet.blocks().iter().enumerate() {
        x = b.scope("blocks", |b| module(b, i, x, |b| build_block(b, i, block, x, head, &mut grid)))?;
    }
    let x = b.normalise("norm", x, Norm::over_channels(b.shape(x)))?;
    let of_patches = Strided::new(&[(embed, grid.tokens()), (grid.tokens() - 1, 1)], 1).expect("a part of x");
    let x = b.rearrange(x, of_patches, image_of_patches)?;
    // In the authors' code this is a function of no module.
    let features = b.mean(x)?;
    let logits = b.linear("head", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

/// The window that takes an image apart into patches that do not overlap.
fn patches(image: Shape) -> Window {
    let missing = |side: usize| PATCH.saturating_sub(side) as i32;
    let padding =
        Padding { bottom: missing(image.height), right: missing(image.width), ..Padding::default() };
    Window::square(PATCH).stride(PATCH).padding(padding)
}

/// The class token and the patches, with the embeddings of their places.
fn tokens(b: &mut GraphBuilder, patches: ValueId) -> Built {
    let embed = b.shape(patches).channels;
    let tokens = b.shape(patches).pixels() + 1;
    let shape = Shape::new(embed, 1, tokens);
    let class = b.parameter("cls_token", vec![1, 1, embed], Shape::new(embed, 1, 1))?;
    let x = b.join(&[class, patches], embed, 1, shape)?;
    let places = b.parameter("pos_embed", vec![1, tokens, embed], Shape::new(1, tokens, embed))?;
    let transposed = Strided::new(&[(embed, 1), (tokens, embed)], 0).expect("all elements of a value");
    let places = b.rearrange(places, transposed, shape)?;
    b.add(&[x, places])
}

/// A block: attention and MLP, each of what is normalised and added to what it was given.
///
/// The keys of weights say which of the choices they depend on, so that networks that differ in another block, or
/// in the other part of this one, have equal ones.
fn build_block(
    b: &mut GraphBuilder,
    i: usize,
    block: &Block,
    x: ValueId,
    head: usize,
    grid: &mut Grid,
) -> Built {
    let &Block { mlp_ratio, num_heads } = block;
    let shape = b.shape(x);
    let norm = Norm::over_channels(shape);
    let y = b.normalise("attn_layer_norm", x, norm)?;
    let y = b.keyed(("autoformer", i, "heads", num_heads), |b| {
        module(b, "attn", y, |b| attention(b, y, num_heads, head, grid))
    })?;
    let x = b.add(&[x, y])?;
    let y = b.normalise("ffn_layer_norm", x, norm)?;
    let y = b.keyed(("autoformer", i, "ratio", mlp_ratio.to_bits()), |b| {
        let hidden = (shape.channels as f64 * mlp_ratio) as usize;
        let y = b.linear("fc1", y, hidden, true)?;
        let y = b.act("activation_fn", y, Activation::Gelu)?;
        b.linear("fc2", y, shape.channels, true)
    })?;
    b.add(&[x, y])
}
