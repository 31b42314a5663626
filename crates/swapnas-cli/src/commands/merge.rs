//! `swapnas merge`.

use std::io::Write;

use swapnas::shard;

use crate::Ending;
use crate::args::MergeArgs;

pub(crate) fn run(args: MergeArgs) -> anyhow::Result<Ending> {
    let rows = shard::merge(&args.files)?;
    let mut out = std::io::stdout().lock();
    for row in rows {
        writeln!(out, "{row}")?;
    }
    Ok(Ending::Complete)
}
