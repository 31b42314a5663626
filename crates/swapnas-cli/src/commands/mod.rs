//! One file for every command.

pub(crate) mod bench;
pub(crate) mod book;
pub(crate) mod convert;
pub(crate) mod correlate;
pub(crate) mod design;
pub(crate) mod export;
pub(crate) mod latency;
pub(crate) mod manual;
pub(crate) mod merge;
pub(crate) mod metrics;
pub(crate) mod score;
pub(crate) mod scoring;
pub(crate) mod search;
pub(crate) mod spaces;
pub(crate) mod train;
