//! The command `swapnas`.

mod args;
mod commands;
mod progress;
mod render;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// What a command that was stopped by Ctrl-C ends with: 128 + SIGINT.
const STOPPED: u8 = 130;

/// How a command ended, other than by an error.
enum Ending {
    Complete,
    /// Ctrl-C was pressed; what was finished by then is saved.
    Stopped,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Score(args) => commands::score::run(args),
        Command::Correlate(args) => commands::correlate::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Spaces(args) => commands::spaces::run(args),
        Command::Metrics(args) => commands::metrics::run(args),
    };
    match result {
        Ok(Ending::Complete) => ExitCode::SUCCESS,
        Ok(Ending::Stopped) => ExitCode::from(STOPPED),
        // The reader of a pipe, such as `head`, may have seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
