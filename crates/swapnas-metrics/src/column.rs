//! What users ask for: metrics, and aggregates of them.

use std::fmt;
use std::str::FromStr;

use swapnas_graph::plain;
use swapnas_spaces::{NetworkConfig, NetworkError, Space};

use crate::definition::Direction;
use crate::metric::MetricError;
use crate::{Metric, Proxies, Score, Scored, Undefined, log_rank_sums, mean_ranks, metrics};

/// A metric, or what is made of the ranks of several.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// One metric.
    Metric(Metric),
    /// The mean of the ranks by several metrics, or the sum of the logarithms of the ranks.
    Aggregate {
        /// How it is written.
        name: String,
        /// How ranks are put together.
        kind: Aggregate,
        /// The metrics.
        parts: Vec<Metric>,
    },
}

/// How ranks are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// [`mean_ranks`].
    Rank,
    /// [`log_rank_sums`].
    LogRank,
}

/// An aggregate that has a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// What it stands for.
    pub stands_for: &'static str,
}

impl Named {
    /// All of them.
    pub const ALL: [Named; 2] = [
        Named {
            name: "te-nas",
            summary: "TE-NAS: mean of the ranks by ntk and linear-regions (Chen et al., ICLR 2021)",
            stands_for: "rank(ntk,linear-regions)",
        },
        Named {
            name: "az-nas",
            summary: "AZ-NAS: sum of the logarithms of the ranks by its four metrics (Lee and Ham, CVPR 2024)",
            stands_for: "logrank(az-expressivity,az-progressivity,az-trainability,flops)",
        },
    ];
}

/// Columns in the order in which they were asked for.
///
/// Written as a list: `swap,rank(swap,synflow),te-nas`;
/// `all` stands for all metrics and named aggregates.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    columns: Vec<Column>,
    metrics: Vec<Metric>,
}

/// A list of columns that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ColumnError {
    /// One of the metrics.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Parentheses do not match.
    #[error("in the list of metrics `{}` parentheses do not match", plain(.0))]
    Parentheses(String),
    /// Nothing between commas.
    #[error("the list of metrics `{}` has an empty place; put one comma between two metrics", plain(.0))]
    Empty(String),
    /// An aggregate that does not exist.
    #[error(
        "`{}` is no aggregate; write rank(...) for mean ranks or logrank(...) for logarithms of ranks", plain(.0)
    )]
    Aggregate(String),
    /// An aggregate within an aggregate.
    #[error("`{}` stands within an aggregate, which is made of metrics only", plain(.0))]
    Nested(String),
    /// More than can be meant.
    #[error("a list of {0} metrics is too long; give {MOST} at most")]
    TooMany(usize),
}

/// Many times as many as there are metrics; a list may name one with several arguments.
const MOST: usize = 1000;

impl Columns {
    /// Reads a list, which may name `proxies` beside the metrics of the library. `all` does not stand for them.
    ///
    /// # Errors
    /// If something in it is neither a metric nor an aggregate.
    pub fn parse(text: &str, proxies: &Proxies) -> Result<Self, ColumnError> {
        let mut columns: Vec<Column> = Vec::new();
        for part in split(text)? {
            if part == "all" {
                columns.extend(metrics::all().iter().map(|of| Column::Metric(Metric::new(of))));
                for named in Named::ALL {
                    columns.push(column(named.name, proxies)?);
                }
            } else {
                columns.push(column(part, proxies)?);
            }
        }
        let mut distinct: Vec<Column> = Vec::new();
        let mut metrics: Vec<Metric> = Vec::new();
        for column in columns {
            if distinct.contains(&column) {
                continue;
            }
            let parts = match &column {
                Column::Metric(metric) => std::slice::from_ref(metric),
                Column::Aggregate { parts, .. } => parts,
            };
            for metric in parts {
                if !metrics.contains(metric) {
                    metrics.push(metric.clone());
                }
            }
            distinct.push(column);
        }
        Ok(Columns { columns: distinct, metrics })
    }

    /// The columns.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter()
    }

    /// Every metric that has to be computed, each once: what [`Settings`](crate::Settings) take.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The values of a column for networks that were scored with [`metrics`](Self::metrics).
    ///
    /// Ranks are taken over those of the networks for which all parts are defined.
    pub fn values(&self, column: &Column, networks: &[&Scored]) -> Vec<Result<Score, Undefined>> {
        match column {
            Column::Metric(metric) => {
                let index = self.index(metric);
                networks.iter().map(|scored| scored.scores[index].clone()).collect()
            }
            Column::Aggregate { kind, parts, .. } => self.aggregate(*kind, parts, networks),
        }
    }

    /// The same with mu and sigma of `swap-reg` written out where they are not given: those that fit the networks of a
    /// space.
    ///
    /// # Errors
    /// If a network of the space cannot be built.
    pub fn fitted(self, space: &dyn Space, network: &NetworkConfig) -> Result<Self, NetworkError> {
        if self.metrics.iter().any(Metric::is_open) {
            let fitting = metrics::fitting(space, network)?;
            return Ok(self.settled(|mu| metrics::regularisation(mu, fitting), true));
        }
        Ok(self)
    }

    /// The same with mu = 1.5 and sigma = 5 where they are not given: those of the released code for DARTS, which were
    /// the defaults in every space when runs did not say what fits theirs.
    #[must_use]
    pub fn as_released(self) -> Self {
        self.settled(|_| [1.5, 5.0], false)
    }

    fn settled(mut self, fit: impl Fn(Option<f64>) -> [f64; 2], given: bool) -> Self {
        for column in &mut self.columns {
            match column {
                Column::Metric(metric) => metric.settle(&fit, given),
                Column::Aggregate { name, kind, parts } if parts.iter().any(Metric::is_open) => {
                    parts.iter_mut().for_each(|part| part.settle(&fit, given));
                    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                    *name = format!("{kind}({})", parts.join(","));
                }
                Column::Aggregate { .. } => {}
            }
        }
        self.metrics.iter_mut().for_each(|metric| metric.settle(&fit, given));
        self
    }

    fn index(&self, metric: &Metric) -> usize {
        self.metrics.iter().position(|m| m == metric).expect("metrics of columns are among the metrics")
    }

    fn aggregate(
        &self,
        kind: Aggregate,
        parts: &[Metric],
        networks: &[&Scored],
    ) -> Vec<Result<Score, Undefined>> {
        let values_of = |scored: &&Scored| -> Result<Vec<f64>, Undefined> {
            let value = |metric: &Metric| match &scored.scores[self.index(metric)] {
                Ok(score) => Ok(metric.direction().ascending(score.mean)),
                Err(reason) => {
                    Err(Undefined::Component { metric: metric.to_string(), reason: Box::new(reason.clone()) })
                }
            };
            parts.iter().map(value).collect()
        };
        let values: Vec<Result<Vec<f64>, Undefined>> = networks.iter().map(values_of).collect();
        let by_metric: Vec<Vec<f64>> = (0..parts.len())
            .map(|part| values.iter().flatten().map(|values| values[part]).collect())
            .collect();
        let by_metric: Vec<&[f64]> = by_metric.iter().map(Vec::as_slice).collect();
        let aggregated = match kind {
            Aggregate::Rank => mean_ranks(&by_metric),
            Aggregate::LogRank => log_rank_sums(&by_metric),
        };
        let mut aggregated = aggregated.into_iter();
        let next = |values: Result<Vec<f64>, Undefined>| {
            let mean = values.map(|_| aggregated.next().expect("one for every network with values"))?;
            Ok(Score { mean, std: 0.0 })
        };
        values.into_iter().map(next).collect()
    }
}

impl Column {
    /// Which values are good.
    pub fn direction(&self) -> Direction {
        match self {
            Column::Metric(metric) => metric.direction(),
            Column::Aggregate { .. } => Direction::HigherIsBetter,
        }
    }

    /// Whether the values depend on which other networks are scored.
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Column::Aggregate { .. })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Metric(metric) => metric.fmt(f),
            Column::Aggregate { name, .. } => f.write_str(name),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Aggregate::Rank => "rank",
            Aggregate::LogRank => "logrank",
        })
    }
}

/// As it is read.
impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, column) in self.iter().enumerate() {
            write!(f, "{}{column}", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Columns {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Self, ColumnError> {
        Columns::parse(text, &Proxies::default())
    }
}

fn column(text: &str, proxies: &Proxies) -> Result<Column, ColumnError> {
    let named = Named::ALL.iter().find(|named| named.name == text);
    let Some((kind, inner)) = named.map_or(text, |named| named.stands_for).split_once('(') else {
        return Ok(Column::Metric(Metric::parse(text, proxies)?));
    };
    let kind = match kind.trim() {
        "rank" => Aggregate::Rank,
        "logrank" => Aggregate::LogRank,
        other => return Err(ColumnError::Aggregate(other.to_owned())),
    };
    let inner = inner.strip_suffix(')').ok_or_else(|| ColumnError::Parentheses(text.to_owned()))?;
    let parts = split(inner)?.into_iter().map(|part| {
        let nested = part.contains('(') || Named::ALL.iter().any(|named| named.name == part);
        if nested { Err(ColumnError::Nested(part.to_owned())) } else { Ok(Metric::parse(part, proxies)?) }
    });
    Ok(Column::Aggregate { name: text.to_owned(), kind, parts: parts.collect::<Result<_, ColumnError>>()? })
}

/// Splits at the commas that are not within parentheses.
fn split(text: &str) -> Result<Vec<&str>, ColumnError> {
    let mut depth = 0usize;
    let mut start = 0;
    let mut parts = Vec::new();
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1).ok_or_else(|| ColumnError::Parentheses(text.to_owned()))?;
            }
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(ColumnError::Parentheses(text.to_owned()));
    }
    parts.push(&text[start..]);
    if parts.len() > MOST {
        return Err(ColumnError::TooMany(parts.len()));
    }
    if parts.iter().any(|part| part.trim().is_empty()) {
        return Err(ColumnError::Empty(text.to_owned()));
    }
    Ok(parts.into_iter().map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.parse::<Columns>().unwrap().iter().map(Column::to_string).collect()
    }

    #[test]
    fn lists_are_split_outside_of_parentheses() {
        assert_eq!(
            names("swap, rank(snip,swap-reg:mu=3),te-nas,swap"),
            ["swap", "rank(snip,swap-reg:mu=3)", "te-nas"]
        );
        let columns: Columns = "rank(snip,swap),snip".parse().unwrap();
        let metrics: Vec<String> = columns.metrics().iter().map(Metric::to_string).collect();
        assert_eq!(metrics, ["snip", "swap"]);
        assert_eq!(names("all").len(), metrics::all().len() + Named::ALL.len());
    }

    #[test]
    fn mistakes_are_explained() {
        let error = |text: &str| text.parse::<Columns>().unwrap_err().to_string();
        insta::assert_snapshot!(error("swap,"), @"the list of metrics `swap,` has an empty place; put one comma between two metrics");
        insta::assert_snapshot!(error("rank(swap"), @"in the list of metrics `rank(swap` parentheses do not match");
        insta::assert_snapshot!(error("swap)"), @"in the list of metrics `swap)` parentheses do not match");
        insta::assert_snapshot!(error("mean(swap)"), @"`mean` is no aggregate; write rank(...) for mean ranks or logrank(...) for logarithms of ranks");
        insta::assert_snapshot!(error("rank(te-nas,swap)"), @"`te-nas` stands within an aggregate, which is made of metrics only");
        insta::assert_snapshot!(error(&"swap,".repeat(2000)), @"a list of 2001 metrics is too long; give 1000 at most");
        insta::assert_snapshot!(error(&format!("swap\x1b[2J{}", "x".repeat(1000))).split(';').next().unwrap(), @r#"no metric is called `swap\u{1b}[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…(893 more)…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`"#);
        assert!("rank(swap)x".parse::<Columns>().is_err() && "rank()".parse::<Columns>().is_err());
    }

    #[test]
    fn lists_without_end_are_refused() {
        for unit in ["x", "rank(", "swap,", "rank(swap),", "(", ")", "swap-reg:mu=1", ":", "swap-reg:mu=9,"] {
            let text = unit.repeat(4_000_000 / unit.len());
            let error = text.parse::<Columns>().unwrap_err().to_string();
            assert!(error.len() < 1500, "{unit}: {error}");
        }
    }

    #[test]
    fn ranks_are_taken_over_networks_with_all_values() {
        let columns: Columns = "rank(params,ntk),logrank(params,ntk)".parse().unwrap();
        let scored = |params: f64, ntk: Option<f64>| Scored {
            params: 0,
            macs: 0,
            units: 0,
            scores: vec![
                Ok(Score { mean: params, std: 0.0 }),
                ntk.map(|mean| Score { mean, std: 0.0 }).ok_or(Undefined::NoRelu),
            ],
            saturation: None,
        };
        let networks =
            [scored(5.0, Some(1.0)), scored(9.0, None), scored(7.0, Some(3.0)), scored(8.0, Some(2.0))];
        let networks: Vec<&Scored> = networks.iter().collect();
        let values: Vec<Vec<_>> = columns.iter().map(|column| columns.values(column, &networks)).collect();
        // Small condition numbers are good ones.
        let means = |values: &[Result<Score, Undefined>]| -> Vec<f64> {
            values.iter().flatten().map(|score| score.mean).collect()
        };
        assert_eq!(means(&values[0]), [2.0, 1.5, 2.5]);
        let log = |a: f64, b: f64| libm::log(a / 3.0) + libm::log(b / 3.0);
        assert_eq!(means(&values[1]), [log(1.0, 3.0), log(2.0, 1.0), log(3.0, 2.0)]);
        let reason = values[0][1].as_ref().unwrap_err().to_string();
        insta::assert_snapshot!(reason, @"ntk: the network has no ReLU nor an activation like it");
    }
}
