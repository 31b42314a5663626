//! From what was typed to a scorer.

use anyhow::Context;
use swapnas::onnx::Images;
use swapnas::{Columns, Level, NetworkConfig, Settings, Sharing};

use crate::args::{InputArg, ScoringArgs, WeightsArg};

/// What is computed of architectures unless something else is asked for.
pub(crate) const METRICS: &str = "swap,swap-reg,params,macs";

/// What is computed of ONNX files: the regularised score is made for the size of the networks of a space.
pub(crate) const METRICS_OF_FILES: &str = "swap,params,macs";

impl ScoringArgs {
    /// The network that is asked for.
    pub(crate) fn network(&self) -> NetworkConfig {
        let mut network = self.space.default_network();
        if let Some(preset) = self.network {
            network = NetworkConfig { preset, ..network };
        }
        NetworkConfig {
            channels: self.channels,
            cells: self.cells,
            input: self.size.map_or(network.input, |size| size.shape(network.input)),
            classes: self.classes.unwrap_or(network.classes),
            ..network
        }
    }

    /// The metrics that are asked for, or these.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn columns(&self, default: &str) -> anyhow::Result<Columns> {
        Ok(self.metrics.as_deref().unwrap_or(default).parse()?)
    }

    /// How to score.
    ///
    /// # Errors
    /// If there are no such instructions.
    pub(crate) fn settings(&self, columns: &Columns) -> anyhow::Result<Settings> {
        Ok(Settings {
            metrics: columns.metrics().to_vec(),
            inputs: self.inputs.clone(),
            batch: self.batch,
            repeats: self.repeats,
            seed: self.seed,
            init: self.init,
            sharing: match self.weights {
                WeightsArg::Shared => Sharing::Shared,
                WeightsArg::Independent => Sharing::Independent,
            },
            level: Level::from_env()?,
            precision: self.precision,
        })
    }

    /// The images that ONNX files are read for.
    pub(crate) fn images(&self) -> Images {
        match self.size {
            None => Images::OfFile,
            Some(InputArg::Side(side)) => Images::Side(side),
            Some(InputArg::Shape(shape)) => Images::Shape(shape),
        }
    }

    /// Makes the threads that all work is done on; says how many.
    pub(crate) fn start_threads(&self) -> anyhow::Result<usize> {
        let threads = match self.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().with_context(|| format!("cannot start {threads} threads"))?;
        Ok(threads)
    }
}
