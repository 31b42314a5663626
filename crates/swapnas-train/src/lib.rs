//! Training: what a network is worth once it has learnt something.
//!
//! Scores of untrained networks are judged by accuracies of trained ones. A [`Trainer`] trains one network on labelled
//! images, by stochastic gradient descent with momentum or by AdamW, with a cosine schedule and the usual changes of
//! images. It is made for many small networks, one on each thread; a single one may have all threads. Either way, what
//! comes out depends on the settings, the images and the architecture alone, to the bit.
//!
//! ```
//! use swapnas_graph::{Conv, Draw, GraphBuilder, Init, Level, Shape, Window};
//! use swapnas_metrics::inputs::InputSpec;
//! use swapnas_train::{Dataset, Settings, Trainer};
//!
//! let shape = Shape::new(3, 8, 8);
//! let mut b = GraphBuilder::new(shape);
//! let x = b.input();
//! let x = b.conv2d("conv", x, Conv::new(8, Window::square(3)))?;
//! let x = b.batch_norm("norm", x, true)?;
//! let x = b.relu("relu", x)?;
//! let x = b.global_avg_pool("pool", x)?;
//! let logits = b.linear("classifier", x, 10, true)?;
//! let graph = b.finish(&[logits]);
//!
//! let data = Dataset::draw(&"shapes".parse::<InputSpec>()?, shape, 64, 32, 0)?;
//! let settings = Settings { epochs: 2, batch: 32, ..Settings::default() };
//! let mut trainer = Trainer::<f32>::new(graph, settings, Level::best())?;
//! while !trainer.is_done() {
//!     let epoch = trainer.epoch(&data, &mut || true)?.expect("nobody has stopped it");
//!     assert!(epoch.loss.is_finite() && (0.0..=100.0).contains(&epoch.accuracy));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augment;
pub mod benchmark;
mod bytes;
mod checkpoint;
mod dataset;
mod error;
mod file;
mod loss;
mod optimiser;
mod settings;
mod trainer;

pub use augment::Augmentation;
pub use checkpoint::CheckpointError;
pub use dataset::{Dataset, DatasetError, Part};
pub use error::SettingsError;
pub use optimiser::Optimiser;
pub use settings::Settings;
pub use trainer::{Epoch, TrainError, TrainedNetwork, Trainer};
