//! Search for architectures by training-free metrics.
//!
//! An [`Algorithm`] asks for architectures to be evaluated and is told what came out. A [`Search`] lets
//! one of them run: it evaluates with a [`Scorer`](swapnas_metrics::Scorer), remembers everything in an
//! [`Archive`], and writes it to a run folder as it goes, so that a run that was stopped or killed can be
//! resumed and ends with the same result. Another [`Evaluator`] has other machines do it.
//!
//! An algorithm of one's own implements [`Algorithm`], and [`Search::with`] runs it, on any space.
//!
//! ```
//! use swapnas_search::{Candidates, Limits};
//! use swapnas_spaces::by_name;
//!
//! let space = by_name("nb201")?;
//! let limits = Limits { max_params: Some(300_000), ..Limits::default() };
//! let mut candidates = Candidates::new(space, space.final_network(), limits, None, 0)?;
//! let arch = candidates.sample()?;
//! let mutant = candidates.mutate(&arch)?;
//! assert!(mutant != arch && candidates.sizes(&mutant)?.params <= 300_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What an algorithm asks for depends on its seed and on what it was told, and scores depend on the
//! architecture and the settings alone. So nothing needs to be saved of an algorithm: to resume a run, it
//! is started anew and told the scores that are known.

mod algorithm;
mod archive;
mod candidates;
mod configuration;
pub mod contract;
mod error;
mod evaluator;
mod latency;
mod limits;
mod options;
mod search;
mod store;
mod target;

pub use algorithm::{
    Aging, Algorithm, AlgorithmKind, Exhaustive, Nsga2, RandomSearch, SwapNas, UnknownAlgorithm,
};
pub use archive::{Archive, Evaluated};
pub use candidates::Candidates;
pub use configuration::{Configuration, SecondObjective, UnknownSecondObjective};
pub use error::SearchError;
pub use evaluator::Evaluator;
pub use latency::{LatencyTable, Operation};
pub use limits::{Limits, Sizes};
pub use options::{ImageSize, NetworkOptions, ScoringOptions, SearchOptions, SizeError};
pub use search::{Ended, Options, Search};
pub use store::Store;
pub use target::{Target, regularisation};
