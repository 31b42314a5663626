//! What is computed on lanes.
//!
//! Every kernel works on one block of samples and on a range of output rows, so that blocks and
//! bands of rows can go to different threads. The order in which an output is summed up depends on
//! nothing but the shape of the layer: neither on the SIMD level, nor on the tiles, nor on how the
//! rows are divided (into pairs, for the algorithm that does two at a time).

pub mod arrange;
pub mod chain;
pub mod combination;
pub mod convolution;
pub mod dense;
pub mod depthwise;
pub mod line;
pub mod mean;
pub mod moments;
mod panel;

pub mod pool;
pub mod pool_gradient;
pub mod product;
pub mod rows;
pub mod sums;
mod tiles;
pub mod transpose;
pub mod weight_gradient;
pub mod window;
pub mod winograd;
pub mod winograd_gradient;
