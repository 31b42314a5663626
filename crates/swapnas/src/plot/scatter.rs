//! What panels show of metrics and of searches.

use swapnas_graph::plain;

use super::Panel;

/// The scores of networks by a metric, to be drawn against their accuracies.
#[derive(Clone, Copy, Debug)]
pub struct Scatter<'a> {
    /// Name of the metric.
    pub metric: &'a str,
    /// Its values, one for each network; `None` where there is none.
    pub scores: &'a [Option<f64>],
    /// The accuracies of the networks.
    pub accuracies: &'a [f64],
    /// Their parameters, if they are known.
    pub params: Option<&'a [u64]>,
    /// Spearman's rho of scores and accuracies, if it is defined.
    pub spearman: Option<f64>,
    /// What the accuracies are called, if they have a name.
    pub accuracy: Option<&'a str>,
    /// The table that the networks are of, if there are several.
    pub table: Option<&'a str>,
}

impl Scatter<'_> {
    /// The panel of the networks that have a score.
    pub fn panel(&self) -> Panel {
        // Colours show how much of the score is size alone, unless that is what is drawn.
        let params = self.params.filter(|_| self.metric != "params");
        let mut points = Vec::new();
        let mut colours = params.map(|_| Vec::new());
        for (place, (score, accuracy)) in self.scores.iter().zip(self.accuracies).enumerate() {
            let Some(score) = score else { continue };
            points.push((*score, *accuracy));
            if let (Some(colours), Some(params)) = (&mut colours, params) {
                colours.extend(params.get(place).map(|params| *params as f64));
            }
        }
        let rho = self.spearman.map_or("undefined".to_owned(), |rho| format!("{rho:.3}"));
        let table = self.table.map(|table| format!("{}: ", short(table, 20))).unwrap_or_default();
        let accuracy = self.accuracy.filter(|name| !name.is_empty());
        Panel {
            title: format!("{table}rho = {rho}, n = {}", points.len()),
            x_label: name(self.metric, 36),
            y_label: short(accuracy.unwrap_or("accuracy"), 28),
            points,
            colours,
            line: Vec::new(),
        }
    }
}

/// What a search has evaluated, in the order in which it did.
#[derive(Clone, Debug, Default)]
pub struct Progression {
    /// Name of the score that was searched for.
    pub score: String,
    /// Scores with the parameters of the network to be trained, one pair for each evaluation; the score is `None`
    /// where it is undefined.
    pub evaluations: Vec<(Option<f64>, u64)>,
    /// Places of the evaluations that were better than all before them.
    pub best: Vec<usize>,
}

impl Progression {
    /// A panel of scores over evaluations, with a line for the best so far, and one of scores over parameters.
    pub fn panels(&self) -> [Panel; 2] {
        let defined = |(place, &(score, params)): (usize, &(Option<f64>, u64))| {
            Some((place as f64 + 1.0, score?, params as f64))
        };
        let all: Vec<(f64, f64, f64)> = self.evaluations.iter().enumerate().filter_map(defined).collect();
        let score = name(&self.score, 28);
        let panel = |title: String, x_label: &str, point: fn(&(f64, f64, f64)) -> (f64, f64)| Panel {
            title,
            x_label: x_label.to_owned(),
            y_label: score.clone(),
            points: all.iter().map(point).collect(),
            colours: None,
            line: Vec::new(),
        };
        let colours = all.iter().map(|(.., params)| *params).collect();
        let over_time = Panel {
            colours: Some(colours),
            line: self.steps(all.last().map(|(place, ..)| *place)),
            ..panel(format!("{} scores, line: best so far", all.len()), "evaluations", |&(x, y, _)| (x, y))
        };
        [over_time, panel("the same by size".to_owned(), "parameters", |&(_, y, x)| (x, y))]
    }

    /// The best so far, as a line that goes right first and then up or down, as far as the last evaluation.
    fn steps(&self, last: Option<f64>) -> Vec<(f64, f64)> {
        let mut line: Vec<(f64, f64)> = Vec::new();
        for &place in &self.best {
            let Some(&(Some(score), _)) = self.evaluations.get(place) else { continue };
            let x = place as f64 + 1.0;
            line.extend(line.last().map(|&(_, before)| (x, before)));
            line.push((x, score));
        }
        line.extend(last.zip(line.last().copied()).map(|(last, (_, best))| (last, best)));
        line
    }
}

/// What a metric is called, in so many characters at most.
fn name(metric: &str, most: usize) -> String {
    if metric == "swap" { "SWAP-Score".to_owned() } else { short(metric, most) }
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
    use super::*;

    #[test]
    fn long_labels_leave_out_their_middle() {
        assert_eq!(short("table", 5), "table");
        assert_eq!(short("nasbench201_cifar10", 9), "nasb…ar10");
        assert_eq!(short("äöüäöü", 4), "äö…ü");
    }

    #[test]
    fn networks_without_a_score_are_left_out() {
        let scatter = Scatter {
            metric: "swap",
            scores: &[Some(3.0), None, Some(5.0)],
            accuracies: &[90.0, 91.0, 92.0],
            params: Some(&[10, 20, 30]),
            spearman: Some(1.0),
            accuracy: Some(""),
            table: None,
        };
        let panel = scatter.panel();
        assert_eq!((panel.points, panel.colours), (vec![(3.0, 90.0), (5.0, 92.0)], Some(vec![10.0, 30.0])));
        assert_eq!(
            [panel.title, panel.x_label, panel.y_label],
            ["rho = 1.000, n = 2", "SWAP-Score", "accuracy"]
        );
        assert!(Scatter { metric: "params", ..scatter }.panel().colours.is_none());
    }

    #[test]
    fn the_line_is_the_best_so_far() {
        let progression = Progression {
            score: "swap".to_owned(),
            evaluations: vec![(Some(1.0), 10), (None, 20), (Some(0.5), 30), (Some(4.0), 40), (Some(2.0), 50)],
            best: vec![0, 3],
        };
        let [over_time, over_size] = progression.panels();
        assert_eq!(over_time.line, [(1.0, 1.0), (4.0, 1.0), (4.0, 4.0), (5.0, 4.0)]);
        assert_eq!(over_time.points, [(1.0, 1.0), (3.0, 0.5), (4.0, 4.0), (5.0, 2.0)]);
        assert_eq!(over_time.colours, Some(vec![10.0, 30.0, 40.0, 50.0]));
        assert_eq!(over_size.points, [(10.0, 1.0), (30.0, 0.5), (40.0, 4.0), (50.0, 2.0)]);
        assert!(Progression::default().panels()[0].line.is_empty());
    }
}
