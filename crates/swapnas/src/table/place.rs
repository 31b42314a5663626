use std::fmt;

/// Where a row of a file begins. It is shown as messages call it: `line 3`, `record 2 (line 3)`, or `record 2` where there
/// are no lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1; zero in files that have none.
    pub line: u64,
    /// Which record it is, counted from 1, in JSON, where a line may have all of them, and in files without lines; nothing
    /// elsewhere.
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
            Some(record) if self.line == 0 => write!(f, "record {record}"),
            Some(record) => write!(f, "record {record} (line {})", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}
