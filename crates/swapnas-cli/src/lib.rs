//! The command `swapnas`, for whoever starts it: the program, or the Python package.
//!
//! ```
//! assert_eq!(swapnas_cli::run(["swapnas", "spaces", "nb201"]), 0);
//! assert_eq!(swapnas_cli::run(["swapnas", "score", "4321", "--space", "nb201", "--metrics", "params"]), 0);
//! ```

mod args;
mod commands;
mod progress;
mod render;
mod subjects;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::io::Write;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use swapnas::graph::option::{OptionName, joined, spelled};
use swapnas::{plain, plain_lines};

use args::{Cli, Command};
pub use progress::{Done, bar};
pub use render::unread;

/// How a command ended, other than by an error.
enum Ending {
    Complete,
    /// A signal came, by Ctrl-C or otherwise; what was finished by then is saved. The code is 128 and the number of the
    /// signal.
    Stopped(u8),
}

/// Says something on standard error. If nobody can hear it, there is nobody to tell.
fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Does what the arguments ask for, the first of which is the name of the program, and returns the code to end
/// the process with. Help, and arguments that make no sense, end it at once.
pub fn run<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> u8 {
    spelled(as_typed, || run_command(arguments))
}

/// An option as it is typed: `--size 3x32x32`.
fn as_typed(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "--{}", option.name())?;
    if numbers.is_empty() { Ok(()) } else { write!(f, " {}", joined(numbers)) }
}

fn run_command<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> u8 {
    let command_line = command();
    let matches = command_line.clone().try_get_matches_from(arguments).unwrap_or_else(|error| exit(error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| exit(error));
    let result = match cli.command {
        Command::Score(args) => commands::score::run(args, &given(&command_line, &matches)),
        Command::Merge(args) => commands::merge::run(args),
        Command::Correlate(args) => commands::correlate::run(args, &given(&command_line, &matches)),
        Command::Latency(args) => commands::latency::run(args),
        Command::Convert(args) => commands::convert::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Train(args) => commands::train::run(args),
        Command::Bench(command) => commands::bench::run(command, &given(&command_line, &matches)),
        Command::Search(args) => commands::search::run(args, &given(&command_line, &matches)),
        Command::Design(args) => commands::design::run(args),
        Command::Spaces(args) => commands::spaces::run(args),
        Command::Metrics(args) => commands::metrics::run(args),
        Command::Completions(args) => commands::manual::complete(args, command()),
        Command::Man(args) => commands::manual::man(args, command()),
    };
    // Python ends processes without Rust's knowledge. What was stopped has written all that it could.
    let result = result.and_then(|ending| match ending {
        Ending::Complete => Ok(std::io::stdout().flush().map(|()| ending)?),
        Ending::Stopped(_) => Ok(ending),
    });
    match result {
        Ok(Ending::Complete) => 0,
        Ok(Ending::Stopped(code)) => code,
        // The reader of a pipe, such as `head`, may have seen enough.
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            say(format_args!("error: {}", explain(error.as_ref())));
            1
        }
    }
}

/// Ends the process with help, or with what is wrong with the arguments, of which what was typed is made
/// [`plain`].
fn exit(mut error: clap::Error) -> ! {
    let typed = [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand];
    for kind in typed {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        let shown = plain(text).to_string();
        if shown != *text {
            error.insert(kind, ContextValue::String(shown));
            // It says what was typed once more.
            error.remove(ContextKind::Suggested);
        }
    }
    let text = error.render().to_string();
    let shown = plain_lines(&text);
    if !error.use_stderr() || shown == text {
        error.exit();
    }
    eprint!("{shown}");
    std::process::exit(error.exit_code())
}

/// The command with all its options, where a negative number is a value like any other, so that it is refused as
/// one.
fn command() -> clap::Command {
    let values = |argument: clap::Arg| {
        let takes_values = argument.get_action().takes_values();
        argument.allow_negative_numbers(takes_values)
    };
    Cli::command().mut_subcommands(|subcommand| subcommand.mut_args(values))
}

/// An error with its causes, each said once: some errors say their cause themselves. Nothing in it would do
/// anything to a terminal.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    plain_lines(&text)
}

/// The names of the options of the subcommand that were typed.
fn given(command: &clap::Command, matches: &clap::ArgMatches) -> Vec<String> {
    let Some((name, matches)) = matches.subcommand() else { return Vec::new() };
    let Some(command) = command.find_subcommand(name) else { return Vec::new() };
    if command.has_subcommands() {
        return given(command, matches);
    }
    let arguments = command.get_arguments();
    let names = arguments.map(|argument| argument.get_id().as_str());
    // The arguments of help and version are not among the matches.
    let typed = names.filter(|name| {
        matches.try_contains_id(name).is_ok() && matches.value_source(name) == Some(ValueSource::CommandLine)
    });
    typed.map(str::to_owned).collect()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use swapnas::graph::option::SIZE;

    use super::*;

    #[test]
    fn options_of_messages_can_be_typed() {
        fn names(command: &clap::Command) -> Vec<&str> {
            let own = command.get_arguments().flat_map(clap::Arg::get_long);
            own.chain(command.get_subcommands().flat_map(names)).collect()
        }
        let command = command();
        let names = names(&command);
        for option in OptionName::ALL {
            assert!(names.contains(&option.name()), "{option}");
            let typed = spelled(as_typed, || option.to_string());
            assert_eq!(typed, format!("--{}", option.name()));
        }
        assert_eq!(spelled(as_typed, || SIZE.of(&[3, 224, 224]).to_string()), "--size 3x224x224");
    }
}
