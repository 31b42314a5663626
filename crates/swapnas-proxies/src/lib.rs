//! Training-free metrics of neural networks and the images they are computed on.
//!
//! A [`Scorer`] builds architectures of a space into networks, draws weights and images, runs the
//! passes that its [`Metric`]s need, and gives the mean of each metric over several draws. A
//! [`GraphScorer`] does so with networks that are there already.

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
