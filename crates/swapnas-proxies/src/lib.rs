//! Training-free metrics of neural networks and the images they are computed on.
//!
//! A [`Scorer`] builds architectures of a space into networks, draws weights and images, runs the
//! passes that its [`Metric`]s need, and gives the mean of each metric over several draws.

mod evidence;
pub mod inputs;
mod metric;
pub mod metrics;
mod observe;
mod patterns;
mod scorer;

pub(crate) use evidence::Evidence;
pub use metric::{Argument, Definition, Direction, Metric, MetricError, Needs, Undefined};
pub use patterns::PatternSet;
pub use scorer::{Ceiling, Progress, Saturation, Score, ScoreError, Scored, Scorer, Settings, Sharing};
