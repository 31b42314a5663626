//! `swapnas completions` and `swapnas man`: what shells and the manual know of the command, made of its own help.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use swapnas::{plain, write_file};

use crate::Ending;
use crate::args::{CompletionsArgs, ManArgs};
use crate::commands::book;

pub(crate) fn complete(args: CompletionsArgs, mut command: Command) -> anyhow::Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "swapnas", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Ending::Complete)
}

pub(crate) fn man(args: ManArgs, mut command: Command) -> anyhow::Result<Ending> {
    // Names of commands become whole: `swapnas search`.
    command.build();
    if let Some(folder) = args.book {
        book::write(&folder, &command)?;
        return Ok(Ending::Complete);
    }
    match args.out {
        None => Man::new(command).render(&mut std::io::stdout())?,
        Some(folder) => {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", plain(&folder)))?;
            write_pages(&folder, command, "swapnas")?;
        }
    }
    Ok(Ending::Complete)
}

/// A page for a command, and for each of those below it.
fn write_pages(folder: &Path, command: Command, name: &str) -> anyhow::Result<()> {
    for below in command.get_subcommands() {
        write_pages(folder, below.clone(), &format!("{name}-{}", below.get_name()))?;
    }
    let mut page = Vec::new();
    Man::new(command.display_name(name)).render(&mut page)?;
    Ok(write_file(&folder.join(format!("{name}.1")), &page)?)
}
