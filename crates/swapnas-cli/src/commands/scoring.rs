//! From what was typed to a scorer.

use anyhow::Context;
use swapnas::{Columns, Level, NetworkConfig, Scorer, Settings, Shape, Sharing, Tensors};

use crate::args::{ScoringArgs, WeightsArg};

/// What is computed unless something else is asked for.
const METRICS: &str = "swap,swap-reg,params,macs";

impl ScoringArgs {
    /// The network that is asked for.
    pub(crate) fn network(&self) -> NetworkConfig {
        let mut network = self.space.default_network();
        if let Some(preset) = self.network {
            network = NetworkConfig { preset, ..network };
        }
        let Shape { channels, height, width } = network.input;
        let (height, width) = self.size.map_or((height, width), |size| (size, size));
        NetworkConfig {
            channels: self.channels,
            cells: self.cells,
            input: Shape::new(channels, height, width),
            classes: self.classes.unwrap_or(network.classes),
            ..network
        }
    }

    /// The metrics that are asked for.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn columns(&self) -> anyhow::Result<Columns> {
        Ok(self.metrics.as_deref().unwrap_or(METRICS).parse()?)
    }

    /// How to score.
    fn settings(&self) -> anyhow::Result<Settings> {
        Ok(Settings {
            metrics: self.columns()?.metrics().to_vec(),
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

    /// The scorer; with `tensors`, images and weights come from there.
    pub(crate) fn scorer(&self, tensors: Option<Tensors>) -> anyhow::Result<Scorer> {
        let settings = self.settings()?;
        Ok(match tensors {
            Some(tensors) => Scorer::with_tensors(self.space, self.network(), settings, tensors)?,
            None => Scorer::new(self.space, self.network(), settings)?,
        })
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
