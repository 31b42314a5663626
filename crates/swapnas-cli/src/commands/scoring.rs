//! What all commands that score have in common.

use anyhow::{Context, bail};
use swapnas::{Scoring, Space};

use crate::args::ScoringArgs;

impl ScoringArgs {
    /// How to score architectures of a space.
    pub(crate) fn of(&self, space: &'static dyn Space) -> Scoring {
        let mut options = self.options.clone();
        if let Some(inputs) = options.inputs.skipping_bad().filter(|_| self.skip_bad) {
            options.inputs = inputs;
        }
        Scoring { options, ..Scoring::new(space) }
    }
}

/// Refuses --skip-bad where there is neither a file of networks nor a folder of pictures.
pub(crate) fn check_skip_bad(args: &ScoringArgs, has_lines: bool) -> anyhow::Result<()> {
    if args.skip_bad && !has_lines && args.options.inputs.skipping_bad().is_none() {
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
