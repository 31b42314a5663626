//! Rank neural architectures without training them: what the command `swapnas` and other tools build
//! on.

pub mod statistics;
