//! Arguments made of the tables of options.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use swapnas::options::{Row, SCORING, SEARCH, TRAINING, Takes};
use swapnas::{ScoringOptions, SearchOptions, TrainingOptions};

/// How to score.
pub(crate) struct ScoringArgs {
    pub options: ScoringOptions,
    pub skip_bad: bool,
    pub threads: Option<usize>,
}

impl FromArgMatches for ScoringArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(ScoringArgs {
            options: asked(SCORING, matches)?,
            skip_bad: matches.get_flag("skip_bad"),
            threads: threads(matches),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = ScoringArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ScoringArgs {
    fn augment_args(command: Command) -> Command {
        command.args(SCORING.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        ScoringArgs::augment_args(command)
    }
}

/// How to search.
pub(crate) struct SearchingArgs {
    pub options: SearchOptions,
    pub latency_table: Option<PathBuf>,
}

impl FromArgMatches for SearchingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let latency_table = matches.get_one("latency_table").cloned();
        Ok(SearchingArgs { options: asked(SEARCH, matches)?, latency_table })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = SearchingArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SearchingArgs {
    fn augment_args(command: Command) -> Command {
        command.args(SEARCH.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        SearchingArgs::augment_args(command)
    }
}

/// How to train.
pub(crate) struct TrainingArgs {
    pub options: TrainingOptions,
    pub threads: Option<usize>,
}

impl FromArgMatches for TrainingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let options = TrainingOptions { flip: !matches.get_flag("no_flip"), ..asked(TRAINING, matches)? };
        Ok(TrainingArgs { options, threads: threads(matches) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = TrainingArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for TrainingArgs {
    fn augment_args(command: Command) -> Command {
        command.args(TRAINING.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        TrainingArgs::augment_args(command)
    }
}

fn threads(matches: &ArgMatches) -> Option<usize> {
    matches.get_one::<String>("threads").and_then(|threads| threads.parse().ok())
}

/// The argument of an option.
fn argument<T: Default>(row: &'static Row<T>) -> Arg {
    let argument = Arg::new(row.identifier()).long(row.name).help(row.help);
    let argument = match row.alias {
        Some(alias) => argument.visible_alias(alias),
        None => argument,
    };
    let argument = match row.default() {
        Some(default) => argument.default_value(default),
        None => argument,
    };
    match row.takes {
        Takes::Nothing => argument.action(ArgAction::SetTrue),
        Takes::File => argument.value_name(row.value).value_parser(value_parser!(PathBuf)),
        Takes::Explained(names) => {
            let value = |(name, help): &(&'static str, &'static str)| PossibleValue::new(*name).help(*help);
            argument.value_name(row.value).value_parser(PossibleValuesParser::new(names.iter().map(value)))
        }
        _ => {
            let check = |text: &str| row.check(text).map(|()| text.to_owned());
            argument.value_name(row.value).value_parser(check)
        }
    }
}

/// What was typed of a table.
fn asked<T: Default>(table: &'static [Row<T>], matches: &ArgMatches) -> Result<T, Error> {
    let mut options = T::default();
    for row in table.iter().filter(|row| row.field.is_some()) {
        let Some(text) = matches.get_one::<String>(&row.identifier()) else { continue };
        row.read(&mut options, text)
            .map_err(|what| Error::raw(clap::error::ErrorKind::ValueValidation, what))?;
    }
    Ok(options)
}
