use std::ffi::OsString;

use pyo3::prelude::*;

/// The command `swapnas`, with the arguments of a process; returns the code to end it with.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| swapnas_cli::run(arguments))
}
