//! Rank neural architectures without training them: what the command `swapnas` and other tools build
//! on.
//!
//! ```
//! use swapnas::{InputSpec, Level, Precision, Scorer, Settings, Sharing};
//!
//! let space = swapnas::space("darts")?;
//! let settings = Settings {
//!     metrics: vec!["swap".parse()?],
//!     inputs: InputSpec::default(),
//!     batch: 16,
//!     repeats: Some(2),
//!     seed: 0,
//!     init: None,
//!     sharing: Sharing::Shared,
//!     level: Level::best(),
//!     precision: Precision::Single,
//! };
//! let scorer = Scorer::new(space, space.default_network(), settings)?;
//! let archs = swapnas::sample(space, 10, 0);
//! let scored = scorer.score(&archs, &())?;
//! let best = scored.iter().flatten().max_by_key(|s| s.scores[0].as_ref().map_or(0, |s| s.mean as u64));
//! assert!(best.is_some_and(|best| best.units > 10_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod correlate;
pub mod drawing;
pub mod export;
mod file;
mod markup;
pub mod onnx;
pub mod plot;
pub mod report;
pub mod results;
mod sample;
mod saturation;
pub mod statistics;
pub mod table;

pub use correlate::{Correlation, correlate};
pub use file::{WriteError, check_output};
pub use sample::sample;
pub use saturation::saturation_warnings;
pub use swapnas_graph::{Init, Level, Shape, Tensors};
pub use swapnas_proxies::inputs::InputSpec;
pub use swapnas_proxies::metrics::all as metrics;
pub use swapnas_proxies::{
    Aggregate, Ceiling, Column, ColumnError, Columns, Definition, Direction, MemoryError, Metric, Named,
    Precision, Progress, Saturation, Score, ScoreError, Scored, Scorer, Settings, Sharing, Undefined,
};
/// Search algorithms, their memory and their run folders.
pub use swapnas_search as search;
pub use swapnas_spaces::{Arch, NetworkConfig, Preset, Space, UnknownSpace, by_name as space, spaces};
