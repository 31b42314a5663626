use std::path::PathBuf;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use swapnas::table::{self, Options, Row};

use std::ffi::CString;

use crate::errors::Raise;

/// The architectures and accuracies of a CSV file.
#[pyfunction]
#[pyo3(signature = (path, *, arch_column = None, accuracy_column = None, limit = None, skip_bad = false))]
pub(crate) fn read_table(
    py: Python<'_>,
    path: PathBuf,
    arch_column: Option<String>,
    accuracy_column: Option<String>,
    limit: Option<usize>,
    skip_bad: bool,
) -> PyResult<(Vec<String>, Vec<f64>)> {
    let options = Options { arch_column, accuracy_column, limit };
    let table = py.detach(|| table::read(&path, &options)).map_err(Raise::raise)?;
    let problems = table.problems().clone();
    if !problems.is_empty() {
        if !skip_bad {
            return Err(problems.raise());
        }
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &CString::new(problems.to_string())?, 1)?;
    }
    Ok(table.rows().iter().map(|Row { arch, accuracy, .. }| (arch.clone(), *accuracy)).unzip())
}
