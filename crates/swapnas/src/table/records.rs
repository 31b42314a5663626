use std::collections::HashMap;
use std::fmt;

use csv::{ByteRecord, ReaderBuilder};

use super::part::{Part, Wanted};
use super::{Place, Problem, TableError};

/// A file in memory, as CSV.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// The file's name, for messages.
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    /// What it was made of, if that was something else than CSV.
    pub(super) origin: Option<Origin>,
    /// Which of several tables it is, if the file has several.
    pub(super) part: Option<Part>,
    /// Which of several tables is asked for, while nobody has looked for it.
    pub(super) wanted: Option<Wanted>,
}

/// Records in JSON or of a benchmark of which CSV was made, a row for each behind the header.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The line that each record begins on.
    pub(super) lines: Vec<u64>,
    /// How many columns the header has. Rows may end before it, as those of the first records do where others have more
    /// fields.
    pub(super) width: usize,
    /// The columns of which the first cell is a list, in which there are no accuracies unless they are asked for.
    pub(super) lists: Vec<usize>,
    /// The records, counted from 0, that cannot be used.
    pub(super) broken: HashMap<usize, Problem>,
}

impl Text {
    /// What is in a file. UTF-16 is told by its byte order mark, or by the half of its first letter that is zero.
    pub(super) fn decode(file: String, bytes: Vec<u8>) -> Result<Self, TableError> {
        match bytes[..] {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
                Err(TableError::Utf16 { file })
            }
            _ => Ok(Text::new(file, bytes)),
        }
    }

    /// A byte order mark is dropped.
    pub(super) fn new(file: String, mut bytes: Vec<u8>) -> Self {
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        Text { file, bytes, origin: None, part: None, wanted: None }
    }

    /// Refuses a file whose columns are separated by something other than commas, by its first line: there
    /// are no semicolons and no tabs in architectures.
    pub(super) fn refuse_other_separators(&self, first: &[u8]) -> Result<(), TableError> {
        for (byte, separator) in [(b';', "semicolons"), (b'\t', "tabs")] {
            if first.contains(&byte) {
                return Err(TableError::Separator { file: self.file.clone(), separator });
            }
        }
        Ok(())
    }

    /// The rows, blank lines left out, and where each begins.
    pub(super) fn records(&self) -> impl Iterator<Item = (Place, ByteRecord)> {
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&self.bytes[..]);
        let (mut line, mut counted) = (1, 0);
        reader.into_byte_records().enumerate().map(move |(row, record)| {
            let mut record = record.expect("memory can be read, and rows can be of any length");
            if let Some(origin) = &self.origin {
                while record.len() < origin.width {
                    record.push_field(b"");
                }
                return (origin.place(row), record);
            }
            let start = record.position().expect("records that were read have positions").byte() as usize;
            // The blank lines before a record are read with it.
            let blank = self.bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            line += breaks(&self.bytes[counted..start + blank]);
            counted = start + blank;
            (Place::line(line), record)
        })
    }

    /// Refuses a file of one table if a part of it is asked for.
    pub(super) fn refuse_part(&self) -> Result<(), TableError> {
        match &self.wanted {
            Some(part) => Err(TableError::NoParts { file: self.file.clone(), part: part.to_string() }),
            None => Ok(()),
        }
    }

    /// Why the row in a place cannot be used, whatever is asked of it.
    pub(super) fn broken(&self, place: Place) -> Option<&Problem> {
        let index = place.record?.checked_sub(1)?;
        self.origin.as_ref()?.broken.get(&(index as usize))
    }
}

impl Origin {
    /// Where the record of a row begins; the first row is the header, which begins with the file.
    fn place(&self, row: usize) -> Place {
        match row.checked_sub(1) {
            Some(index) => Place { line: self.lines[index], record: Some(row as u64) },
            None => Place::line(1),
        }
    }
}

/// The contents are too long to be shown.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("file", &self.file).field("bytes", &self.bytes.len()).finish()
    }
}

/// How many lines end: at a line feed, a carriage return or both, as records of CSV do.
pub(super) fn breaks(bytes: &[u8]) -> u64 {
    let ends = |(place, byte): &(usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(place + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(ends).count() as u64
}

/// The lines, which end likewise, without their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    fn without_return(line: &[u8]) -> &[u8] {
        line.strip_suffix(b"\r").unwrap_or(line)
    }
    bytes.split(|byte| *byte == b'\n').flat_map(|line| without_return(line).split(|byte| *byte == b'\r'))
}

/// The texts of a record; bytes that are not UTF-8 are replaced.
pub(super) fn fields(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect()
}
