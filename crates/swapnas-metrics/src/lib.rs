//! Training-free metrics of neural networks and the images they are computed on.
//!
//! A [`Scorer`] builds architectures of a space into networks, draws weights and images, runs the
//! passes that its [`Metric`]s need, and gives the mean of each metric over several draws. A
//! [`GraphScorer`] does so with networks that are there already.
//!
//! ```
//! use swapnas_graph::Level;
//! use swapnas_metrics::inputs::InputSpec;
//! use swapnas_metrics::{Precision, Scorer, Settings, Sharing};
//! use swapnas_spaces::by_name;
//!
//! let space = by_name("darts")?;
//! let settings = Settings {
//!     metrics: vec!["swap".parse()?, "params".parse()?],
//!     inputs: InputSpec::default(),
//!     batch: 16,
//!     repeats: Some(1),
//!     seed: 0,
//!     init: None,
//!     sharing: Sharing::Shared,
//!     level: Level::best(),
//!     precision: Precision::Single,
//! };
//! let scorer = Scorer::new(space, space.scored_network(), settings)?;
//! let arch = space.parse(space.encodings()[0].example)?;
//! let [Some(scored)] = &scorer.score(&[arch], &())?[..] else { panic!("nobody stops the work") };
//! assert!(scored.scores[0].as_ref().is_ok_and(|swap| swap.mean > 1000.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
mod definition;
pub mod inputs;
mod memory;
mod metric;
pub mod metrics;
mod observe;
mod patterns;
mod proxy;
mod quantile;
mod ranks;
mod scorer;
mod spectrum;
mod trial;
mod undefined;

pub use column::{Aggregate, Column, ColumnError, Columns, Named};
pub use definition::{Argument, Definition, Direction};
pub use memory::{MemoryError, check_memory};
pub use metric::{Metric, MetricError};
pub use patterns::PatternSet;
pub use proxy::{NetworkView, Proxies, Proxy, ProxyError, ProxyNameError};
pub use quantile::quantile;
pub use ranks::{log_rank_sums, mean_ranks, ranks};
pub use scorer::{
    Ceiling, GraphScorer, Outcome, Precision, Progress, Refusals, Refused, Remedy, Saturation, Score,
    ScoreError, Scored, Scorer, Settings, Sharing, UnknownPrecision,
};
pub use undefined::Undefined;
