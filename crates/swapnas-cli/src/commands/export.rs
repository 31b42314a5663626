//! `swapnas export`.

use std::io::{IsTerminal, Write};

use anyhow::{Context, bail};
use swapnas::export::{Export, Format, NetworkOverrides};

use crate::Ending;
use crate::args::ExportArgs;
use crate::render;

pub(crate) fn run(args: ExportArgs) -> anyhow::Result<Ending> {
    let format = Format::choose(args.format, args.out.as_deref())?;
    let arch = args.space.parse(&args.arch).with_context(|| render::unread(&args.arch))?;
    let ExportArgs { channels, cells, classes, input: size, .. } = args;
    let changes = NetworkOverrides { preset: Some(args.network), channels, cells, classes, size };
    let export =
        Export { space: args.space, arch: &arch, network: changes.network(args.space), seed: args.seed };
    match &args.out {
        Some(path) => export.write(format, path)?,
        None => {
            let mut out = std::io::stdout().lock();
            if !format.is_text() && out.is_terminal() {
                bail!("{format} is not text for a terminal: give --out FILE, or redirect the output");
            }
            out.write_all(&export.contents(format)?)?;
        }
    }
    Ok(Ending::Complete)
}
