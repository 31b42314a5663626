//! The options that front ends offer, each said once: the command makes its arguments of these tables, Python its
//! keywords and their types, and both read and print values by them.
//!
//! An option more is a field of [`ScoringOptions`], [`SearchOptions`] or [`TrainingOptions`] with its default, a row
//! here, and what it does.
//!
//! ```
//! use swapnas::options::{SCORING, ScoringOptions};
//!
//! let batch = SCORING.iter().find(|row| row.name == "batch").expect("there is one");
//! let mut options = ScoringOptions::default();
//! batch.read(&mut options, "64")?;
//! assert_eq!((options.batch, batch.print(&options).as_deref()), (64, Some("64")));
//! assert_eq!(batch.read(&mut options, "0").unwrap_err(), "give a number from 1 to 4096");
//! # Ok::<(), String>(())
//! ```

mod scoring;
mod search;
mod training;

use std::fmt::Display;
use std::str::FromStr;

use swapnas_graph::Shape;
pub use swapnas_search::{ImageSize, NetworkOptions, ScoringOptions, SearchOptions, SizeError};

pub use scoring::SCORING;
pub use search::SEARCH;
pub use training::{TRAINING, TrainingOptions};

use crate::count;

/// All that there is to say about an option, which is kept in a `T`.
pub struct Row<T: 'static> {
    /// The name in lower case, with hyphens.
    pub name: &'static str,
    /// Another name that the command knows.
    pub alias: Option<&'static str>,
    /// What stands for the value in help texts.
    pub value: &'static str,
    /// What it does, in the words of the command, with the default where no value stands for it.
    pub help: &'static str,
    /// What its value can be.
    pub takes: Takes,
    /// Where it is kept; `None` where the front end does itself what is asked for.
    pub field: Option<Field<T>>,
    /// Whether it is about networks that are built of architectures, and means nothing to those of files.
    pub of_spaces: bool,
}

/// Where the value of an option is kept in a `T`.
pub struct Field<T> {
    read: fn(&mut T, &str) -> Result<(), String>,
    print: fn(&T) -> Option<String>,
}

/// What the value of an option can be.
#[derive(Clone, Copy)]
pub enum Takes {
    /// There is none: it is given or not.
    Nothing,
    /// A whole number of a range.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A count such as 3300000, 3.3M, 600k or 1.2G.
    Count,
    /// A number above zero.
    Positive,
    /// A number of zero or more.
    NotNegative,
    /// A part of a whole.
    Share,
    /// The size of images.
    Size,
    /// One of some names, which are read by what they are names of.
    Name(fn() -> Vec<&'static str>),
    /// One of some names, each of which the help explains.
    Explained(&'static [(&'static str, &'static str)]),
    /// A text in a notation of its own.
    Text,
    /// The name of a file.
    File,
}

/// The largest side of images that networks are scored with.
const MAX_SIDE: usize = 2048;

impl Takes {
    /// Whether a text may stand for a value; names and notations are for others to read.
    ///
    /// # Errors
    /// What may be given instead.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            Takes::Number { least, most } => {
                let fits = text.parse().is_ok_and(|number: u64| (least..=most).contains(&number));
                if fits { Ok(()) } else { Err(format!("give a number from {least} to {most}")) }
            }
            Takes::Count => match count(text) {
                Some(_) => Ok(()),
                None => Err("give a count such as 3300000, 3.3M or 600k".to_owned()),
            },
            Takes::Positive => {
                let fits = text.parse().is_ok_and(|number: f64| number > 0.0 && number < 1e12);
                if fits { Ok(()) } else { Err("give a number greater than 0".to_owned()) }
            }
            Takes::NotNegative => {
                let fits = text.parse().is_ok_and(|number: f64| (0.0..1e12).contains(&number));
                if fits { Ok(()) } else { Err("give a number of 0 or more".to_owned()) }
            }
            Takes::Share => {
                let fits = text.parse().is_ok_and(|number: f64| (0.0..1.0).contains(&number));
                if fits { Ok(()) } else { Err("give a number of 0 or more and less than 1".to_owned()) }
            }
            Takes::Size => {
                let size: ImageSize = text.parse().map_err(|error: SizeError| error.to_string())?;
                let Shape { channels, height, width } = size.shape(Shape::new(1, 1, 1));
                let fits = [channels, height, width].iter().all(|side| (1..=MAX_SIDE).contains(side));
                if fits { Ok(()) } else { Err(format!("give numbers from 1 to {MAX_SIDE}")) }
            }
            Takes::Explained(names) if names.iter().all(|(name, _)| *name != text) => {
                let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                Err(format!("give {}", names.join(" or ")))
            }
            Takes::Nothing | Takes::Name(_) | Takes::Explained(_) | Takes::Text | Takes::File => Ok(()),
        }
    }
}

impl<T> Row<T> {
    /// What there is to say of every option. All else is as in most.
    const fn new(name: &'static str, value: &'static str, takes: Takes, help: &'static str) -> Self {
        Row { name, alias: None, value, help, takes, field: None, of_spaces: false }
    }

    /// Where it is kept.
    const fn kept(
        self,
        read: fn(&mut T, &str) -> Result<(), String>,
        print: fn(&T) -> Option<String>,
    ) -> Self {
        Row { field: Some(Field { read, print }), ..self }
    }

    /// It has another name.
    const fn alias(self, alias: &'static str) -> Self {
        Row { alias: Some(alias), ..self }
    }

    /// It is about networks that are built of architectures.
    const fn of_spaces(self) -> Self {
        Row { of_spaces: true, ..self }
    }

    /// The name as an identifier, as in Python: with underscores.
    pub fn identifier(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether a text may be given.
    ///
    /// # Errors
    /// What may be given instead.
    pub fn check(&self, text: &str) -> Result<(), String>
    where
        T: Default,
    {
        self.read(&mut T::default(), text)
    }

    /// Reads a text as users write it.
    ///
    /// # Errors
    /// What may be given instead.
    pub fn read(&self, options: &mut T, text: &str) -> Result<(), String> {
        self.takes.check(text)?;
        self.field.as_ref().map_or(Ok(()), |field| (field.read)(options, text))
    }

    /// The value as users write it; `None` if there is none.
    pub fn print(&self, options: &T) -> Option<String> {
        self.field.as_ref().and_then(|field| (field.print)(options))
    }

    /// The value where nothing is given, if one stands for it.
    pub fn default(&self) -> Option<String>
    where
        T: Default,
    {
        self.print(&T::default())
    }
}

/// Puts what a text says into a field.
fn put<V: FromStr<Err: Display>>(field: &mut V, text: &str) -> Result<(), String> {
    *field = text.parse().map_err(|error: V::Err| error.to_string())?;
    Ok(())
}

/// The same for a field that may be empty.
fn put_some<V: FromStr<Err: Display>>(field: &mut Option<V>, text: &str) -> Result<(), String> {
    *field = Some(text.parse().map_err(|error: V::Err| error.to_string())?);
    Ok(())
}

/// The same for a count.
fn put_count(field: &mut Option<u64>, text: &str) -> Result<(), String> {
    *field = count(text);
    Ok(())
}

/// What a field that may be empty has.
fn shown(field: Option<impl Display>) -> Option<String> {
    field.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    /// What may be given for an option by what it takes.
    fn values(takes: Takes) -> Vec<String> {
        let texts: Vec<&str> = match takes {
            Takes::Number { least, most } => return vec![least.to_string(), most.to_string()],
            Takes::Count => vec!["1", "3300000"],
            Takes::Positive => vec!["0.5", "14"],
            Takes::NotNegative => vec!["0", "0.5", "14"],
            Takes::Share => vec!["0", "0.5", "0.999"],
            Takes::Size => vec!["32", "3x16x24"],
            Takes::Name(names) => names(),
            Takes::Explained(names) => names.iter().map(|(name, _)| *name).collect(),
            Takes::Text => vec!["spectral", "gaussian"],
            Takes::Nothing | Takes::File => Vec::new(),
        };
        texts.into_iter().map(str::to_owned).collect()
    }

    fn check<T: Default + PartialEq + Debug>(table: &[Row<T>]) {
        for row in table {
            let name = row.name;
            assert!(!row.help.is_empty() && !row.help.ends_with('.'), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert_eq!(row.value.is_empty(), matches!(row.takes, Takes::Nothing), "{name}");
            if row.field.is_none() {
                continue;
            }
            for value in values(row.takes) {
                let mut options = T::default();
                row.read(&mut options, &value).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
                assert_eq!(row.print(&options).as_deref(), Some(&value[..]), "{name}");
                // No other option is changed by it.
                for other in table.iter().filter(|other| other.name != name) {
                    assert_eq!(other.print(&options), other.default(), "{name} changes {}", other.name);
                }
            }
            if let Some(default) = row.default() {
                let mut options = T::default();
                row.read(&mut options, &default).unwrap();
                assert_eq!(options, T::default(), "{name}");
            }
        }
        let names: Vec<&str> = table.iter().flat_map(|row| [Some(row.name), row.alias]).flatten().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "a name is there twice");
    }

    /// The same of options that a run keeps.
    fn check_kept<T: Default + PartialEq + Debug + Serialize + DeserializeOwned>(table: &[Row<T>]) {
        check(table);
        for row in table.iter().filter(|row| row.field.is_some()) {
            for value in values(row.takes) {
                let mut options = T::default();
                row.read(&mut options, &value).unwrap();
                let kept = serde_json::to_string(&options).unwrap();
                assert_eq!(serde_json::from_str::<T>(&kept).unwrap(), options, "{} is not kept", row.name);
            }
        }
        assert_eq!(serde_json::from_str::<T>("{}").unwrap(), T::default(), "of an earlier version");
    }

    #[test]
    fn every_option_is_read_as_it_is_printed_and_kept() {
        check_kept(SCORING);
        check_kept(SEARCH);
        check(TRAINING);
        let names = SCORING.iter().flat_map(|row| [Some(row.name), row.alias]);
        let names: Vec<&str> =
            names.chain(SEARCH.iter().flat_map(|row| [Some(row.name), row.alias])).flatten().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "a name is there twice");
    }

    #[test]
    fn what_cannot_be_read_is_answered_by_what_can() {
        fn said<T: Default>(table: &'static [Row<T>], name: &str, text: &str) -> String {
            let row = table.iter().find(|row| row.name == name).unwrap();
            row.check(text).unwrap_err()
        }
        insta::assert_snapshot!(said(SCORING, "batch", "4097"), @"give a number from 1 to 4096");
        insta::assert_snapshot!(said(SCORING, "seed", "-1"), @"give a number from 0 to 18446744073709551615");
        insta::assert_snapshot!(said(SCORING, "size", "3x32"), @"give channels, height and width as in 3x32x32, or one number for height and width");
        insta::assert_snapshot!(said(SCORING, "size", "0"), @"give numbers from 1 to 2048");
        insta::assert_snapshot!(said(SCORING, "weights", "mine"), @"give shared or independent");
        insta::assert_snapshot!(said(SCORING, "network", "mine"), @"no network is called `mine`; the names are benchmark and swap");
        insta::assert_snapshot!(said(SEARCH, "max-params", "0"), @"give a count such as 3300000, 3.3M or 600k");
        insta::assert_snapshot!(said(SEARCH, "max-latency", "nan"), @"give a number greater than 0");
        insta::assert_snapshot!(said(TRAINING, "weight-decay", "-1"), @"give a number of 0 or more");
        insta::assert_snapshot!(said(TRAINING, "drop-path", "1"), @"give a number of 0 or more and less than 1");
        insta::assert_snapshot!(said(TRAINING, "optimiser", "adam"), @"give sgd or adamw");
        insta::assert_snapshot!(said(SEARCH, "second-objective", "size"), @"`size` is no second objective; give params, macs or latency");
    }
}
