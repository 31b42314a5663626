//! The command `swapnas`.

use std::process::ExitCode;

fn main() -> ExitCode {
    swapnas_cli::run(std::env::args_os()).into()
}
