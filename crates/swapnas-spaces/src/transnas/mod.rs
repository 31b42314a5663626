//! TransNAS-Bench-101 (Duan et al., CVPR 2021): two spaces over one skeleton.
//!
//! `transnas-micro` fixes the skeleton and searches the [`Cell`] of its blocks; `transnas-macro`
//! fixes the blocks and searches the [`Skeleton`]: where channels double and where the image
//! shrinks.

mod cell;
mod macro_space;
mod micro_space;
mod network;
mod skeleton;

pub use cell::{Cell, Operation};
pub use skeleton::{Module, Skeleton};

use cell::GENES;
pub(crate) use macro_space::Macro;
pub(crate) use micro_space::Micro;
