//! Tables of architectures, in and out.
//!
//! [`read`] takes a benchmark's file, CSV with or without header, records in JSON or what benchmarks are published as, and
//! finds the columns of architectures and accuracies; [`read_list`] takes architectures alone. What cannot be used is
//! gathered as [`Problems`], so that a user sees all of it at once. Architectures stay texts here: a
//! search space reads them, and its complaints join the others.
//!
//! [`write_scores`] puts out a table with what was found, all of it or nothing; a [`Conversion`] puts it out as it is.

mod benchmarks;
mod columns;
mod convert;
mod embedded;
mod error;
mod json;
mod list;
mod part;
mod place;
mod problems;
mod read;
mod records;
#[cfg(test)]
mod tests;
mod write;

pub use convert::Conversion;
pub use embedded::{EMBEDDED, EMBEDDED_NETWORK, EMBEDDED_SPACE, embedded};
pub use error::TableError;
pub use list::{List, ListedArch, list_from_bytes, read_list};
pub use part::{Choice, Part};
pub use place::Place;
pub use problems::{Problem, Problems};
pub use read::{Archs, Cell, ColumnTitle, NumberColumn, Options, Row, Table, from_bytes, read};
pub use write::{Scores, write_scores};
