use std::fmt;
use std::ops::RangeInclusive;

use swapnas_graph::plain;

/// Where in a description something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// In a text; both count from 1, columns in characters.
    Text {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// At a field of a JSON object, such as `normal[3]`. Empty for the object itself.
    Field(String),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Text { line: 1, column } => write!(f, "column {column}"),
            Position::Text { line, column } => write!(f, "line {line}, column {column}"),
            Position::Field(path) if path.is_empty() => f.write_str("JSON"),
            Position::Field(path) => write!(f, "field `{path}`"),
        }
    }
}

/// A description that is not one of an architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: expected {expected}, found {found}{}", suggest(suggestions))]
pub struct ParseError {
    /// Where.
    pub position: Position,
    /// What would be valid there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// Valid names close to the one that is there, closest first.
    pub suggestions: Vec<&'static str>,
}

impl ParseError {
    /// The error that a text is something else than `expected`, where its beginning tells as much.
    pub fn unreadable(text: &str, expected: impl Into<String>) -> Self {
        let position = Position::Text { line: 1, column: 1 };
        ParseError { position, expected: expected.into(), found: quote(text), suggestions: Vec::new() }
    }
}

fn suggest(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

/// `a kernel size (3, 5, 7)`: what is expected with all that it can be.
pub(crate) fn choice(what: &str, values: &[impl ToString]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("{what} ({})", values.join(", "))
}

/// `an input from 0 to 2`: what is expected with the numbers that it can be.
pub(crate) fn span(what: &str, range: &RangeInclusive<usize>) -> String {
    format!("{what} from {} to {}", range.start(), range.end())
}

/// A text as messages show it: in backticks, and [`plain`].
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", plain(text))
}

/// An architecture that cannot be written as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// The space has no encoding of that name.
    #[error("the space {space} has no encoding `{}`; it has {}", plain(encoding), known.join(", "))]
    UnknownEncoding {
        /// The space.
        space: &'static str,
        /// The encoding asked for.
        encoding: String,
        /// The encodings there are.
        known: Vec<&'static str>,
    },
    /// The encoding has no way to say it.
    #[error("the encoding `{encoding}` cannot express {what}; use `{instead}`")]
    Inexpressible {
        /// The encoding asked for.
        encoding: &'static str,
        /// What it lacks.
        what: String,
        /// An encoding that can.
        instead: &'static str,
    },
}
