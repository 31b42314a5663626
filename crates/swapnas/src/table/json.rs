//! Records in JSON, of which columns are made, so that all that holds of CSV holds of them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use csv::WriterBuilder;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{LONGEST_NAME, is_accuracy, is_architecture, last_part};
use super::part::Part;
use super::records::{Origin, Text, breaks};
use super::{Problem, TableError};

#[cfg(test)]
mod tests;

/// What a file of JSON objects, one behind the other, is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Objects {
    /// Records.
    Records,
    /// Architectures, each in a line, unless they name one.
    Archs,
}

/// A record, with its key if it is a value of an object.
type Keyed<'t> = (Option<Cow<'t, str>>, &'t RawValue);

/// The columns of a file that holds records in JSON: an array of objects, an object of objects, or objects one behind
/// the other. Nothing if it holds something else.
///
/// Objects within a record are taken apart, and their fields are called `outer.inner`; the one that is called
/// `arch_column`, and those that have the usual names of architectures, stay whole, as arrays do. If no record names
/// its architecture, it is the record's key, or else the text of the record, in a column in front.
pub(super) fn columns(
    text: &Text,
    objects: Objects,
    arch_column: Option<&str>,
) -> Result<Option<Text>, TableError> {
    let blanked = without_nan(&text.bytes);
    let bytes = blanked.as_deref().unwrap_or(&text.bytes);
    let records = records(bytes, objects);
    let no_json = |cause| {
        let hint = hint(bytes, &cause);
        TableError::Json { file: text.file.clone(), cause, hint }
    };
    let Some(records) = records.map_err(no_json)? else { return Ok(None) };
    let (records, part) = one_dataset(text, records)?;
    if records.is_empty() {
        return Err(TableError::Empty { file: text.file.clone() });
    }
    let is_named = records.iter().any(|(_, record)| names_architecture(record));
    let is_keyed = records.iter().any(|(key, _)| key.is_some());
    let front = match (is_keyed, is_named) {
        (true, true) => Some("key"),
        (_, false) => Some("arch"),
        (false, true) => None,
    };
    let mut rows = Rows {
        arch_column,
        front: front.into_iter().count(),
        names: HashMap::new(),
        cells: Vec::new(),
        path: String::new(),
        problem: None,
        lists: Vec::new(),
        room: (1 << 20) + 4 * bytes.len(),
        count: records.len(),
    };
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut origin = Origin {
        lines: Vec::with_capacity(records.len()),
        width: 0,
        lists: Vec::new(),
        broken: HashMap::new(),
    };
    let mut keys: HashMap<&str, usize> = HashMap::new();
    for key in records.iter().filter_map(|(key, _)| key.as_deref()) {
        *keys.entry(key).or_default() += 1;
    }
    let (mut line, mut counted) = (1, 0);
    for (index, (key, record)) in records.iter().enumerate() {
        let start = record.get().as_ptr().addr() - bytes.as_ptr().addr();
        line += breaks(&bytes[counted..start]);
        counted = start;
        origin.lines.push(line);
        rows.begin();
        if front.is_some() {
            rows.cells[0] = Some(key.clone().unwrap_or(Cow::Borrowed(record.get())));
        }
        // Each of them could be the one that is meant.
        if let Some(key) = key.as_deref().filter(|key| keys[*key] > 1) {
            rows.twice(key.to_owned());
        }
        if rows.take_record(record).is_err() {
            let (file, columns) = (text.file.clone(), rows.width());
            return Err(TableError::FewInCommon { file, records: records.len(), columns });
        }
        if let Some(problem) = rows.problem.take() {
            origin.broken.insert(index, problem);
        }
        let cells = rows.cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
        writer.write_record(cells).expect("memory can be written");
    }
    origin.width = rows.width();
    origin.lists = std::mem::take(&mut rows.lists);
    let mut header = csv::Writer::from_writer(Vec::new());
    header.write_record(front.into_iter().chain(rows.header())).expect("memory can be written");
    let mut table = header.into_inner().expect("memory can be written");
    table.append(&mut writer.into_inner().expect("memory can be written"));
    let wanted = if part.is_some() { None } else { text.wanted.clone() };
    Ok(Some(Text { file: text.file.clone(), bytes: table, origin: Some(origin), part, wanted }))
}

/// The records of one of the data sets in a file of NASLib's, as is asked for or else the first, or of what is asked for by
/// its name in another file; all records if there is no such thing.
fn one_dataset<'t>(
    text: &Text,
    records: Vec<Keyed<'t>>,
) -> Result<(Vec<Keyed<'t>>, Option<Part>), TableError> {
    let wanted = text.wanted.as_ref();
    let is_wanted = |(name, record): &Keyed<'_>| {
        let is_named = wanted.is_some_and(|wanted| name.as_deref() == Some(&wanted.first[..]));
        is_named && keyed(record).is_some()
    };
    if !records.first().is_some_and(is_dataset) && !records.iter().any(is_wanted) {
        return Ok((records, None));
    }
    let names: Vec<String> =
        records.iter().map(|(name, _)| name.as_deref().unwrap_or_default().to_owned()).collect();
    let part = Part::choose(&text.file, &names, &[], [0, 0], wanted)?;
    let place = part.dataset.as_ref().and_then(|choice| names.iter().position(|name| *name == choice.name));
    let archs = place.and_then(|place| keyed(records[place].1)).unwrap_or_default();
    Ok((archs, Some(part)))
}

/// The fields of an object; none of what cannot be read.
fn fields(object: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    serde_json::from_str(object.get()).map_or(Vec::new(), |Fields(fields)| fields)
}

/// Whether a record is a data set: an object of architectures, of which the first has metrics with score and time, and an
/// accuracy beside them.
fn is_dataset((name, record): &Keyed<'_>) -> bool {
    if name.is_none() || !is_object(record) {
        return false;
    }
    let archs = fields(record);
    let Some((_, first)) = archs.first().filter(|(_, first)| is_object(first)) else { return false };
    let metrics = fields(first);
    let is_scored = |(_, metric): &(Cow<'_, str>, &RawValue)| {
        is_object(metric) && fields(metric).iter().any(|(name, _)| name == "score")
    };
    metrics.iter().any(is_scored)
        && metrics.iter().any(|(name, value)| is_accuracy(name) && !is_object(value))
}

/// The text of a file of data sets without the numbers that Python writes and JSON has not: an empty text is there
/// instead, and blanks, so that all else stays where it is. Nothing if there are none, or for any other file.
fn without_nan(bytes: &[u8]) -> Option<Vec<u8>> {
    let letters: Vec<u8> =
        bytes.iter().filter(|byte| !b" \t\r\n".contains(byte)).take(1 << 12).copied().collect();
    // An object of objects of objects, as the names between the braces are short.
    let is_open = |rest: &[u8]| -> Option<usize> {
        let rest = rest.strip_prefix(b"{\"")?;
        let name = rest.iter().position(|byte| *byte == b'"')?;
        (rest.get(name + 1) == Some(&b':')).then_some(name + 4)
    };
    let first = is_open(&letters)?;
    let second = is_open(&letters[first..])?;
    if letters.get(first + second) != Some(&b'{') {
        return None;
    }
    let mut blanked: Option<Vec<u8>> = None;
    let (mut place, mut is_text) = (0, false);
    while let Some(&byte) = bytes.get(place) {
        match byte {
            b'\\' if is_text => place += 1,
            b'"' => is_text = !is_text,
            b'N' | b'I' | b'-' if !is_text => {
                let is_there = |number: &&&str| bytes[place..].starts_with(number.as_bytes());
                if let Some(number) = NO_NUMBERS.iter().find(is_there) {
                    let cell =
                        &mut blanked.get_or_insert_with(|| bytes.to_vec())[place..place + number.len()];
                    cell.fill(b' ');
                    cell[..2].fill(b'"');
                    place += number.len() - 1;
                }
            }
            _ => (),
        }
        place += 1;
    }
    blanked
}

/// What Python writes for numbers that are none.
const NO_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The records of a file, if it holds records in JSON.
fn records(bytes: &[u8], objects: Objects) -> serde_json::Result<Option<Vec<Keyed<'_>>>> {
    let mut letters = bytes.iter().filter(|byte| !b" \t\r\n".contains(byte));
    let unkeyed = |record| (None, record);
    match (letters.next(), letters.next()) {
        (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}'))
            if objects == Objects::Records && letters.next().is_none() =>
        {
            Ok(Some(Vec::new()))
        }
        (Some(b'['), Some(b'{')) => {
            let records: Vec<&RawValue> = serde_json::from_slice(bytes)?;
            Ok(Some(records.into_iter().map(unkeyed).collect()))
        }
        (Some(b'{'), Some(b'"')) => {
            let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
            let first = match values.next() {
                Some(Err(_)) | None if objects == Objects::Archs => return Ok(None),
                first => first.transpose()?,
            };
            let second = values.next();
            if let (Some(first), None) = (first, &second)
                && let Some(records) = keyed(first)
            {
                return Ok(Some(records));
            }
            if objects == Objects::Archs && !first.is_some_and(names_architecture) {
                return Ok(None);
            }
            let rest = first.map(Ok).into_iter().chain(second).chain(values);
            rest.map(|record| record.map(unkeyed)).collect::<Result<_, _>>().map(Some)
        }
        _ => Ok(None),
    }
}

/// What to do about it, where numbers are written that JSON has not, as Python does.
fn hint(bytes: &[u8], cause: &serde_json::Error) -> &'static str {
    let line = bytes.split(|byte| *byte == b'\n').nth(cause.line().saturating_sub(1)).unwrap_or_default();
    // Some columns are those of the letter before.
    let starts = |from: usize| NO_NUMBERS.iter().any(|number| line[from..].starts_with(number.as_bytes()));
    let last = cause.column().min(line.len());
    match (last.saturating_sub(3)..=last).any(starts) {
        true => "; JSON has neither NaN nor infinity: write null instead",
        false => "",
    }
}

/// The values of an object of records. An object that names an architecture is a record itself.
fn keyed(object: &RawValue) -> Option<Vec<Keyed<'_>>> {
    let Fields(fields) = serde_json::from_str(object.get()).ok()?;
    let is_record = |(key, value): &(Cow<'_, str>, &RawValue)| is_object(value) && !is_architecture(key);
    let are_records = !fields.is_empty() && fields.iter().all(is_record);
    are_records.then(|| fields.into_iter().map(|(key, value)| (Some(key), value)).collect())
}

/// Whether a record has a field with a usual name of architectures.
fn names_architecture(record: &RawValue) -> bool {
    let fields = is_object(record).then(|| serde_json::from_str(record.get()));
    matches!(fields, Some(Ok(Fields(fields))) if fields.iter().any(|(name, _)| is_architecture(name)))
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The fields of an object in their order.
struct Fields<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

/// A name that is copied only if it is written with escapes.
#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for Fields<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'t> Visitor<'t> for Object {
            type Value = Fields<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut entries: A) -> Result<Fields<'t>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = entries.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Records have so little in common that columns of them would have little but empty cells.
struct FewInCommon;

/// The rows that records become.
struct Rows<'t> {
    arch_column: Option<&'t str>,
    /// How many columns there are in front of those that have the names of fields.
    front: usize,
    /// The columns that fields have.
    names: HashMap<String, usize>,
    /// The row of the record at hand, up to the last column that is known.
    cells: Vec<Option<Cow<'t, str>>>,
    /// The name of the field at hand.
    path: String,
    /// What was found first of what is wrong with the record. All of its fields are taken even so, or else it would
    /// depend on their order which columns there are.
    problem: Option<Problem>,
    /// The columns of which the first cell is a list.
    lists: Vec<usize>,
    /// How many cells there may be, with names of a letter as much as a cell: in proportion to the file, or else a
    /// small file could become a table that fills the memory.
    room: usize,
    /// How many records there are.
    count: usize,
}

impl<'t> Rows<'t> {
    fn width(&self) -> usize {
        self.front + self.names.len()
    }

    /// The names of the columns.
    fn header(&self) -> Vec<&str> {
        let mut header = vec![""; self.names.len()];
        for (name, column) in &self.names {
            header[column - self.front] = name;
        }
        header
    }

    /// Begins with another record.
    fn begin(&mut self) {
        self.cells.clear();
        self.cells.resize(self.width(), None);
        self.path.clear();
    }

    /// Says that the record has two fields of a name.
    fn twice(&mut self, field: String) {
        self.problem.get_or_insert(Problem::Twice { field });
    }

    fn take_record(&mut self, record: &'t RawValue) -> Result<(), FewInCommon> {
        if is_object(record) {
            return self.take_object(record, 0);
        }
        self.problem.get_or_insert_with(|| Problem::NotAnObject { value: record.get().to_owned() });
        Ok(())
    }

    /// Takes the fields of an object, which is in so many others.
    fn take_object(&mut self, object: &'t RawValue, depth: usize) -> Result<(), FewInCommon> {
        let Some(Fields(fields)) = self.read(object) else { return Ok(()) };
        let mut known = HashSet::with_capacity(fields.len());
        let outer = self.path.len();
        for &(ref name, value) in &fields {
            if depth > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
            if !known.insert(name) {
                self.twice(self.path.clone());
            }
            // What is deep has a long name, so objects are not looked into again and again.
            if is_object(value) && self.path.len() <= LONGEST_NAME && !self.is_architecture(depth) {
                self.take_object(value, depth + 1)?;
            } else {
                self.take_value(value)?;
            }
            self.path.truncate(outer);
        }
        Ok(())
    }

    /// Whether the field at hand is an architecture, as far as its name says.
    fn is_architecture(&self, depth: usize) -> bool {
        let is_chosen = |chosen| self.path == chosen || last_part(&self.path) == chosen;
        depth == 0 && is_architecture(&self.path) || self.arch_column.is_some_and(is_chosen)
    }

    /// Takes the value of the field at hand as it is.
    fn take_value(&mut self, value: &'t RawValue) -> Result<(), FewInCommon> {
        let column = match self.names.get(&self.path) {
            Some(column) => *column,
            None => {
                let column = self.width();
                self.room = self.room.checked_sub(self.count + self.path.len()).ok_or(FewInCommon)?;
                self.names.insert(self.path.clone(), column);
                self.cells.push(None);
                if value.get().starts_with('[') {
                    self.lists.push(column);
                }
                column
            }
        };
        let text = match value.get() {
            "null" => Cow::Borrowed(""),
            text if text.starts_with('"') => self.read(value).map_or(Cow::Borrowed(text), |Name(text)| text),
            text => Cow::Borrowed(text),
        };
        if self.cells[column].replace(text).is_some() {
            self.twice(self.path.clone());
        }
        Ok(())
    }

    /// Reads what is JSON already. Only texts may still be none, with halves of characters.
    fn read<T: Deserialize<'t>>(&mut self, value: &'t RawValue) -> Option<T> {
        serde_json::from_str(value.get())
            .map_err(|cause: serde_json::Error| {
                let said = cause.to_string();
                let cause = said.rsplit_once(" at line ").map_or(&*said, |(cause, _)| cause).to_owned();
                self.problem.get_or_insert(Problem::Json { cause });
            })
            .ok()
    }
}
