//! The Python package `swapnas`, as far as it is not Python: see `python/swapnas`.

mod command;
mod correlation;
mod design;
mod elsewhere;
mod errors;
mod export;
mod onnx;
mod options;
mod plot;
mod proxy;
mod scorer;
mod search;
mod space;
mod table;
mod threads;
mod train;
mod watch;

use pyo3::prelude::*;

#[pymodule]
mod _swapnas {
    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::design::design;
    #[pymodule_export]
    use super::elsewhere::SearchScorer;
    #[pymodule_export]
    use super::errors::{plain_sentence_text, plain_text};
    #[pymodule_export]
    use super::export::export;
    #[pymodule_export]
    use super::onnx::{score_exported, score_onnx};
    #[pymodule_export]
    use super::plot::{plot_scores, plot_search};
    #[pymodule_export]
    use super::proxy::{Link, UndefinedError};
    #[pymodule_export]
    use super::scorer::{PyScorer, correlate, score};
    #[pymodule_export]
    use super::search::{resume, resume_elsewhere, search, search_elsewhere};
    #[pymodule_export]
    use super::space::{PySpace, metrics, spaces};
    #[pymodule_export]
    use super::table::{built_in_table, read_table};
    #[pymodule_export]
    use super::train::{create_benchmark, train};
    #[pymodule_export]
    use super::watch::Interrupted;
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python packages give it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
