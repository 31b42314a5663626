use swapnas_graph::nearest;
use swapnas_graph::option::{ACCURACY_COLUMN, ARCH_COLUMN, COLUMNS, OptionName};

use super::{ColumnTitle, TableError};

/// The usual names of a column of architectures, the most telling first.
const ARCHITECTURE: [&str; 7] =
    ["arch", "architecture", "arch_str", "genotype", "arch_string", "cell", "network"];

/// The usual names of a column of accuracies, the most telling first.
const ACCURACY: [&str; 10] = [
    "accuracy",
    "acc",
    "val_accuracy",
    "valid_accuracy",
    "validation_accuracy",
    "val_acc",
    "valid_acc",
    "test_accuracy",
    "test_acc",
    "mean_accuracy",
];

/// The mean over the tasks of GLUE, which is a column of accuracies if there is no other.
const GLUE: &str = "glue";

/// How the names of other columns of accuracies end, as in `cifar10_test_accuracy`.
const ACCURACY_ENDINGS: [&str; 2] = ["_accuracy", "_acc"];

/// No longer name is taken for a column's.
pub(super) const LONGEST_NAME: usize = 64;

/// The columns of a table.
pub(super) struct Columns {
    file: String,
    header: Option<Vec<String>>,
    width: usize,
    /// The columns that hold lists.
    lists: Vec<usize>,
}

impl Columns {
    /// Looks at the first line, which is a header if one of its fields is a usual name or among those
    /// `chosen`, or if all of them could be names and none is a number.
    pub(super) fn of(file: &str, first: &[String], chosen: &[&str]) -> Self {
        let is_chosen = |field: &String| chosen.contains(&field.as_str()) && !is_numeral(field);
        let is_header = first.iter().any(|f| is_architecture(f) || is_accuracy(f) || is_chosen(f))
            || first.iter().all(|field| could_be_name(field));
        let header = is_header.then(|| first.to_vec());
        Columns { file: file.to_owned(), header, width: first.len(), lists: Vec::new() }
    }

    /// With columns that hold lists, such as the accuracies of several seeds beside their mean.
    pub(super) fn with_lists(self, lists: &[usize]) -> Self {
        Columns { lists: lists.to_vec(), ..self }
    }

    pub(super) fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// The column of architectures: the `chosen` one, one with a usual name, or the first if there is no
    /// header.
    pub(super) fn architecture(&self, chosen: Option<&str>) -> Result<usize, TableError> {
        if let Some(chosen) = chosen {
            return self.find(chosen, ARCH_COLUMN);
        }
        match &self.header {
            Some(names) => self.only(by_name(names, &ARCHITECTURE), ARCH_COLUMN)?,
            None => Some(0),
        }
        .ok_or_else(|| self.unknown("architectures", ARCH_COLUMN))
    }

    /// The column of accuracies: the `chosen` one, one with a usual name, the first of which that is the last part or
    /// that ends in one, the mean over GLUE, or the second if there is no header. It is none of lists unless chosen.
    pub(super) fn accuracy(&self, chosen: Option<&str>) -> Result<usize, TableError> {
        if let Some(chosen) = chosen {
            return self.find(chosen, ACCURACY_COLUMN);
        }
        match &self.header {
            Some(names) => {
                let mut names = names.clone();
                for &list in self.lists.iter().filter(|list| **list < self.width) {
                    names[list].clear();
                }
                let names = &names[..];
                let is_meant = |name: &&String| is_accuracy(name) || is_usual(last_part(name).trim());
                let first = || names.iter().find(is_meant).map(|first| plain_name(first));
                let alike = by_name(names, &ACCURACY)
                    .or_else(|| first().map(|first| places(names, |name| plain_name(name) == first)));
                match places(names, |name| is_called(last_part(name).trim(), GLUE))[..] {
                    [column] if alike.is_none() => Some(column),
                    [_, _, ..] if alike.is_none() => return self.find(GLUE, ACCURACY_COLUMN),
                    _ => self.only(alike, ACCURACY_COLUMN)?,
                }
            }
            None => (self.width > 1).then_some(1),
        }
        .ok_or_else(|| self.unknown("accuracies", ACCURACY_COLUMN))
    }

    /// A column of numbers that was asked for.
    pub(super) fn number(&self, chosen: &str) -> Result<usize, TableError> {
        self.find(chosen, COLUMNS)
    }

    /// The only one of columns that have one name.
    fn only(&self, alike: Option<Vec<usize>>, option: OptionName) -> Result<Option<usize>, TableError> {
        match alike.as_deref() {
            None | Some([]) => Ok(None),
            Some([column]) => Ok(Some(*column)),
            Some(columns @ [first, ..]) => Err(TableError::Ambiguous {
                file: self.file.clone(),
                column: self.header.iter().flatten().nth(*first).cloned().unwrap_or_default(),
                numbers: columns.iter().map(|column| column + 1).collect(),
                option: Some(option),
            }),
        }
    }

    fn find(&self, chosen: &str, option: OptionName) -> Result<usize, TableError> {
        let names = self.header.as_deref().unwrap_or_default();
        let by_name = self.only(Some(places(names, |name| name == chosen)), option)?;
        let by_number =
            || chosen.parse().ok().filter(|number| (1..=self.width).contains(number)).map(|n| n - 1);
        if let Some(column) = by_name.or_else(by_number) {
            return Ok(column);
        }
        let (file, column) = (self.file.clone(), chosen.to_owned());
        // A number is none of a name's parts.
        let ends_so = |name: &str| last_part(name) == chosen && !is_numeral(chosen);
        // NASLib has for each metric its score and the time that it took.
        let is_score = |name: &str| name.strip_suffix(".score") == Some(chosen);
        let mut found = places(names, ends_so);
        if found.is_empty() {
            found = places(names, is_score);
        }
        match found[..] {
            [column] => Ok(column),
            [] => Err(TableError::NoSuchColumn {
                file,
                column,
                nearest: nearest(chosen, names.iter().map(String::as_str))
                    .first()
                    .map(|&name| name.to_owned()),
                header: self.header.clone(),
                width: self.width,
            }),
            ref several => {
                let names = several.iter().map(|&column| names[column].clone()).collect();
                Err(TableError::LastPart { file, column, names, option })
            }
        }
    }

    /// The name of a column, or `column 3` if it has none.
    pub(super) fn name(&self, column: usize) -> String {
        let name = self.header.as_ref().and_then(|names| names.get(column)).filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| format!("column {}", column + 1))
    }

    fn unknown(&self, what: &'static str, option: OptionName) -> TableError {
        let (file, header) = (self.file.clone(), self.header.clone());
        TableError::Unknown { file, what, option, header, width: self.width }
    }

    /// Which column it is.
    pub(super) fn title(&self, column: usize) -> ColumnTitle {
        let name = self.header.as_ref().and_then(|names| names.get(column));
        ColumnTitle { number: column + 1, name: name.cloned() }
    }
}

/// What is behind the last dot of a name, as `glue` in `scores.glue`: the name of a field within other objects.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

/// The columns of the most telling of the `usual` names that is there.
fn by_name(header: &[String], usual: &[&str]) -> Option<Vec<usize>> {
    let named = |usual: &&str| places(header, |name| is_called(name.trim(), usual));
    usual.iter().map(named).find(|columns| !columns.is_empty())
}

fn places(header: &[String], is_meant: impl Fn(&str) -> bool) -> Vec<usize> {
    (0..header.len()).filter(|&column| is_meant(&header[column])).collect()
}

/// Whether a column's name says that it holds architectures.
pub(super) fn is_architecture(name: &str) -> bool {
    let name = name.trim();
    ARCHITECTURE.iter().any(|usual| is_called(name, usual))
}

/// Whether a column's name says that it holds accuracies.
pub(super) fn is_accuracy(name: &str) -> bool {
    let name = name.trim();
    let ends = |usual: &&str| {
        let ending = name.len().checked_sub(usual.len()).and_then(|start| name.get(start..));
        ending.is_some_and(|ending| is_called(ending, usual))
    };
    is_usual(name) || ACCURACY_ENDINGS.iter().any(ends) && could_be_name(name)
}

fn is_usual(name: &str) -> bool {
    ACCURACY.iter().any(|usual| is_called(name, usual))
}

/// Whether a name is a usual one. There may be millions to be asked, so nothing is copied.
fn is_called(name: &str, usual: &str) -> bool {
    let plain = |byte: u8| if b" -.".contains(&byte) { b'_' } else { byte.to_ascii_lowercase() };
    name.len() == usual.len() && name.bytes().map(plain).eq(usual.bytes())
}

/// A name in lower case, with underscores between words.
fn plain_name(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

fn is_numeral(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

/// Short, and of letters, digits and a little punctuation, as architectures hardly ever are.
fn could_be_name(field: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || " _-./%#".contains(c);
    !field.is_empty() && field.len() <= LONGEST_NAME && field.chars().all(allowed) && !is_numeral(field)
}
