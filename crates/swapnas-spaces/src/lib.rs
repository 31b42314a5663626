//! Search spaces: sets of architectures with their encodings, moves and networks.
//!
//! Metrics, searches and tables see a [`Space`], in which architectures are strings of genes. A space implements
//! [`TypedSpace`], where an [`Architecture`] has a type of its own, and is a [`Space`] thereby. So is one that somebody
//! else writes.
//!
//! | space | architecture | moves |
//! | --- | --- | --- |
//! | `darts`, `nb301` | [`darts::Genotype`] | operation or input of an edge |
//! | `nb101` | [`nb101::Cell`] | operation of a vertex, an edge, a vertex |
//! | `nb201` | [`nb201::Cell`] | operation of an edge |
//! | `nats-sss` | [`nats::Widths`] | channels of a layer |
//! | `transnas-micro` | [`transnas::Cell`] | operation of an edge |
//! | `transnas-macro` | [`transnas::Skeleton`] | a module changed, put in or left out |
//! | `nbmacro` | [`nbmacro::Blocks`] | kind of a block |
//! | `mobilenet` | [`mobilenet::Stages`] | kernel size, expansion, depth or width of a stage |
//! | `autoformer-tiny`, `-small`, `-base` | [`autoformer::Subnet`] | heads or MLP ratio of a block, embedding dimension, last block |
//! | `flexibert` | [`flexibert::Encoder`] | hidden size, number of layers, a gene of a layer |
//!
//! A new space of this crate is a module with a [`TypedSpace`], and one line in the list of the registry, which is
//! all that a space needs to be on the command line. [`contract::check`] holds a space to what every space promises.
//!
//! ```
//! use swapnas_spaces::by_name;
//!
//! let space = by_name("darts")?;
//! let arch = space.parse(space.encodings()[0].example)?;
//! let config = space.default_network();
//! assert_eq!(space.describe(&config), "swap: no stem, 3 channels, 1 cell, 3x32x32, 10 classes");
//! let graph = space.network(&arch, &config)?;
//! assert_eq!(graph.shape(graph.outputs()[0]).channels, 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arch;
pub mod autoformer;
mod blocks;
pub mod contract;
pub mod darts;
pub mod diagram;
mod error;
pub mod flexibert;
mod genes;
mod json;
pub mod mobilenet;
pub mod nats;
pub mod nb101;
pub mod nb201;
pub mod nbmacro;
mod network;
mod registry;
mod space;
mod text;
pub mod transnas;
mod typed;

pub use arch::Arch;
pub use error::{ParseError, Position, PrintError};
pub use genes::Genes;
pub use network::{NetworkConfig, NetworkError, Preset, UnknownPreset};
pub use registry::{UnknownSpace, by_name, spaces};
pub use space::{Encoding, Space};
pub use typed::{About, Architecture, Moves, TypedEncoding, TypedSpace};
