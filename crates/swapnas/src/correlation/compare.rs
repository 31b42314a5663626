use serde::Serialize;

use super::Ranking;
use crate::statistics::{Coefficient, Pairs};

/// How far rankings agree with each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The names of the rankings.
    pub names: Vec<String>,
    /// Spearman's rho of each with each, over the networks for which both are defined; `None` where there are fewer
    /// than two or one of the two is constant.
    pub spearman: Vec<Vec<Option<f64>>>,
    /// How many networks these are.
    pub n: Vec<Vec<usize>>,
}

/// Compares each of some rankings of the same networks with each. As of accuracies, rankings of which smaller values
/// are better are negated first.
///
/// # Panics
/// If the rankings are not equally long.
pub fn compare(rankings: &[Ranking]) -> Comparison {
    let size = rankings.len();
    let mut comparison = Comparison {
        names: rankings.iter().map(|ranking| ranking.name.clone()).collect(),
        spearman: vec![vec![None; size]; size],
        n: vec![vec![0; size]; size],
    };
    for (row, a) in rankings.iter().enumerate() {
        for (column, b) in rankings.iter().enumerate().take(row + 1) {
            assert_eq!(a.values.len(), b.values.len(), "one of each per network");
            let both =
                (0..a.values.len()).filter_map(|network| a.ascending(network).zip(b.ascending(network)));
            let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
            let rho = Pairs::new("scores", &x, "scores", &y).ok();
            let rho = rho.map(|pairs| pairs.coefficient(Coefficient::Spearman));
            for (row, column) in [(row, column), (column, row)] {
                comparison.spearman[row][column] = rho;
                comparison.n[row][column] = x.len();
            }
        }
    }
    comparison
}
