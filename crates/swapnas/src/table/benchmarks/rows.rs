use std::collections::HashMap;

use super::super::part::Part;
use super::super::records::{Origin, Text};
use super::super::{Problem, TableError};

/// Rows that are made one by one.
pub(super) struct Rows {
    writer: csv::Writer<Vec<u8>>,
    width: usize,
    count: usize,
    broken: HashMap<usize, Problem>,
}

impl Rows {
    /// None yet, with these columns.
    pub(super) fn new<T: AsRef<[u8]>>(header: &[T]) -> Self {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        writer.write_record(header).expect("memory can be written");
        Rows { writer, width: header.len(), count: 0, broken: HashMap::new() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds a row, or why there is none.
    pub(super) fn push<T: AsRef<[u8]>>(&mut self, row: Result<Vec<T>, Problem>) {
        match row {
            Ok(cells) => self.writer.write_record(cells).expect("memory can be written"),
            Err(problem) => {
                self.broken.insert(self.count, problem);
                // A row of an empty cell is written as a pair of quotation marks, so that it is no blank line.
                self.writer.write_record([""]).expect("memory can be written");
            }
        }
        self.count += 1;
    }

    /// The table, of that part of the file.
    pub(super) fn text(self, file: &str, part: Part) -> Result<Text, TableError> {
        if self.count == 0 {
            return Err(TableError::Empty { file: file.to_owned() });
        }
        let origin =
            Origin { lines: vec![0; self.count], width: self.width, broken: self.broken, lists: Vec::new() };
        let bytes = self.writer.into_inner().expect("memory can be written");
        Ok(Text { file: file.to_owned(), bytes, origin: Some(origin), part: Some(part), wanted: None })
    }
}

/// The shortest text of a number, or nothing.
pub(super) fn cell(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// The mean, unless there is nothing to be averaged.
pub(super) fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}
