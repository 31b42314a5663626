use std::fmt;

/// Where a row of a file begins. It is shown as messages call it: `line 3`, or `record 2 (line 3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1.
    pub line: u64,
    /// In JSON, which record it is, counted from 1, since a line may have all of them; nothing elsewhere.
    pub record: Option<u64>,
}

impl Place {
    /// A line of a file in which every row has one of its own.
    pub fn line(line: u64) -> Self {
        Place { line, record: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            Some(record) => write!(f, "record {record} (line {})", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}
