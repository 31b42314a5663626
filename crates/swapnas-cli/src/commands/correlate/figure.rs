//! The figure of `--plot`.

use std::path::Path;

use swapnas::plain;
use swapnas::plot::{Figure, Panel, PlotError};

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
fn panel(finding: &Finding, metric: usize, label: Option<&str>) -> Panel {
    let (ranking, correlation) = (&finding.rankings[metric], &finding.correlations[metric]);
    // Colours show how much of the score is size alone, unless that is what is drawn.
    let scored = finding.scored.as_ref().filter(|_| ranking.name != "params");
    let mut points = Vec::new();
    let mut colours = scored.map(|_| Vec::new());
    for (place, value) in ranking.values.iter().enumerate() {
        let Ok(score) = value else { continue };
        points.push((score.mean, finding.accuracies[place]));
        if let (Some(colours), Some(scored)) = (&mut colours, scored) {
            colours.push(scored[place].params as f64);
        }
    }
    let rho = correlation.spearman.map_or("undefined".to_owned(), |rho| format!("{rho:.3}"));
    let label = label.map(|label| format!("{}: ", short(label, 20))).unwrap_or_default();
    let accuracy = finding.table.accuracy_column().name.as_deref().filter(|name| !name.is_empty());
    Panel {
        title: format!("{label}rho = {rho}, n = {}", points.len()),
        x_label: if ranking.name == "swap" { "SWAP-Score".to_owned() } else { short(&ranking.name, 36) },
        y_label: short(accuracy.unwrap_or("accuracy"), 28),
        points,
        colours,
    }
}

/// A text of so many characters at most, for which the middle is left out.
fn short(text: &str, most: usize) -> String {
    let text = plain(text).to_string();
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text;
    }
    let (first, last) = (&letters[..most / 2], &letters[letters.len() - (most - most / 2 - 1)..]);
    first.iter().chain(&['…']).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_labels_leave_out_their_middle() {
        assert_eq!(short("table", 5), "table");
        assert_eq!(short("nasbench201_cifar10", 9), "nasb…ar10");
        assert_eq!(short("äöüäöü", 4), "äö…ü");
    }
}
