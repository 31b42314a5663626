//! Kernels that work on sixteen samples at a time.
//!
//! The value of a unit of a network is not one number here but a [`Lane`]: the numbers of 16 samples
//! side by side, one AVX-512 register wide. Images are stored channel by channel, row by row, lane by
//! lane ([`Layout`], [`Planes`]); a batch of more than 16 samples is several such *blocks*. So every
//! operation of a network is the same operation on lanes, whatever its stride, kernel or image size:
//! no kernel has tails or shuffles, the signs of a unit over the samples are the mask of one
//! comparison, and a gradient is one of each sample until somebody sums it up.
//!
//! [`Level`] says what the processor can do and proves it; the [`kernels`] take one and give the same
//! bits at each. All `unsafe` code of the project is in this crate.
//!
//! ```
//! use swapnas_lanes::kernels::sums;
//! use swapnas_lanes::{Lane, Layout, Level, Planes, SAMPLES};
//!
//! // Two channels of 3x3 pixels, each of which is the number of its sample.
//! let layout = Layout::new(2, 3, 3, 0);
//! let lanes = vec![Lane(std::array::from_fn::<f32, SAMPLES, _>(|sample| sample as f32)); layout.lanes()];
//! let mut totals = [Lane::ZERO; 2];
//! sums::sum(Level::best(), Planes::new(&lanes, layout), 0..3, 3, &mut totals);
//! assert_eq!(totals[1].0[5], 9.0 * 5.0);
//! ```

pub mod activation;
pub mod kernels;
mod lane;
mod planes;
mod real;
pub mod simd;
mod strided;

pub use activation::Activation;
pub use lane::{Element, Lane, SAMPLES};
pub use planes::{Layout, Planes, PlanesMut};
pub use real::Real;
pub use simd::{Level, LevelError};
pub use strided::{MOST_DIMS, Strided};
