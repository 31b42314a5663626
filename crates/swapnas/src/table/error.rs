use swapnas_graph::option::OptionName;

use crate::plain;

/// A table that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", plain(file))]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is in an encoding that is not read.
    #[error("{} is in UTF-16; save it in UTF-8", plain(file))]
    Utf16 {
        /// The file.
        file: String,
    },
    /// There is nothing in the file, or nothing but a header.
    #[error("{} has no rows", plain(file))]
    Empty {
        /// The file.
        file: String,
    },
    /// The columns are not separated by commas.
    #[error("{} seems to be separated by {separator}; save it with commas", plain(file))]
    Separator {
        /// The file.
        file: String,
        /// What separates its columns.
        separator: &'static str,
    },
    /// The file begins as JSON does, and goes on as none.
    #[error("{} begins as JSON does, but is none: {cause}{hint}", plain(file))]
    Json {
        /// The file.
        file: String,
        /// What is wrong, and in which line and column.
        cause: serde_json::Error,
        /// What to do about it, if that is known, behind a semicolon.
        hint: &'static str,
    },
    /// Records in JSON have so many different fields that a table of them would be empty for the most part.
    #[error(
        "{} has {records} records with {columns} different fields or more, few of which are in many of them; \
         give all records the same fields",
        plain(file)
    )]
    FewInCommon {
        /// The file.
        file: String,
        /// How many records there are.
        records: usize,
        /// How many different fields were found before the file was given up.
        columns: usize,
    },
    /// The file begins as one of a benchmark, and goes on as none.
    #[error("{} is no whole {format}: {cause}; fetch it again", plain(file))]
    Damaged {
        /// The file.
        file: String,
        /// What it begins as.
        format: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// What is in the file would take too much memory.
    #[error(
        "{} holds more than {megabytes} MB in which no network of NATS-Bench is found; write a part of it as CSV or JSON",
        plain(file)
    )]
    TooLarge {
        /// The file.
        file: String,
        /// How many megabytes are read at most.
        megabytes: u64,
    },
    /// A zip archive that is none of PyTorch's files.
    #[error(
        "{} is a zip archive, and not one that PyTorch's `save` wrote; unpack it, and give a file of it",
        plain(file)
    )]
    Archive {
        /// The file.
        file: String,
    },
    /// A pickle or a file of records of something else than a benchmark that is read.
    #[error(
        "{} holds {holds}, and no table that is read: NATS-Bench, NAS-Bench-201, HW-NAS-Bench or NAS-Bench-101; write it as \
         CSV or JSON",
        plain(file)
    )]
    NoBenchmark {
        /// The file.
        file: String,
        /// What it holds.
        holds: String,
    },
    /// The part of NATS-Bench that has no results.
    #[error(
        "{} has the names of NATS-Bench's architectures only; give the folder that it is in",
        plain(file)
    )]
    Names {
        /// The file.
        file: String,
    },
    /// A folder without files of architectures.
    #[error(
        "{} is a folder; give a file, or the folder of NATS-Bench, which has files such as 000000.pickle.pbz2",
        plain(file)
    )]
    Folder {
        /// The folder.
        file: String,
    },
    /// The file has no such data set or number of epochs.
    #[error("{} has no {what} `{}`{}: {}", plain(file), plain(part), hint(nearest), give(names))]
    NoSuchPart {
        /// The file.
        file: String,
        /// What was asked for.
        what: &'static str,
        /// Its name.
        part: String,
        /// The name that is closest to it, if one is close.
        nearest: Option<String>,
        /// What there is.
        names: Vec<String>,
    },
    /// A part of a file is asked for that has none.
    #[error("{} has one table, and no data sets to choose from; leave out `{part}`", plain(file))]
    NoParts {
        /// The file.
        file: String,
        /// What was asked for.
        part: String,
    },
    /// A column that is there twice, and could be meant either time.
    #[error(
        "{} has the column `{}` {}; {}",
        plain(file), plain(column), numbered(numbers), choose(*.option)
    )]
    Ambiguous {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// The numbers of the columns, counted from 1.
        numbers: Vec<usize>,
        /// What chooses one, if anything does.
        option: Option<OptionName>,
    },
    /// Several columns have names that end in what was given.
    #[error(
        "{} has no column `{}`, but {} that end in it: {} ({option})",
        plain(file), plain(column), names.len(), give(names)
    )]
    LastPart {
        /// The file.
        file: String,
        /// The last part of their names.
        column: String,
        /// The names.
        names: Vec<String>,
        /// What chooses one.
        option: OptionName,
    },
    /// No column has the name or number that was given.
    #[error(
        "{} has no column `{}`{}: {}",
        plain(file), plain(column), hint(nearest), instead(header, *.width)
    )]
    NoSuchColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The name that is closest to it, if one is close.
        nearest: Option<String>,
        /// The names of all columns; `None` if there is no header.
        header: Option<Vec<String>>,
        /// Number of columns.
        width: usize,
    },
    /// No column has a usual name.
    #[error(
        "{} has no column that is known to hold {what}: {} ({option})",
        plain(file), instead(header, *.width)
    )]
    Unknown {
        /// The file.
        file: String,
        /// What is sought.
        what: &'static str,
        /// What names it.
        option: OptionName,
        /// The names of all columns; `None` if there is no header.
        header: Option<Vec<String>>,
        /// Number of columns.
        width: usize,
    },
}

/// How many names of columns are listed.
const LISTED: usize = 12;

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean `{}`?)", plain(name))).unwrap_or_default()
}

fn instead(header: &Option<Vec<String>>, width: usize) -> String {
    match header {
        Some(names) => give(names),
        None if width == 1 => "it has no header, and one column only".to_owned(),
        None => format!("it has no header, so give a number from 1 to {width}"),
    }
}

/// The names that can be given.
fn give(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", plain(name))).collect();
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(", or one of {more} more"),
    };
    format!("give one of {}{more}", shown.join(", "))
}

/// `twice, as 2 and 5`: where a column is.
fn numbered(numbers: &[usize]) -> String {
    match numbers {
        [first, second] => format!("twice, as {first} and {second}"),
        [first, second, ..] => format!("{} times, first as {first} and {second}", numbers.len()),
        _ => "more than once".to_owned(),
    }
}

fn choose(option: Option<OptionName>) -> String {
    let rename = "give each column a name of its own";
    option.map_or(rename.to_owned(), |option| format!("{rename}, or choose one by its number ({option})"))
}
