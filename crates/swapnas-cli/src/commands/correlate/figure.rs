//! The figure of `--plot`.

use std::path::Path;

use swapnas::plot::{Figure, Panel, PlotError, Scatter};

use super::findings::Finding;

/// Draws each metric against accuracy: all of one table in a square, or a row for each metric and a column for each
/// table.
pub(crate) fn draw(path: &Path, findings: &[Finding]) -> Result<(), PlotError> {
    of(findings).draw(path)
}

/// The figure of some tables.
pub(crate) fn of(findings: &[Finding]) -> Figure {
    let colours = "parameters".to_owned();
    match findings {
        [finding] => {
            let panels = (0..finding.rankings.len()).map(|metric| panel(finding, metric, None));
            Figure::square(panels.collect(), colours)
        }
        _ => {
            let metrics = findings.first().map_or(0, |finding| finding.rankings.len());
            let row = |metric: usize| -> Vec<Panel> {
                findings.iter().map(|finding| panel(finding, metric, Some(&finding.label))).collect()
            };
            Figure { rows: (0..metrics).map(row).collect(), colours }
        }
    }
}

/// A metric, by its place, against accuracy; of several tables, the name of this one goes into the title.
fn panel(finding: &Finding, metric: usize, table: Option<&str>) -> Panel {
    let ranking = &finding.rankings[metric];
    let scores: Vec<Option<f64>> =
        ranking.values.iter().map(|value| value.as_ref().ok().map(|score| score.mean)).collect();
    let params: Option<Vec<u64>> =
        finding.scored.as_ref().map(|scored| scored.iter().map(|scored| scored.params).collect());
    let scatter = Scatter {
        metric: &ranking.name,
        scores: &scores,
        accuracies: &finding.accuracies,
        params: params.as_deref(),
        spearman: finding.correlations[metric].spearman,
        accuracy: finding.table.accuracy_column().name.as_deref(),
        table,
    };
    scatter.panel()
}
