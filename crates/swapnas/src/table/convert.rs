use std::io::{self, Write};

use csv::ByteRecord;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::Table;

/// A table to be written as CSV or JSON, whatever it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Conversion<'a> {
    /// The table.
    pub table: &'a Table,
    /// The places of the rows among [`Table::rows`], in ascending order.
    pub rows: &'a [usize],
    /// What their architectures are spelled as, if not as in the table: one for each of the rows.
    pub archs: Option<&'a [String]>,
    /// Whether of all columns only those of architectures and accuracies and [`Table::columns`] are written.
    pub chosen_only: bool,
}

impl Conversion<'_> {
    /// Writes a header and a row for each architecture as CSV. Cells and names are those of the table, as
    /// [`write_scores`](super::write_scores) has them too.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If there are [`archs`](Self::archs), and not one for each row.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let (names, columns) = self.columns();
        writer.write_record(columns.iter().map(|&column| &names[column]))?;
        self.each(|record, arch| {
            let cells = columns.iter().map(|&column| self.cell(record, column, arch));
            writer.write_record(cells).map_err(io::Error::from)
        })?;
        writer.flush()
    }

    /// Writes an object a line for each row, whose fields are the columns: numbers where JSON has them, nothing where
    /// a cell is empty, and texts.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// As [`write_csv`](Self::write_csv) does.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let (names, columns) = self.columns();
        let mut keys: Vec<String> = Vec::new();
        for &column in &columns {
            let name = String::from_utf8_lossy(&names[column]).into_owned();
            let is_free = !name.is_empty() && !keys.contains(&name);
            keys.push(if is_free { name } else { format!("column_{}", column + 1) });
        }
        self.each(|record, arch| {
            let cells = columns.iter().map(|&column| {
                let text = String::from_utf8_lossy(self.cell(record, column, arch));
                match self.table.arch {
                    Some(arch) if arch == column => Value::String(text.into_owned()),
                    _ => value(&text),
                }
            });
            serde_json::to_writer(&mut *out, &Object { keys: &keys, cells: cells.collect() })?;
            writeln!(out)
        })?;
        out.flush()
    }

    /// The names of all columns, and which of them are written.
    fn columns(&self) -> (Vec<Vec<u8>>, Vec<usize>) {
        let table = self.table;
        let names = table.header(self.rows);
        let mut columns: Vec<usize> = (0..names.len()).collect();
        if self.chosen_only {
            columns = table.arch.into_iter().chain([table.accuracy]).collect();
            for &column in &table.numbers {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        (names, columns)
    }

    fn each(&self, mut take: impl FnMut(&ByteRecord, Option<&str>) -> io::Result<()>) -> io::Result<()> {
        assert!(self.archs.is_none_or(|archs| archs.len() == self.rows.len()), "one for every row");
        let mut records = self.table.records(self.rows).enumerate();
        records.try_for_each(|(place, record)| take(&record, self.archs.map(|archs| &archs[place][..])))
    }

    fn cell<'r>(&self, record: &'r ByteRecord, column: usize, arch: Option<&'r str>) -> &'r [u8] {
        match arch {
            Some(arch) if self.table.arch == Some(column) => arch.as_bytes(),
            _ => record.get(column).unwrap_or_default(),
        }
    }
}

/// A row, its columns in their order.
struct Object<'a> {
    keys: &'a [String],
    cells: Vec<Value>,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.keys.iter().zip(&self.cells))
    }
}

/// What a cell holds. Names such as `007` are no numbers.
fn value(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        number => number.parse::<Number>().map_or_else(|_| Value::String(text.to_owned()), Value::Number),
    }
}
