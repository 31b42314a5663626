//! Every kernel against a naive twin in double precision, written for obviousness: at every SIMD level
//! of this machine, for both number types, on awkward sizes. The levels are also held against each
//! other, bit by bit, and so are rows computed at once and one by one.

mod convolution;
mod dense;
mod depthwise;
mod functions;
mod gradients;
mod line;
mod moments;
mod pool;
mod product;
mod rows;
mod simd;
mod support;
mod views;
mod winograd;
