//! From errors to exceptions.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use pyo3::exceptions::{
    PyFileExistsError, PyFileNotFoundError, PyMemoryError, PyOSError, PyPermissionError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::types::PyString;
use swapnas::graph::option::{OUT, OptionName, Spelling, spelled};
use swapnas::search::SearchError;
use swapnas::table::TableError;
use swapnas::{InputError, ScoreError, ScoringError, WriteError};
use swapnas_cli::explain;

/// An error that becomes the exception which a user of Python expects.
pub(crate) trait Raise: Error + Sized + 'static {
    /// What went wrong, by kind.
    fn kind(&self) -> Kind {
        Kind::Value
    }

    /// The exception.
    fn raise(self) -> PyErr {
        self.raise_with(as_argument)
    }

    /// The same where options have other names than those of arguments.
    fn raise_with(self, spelling: Spelling) -> PyErr {
        if let Some(raised) = raised(&self) {
            return raised;
        }
        let message = spelled(spelling, || explain(&self));
        match self.kind() {
            Kind::Value => PyValueError::new_err(message),
            Kind::Memory => PyMemoryError::new_err(message),
            Kind::File(ErrorKind::NotFound) => PyFileNotFoundError::new_err(message),
            Kind::File(ErrorKind::AlreadyExists) => PyFileExistsError::new_err(message),
            Kind::File(ErrorKind::PermissionDenied) => PyPermissionError::new_err(message),
            Kind::File(_) => PyOSError::new_err(message),
        }
    }
}

/// The exception of a function of Python that was called, if that is what an error is about.
fn raised(error: &(dyn Error + 'static)) -> Option<PyErr> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(raised) = error.downcast_ref::<PyErr>() {
            return Some(Python::attach(|py| raised.clone_ref(py)));
        }
        next = error.source();
    }
    None
}

/// What went wrong.
pub(crate) enum Kind {
    /// Something that was given makes no sense.
    Value,
    /// There is not enough memory.
    Memory,
    /// The system lets a file not be read or written.
    File(ErrorKind),
}

impl Raise for ScoreError {
    fn kind(&self) -> Kind {
        match self {
            ScoreError::Memory { .. } | ScoreError::Repeats(_) | ScoreError::NoMore { .. } => Kind::Memory,
            ScoreError::Inputs(InputError::Read { cause, .. }) => Kind::File(cause.kind()),
            _ => Kind::Value,
        }
    }
}

impl Raise for ScoringError {
    fn kind(&self) -> Kind {
        match self {
            ScoringError::Score(error) => error.kind(),
            ScoringError::Metrics(_) | ScoringError::Level(_) => Kind::Value,
        }
    }
}

impl Raise for SearchError {
    fn kind(&self) -> Kind {
        match self {
            SearchError::Score(error) => error.kind(),
            SearchError::Folder { source, .. } => Kind::File(source.kind()),
            SearchError::Taken(_) => Kind::File(ErrorKind::AlreadyExists),
            SearchError::NoRun { .. } => Kind::File(ErrorKind::NotFound),
            SearchError::LatencyTable { path, .. } if !path.exists() => Kind::File(ErrorKind::NotFound),
            SearchError::Gone(_) => Kind::File(ErrorKind::NotFound),
            SearchError::Locked(_)
            | SearchError::Database { .. }
            | SearchError::Damaged { .. }
            | SearchError::Format { .. } => Kind::File(ErrorKind::Other),
            _ => Kind::Value,
        }
    }
}

impl Raise for TableError {
    fn kind(&self) -> Kind {
        match self {
            TableError::Read { source, .. } => Kind::File(source.kind()),
            _ => Kind::Value,
        }
    }
}

impl Raise for WriteError {
    fn kind(&self) -> Kind {
        Kind::File(self.source.kind())
    }
}

impl Raise for swapnas::export::ExportError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::export::ExportError::Memory(_) => Kind::Memory,
            swapnas::export::ExportError::Write(error) => error.kind(),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::onnx::ModelError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::onnx::ModelError::Read { source, .. } => Kind::File(source.kind()),
            swapnas::onnx::ModelError::Onnx { .. } => Kind::Value,
        }
    }
}

impl Raise for swapnas::plot::PlotError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::plot::PlotError::Write(error) => error.kind(),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::SurveyError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::SurveyError::Input(InputError::Read { cause, .. }) => Kind::File(cause.kind()),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::design::DesignError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::design::DesignError::Search(error) => error.kind(),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::ArrayError {}
impl Raise for swapnas::LevelError {}
impl Raise for swapnas::MetricError {}
impl Raise for swapnas::NetworkError {}
impl Raise for swapnas::ParseError {}
impl Raise for swapnas::PrintError {}
impl Raise for swapnas::ProxyNameError {}
impl Raise for swapnas::UnknownSpace {}
impl Raise for swapnas::export::FormatError {}
impl Raise for swapnas::table::Problems {}

/// A text as messages show it: on one line, without characters that a terminal would obey, and not too long.
#[pyfunction]
#[pyo3(name = "plain")]
pub(crate) fn plain_text(text: &Bound<'_, PyString>) -> String {
    swapnas::plain(&*text.to_string_lossy()).to_string()
}

/// The same of a sentence, which may be ten times as long.
#[pyfunction]
#[pyo3(name = "plain_sentence")]
pub(crate) fn plain_sentence_text(text: &Bound<'_, PyString>) -> String {
    swapnas::plain_sentence(&text.to_string_lossy()).to_string()
}

/// An option as it is given to a function: `size=(3, 32, 32)`. A file to be written is `path` here.
pub(crate) fn as_argument(option: OptionName, numbers: &[usize], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match option {
        OUT => f.write_str("path")?,
        other => f.write_str(&other.identifier())?,
    }
    match numbers {
        [] => Ok(()),
        [number] => write!(f, "={number}"),
        numbers => {
            let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
            write!(f, "=({})", numbers.join(", "))
        }
    }
}

impl Raise for swapnas::train::DatasetError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::train::DatasetError::Inputs(InputError::Read { cause, .. }) => Kind::File(cause.kind()),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::train::TrainError {}

impl Raise for swapnas::train::CheckpointError {
    fn kind(&self) -> Kind {
        match self {
            swapnas::train::CheckpointError::Read { cause, .. }
            | swapnas::train::CheckpointError::Write { cause, .. } => Kind::File(cause.kind()),
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::train::benchmark::BenchmarkError {
    fn kind(&self) -> Kind {
        use swapnas::train::benchmark::{BenchmarkError, JournalError};
        match self {
            BenchmarkError::File { cause, .. }
            | BenchmarkError::Journal(JournalError::File { cause, .. }) => Kind::File(cause.kind()),
            BenchmarkError::Memory(_) => Kind::Memory,
            _ => Kind::Value,
        }
    }
}

impl Raise for swapnas::MemoryError {
    fn kind(&self) -> Kind {
        Kind::Memory
    }
}
