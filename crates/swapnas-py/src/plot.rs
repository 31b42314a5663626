//! Figures, as notebooks show them and as files.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use swapnas::plot::{self, Figure, PlotError, Progression, Scatter};

use crate::errors::Raise;

/// Name and scores of a metric with Spearman's rho, if it is defined.
type Metric = (String, Vec<Option<f64>>, Option<f64>);

/// The figure of scores of networks, by metric, against their accuracies, as SVG; also in a file if there is a path.
#[pyfunction]
#[pyo3(signature = (metrics, accuracies, params, path = None))]
pub(crate) fn plot_scores(
    py: Python<'_>,
    metrics: Vec<Metric>,
    accuracies: Vec<f64>,
    params: Vec<u64>,
    path: Option<PathBuf>,
) -> PyResult<String> {
    py.detach(|| {
        let panel = |(metric, scores, spearman): &Metric| {
            let (spearman, params) = (*spearman, Some(&params[..]));
            let (accuracies, accuracy, table) = (&accuracies[..], None, None);
            Scatter { metric, scores, accuracies, params, spearman, accuracy, table }.panel()
        };
        drawn(&Figure::square(metrics.iter().map(panel).collect(), "parameters".to_owned()), path.as_deref())
    })
    .map_err(Raise::raise)
}

/// The figure of what a search has evaluated, as SVG; also in a file if there is a path.
#[pyfunction]
#[pyo3(signature = (score, evaluations, best, path = None))]
pub(crate) fn plot_search(
    py: Python<'_>,
    score: String,
    evaluations: Vec<(Option<f64>, u64)>,
    best: Vec<usize>,
    path: Option<PathBuf>,
) -> PyResult<String> {
    py.detach(|| {
        let panels = Progression { score, evaluations, best }.panels();
        drawn(&Figure::square(panels.into(), "parameters".to_owned()), path.as_deref())
    })
    .map_err(Raise::raise)
}

fn drawn(figure: &Figure, path: Option<&Path>) -> Result<String, PlotError> {
    if let Some(path) = path {
        plot::check_path(path)?;
        figure.draw(path)?;
    }
    figure.svg()
}
