//! What the tables of a run say, row by row, and whether it can be.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};
use swapnas_graph::{Key, plain};
use swapnas_metrics::{Ceiling, Metric, Saturation, Score, Scored, Undefined};
use swapnas_spaces::Space;

use super::Fault;
use crate::{Evaluated, Sizes};

/// The names of ceilings of patterns.
const BATCH: &str = "batch";
const UNITS: &str = "units";

/// An evaluation with its scores.
///
/// It is checked by what a value can be, and by a checksum of all its columns, its number and the run, so that
/// a row that was changed, exchanged with another or taken from another run is found.
pub(super) struct Evaluation {
    pub id: i64,
    pub arch: String,
    /// Parameters, multiply-accumulates and units of the scored network; parameters and multiply-accumulates
    /// of the one to be trained.
    pub counts: [i64; 5],
    pub latency: Option<f64>,
    pub saturation: Option<f64>,
    pub ceiling: Option<String>,
    /// In the order of the metrics.
    pub scores: Vec<ScoreRow>,
}

/// A score, or the reason why there is none.
pub(super) struct ScoreRow {
    pub metric: String,
    pub mean: Option<f64>,
    pub std: Option<f64>,
    pub reason: Option<String>,
}

/// The columns of an evaluation.
const COLUMNS: &str =
    "id, arch, params, macs, units, trained_params, trained_macs, latency, saturation, ceiling";

impl Evaluation {
    /// What is written of an entry.
    pub(super) fn new(id: i64, entry: &Evaluated, space: &dyn Space, metrics: &[Metric]) -> Self {
        let Evaluated { arch, scored, sizes } = entry;
        let counts = [scored.params, scored.macs, scored.units, sizes.params, sizes.macs];
        let score = |(metric, score): (&Metric, &Result<Score, Undefined>)| {
            let metric = metric.to_string();
            match score {
                Ok(Score { mean, std }) => {
                    ScoreRow { metric, mean: Some(*mean), std: Some(*std), reason: None }
                }
                Err(reason) => ScoreRow { metric, mean: None, std: None, reason: Some(reason.to_string()) },
            }
        };
        let ceiling = |of: Saturation| match of.ceiling {
            Ceiling::Batch => BATCH,
            Ceiling::Units => UNITS,
        };
        Evaluation {
            id,
            arch: space.print(arch),
            counts: counts.map(|count| count as i64),
            latency: sizes.latency,
            saturation: scored.saturation.map(|saturation| saturation.ratio),
            ceiling: scored.saturation.map(|saturation| ceiling(saturation).to_owned()),
            scores: metrics.iter().zip(&scored.scores).map(score).collect(),
        }
    }

    /// What stands in the row, if it can be: of an architecture of this space, with a score of every metric, and
    /// with a latency if there is a table of latencies.
    pub(super) fn entry(
        &self,
        space: &dyn Space,
        metrics: &[Metric],
        has_latency: bool,
    ) -> Result<Evaluated, String> {
        let arch = space.parse(&self.arch).map_err(|error| error.to_string())?;
        if space.print(&arch) != self.arch || space.canonical(&arch) != arch {
            return Err("its architecture is not written as searches write it".to_owned());
        }
        let names = ["params", "macs", "units", "trained_params", "trained_macs"];
        if let Some((name, count)) = names.iter().zip(self.counts).find(|(_, count)| *count < 0) {
            return Err(format!("{name} cannot be {count}"));
        }
        let [params, macs, units, trained_params, trained_macs] = self.counts.map(|count| count as u64);
        let latency = match self.latency {
            Some(latency) if !(latency.is_finite() && latency >= 0.0) => {
                return Err(format!("its latency cannot be {latency}"));
            }
            Some(_) if !has_latency => {
                return Err("it has a latency, but the run has no table of latencies".to_owned());
            }
            None if has_latency => return Err("it has no latency".to_owned()),
            latency => latency,
        };
        let saturation = match (self.saturation, self.ceiling.as_deref()) {
            (None, None) => None,
            (Some(ratio), Some(ceiling)) => {
                if !(0.0..=1.0).contains(&ratio) {
                    return Err(format!("its saturation cannot be {ratio}"));
                }
                let ceiling = match ceiling {
                    BATCH => Ceiling::Batch,
                    UNITS => Ceiling::Units,
                    other => return Err(format!("its ceiling cannot be `{}`", plain(other))),
                };
                Some(Saturation { ratio, ceiling })
            }
            _ => return Err("it has a saturation without a ceiling, or a ceiling without one".to_owned()),
        };
        let mut scores = Vec::with_capacity(metrics.len());
        let mut rows = self.scores.iter();
        for metric in metrics {
            let name = metric.to_string();
            let row = rows.next().ok_or_else(|| format!("it has no score {name}"))?;
            if row.metric != name {
                return Err(format!("it has no score {name}, but one of `{}`", plain(&row.metric)));
            }
            scores.push(row.score().map_err(|what| format!("its score {name} {what}"))?);
        }
        if let Some(more) = rows.next() {
            return Err(format!("it has a score `{}`, for which the run does not ask", plain(&more.metric)));
        }
        let scored = Scored { params, macs, units, scores, saturation };
        let sizes = Sizes { params: trained_params, macs: trained_macs, latency };
        Ok(Evaluated { arch, scored, sizes })
    }

    /// The checksum of all columns, in the run of that checksum.
    pub(super) fn checksum(&self, run: Key) -> i64 {
        let mut columns = Columns::new(run, "evaluation");
        columns.number(self.id).text(&self.arch);
        for count in self.counts {
            columns.number(count);
        }
        columns.real(self.latency).real(self.saturation).optional_text(self.ceiling.as_deref());
        columns.number(self.scores.len() as i64);
        for ScoreRow { metric, mean, std, reason } in &self.scores {
            columns.text(metric).real(*mean).real(*std).optional_text(reason.as_deref());
        }
        columns.checksum()
    }

    /// Writes it.
    pub(super) fn insert(&self, run: Key, connection: &Connection) -> rusqlite::Result<()> {
        let mut evaluation = connection.prepare_cached(
            "INSERT INTO evaluations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        let [params, macs, units, trained_params, trained_macs] = self.counts;
        evaluation.execute(params![
            self.id,
            self.arch,
            params,
            macs,
            units,
            trained_params,
            trained_macs,
            self.latency,
            self.saturation,
            self.ceiling,
            self.checksum(run)
        ])?;
        let mut score = connection.prepare_cached("INSERT INTO scores VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for ScoreRow { metric, mean, std, reason } in &self.scores {
            score.execute(params![self.id, metric, mean, std, reason])?;
        }
        Ok(())
    }
}

impl ScoreRow {
    fn score(&self) -> Result<Result<Score, Undefined>, String> {
        match (self.mean, self.std, &self.reason) {
            (Some(mean), Some(std), None) if mean.is_finite() && std.is_finite() && std >= 0.0 => {
                Ok(Ok(Score { mean, std }))
            }
            (Some(mean), Some(std), None) => Err(format!("cannot be {mean} with a deviation of {std}")),
            (None, None, Some(reason)) => Ok(Err(Undefined::Recorded(reason.clone()))),
            _ => Err("is neither a mean with a deviation nor a reason why there is none".to_owned()),
        }
    }
}

/// A row of the history: the architecture of a place in the archive, and the step with which it came.
pub(super) struct Came {
    pub place: i64,
    pub step: i64,
    pub evaluation: i64,
}

impl Came {
    pub(super) fn checksum(&self, run: Key) -> i64 {
        let mut columns = Columns::new(run, "history");
        columns.number(self.place).number(self.step).number(self.evaluation);
        columns.checksum()
    }

    pub(super) fn insert(&self, run: Key, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached("INSERT INTO history VALUES (?1, ?2, ?3, ?4)")?;
        statement.execute(params![self.place, self.step, self.evaluation, self.checksum(run)]).map(|_| ())
    }
}

/// The checksum of the settings and of the version of the program that began the run. Those of all rows depend on
/// it.
pub(super) fn run_checksum(configuration: &str, version: &str) -> Key {
    let mut columns = Columns::new(Key(0), "run");
    columns.text(configuration).text(version);
    columns.key()
}

/// All evaluations, which are numbered from 1 on; `run` is the checksum of the run, if rows have checksums.
///
/// The scores are in the order in which `metrics` has them, those that it does not have at the end.
pub(super) fn evaluations(
    connection: &Connection,
    metrics: &[Metric],
    run: Option<Key>,
) -> Result<Vec<Evaluation>, Fault> {
    let checksum = if run.is_some() { "checksum" } else { "NULL" };
    let mut statement =
        connection.prepare(&format!("SELECT {COLUMNS}, {checksum} FROM evaluations ORDER BY id"))?;
    let evaluation = |row: &Row<'_>| {
        let evaluation = Evaluation {
            id: row.get(0)?,
            arch: row.get(1)?,
            counts: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
            latency: row.get(7)?,
            saturation: row.get(8)?,
            ceiling: row.get(9)?,
            scores: Vec::with_capacity(metrics.len()),
        };
        Ok((evaluation, row.get::<_, Option<i64>>(10)?))
    };
    let (mut evaluations, mut checksums) = (Vec::new(), Vec::new());
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = evaluations.len() as i64 + 1;
        if row.get::<_, i64>(0)? != id {
            return Err(Fault::Damaged(format!("evaluation {id} is missing")));
        }
        let (evaluation, checksum) = in_row("evaluation", id, evaluation(row))?;
        evaluations.push(evaluation);
        checksums.push(checksum);
    }
    let mut statement =
        connection.prepare("SELECT evaluation, metric, mean, std, reason FROM scores ORDER BY evaluation")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let score = || {
            let (metric, mean, std) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(ScoreRow { metric, mean, std, reason: row.get(4)? })
        };
        let score = in_row("a score of evaluation", id, score())?;
        let of = usize::try_from(id).ok().and_then(|id| evaluations.get_mut(id.checked_sub(1)?));
        match of {
            Some(evaluation) => evaluation.scores.push(score),
            None => {
                let metric = plain(&score.metric);
                return Err(Fault::Damaged(format!(
                    "evaluation {id} is missing, which has a score {metric}"
                )));
            }
        }
    }
    let names: Vec<String> = metrics.iter().map(ToString::to_string).collect();
    let place = |row: &ScoreRow| names.iter().position(|name| *name == row.metric).unwrap_or(names.len());
    for evaluation in &mut evaluations {
        evaluation.scores.sort_by_key(place);
    }
    if let Some(run) = run {
        let changed =
            |(evaluation, checksum): &(&Evaluation, Option<i64>)| *checksum != Some(evaluation.checksum(run));
        if let Some((evaluation, _)) = evaluations.iter().zip(checksums).find(changed) {
            let what =
                format!("evaluation {} is not what was written (its checksum is another)", evaluation.id);
            return Err(Fault::Damaged(what));
        }
    }
    Ok(evaluations)
}

/// The history, whose places are numbered from 0 on; every one of so many evaluations came at most once.
pub(super) fn history(
    connection: &Connection,
    evaluations: usize,
    run: Option<Key>,
) -> Result<Vec<Came>, Fault> {
    let checksum = if run.is_some() { "checksum" } else { "NULL" };
    let mut statement = connection
        .prepare(&format!("SELECT place, step, evaluation, {checksum} FROM history ORDER BY place"))?;
    let mut history: Vec<Came> = Vec::new();
    let mut seen = HashSet::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place = history.len() as i64;
        if row.get::<_, i64>(0)? != place {
            return Err(Fault::Damaged(format!("place {place} of the history is missing")));
        }
        let read = || Ok((row.get(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?));
        let (step, evaluation, checksum) = in_row("place", place, read())?;
        let came = Came { place, step, evaluation };
        let what = if run.is_some_and(|run| checksum != Some(came.checksum(run))) {
            "is not what was written (its checksum is another)".to_owned()
        } else if step < history.last().map_or(0, |last| last.step) {
            format!("cannot be of step {step}")
        } else if !(1..=evaluations as i64).contains(&evaluation) {
            format!("has evaluation {evaluation}, which is missing")
        } else if !seen.insert(evaluation) {
            format!("has evaluation {evaluation}, which came before")
        } else {
            history.push(came);
            continue;
        };
        return Err(Fault::Damaged(format!("place {place} of the history {what}")));
    }
    Ok(history)
}

/// A row whose columns may not be of their types.
fn in_row<T>(what: &str, number: i64, read: rusqlite::Result<T>) -> Result<T, Fault> {
    read.map_err(|error| Fault::Damaged(format!("{what} {number}: {error}")))
}

/// The columns of a row in the one way in which a checksum is taken of them: numbers as eight bytes, the low ones
/// first, texts after their lengths, and before what may be missing a byte that says whether it is there.
struct Columns {
    run: Key,
    bytes: Vec<u8>,
}

impl Columns {
    fn new(run: Key, table: &str) -> Self {
        let mut columns = Columns { run, bytes: Vec::new() };
        columns.text(table);
        columns
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.bytes.extend(number.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as i64);
        self.bytes.extend(text.as_bytes());
        self
    }

    fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        self.bytes.push(text.is_some().into());
        self.text(text.unwrap_or_default())
    }

    fn real(&mut self, real: Option<f64>) -> &mut Self {
        self.bytes.push(real.is_some().into());
        self.number(real.unwrap_or_default().to_bits() as i64)
    }

    fn key(&self) -> Key {
        self.run.with(self.bytes.as_slice())
    }

    fn checksum(&self) -> i64 {
        self.key().0 as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_same_for_ever() {
        let run = run_checksum("{}", "0.1.0");
        let score = |metric: &str, mean: f64| ScoreRow {
            metric: metric.to_owned(),
            mean: Some(mean),
            std: Some(0.0),
            reason: None,
        };
        let evaluation = Evaluation {
            id: 1,
            arch: "a".to_owned(),
            counts: [1, 2, 3, 4, 5],
            latency: None,
            saturation: Some(0.5),
            ceiling: Some(UNITS.to_owned()),
            scores: vec![score("swap", 7.0), score("params", -0.0)],
        };
        let came = Came { place: 0, step: 0, evaluation: 1 };
        insta::assert_snapshot!(
            format!("{:016x} {:016x} {:016x}", run.0, evaluation.checksum(run), came.checksum(run)),
            @"b72253bc9e85b08a 26df6d2750524a7f 8e8432d77442ac17"
        );
        let other = run_checksum("{}", "0.1.1");
        assert_ne!(evaluation.checksum(run), evaluation.checksum(other));
        assert_ne!(came.checksum(run), came.checksum(other));
    }
}
