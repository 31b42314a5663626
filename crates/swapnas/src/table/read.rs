use std::path::Path;

use csv::ByteRecord;

use super::columns::Columns;
use super::records::{Text, fields};
use super::{Problem, Problems, TableError};

/// What to read of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Column of the architectures, by its name or else by its number from 1.
    ///
    /// By default `arch`, `architecture`, `arch_str`, `genotype` or the like; the first column if there
    /// is no header.
    pub arch_column: Option<String>,
    /// Column of the accuracies, by its name or else by its number from 1.
    ///
    /// By default `accuracy`, `val_accuracy`, `test_acc`, `mean_accuracy` or the like, or the first that
    /// ends like these; the second column if there is no header.
    pub accuracy_column: Option<String>,
    /// How many rows to read at most, those that cannot be used included.
    pub limit: Option<usize>,
}

/// A table of architectures and accuracies.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    file: String,
    arch_column: String,
    accuracy_column: String,
    rows: Vec<Row>,
    problems: Problems,
}

/// A line that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it begins, counted from 1.
    pub line: u64,
    /// The architecture, in some encoding of some space.
    pub arch: String,
    /// The accuracy, finite, in the unit of the table.
    pub accuracy: f64,
}

/// Reads a CSV file, or standard input for `-`.
///
/// Whether there is a header is found out: the first line is one if it has a usual name or a chosen
/// one, or if all its fields could be names and none is a number.
///
/// # Errors
/// If the file cannot be read or has no rows, or if a column is not there. Lines that cannot be used
/// are no error; they are [`Table::problems`].
pub fn read(path: &Path, options: &Options) -> Result<Table, TableError> {
    table(&Text::read(path)?, options)
}

/// The same of bytes that are at hand; `file` is what messages call them.
///
/// # Errors
/// As of [`read`].
pub fn from_bytes(file: &str, bytes: Vec<u8>, options: &Options) -> Result<Table, TableError> {
    table(&Text::decode(file.to_owned(), bytes)?, options)
}

pub(super) fn table(text: &Text, options: &Options) -> Result<Table, TableError> {
    let (arch, accuracy) = (options.arch_column.as_deref(), options.accuracy_column.as_deref());
    let records = text.records();
    let empty = || TableError::Empty { file: text.file.clone() };
    let (_, first) = records.first().ok_or_else(empty)?;
    if first.len() == 1 {
        text.refuse_other_separators(first.as_slice())?;
    }
    let chosen: Vec<&str> = [arch, accuracy].into_iter().flatten().collect();
    let columns = Columns::of(&text.file, &fields(first), &chosen);
    let (arch, accuracy) = (columns.architecture(arch)?, columns.accuracy(accuracy)?);
    let records = &records[usize::from(columns.has_header())..];
    if records.is_empty() {
        return Err(empty());
    }
    let (arch_column, accuracy_column) = (columns.title(arch), columns.title(accuracy));
    let mut rows = Vec::new();
    let mut problems = Problems::new(&text.file);
    for (line, record) in records.iter().take(options.limit.unwrap_or(usize::MAX)) {
        let arch = field(record, arch, &arch_column);
        let accuracy =
            field(record, accuracy, &accuracy_column).and_then(|text| number(text, &accuracy_column));
        match (arch, accuracy) {
            (Ok(arch), Ok(accuracy)) => rows.push(Row { line: *line, arch: arch.to_owned(), accuracy }),
            (Err(problem), _) | (_, Err(problem)) => problems.push(*line, problem),
        }
    }
    Ok(Table { file: text.file.clone(), arch_column, accuracy_column, rows, problems })
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
        &self.file
    }

    /// Where the architectures are: the column's number from 1, and its name if it has one.
    pub fn arch_column(&self) -> &str {
        &self.arch_column
    }

    /// Where the accuracies are: the column's number from 1, and its name if it has one.
    pub fn accuracy_column(&self) -> &str {
        &self.accuracy_column
    }

    /// The lines that can be used.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The lines that cannot be used; add to them what the space says of the architectures.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }
}
