use std::collections::BTreeMap;
use std::fmt;

use super::Place;
use crate::plain;

/// Why a row cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The line ends too early.
    #[error(
        "there is no column {column}, as the line has only {fields}; add it{}",
        if *.broken { ", or close a quotation mark: the fields go on over several lines" } else { "" }
    )]
    MissingColumn {
        /// Number of the column, and its name if it has one.
        column: String,
        /// How many fields there are.
        fields: usize,
        /// Whether a field has line breaks, as behind a quotation mark that is not closed.
        broken: bool,
    },
    /// There is nothing.
    #[error("column {column} is empty; fill it in or remove the row")]
    Empty {
        /// Number of the column, and its name if it has one.
        column: String,
    },
    /// A number is something else.
    #[error("column {column}: `{}` is not a number; write it as in 94.3", plain(value))]
    NotANumber {
        /// Number of the column, and its name if it has one.
        column: String,
        /// What there is.
        value: String,
    },
    /// A number is infinite or NaN.
    #[error("column {column}: {} is not finite; give a measured number or remove the row", plain(value))]
    NotFinite {
        /// Number of the column, and its name if it has one.
        column: String,
        /// What there is.
        value: String,
    },
    /// Bytes that are no text.
    #[error("column {column} is not valid UTF-8; save the file in this encoding")]
    NotUtf8 {
        /// Number of the column, and its name if it has one.
        column: String,
    },
    /// A record in JSON is something else than an object.
    #[error("`{}` is no object; write it as in {{\"accuracy\": 94.3}}", plain(value))]
    NotAnObject {
        /// What there is.
        value: String,
    },
    /// Which of two fields was meant, nobody can say.
    #[error("the field `{}` is there twice; give each a name of its own", plain(field))]
    Twice {
        /// The name.
        field: String,
    },
    /// A text in JSON that is no text, as with half of a character.
    #[error("a text cannot be read: {cause}")]
    Json {
        /// Why.
        cause: String,
    },
    /// The file of a network, or its record, is damaged.
    #[error("{} cannot be read: {}; fetch the file again", plain(what), plain(cause))]
    Damaged {
        /// What it is.
        what: String,
        /// What is wrong.
        cause: String,
    },
    /// Results of the network are written once for it and for one before it, which is forgotten by then.
    #[error(
        "it shares results with another network of the file; take the folder with a file for each network, or leave it out"
    )]
    Shared,
    /// A network was not trained on the data set, or not for so many epochs.
    #[error("it has no results of {part}; choose others behind the file's name, or leave it out")]
    NoResults {
        /// The data set and the number of epochs.
        part: String,
    },
    /// The search space cannot use the architecture.
    #[error("{0}")]
    Architecture(String),
}

/// All rows of a file that cannot be used, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: String,
    /// By place, and those of one place in the order in which they were found.
    rows: BTreeMap<(Place, usize), Problem>,
}

/// How many problems are listed.
const LISTED: usize = 20;

impl Problems {
    /// None so far.
    pub fn new(file: impl Into<String>) -> Self {
        Problems { file: file.into(), rows: BTreeMap::new() }
    }

    /// Adds what a search space says of the architecture in a row.
    pub fn add(&mut self, place: Place, complaint: impl fmt::Display) {
        self.push(place, Problem::Architecture(complaint.to_string()));
    }

    pub(super) fn push(&mut self, place: Place, problem: Problem) {
        self.rows.insert((place, self.rows.len()), problem);
    }

    /// The rows, and what is wrong with each.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Place, &Problem)> {
        self.rows.iter().map(|((place, _), problem)| (*place, problem))
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Makes an error of the problems if there are any.
    ///
    /// # Errors
    /// If there are any.
    pub fn check(self) -> Result<(), Problems> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// A line for each problem, for twenty at most, and how many more there are.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.rows.len();
        let in_json = self.iter().any(|(place, _)| place.record.is_some());
        let (noun, s) = (if in_json { "record" } else { "line" }, if count == 1 { "" } else { "s" });
        write!(f, "{}: {count} {noun}{s} cannot be used", plain(&self.file))?;
        for (place, problem) in self.iter().take(LISTED) {
            write!(f, "\n  {place}: {problem}")?;
        }
        if count > LISTED {
            write!(f, "\n  and {} more", count - LISTED)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
