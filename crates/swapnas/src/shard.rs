//! Shares of a list of networks, each scored by itself, and what was found of them put together again.

mod rows;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::plain;
use serde_json::Value;

pub use rows::{Rows, RowsError, row};

/// One of several shares of a list: 2/8 is the second of eight.
///
/// A share has every eighth network, so that those of a list that is sorted by size take equally long.
///
/// ```
/// use swapnas::shard::Shard;
///
/// let second: Shard = "2/3".parse()?;
/// assert_eq!(second.places(8).collect::<Vec<_>>(), [1, 4, 7]);
/// # Ok::<(), swapnas::shard::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0 on.
    index: usize,
    count: usize,
}

/// What is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a share as 2/8, the second of eight")]
pub struct ShardError;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, count) = text.split_once('/').ok_or(ShardError)?;
        let [number, count] = [number, count].map(|text| text.parse::<usize>().map_err(|_| ShardError));
        let (number, count) = (number?, count?);
        if (1..=count).contains(&number) { Ok(Shard { index: number - 1, count }) } else { Err(ShardError) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

/// What a row of a share has beside what it would have without: its number in the whole list, from 1 on, and how many
/// rows that has.
const ROW: &str = "row";
const ROWS: &str = "rows";

impl Shard {
    /// The places of its networks in a list of so many.
    pub fn places(self, len: usize) -> impl Iterator<Item = usize> {
        (self.index..len).step_by(self.count)
    }

    /// The place in the list of the network with that place in the share, both from 0 on.
    pub fn place(self, index: usize) -> usize {
        self.index + index * self.count
    }

    /// Says in a JSON object which place of a list of so many it is of, for [`merge`].
    pub fn mark(object: &mut Value, place: usize, len: usize) {
        object[ROW] = (place + 1).into();
        object[ROWS] = len.into();
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub path: PathBuf,
    /// The number of the line, from 1 on.
    pub number: usize,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", plain(&self.path.display().to_string()), self.number)
    }
}

/// A file that has no JSON in each line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It cannot be read.
    #[error("cannot read {}", plain(&path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line is no JSON.
    #[error("{line}: this is no row of a share: {source}; give files with what shares have printed")]
    Json {
        /// Where.
        line: Line,
        /// Why not.
        source: serde_json::Error,
    },
}

/// Hands on what is in the lines of files.
fn each_line<E: From<LineError>>(
    files: &[impl AsRef<Path>],
    mut take: impl FnMut(Line, Value) -> Result<(), E>,
) -> Result<(), E> {
    for path in files {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| LineError::File { path: path.to_owned(), source })?;
        for (number, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = Line { path: path.to_owned(), number: number + 1 };
            let value = serde_json::from_str(text)
                .map_err(|source| LineError::Json { line: line.clone(), source })?;
            take(line, value)?;
        }
    }
    Ok(())
}

/// Shares that do not make up a list.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file is none of theirs.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A row does not say which it is.
    #[error(
        "{line}: this is no row of a share, which has `{ROW}`, of `{ROWS}` in all; score the list in shares"
    )]
    NoRow {
        /// Where.
        line: Line,
    },
    /// Rows of different lists, or of networks that were scored differently.
    #[error("{second}: `{field}` is another than in {first}; shares of one list are scored alike")]
    Differs {
        /// What is different.
        field: &'static str,
        /// The first row.
        first: Line,
        /// The one that does not belong to it.
        second: Line,
    },
    /// A row that says two things.
    #[error("{second}: row {row} is in {first} as well, with other contents")]
    Twice {
        /// Its number.
        row: usize,
        /// Where it is first.
        first: Line,
        /// Where it is otherwise.
        second: Line,
    },
    /// Not all rows are there.
    #[error(
        "{} of {of} rows are missing, the first of them {first}: a share was stopped, or is not among the files; score it \
         again, or give it too", .missing
    )]
    Missing {
        /// How many.
        missing: usize,
        /// The number of the first.
        first: usize,
        /// How many there should be.
        of: usize,
    },
    /// There are no rows at all.
    #[error("there are no rows in these files")]
    Empty,
}

/// Puts together what shares of a list have printed, one JSON object a line: the rows of the whole list in its order, as
/// they would have been printed without shares.
///
/// # Errors
/// If a file cannot be read, lines are no rows of shares of one list that were scored alike, or rows are missing. A row
/// that is there twice has to be the same.
pub fn merge(files: &[impl AsRef<Path>]) -> Result<Vec<Value>, MergeError> {
    let mut rows: BTreeMap<usize, (Line, Value)> = BTreeMap::new();
    let mut first: Option<(Line, [Value; 3])> = None;
    each_line(files, |line, mut object| {
        let (row, of) = unmark(&mut object).ok_or_else(|| MergeError::NoRow { line: line.clone() })?;
        let alike = [of.into(), object["space"].clone(), object["settings"].clone()];
        match &first {
            None => first = Some((line.clone(), alike)),
            Some((first, values)) => {
                let fields = [ROWS, "space", "settings"].into_iter().zip(values.iter().zip(&alike));
                if let Some((field, _)) = fields.into_iter().find(|(_, (a, b))| a != b) {
                    return Err(MergeError::Differs { field, first: first.clone(), second: line });
                }
            }
        }
        match rows.get(&row) {
            Some((first, known)) if *known != object => {
                return Err(MergeError::Twice { row, first: first.clone(), second: line });
            }
            Some(_) => {}
            None => {
                rows.insert(row, (line, object));
            }
        }
        Ok(())
    })?;
    let of = first.and_then(|(_, [of, ..])| of.as_u64()).ok_or(MergeError::Empty)? as usize;
    if rows.len() < of {
        let first = (1..=of).find(|row| !rows.contains_key(row)).unwrap_or(of);
        return Err(MergeError::Missing { missing: of - rows.len(), first, of });
    }
    Ok(rows.into_values().map(|(_, object)| object).collect())
}

/// Takes out what [`Shard::mark`] has put in.
fn unmark(object: &mut Value) -> Option<(usize, usize)> {
    let object = object.as_object_mut()?;
    let [row, of] = [ROW, ROWS].map(|field| object.remove(field)?.as_u64());
    let (row, of) = (usize::try_from(row?).ok()?, usize::try_from(of?).ok()?);
    (1..=of).contains(&row).then_some((row, of))
}

#[cfg(test)]
mod tests {
    use std::borrow::Borrow;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Files of lines, merged.
    fn merged<L: Borrow<str>>(files: &[impl AsRef<[L]>]) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (files.iter().enumerate())
            .map(|(number, lines)| {
                let path = folder.path().join(format!("{number}.jsonl"));
                std::fs::write(&path, lines.as_ref().join("\n")).unwrap();
                path
            })
            .collect();
        let prefix = format!("{}/", folder.path().display());
        merge(&paths).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn row(place: usize, len: usize, seed: u64) -> Value {
        let mut object = json!({ "arch": place, "space": "nb201", "settings": { "seed": seed } });
        Shard::mark(&mut object, place, len);
        object
    }

    proptest! {
        #[test]
        fn every_place_is_in_one_share(len in 0..50usize, count in 1..9usize) {
            let shards = (1..=count).map(|number| format!("{number}/{count}").parse::<Shard>().unwrap());
            let mut places: Vec<usize> = shards.flat_map(|shard| shard.places(len)).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..len).collect::<Vec<_>>());
        }

        #[test]
        fn shares_are_merged_to_the_list(len in 1..20usize, count in 1..6usize) {
            let shards = (1..=count).rev().map(|number| format!("{number}/{count}").parse::<Shard>().unwrap());
            let files: Vec<Vec<String>> = shards
                .map(|shard| shard.places(len).map(|place| row(place, len, 0).to_string()).collect())
                .collect();
            let archs: Vec<Value> = merged(&files).unwrap().into_iter().map(|row| row["arch"].clone()).collect();
            prop_assert_eq!(archs, (0..len).map(Value::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn networks_of_a_share_know_their_places() {
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!(shard.places(11).collect::<Vec<_>>(), [0, 1, 2, 3].map(|index| shard.place(index)));
    }

    #[test]
    fn what_is_no_share_is_an_error() {
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text}");
        }
        assert_eq!("3/3".parse::<Shard>().unwrap().to_string(), "3/3");
    }

    #[test]
    fn rows_that_make_no_list_are_refused() {
        let mut changed = row(1, 3, 0);
        changed["arch"] = 9.into();
        let rows = [row(0, 3, 0), row(1, 3, 0), row(2, 3, 1), changed].map(|row| row.to_string());
        let [a, b, other, changed] = rows.each_ref().map(String::as_str);
        let cases: [(&[&[&str]], &str); 7] = [
            (&[&[], &[]], "there are no rows in these files"),
            (
                &[&[a]],
                "2 of 3 rows are missing, the first of them 2: a share was stopped, or is not among the files; score it again, or give it too",
            ),
            (
                &[&[a, b], &[b]],
                "1 of 3 rows are missing, the first of them 3: a share was stopped, or is not among the files; score it again, or give it too",
            ),
            (
                &[&[a], &[other]],
                "1.jsonl:1: `settings` is another than in 0.jsonl:1; shares of one list are scored alike",
            ),
            (&[&[a, b], &[changed]], "1.jsonl:1: row 2 is in 0.jsonl:2 as well, with other contents"),
            (
                &[&[a, "{}"]],
                "0.jsonl:2: this is no row of a share, which has `row`, of `rows` in all; score the list in shares",
            ),
            (
                &[&["{"]],
                "0.jsonl:1: this is no row of a share: EOF while parsing an object at line 1 column 1; give files with what shares have printed",
            ),
        ];
        for (files, expected) in cases {
            assert_eq!(merged(files).unwrap_err(), expected);
        }
    }
}
