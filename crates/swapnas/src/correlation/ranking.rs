use swapnas_metrics::{Column, Columns, Direction, Score, Scored, Undefined};

use crate::table::{NumberColumn, Place, Problem};

/// Numbers by which networks are ranked: one for each network, or the reason why there is none.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// What they are called.
    pub name: String,
    /// Where they come from.
    pub origin: Origin,
    /// Which of them are good.
    pub direction: Direction,
    /// The numbers.
    pub values: Vec<Result<Score, NoValue>>,
}

/// Where the numbers of a ranking come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A metric, a mean over sets of weights.
    Metric,
    /// Ranks that several metrics give.
    Aggregate,
    /// They were given, in a column of a table, say.
    Given,
}

impl Origin {
    /// Where the numbers of a column of scores come from.
    pub fn of(column: &Column) -> Self {
        if column.is_aggregate() { Origin::Aggregate } else { Origin::Metric }
    }
}

/// Why a network has no number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoValue {
    /// The metric is undefined for it.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// The table does not say.
    #[error("{place}: {problem}")]
    Cell {
        /// Where its row begins.
        place: Place,
        /// What is there.
        problem: Box<Problem>,
    },
    /// A number that was given is none to compute with.
    #[error("number {index} is {value}")]
    NotFinite {
        /// Its place, counted from 0.
        index: usize,
        /// The number, infinite or NaN.
        value: f64,
    },
}

impl Ranking {
    /// Those by all metrics and aggregates of networks that were scored with them.
    pub fn of_metrics(columns: &Columns, networks: &[&Scored]) -> Vec<Ranking> {
        let ranking = |column: &Column| Ranking {
            name: column.to_string(),
            origin: Origin::of(column),
            direction: column.direction(),
            values: columns.values(column, networks).into_iter().map(|value| Ok(value?)).collect(),
        };
        columns.iter().map(ranking).collect()
    }

    /// That by a column of a table, of the lines with these places among [`Table::rows`](crate::table::Table::rows).
    /// Nobody knows which numbers of a table are good; larger ones are taken to be.
    ///
    /// # Panics
    /// If the table has no line at one of the places.
    pub fn of_column(column: &NumberColumn, rows: &[usize]) -> Ranking {
        let value = |row: &usize| match &column.values[*row] {
            Ok(mean) => Ok(Score { mean: *mean, std: 0.0 }),
            Err(cell) => Err(NoValue::Cell { place: cell.place, problem: Box::new(cell.problem.clone()) }),
        };
        Ranking {
            name: column.name.clone(),
            origin: Origin::Given,
            direction: Direction::HigherIsBetter,
            values: rows.iter().map(value).collect(),
        }
    }

    /// That by numbers, of which larger ones are taken to be better. One that is infinite or NaN is no value.
    pub fn of_numbers(name: &str, numbers: &[f64]) -> Ranking {
        let value = |(index, &value): (usize, &f64)| {
            if value.is_finite() {
                Ok(Score { mean: value, std: 0.0 })
            } else {
                Err(NoValue::NotFinite { index, value })
            }
        };
        Ranking {
            name: name.to_owned(),
            origin: Origin::Given,
            direction: Direction::HigherIsBetter,
            values: numbers.iter().enumerate().map(value).collect(),
        }
    }

    /// The value of a network, negated if smaller values are better.
    pub(super) fn ascending(&self, network: usize) -> Option<f64> {
        self.values[network].as_ref().ok().map(|score| self.direction.ascending(score.mean))
    }
}

/// Gives rankings of a table that have the name of another one a name of their own, so that every name is there once:
/// `synflow` becomes `synflow (table)` where the metric is computed too.
pub fn tell_apart(rankings: &mut [Ranking]) {
    for place in 0..rankings.len() {
        let is_taken = |name: &str| {
            rankings.iter().enumerate().any(|(other, ranking)| other != place && ranking.name == name)
        };
        if rankings[place].origin != Origin::Given || !is_taken(&rankings[place].name) {
            continue;
        }
        let mut name = rankings[place].name.clone();
        while is_taken(&name) {
            name.push_str(" (table)");
        }
        rankings[place].name = name;
    }
}
