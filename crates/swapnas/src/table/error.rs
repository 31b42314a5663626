/// A table that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is in an encoding that is not read.
    #[error("{file} is in UTF-16; save it in UTF-8")]
    Utf16 {
        /// The file.
        file: String,
    },
    /// There is nothing in the file, or nothing but a header.
    #[error("{file} has no rows")]
    Empty {
        /// The file.
        file: String,
    },
    /// The columns are not separated by commas.
    #[error("{file} seems to be separated by {separator}; save it with commas")]
    Separator {
        /// The file.
        file: String,
        /// What separates its columns.
        separator: &'static str,
    },
    /// No column has the name or number that was given.
    #[error("{file} has no column `{column}`: {}", instead(header, *.width))]
    NoSuchColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The names of all columns; `None` if there is no header.
        header: Option<Vec<String>>,
        /// Number of columns.
        width: usize,
    },
    /// No column has a usual name.
    #[error("{file} has no column that is known to hold {what}: {} ({option})", instead(header, *.width))]
    Unknown {
        /// The file.
        file: String,
        /// What is sought.
        what: &'static str,
        /// What names it.
        option: &'static str,
        /// The names of all columns; `None` if there is no header.
        header: Option<Vec<String>>,
        /// Number of columns.
        width: usize,
    },
}

fn instead(header: &Option<Vec<String>>, width: usize) -> String {
    match header {
        Some(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("give one of {}", names.join(", "))
        }
        None if width == 1 => "it has no header, and one column only".to_owned(),
        None => format!("it has no header, so give a number from 1 to {width}"),
    }
}
