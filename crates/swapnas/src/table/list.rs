use std::borrow::Cow;
use std::path::Path;

use csv::ByteRecord;

use super::TableError;
use super::columns::{Columns, is_architecture};
use super::json::{self, Objects};
use super::read::field;
use super::records::{Text, fields, lines};
use super::{Place, Problem, Problems, benchmarks};

/// A list of architectures.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    file: String,
    entries: Vec<ListedArch>,
    problems: Problems,
}

/// An architecture in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedArch {
    /// Where it begins.
    pub place: Place,
    /// The architecture, in some encoding of some space.
    pub arch: String,
}

/// Reads a file of architectures, or standard input for `-`.
///
/// The file is CSV if its first line is a header with a usual name (`arch`, `architecture`,
/// `arch_str`, `genotype` or the like), whose column is read, or if it begins with a quotation mark,
/// when it is the first column. It is JSON if it is an array of objects, an object of objects, or a line of objects
/// that name an architecture, and it may be a file of a benchmark; their architectures are found as those of
/// [`read`](super::read). Otherwise every line is an architecture, commas included. Blank lines are left out.
///
/// # Errors
/// If the file cannot be read or holds no architecture. Rows without one are no error; they are
/// [`List::problems`].
pub fn read_list(path: &Path) -> Result<List, TableError> {
    list(&benchmarks::read(path, None)?)
}

/// The same of bytes that are at hand; `file` is what messages call them.
///
/// # Errors
/// As of [`read_list`].
pub fn list_from_bytes(file: &str, bytes: Vec<u8>) -> Result<List, TableError> {
    list(&benchmarks::decode(file.to_owned(), bytes, None)?)
}

pub(super) fn list(text: &Text) -> Result<List, TableError> {
    let table = match text.origin {
        Some(_) => Some(Cow::Borrowed(text)),
        None => json::columns(text, Objects::Archs, None)?.map(Cow::Owned),
    };
    let text = table.as_deref().unwrap_or(text);
    text.refuse_part()?;
    let mut lines = numbered(&text.bytes);
    if let (Some((_, first)), None) = (lines.first(), &table) {
        text.refuse_other_separators(first)?;
    }
    let is_header = |record: &ByteRecord| {
        record.iter().any(|field| std::str::from_utf8(field).is_ok_and(is_architecture))
    };
    let first = match &table {
        Some(table) => table.records().next().map(|(_, header)| header),
        None => first_record(&lines),
    };
    let header = first.filter(is_header).map(|record| fields(&record));
    let quoted = |lines: &[(u64, &[u8])]| lines.first().is_some_and(|(_, line)| line.starts_with(b"\""));
    let is_csv = match &header {
        Some(names) if names.len() > 1 || table.is_some() => true,
        Some(_) => quoted(&lines[1..]),
        None => quoted(&lines),
    };
    let mut problems = Problems::new(&text.file);
    let mut entries = Vec::new();
    let mut take = |place, arch: Result<&str, Problem>| match arch {
        Ok(arch) => entries.push(ListedArch { place, arch: arch.to_owned() }),
        Err(problem) => problems.push(place, problem),
    };
    if is_csv {
        let columns = Columns::of(&text.file, header.as_deref().unwrap_or_default(), &[]);
        let column = if header.is_some() { columns.architecture(None).map_err(unchosen)? } else { 0 };
        let title = columns.title(column).to_string();
        for (place, record) in text.records().skip(usize::from(header.is_some())) {
            let broken = text.broken(place).cloned().map(Err);
            take(place, broken.unwrap_or_else(|| field(&record, column, &title)));
        }
    } else {
        lines.drain(..usize::from(header.is_some()));
        for (line, bytes) in lines {
            let column = || "1".to_owned();
            let arch = match std::str::from_utf8(bytes).map(str::trim) {
                Ok("") => Err(Problem::Empty { column: column() }),
                Ok(arch) => Ok(arch),
                Err(_) => Err(Problem::NotUtf8 { column: column() }),
            };
            take(Place::line(line), arch);
        }
    }
    if entries.is_empty() && problems.is_empty() {
        return Err(TableError::Empty { file: text.file.clone() });
    }
    Ok(List { file: text.file.clone(), entries, problems })
}

/// The error for a list, of which no column can be chosen.
fn unchosen(error: TableError) -> TableError {
    match error {
        TableError::Ambiguous { file, column, numbers, .. } => {
            TableError::Ambiguous { file, column, numbers, option: None }
        }
        other => other,
    }
}

/// The lines that are not blank, counted from 1.
fn numbered(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let lines = (1..).zip(lines(bytes).map(<[u8]>::trim_ascii));
    lines.filter(|(_, line)| !line.is_empty()).collect()
}

fn first_record(lines: &[(u64, &[u8])]) -> Option<ByteRecord> {
    let (_, first) = lines.first()?;
    Text::new(String::new(), first.to_vec()).records().next().map(|(_, record)| record)
}

impl List {
    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The architectures.
    pub fn entries(&self) -> &[ListedArch] {
        &self.entries
    }

    /// The rows that cannot be used; add to them what the space says of the architectures.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }
}
