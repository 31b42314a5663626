use pyo3::prelude::*;
use swapnas::Correlation;

/// The correlation as the class of the Python package.
pub(crate) fn object_of<'py>(py: Python<'py>, correlation: &Correlation) -> PyResult<Bound<'py, PyAny>> {
    let Correlation {
        spearman,
        spearman_ci95,
        kendall,
        kendall_ci95,
        pearson,
        pearson_ci95,
        spearman_given_params,
        top10_overlap,
        ndcg,
        n,
        undefined,
        ref reasons,
    } = *correlation;
    let pair = |interval: Option<[f64; 2]>| interval.map(|[low, high]| (low, high));
    py.import("swapnas._results")?.getattr("Correlation")?.call1((
        spearman,
        pair(spearman_ci95),
        kendall,
        pair(kendall_ci95),
        pearson,
        pair(pearson_ci95),
        spearman_given_params,
        top10_overlap,
        ndcg,
        n,
        undefined,
        reasons.clone(),
    ))
}
