use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use swapnas::statistics::Spread;
use swapnas::{Comparison, Correlation, Ranking, plain};

use crate::options::extract;
use crate::space::items;

/// The correlation as the class of the Python package.
fn object_of<'py>(py: Python<'py>, correlation: &Correlation) -> PyResult<Bound<'py, PyAny>> {
    let Correlation {
        spearman,
        spearman_ci95,
        kendall,
        kendall_ci95,
        pearson,
        pearson_ci95,
        spearman_given_params,
        kendall_same_size,
        top10_overlap,
        regret_at_1,
        regret_at_10,
        ndcg,
        spearman_over_seeds,
        n,
        undefined,
        ref reasons,
    } = *correlation;
    let classes = py.import("swapnas._results")?;
    let pair = |interval: Option<[f64; 2]>| interval.map(|[low, high]| (low, high));
    let spread = |Spread { n, mean, std, min, max }| {
        classes.getattr("Spread").and_then(|class| class.call1((n, mean, std, min, max)))
    };
    let fields = PyDict::new(py);
    fields.set_item("spearman", spearman)?;
    fields.set_item("spearman_ci95", pair(spearman_ci95))?;
    fields.set_item("kendall", kendall)?;
    fields.set_item("kendall_ci95", pair(kendall_ci95))?;
    fields.set_item("pearson", pearson)?;
    fields.set_item("pearson_ci95", pair(pearson_ci95))?;
    fields.set_item("spearman_given_params", spearman_given_params)?;
    fields.set_item("kendall_same_size", kendall_same_size)?;
    fields.set_item("top10_overlap", top10_overlap)?;
    fields.set_item("regret_at_1", regret_at_1)?;
    fields.set_item("regret_at_10", regret_at_10)?;
    fields.set_item("ndcg", ndcg)?;
    fields.set_item("spearman_over_seeds", spearman_over_seeds.map(spread).transpose()?)?;
    fields.set_item("n", n)?;
    fields.set_item("undefined", undefined)?;
    fields.set_item("reasons", reasons.clone())?;
    classes.getattr("Correlation")?.call((), Some(&fields))
}

/// Correlations by the names of their rankings, and the comparison, if there is one, with the accuracies and parameters
/// of the networks.
pub(crate) fn objects_of<'py>(
    py: Python<'py>,
    rankings: &[Ranking],
    correlations: &[Correlation],
    comparison: Option<Comparison>,
    (accuracies, params): (Vec<f64>, Vec<u64>),
) -> PyResult<Bound<'py, PyAny>> {
    let classes = py.import("swapnas._results")?;
    let (named, scores) = (PyDict::new(py), PyDict::new(py));
    for (ranking, correlation) in rankings.iter().zip(correlations) {
        named.set_item(&ranking.name, object_of(py, correlation)?)?;
        let values = ranking.values.iter().map(|value| value.as_ref().ok().map(|score| score.mean));
        scores.set_item(&ranking.name, values.collect::<Vec<Option<f64>>>())?;
    }
    let comparison = comparison.map(|Comparison { names, spearman, n }| {
        classes.getattr("Comparison").and_then(|class| class.call1((names, spearman, n)))
    });
    classes.getattr("Correlations")?.call1((named, comparison.transpose()?, scores, accuracies, params))
}

/// Columns of numbers by their names, one for each of `count` networks; None and NaN stand for numbers that are not
/// known. `taken` are the names of metrics.
pub(crate) fn columns(
    columns: Option<&Bound<'_, PyAny>>,
    count: usize,
    taken: &[String],
) -> PyResult<Vec<Ranking>> {
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let pairs = columns.call_method0("items").map_err(|_| {
        PyTypeError::new_err("columns is a dictionary of numbers by names, such as {\"snip\": [1.5, 2.5]}")
    })?;
    let mut rankings = Vec::new();
    for pair in pairs.try_iter()? {
        let (name, column): (String, Bound<'_, PyAny>) = extract(&pair?, "the name of a column")?;
        let shown = plain(&name).to_string();
        if taken.contains(&name) {
            let what =
                format!("columns: `{shown}` is a metric that is computed too; give the column another name");
            return Err(PyValueError::new_err(what));
        }
        let mut numbers: Vec<f64> = Vec::with_capacity(count);
        for (index, number) in items(&column, "numbers")?.enumerate() {
            let number: Option<f64> = extract(&number?, &format!("number {index} of the column `{shown}`"))?;
            numbers.push(number.unwrap_or(f64::NAN));
        }
        if numbers.len() != count {
            let found = numbers.len();
            return Err(PyValueError::new_err(format!(
                "there are {count} architectures, but {found} numbers in the column `{shown}`; give one for each"
            )));
        }
        rankings.push(Ranking::of_numbers(&name, &numbers));
    }
    Ok(rankings)
}
