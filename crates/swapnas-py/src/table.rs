use std::path::PathBuf;

use pyo3::prelude::*;
use swapnas::table::{self, Options, Row};

use crate::errors::Raise;
use crate::options::number;
use crate::scorer::warn;

/// The architectures and accuracies of a CSV file, with or without header, as two lists.
///
/// arch_column, accuracy_column: columns by name, or by number from 1 on; found by their names unless given.
/// limit: how many rows to read.
/// skip_bad: whether lines that cannot be read are left out with a warning; without it they are an error, which
///     lists them.
#[pyfunction]
#[pyo3(signature = (path, *, arch_column = None, accuracy_column = None, limit = None, skip_bad = false))]
pub(crate) fn read_table(
    py: Python<'_>,
    path: PathBuf,
    arch_column: Option<Bound<'_, PyAny>>,
    accuracy_column: Option<Bound<'_, PyAny>>,
    limit: Option<Bound<'_, PyAny>>,
    skip_bad: bool,
) -> PyResult<(Vec<String>, Vec<f64>)> {
    let text = |column: Option<Bound<'_, PyAny>>| column.map(|column| column.to_string());
    let limit = limit.map(|limit| number(&limit, "limit", 1..=usize::MAX)).transpose()?;
    let options = Options {
        arch_column: text(arch_column),
        accuracy_column: text(accuracy_column),
        limit,
        ..Options::default()
    };
    let table = py.detach(|| table::read(&path, &options)).map_err(Raise::raise)?;
    let problems = table.problems().clone();
    if !problems.is_empty() {
        if !skip_bad {
            return Err(problems.raise());
        }
        warn(py, [problems.to_string()])?;
    }
    Ok(table.rows().iter().map(|Row { arch, accuracy, .. }| (arch.clone(), *accuracy)).unzip())
}
