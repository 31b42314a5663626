//! What all commands that score have in common.

use anyhow::{Context, bail};
use swapnas::{Proxies, Scoring, Sharing, Space};

use crate::args::{ScoringArgs, WeightsArg};

impl ScoringArgs {
    /// How to score architectures of a space.
    pub(crate) fn of(&self, space: &'static dyn Space) -> Scoring {
        Scoring {
            space,
            metrics: self.metrics.clone(),
            proxies: Proxies::default(),
            inputs: if self.skip_bad { self.inputs.skipping_bad() } else { None }
                .unwrap_or_else(|| self.inputs.clone()),
            batch: self.batch,
            repeats: self.repeats,
            seed: self.seed,
            init: self.init,
            sharing: match self.weights {
                WeightsArg::Shared => Sharing::Shared,
                WeightsArg::Independent => Sharing::Independent,
            },
            precision: self.precision,
            network: self.network,
            channels: self.channels,
            cells: self.cells,
            size: self.size,
            classes: self.classes,
        }
    }
}

/// Refuses --skip-bad where there is neither a file of networks nor a folder of pictures.
pub(crate) fn check_skip_bad(args: &ScoringArgs, has_lines: bool) -> anyhow::Result<()> {
    if args.skip_bad && !has_lines && args.inputs.skipping_bad().is_none() {
        bail!("--skip-bad leaves out pictures of --inputs images:DIR and lines of a file; there are none");
    }
    Ok(())
}

/// Makes the threads that all work is done on; says how many.
pub(crate) fn start_threads(asked: Option<usize>) -> anyhow::Result<usize> {
    let threads = match asked {
        Some(threads) => threads,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().with_context(|| format!("cannot start {threads} threads"))?;
    Ok(threads)
}
