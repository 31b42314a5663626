//! Benchmarks: a sample of a space, each network of it trained.
//!
//! A [`Plan`] says all that there is to say about a benchmark, and [`create`] does it in a folder: what has been trained
//! is written down network by network, so that whatever ends the work, it goes on from there. What comes out depends
//! on the plan alone, to the bit, but for the seconds.

mod journal;
mod plan;
mod run;
mod sample;

pub use journal::{JournalError, Training};
pub use plan::{EPOCHS, Plan, PlanError, TRAIN_IMAGES, VALIDATION_IMAGES};
pub use run::{Benchmark, BenchmarkError, Row, create, open};
