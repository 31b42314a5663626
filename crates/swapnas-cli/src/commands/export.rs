//! `swapnas export`.

use std::io::{IsTerminal, Write};

use anyhow::{Context, bail};
use swapnas::export::{Export, Format};
use swapnas::{NetworkConfig, Preset};

use crate::Ending;
use crate::args::ExportArgs;
use crate::render;

pub(crate) fn run(args: ExportArgs) -> anyhow::Result<Ending> {
    let format = Format::choose(args.format, args.out.as_deref())?;
    let arch = args.space.parse(&args.arch).with_context(|| render::unread(&args.arch))?;
    let export = Export { space: args.space, arch: &arch, network: network(&args), seed: args.seed };
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

fn network(args: &ExportArgs) -> NetworkConfig {
    let network = match args.network {
        Preset::Benchmark => args.space.final_network(),
        Preset::Swap => NetworkConfig { preset: Preset::Swap, ..args.space.default_network() },
    };
    let input = args.input.map_or(network.input, |input| input.shape(network.input));
    NetworkConfig {
        channels: args.channels.or(network.channels),
        cells: args.cells.or(network.cells),
        input,
        classes: args.classes.unwrap_or(network.classes),
        ..network
    }
}
