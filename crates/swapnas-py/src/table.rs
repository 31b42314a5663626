use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use swapnas::table::{self, Options, Row, Table};
use swapnas::{Ranking, tell_apart};

use crate::errors::Raise;
use crate::options::number;
use crate::scorer::warn;
use crate::space::items;

/// The architectures and accuracies of a file, CSV with or without header or records in JSON, as two lists: a
/// swapnas.Table.
///
/// path: also the folder of NATS-Bench or its file, NAS-Bench-201 as a file of PyTorch, NAS-Bench-101 as TFRecords, or
///     HW-NAS-Bench. Of several data sets and numbers of epochs, one is chosen behind the name:
///     `NATS-tss-v1_0-3ffb9-simple#cifar100/12`.
/// arch_column, accuracy_column: columns by name, or by number from 1 on; found by their names unless given. Fields of
///     JSON within other objects have names such as `scores.glue`, of which the last part will do.
/// columns: further columns, which `columns` of the result has.
/// limit: how many rows to read.
/// skip_bad: whether lines that cannot be read are left out with a warning; without it they are an error, which
///     lists them.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "Python gives them by name")]
#[pyo3(signature = (path, *, arch_column = None, accuracy_column = None, columns = None, limit = None, skip_bad = false))]
pub(crate) fn read_table<'py>(
    py: Python<'py>,
    path: PathBuf,
    arch_column: Option<Bound<'py, PyAny>>,
    accuracy_column: Option<Bound<'py, PyAny>>,
    columns: Option<Bound<'py, PyAny>>,
    limit: Option<Bound<'py, PyAny>>,
    skip_bad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let text = |column: Option<Bound<'py, PyAny>>| column.map(|column| column.to_string());
    let columns = columns.map(|columns| items(&columns, "columns")).transpose()?;
    let columns: PyResult<Vec<String>> =
        columns.into_iter().flatten().map(|column| Ok(column?.to_string())).collect();
    let limit = limit.map(|limit| number(&limit, "limit", 1..=usize::MAX)).transpose()?;
    let options = Options {
        arch_column: text(arch_column),
        accuracy_column: text(accuracy_column),
        limit,
        columns: columns?,
        ..Options::default()
    };
    let table = py.detach(|| table::read(&path, &options)).map_err(Raise::raise)?;
    results(py, &table, skip_bad)
}

/// The table that comes with the package, networks of NAS-Bench-201 that were trained on drawn shapes, as a
/// swapnas.Table: to try everything on where there is no other.
#[pyfunction]
pub(crate) fn built_in_table(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let table = table::embedded(&Options::default()).map_err(Raise::raise)?;
    results(py, &table, false)
}

fn results<'py>(py: Python<'py>, table: &Table, skip_bad: bool) -> PyResult<Bound<'py, PyAny>> {
    let problems = table.problems().clone();
    if !problems.is_empty() {
        if !skip_bad {
            return Err(problems.raise());
        }
        warn(py, [problems.to_string()])?;
    }
    let (archs, accuracies): (Vec<&str>, Vec<f64>) =
        table.rows().iter().map(|Row { arch, accuracy, .. }| (&arch[..], *accuracy)).unzip();
    let rows: Vec<usize> = (0..archs.len()).collect();
    let mut rankings: Vec<Ranking> =
        table.columns().iter().map(|column| Ranking::of_column(column, &rows)).collect();
    tell_apart(&mut rankings);
    let columns = PyDict::new(py);
    for Ranking { name, values, .. } in rankings {
        let numbers: Vec<Option<f64>> =
            values.into_iter().map(|value| value.ok().map(|value| value.mean)).collect();
        columns.set_item(name, numbers)?;
    }
    py.import("swapnas._results")?.getattr("Table")?.call1((archs, accuracies, columns))
}
