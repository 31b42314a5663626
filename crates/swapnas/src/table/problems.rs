use std::collections::BTreeMap;
use std::fmt;

use crate::plain;

/// Why a line cannot be used.
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
    #[error("column {column} is empty; fill it in or remove the line")]
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
    #[error("column {column}: {} is not finite; give a measured number or remove the line", plain(value))]
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
    /// The search space cannot use the architecture.
    #[error("{0}")]
    Architecture(String),
}

/// All lines of a file that cannot be used, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: String,
    /// By line, and those of one line in the order in which they were found.
    lines: BTreeMap<(u64, usize), Problem>,
}

/// How many problems are listed.
const LISTED: usize = 20;

impl Problems {
    /// None so far.
    pub fn new(file: impl Into<String>) -> Self {
        Problems { file: file.into(), lines: BTreeMap::new() }
    }

    /// Adds what a search space says of the architecture in a line, which is counted from 1.
    pub fn add(&mut self, line: u64, complaint: impl fmt::Display) {
        self.push(line, Problem::Architecture(complaint.to_string()));
    }

    pub(super) fn push(&mut self, line: u64, problem: Problem) {
        self.lines.insert((line, self.lines.len()), problem);
    }

    /// The lines, counted from 1, and what is wrong with each.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u64, &Problem)> {
        self.lines.iter().map(|((line, _), problem)| (*line, problem))
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
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
        let count = self.lines.len();
        write!(
            f,
            "{}: {count} {} cannot be used",
            plain(&self.file),
            if count == 1 { "line" } else { "lines" }
        )?;
        for (line, problem) in self.iter().take(LISTED) {
            write!(f, "\n  line {line}: {problem}")?;
        }
        if count > LISTED {
            write!(f, "\n  and {} more", count - LISTED)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
