//! Networks in the formats of others: as [`onnx`] files, read and written, and as PyTorch code ([`torch`]).
//!
//! ```
//! use swapnas_formats::onnx::{self, Contents, Images};
//! use swapnas_graph::{Conv, Draw, FixedStatistics, GraphBuilder, Init, Shape, Weights, Window};
//!
//! let mut b = GraphBuilder::new(Shape::new(3, 32, 32));
//! let x = b.conv2d("stem", b.input(), Conv::new(16, Window::square(3)))?;
//! let x = b.relu("act", x)?;
//! let network = b.finish(&[x]);
//!
//! let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 0, repeat: 0, network: None });
//! let contents = Contents { weights, statistics: &FixedStatistics::default(), about: "one layer" };
//! let file = onnx::export(&network, &contents)?;
//! assert_eq!(onnx::read(file, Images::OfFile)?.parameter_count(), 16 * 3 * 3 * 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrangement;
mod facts;
pub mod onnx;
pub mod torch;
