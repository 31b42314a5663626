use std::fmt;
use std::path::Path;

use csv::ByteRecord;
use serde::Serialize;

use super::columns::Columns;
use super::json::{self, Objects};
use super::records::{Text, fields};
use super::{Part, Place, Problem, Problems, TableError, benchmarks};
use crate::plain;

/// What to read of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Column of the architectures, by its name, its number from 1, or the last part of its name.
    ///
    /// By default `arch`, `architecture`, `arch_str`, `genotype` or the like; the first column if there
    /// is no header. Of records in JSON without such a field, their key or else the whole record.
    pub arch_column: Option<String>,
    /// Column of the accuracies, likewise.
    ///
    /// By default `accuracy`, `val_accuracy`, `test_acc`, `mean_accuracy` or the like, or the first whose name
    /// has such a last part or ends like these, or else `glue`; the second column if there is no header.
    pub accuracy_column: Option<String>,
    /// How many rows to read at most, those that cannot be used included.
    pub limit: Option<usize>,
    /// Further columns of numbers, likewise.
    pub columns: Vec<String>,
    /// Whether there have to be architectures.
    pub archs: Archs,
}

/// Whether a table has to have architectures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archs {
    /// A row without one cannot be used.
    #[default]
    Needed,
    /// They are not looked at: a row without one can be used, and a table without a column of them as well, unless
    /// the column was chosen.
    IfThere,
}

/// A table of architectures and accuracies.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) text: Text,
    pub(super) has_header: bool,
    /// The places of both columns, that of the architectures if there is one.
    pub(super) arch: Option<usize>,
    pub(super) accuracy: usize,
    /// The places of the further columns.
    pub(super) numbers: Vec<usize>,
    arch_column: Option<ColumnTitle>,
    accuracy_column: ColumnTitle,
    rows: Vec<Row>,
    columns: Vec<NumberColumn>,
    problems: Problems,
}

/// Which column of a table it is. It is shown as messages call it: ``2 (`val_accuracy`)``.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnTitle {
    /// Its number, counted from 1.
    pub number: usize,
    /// Its name, if there is a header.
    pub name: Option<String>,
}

impl fmt::Display for ColumnTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} (`{}`)", self.number, plain(name)),
            None => write!(f, "{}", self.number),
        }
    }
}

/// A further column of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberColumn {
    /// Its name, or `column 3` if there is no header.
    pub name: String,
    /// The numbers of the rows that can be used, all of which are finite, or what is there instead.
    pub values: Vec<Result<f64, Cell>>,
}

/// A cell that holds no number to compute with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where its row begins.
    pub place: Place,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A row that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it begins.
    pub place: Place,
    /// The architecture, in some encoding of some space; empty if there is none, which [`Archs::IfThere`] allows.
    pub arch: String,
    /// The accuracy, finite, in the unit of the table.
    pub accuracy: f64,
}

/// Reads a file, or standard input for `-`.
///
/// It may be NATS-Bench, as the folder with a file for each architecture, one of these files or the file of all,
/// NAS-Bench-201 as a file of PyTorch, NAS-Bench-101 as TFRecords, or HW-NAS-Bench, whose rows have no accuracies but
/// latencies. Which it is is told by its contents. Of several data sets and numbers of epochs one is chosen behind the
/// name, as `nats#cifar100/12`; a file of that whole name is read itself.
///
/// It is CSV, unless it begins as records in JSON do: with an array of objects, with an object of objects, whose keys
/// are architectures if nothing else is, or with objects one behind the other. A field within other objects is called
/// `outer.inner`. NASLib's files `zc_*.json` have such an object for each data set, one of which is read.
///
/// Whether CSV has a header is found out: the first line is one if it has a usual name or a chosen
/// one, or if all its fields could be names and none is a number.
///
/// # Errors
/// If the file cannot be read or has no rows, if JSON is none, or if a column is not there. Rows that cannot be used
/// are no error; they are [`Table::problems`].
pub fn read(path: &Path, options: &Options) -> Result<Table, TableError> {
    table(benchmarks::read(path, options.limit)?, options)
}

/// The same of bytes that are at hand; `file` is what messages call them.
///
/// # Errors
/// As of [`read`].
pub fn from_bytes(file: &str, bytes: Vec<u8>, options: &Options) -> Result<Table, TableError> {
    table(benchmarks::decode(file.to_owned(), bytes, options.limit)?, options)
}

pub(super) fn table(text: Text, options: &Options) -> Result<Table, TableError> {
    let (chosen_arch, chosen_accuracy) = (options.arch_column.as_deref(), options.accuracy_column.as_deref());
    let text = match text.origin {
        Some(_) => text,
        None => json::columns(&text, Objects::Records, chosen_arch)?.unwrap_or(text),
    };
    text.refuse_part()?;
    let mut records = text.records().peekable();
    let empty = || TableError::Empty { file: text.file.clone() };
    let (_, first) = records.peek().ok_or_else(empty)?;
    if first.len() == 1 {
        text.refuse_other_separators(first.as_slice())?;
    }
    let further = options.columns.iter().map(String::as_str);
    let chosen: Vec<&str> = chosen_arch.into_iter().chain(chosen_accuracy).chain(further).collect();
    let lists = text.origin.as_ref().map_or(&[][..], |origin| &origin.lists);
    let columns = Columns::of(&text.file, &fields(first), &chosen).with_lists(lists);
    let accuracy = columns.accuracy(chosen_accuracy)?;
    let arch = match options.archs {
        Archs::Needed => Some(columns.architecture(chosen_arch)?),
        Archs::IfThere if chosen_arch.is_none() && !columns.has_header() && accuracy == 0 => None,
        Archs::IfThere => match columns.architecture(chosen_arch) {
            Err(TableError::Unknown { .. }) => None,
            place => Some(place?),
        },
    };
    let mut numbers: Vec<(usize, NumberColumn)> = Vec::new();
    for column in &options.columns {
        let place = columns.number(column)?;
        if numbers.iter().all(|(known, _)| *known != place) {
            numbers.push((place, NumberColumn { name: columns.name(place), values: Vec::new() }));
        }
    }
    let has_header = columns.has_header();
    if has_header {
        records.next();
    }
    records.peek().ok_or_else(empty)?;
    let (arch_column, accuracy_column) = (arch.map(|arch| columns.title(arch)), columns.title(accuracy));
    let arch_title = arch_column.as_ref().map(ColumnTitle::to_string);
    let accuracy_title = accuracy_column.to_string();
    let titles: Vec<String> = numbers.iter().map(|(place, _)| columns.title(*place).to_string()).collect();
    let mut rows = Vec::new();
    let mut problems = Problems::new(&text.file);
    for (place, record) in records.take(options.limit.unwrap_or(usize::MAX)) {
        if let Some(problem) = text.broken(place) {
            problems.push(place, problem.clone());
            continue;
        }
        let arch = match (arch, &arch_title) {
            (Some(column), Some(title)) => match field(&record, column, title) {
                Err(_) if options.archs == Archs::IfThere => Ok(""),
                arch => arch,
            },
            _ => Ok(""),
        };
        let accuracy =
            field(&record, accuracy, &accuracy_title).and_then(|text| number(text, &accuracy_title));
        match (arch, accuracy) {
            (Ok(arch), Ok(accuracy)) => rows.push(Row { place, arch: arch.to_owned(), accuracy }),
            (Err(problem), _) | (_, Err(problem)) => {
                problems.push(place, problem);
                continue;
            }
        }
        for ((number_column, column), title) in numbers.iter_mut().zip(&titles) {
            let value = field(&record, *number_column, title).and_then(|text| number(text, title));
            column.values.push(value.map_err(|problem| Cell { place, problem }));
        }
    }
    let (numbers, columns) = numbers.into_iter().unzip();
    Ok(Table {
        has_header,
        arch,
        accuracy,
        numbers,
        arch_column,
        accuracy_column,
        rows,
        columns,
        problems,
        text,
    })
}

pub(super) fn field<'r>(record: &'r ByteRecord, column: usize, title: &str) -> Result<&'r str, Problem> {
    let title = || title.to_owned();
    let bytes = record.get(column).ok_or_else(|| Problem::MissingColumn {
        column: title(),
        fields: record.len(),
        broken: record.iter().any(|field| field.contains(&b'\n')),
    })?;
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::NotUtf8 { column: title() })?.trim();
    if text.is_empty() { Err(Problem::Empty { column: title() }) } else { Ok(text) }
}

fn number(text: &str, title: &str) -> Result<f64, Problem> {
    let (column, value) = (title.to_owned(), text.to_owned());
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(Problem::NotFinite { column, value }),
        Err(_) => Err(Problem::NotANumber { column, value }),
    }
}

impl Table {
    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.text.file
    }

    /// Which of several data sets and numbers of epochs it is of, if the file has such.
    pub fn part(&self) -> Option<&Part> {
        self.text.part.as_ref()
    }

    /// Where the architectures are; `None` if there are none, which [`Archs::IfThere`] allows.
    pub fn arch_column(&self) -> Option<&ColumnTitle> {
        self.arch_column.as_ref()
    }

    /// Where the accuracies are.
    pub fn accuracy_column(&self) -> &ColumnTitle {
        &self.accuracy_column
    }

    /// The rows that can be used.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The further columns, in the order in which they were asked for, each once.
    pub fn columns(&self) -> &[NumberColumn] {
        &self.columns
    }

    /// The rows that cannot be used; add to them what the space says of the architectures.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }
}
