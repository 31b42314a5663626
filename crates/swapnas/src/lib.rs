//! Rank neural architectures without training them: what the command `swapnas` and other tools build
//! on.
//!
//! ```
//! use swapnas::{Scoring, ScoringOptions};
//!
//! let space = swapnas::space("darts")?;
//! let options = ScoringOptions { metrics: Some("swap".into()), repeats: Some(2), ..ScoringOptions::default() };
//! let scoring = Scoring { options, ..Scoring::new(space) };
//! let scorer = scoring.scorer()?;
//! let archs = swapnas::sample(space, 10, 0);
//! let scored = scorer.score(&archs, &())?;
//! let best = scored.iter().flatten().max_by_key(|s| s.scores[0].as_ref().map_or(0, |s| s.mean as u64));
//! assert!(best.is_some_and(|best| best.units > 10_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whatever implements [`Proxy`] is a metric like the others, here SNIP (Lee et al., ICLR 2019):
//!
//! ```
//! use std::sync::Arc;
//! use swapnas::{NetworkView, Proxies, Proxy, ProxyError, Scoring, ScoringOptions};
//!
//! struct Mine;
//!
//! impl Proxy for Mine {
//!     fn name(&self) -> &str {
//!         "mine"
//!     }
//!
//!     fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
//!         let mut sum = 0.0;
//!         for (weight, _) in network.layers() {
//!             let gradient = network.gradient(weight)?;
//!             sum += network.weight(weight).iter().zip(gradient).map(|(w, g)| (w * g).abs()).sum::<f64>();
//!         }
//!         Ok(sum)
//!     }
//! }
//!
//! let proxies = Proxies::new([Arc::new(Mine) as Arc<dyn Proxy>])?;
//! let space = swapnas::space("nb201")?;
//! let options = ScoringOptions { metrics: Some("mine,snip".into()), ..ScoringOptions::default() };
//! let scoring = Scoring { space, proxies, options };
//! for scored in scoring.scorer()?.score(&swapnas::sample(space, 2, 0), &())?.iter().flatten() {
//!     let [mine, snip] = [0, 1].map(|metric| scored.scores[metric].as_ref().map(|score| score.mean));
//!     assert!((mine.unwrap() / snip.unwrap() - 1.0).abs() < 1e-5);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod command;
mod correlation;
pub mod design;
pub mod drawing;
pub mod export;
mod file;
pub mod latency;
mod markup;
mod number;
pub mod onnx;
pub mod options;
pub mod plot;
mod refusals;
pub mod report;
pub mod results;
mod sample;
mod saturation;
mod scoring;
mod searching;
pub mod shard;
pub mod statistics;
pub mod table;
mod training;

pub use correlation::{
    Comparison, Correlation, NoValue, Origin, Ranking, compare, correlate, spearman, tell_apart,
};
pub use file::{WriteError, check_output, write as write_file, write_by};
pub use number::{count, number};
pub use options::{ImageSize, NetworkOptions, ScoringOptions, SearchOptions, TrainingOptions};
pub use refusals::{Finding, Unread, refused, score_readable, scored, values};
pub use sample::sample;
pub use saturation::saturation_warnings;
pub use scoring::{Scoring, ScoringError};
pub use searching::{Searching, free_folder};
/// What a [`NetworkView`] shows: operations, parameters and modules of a network, and the signs of its ReLUs.
pub use swapnas_graph as graph;
pub use swapnas_graph::{
    Init, Key, Level, LevelError, Plain, Shape, Tensors, TensorsError, plain, plain_lines, plain_sentence,
    read_json,
};
pub use swapnas_metrics::inputs::{
    Array, ArrayError, InputError, InputSpec, PictureFolder, Place, Skipped, Survey, SurveyError,
};
pub use swapnas_metrics::metrics::all as metrics;
pub use swapnas_metrics::{
    Aggregate, Argument, Ceiling, Column, ColumnError, Columns, Definition, Direction, MemoryError, Metric,
    MetricError, Named, NetworkView, Outcome, Precision, Progress, Proxies, Proxy, ProxyError,
    ProxyNameError, Refusals, Refused, Remedy, Saturation, Score, ScoreError, Scored, Scorer, Settings,
    Sharing, Undefined,
};
/// Search algorithms, their memory and their run folders.
pub use swapnas_search as search;
/// Search spaces, what to implement for one of one's own, and what it then has to promise.
pub use swapnas_spaces as spaces;
pub use swapnas_spaces::{
    Arch, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space, UnknownSpace, by_name as space,
    spaces,
};
/// Training of networks, and benchmarks made by it.
pub use swapnas_train as train;
pub use training::Training;
