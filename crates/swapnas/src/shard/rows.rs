//! What machines have found of the networks of a table, a share each, for the one that puts it together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Line, LineError, each_line};
use crate::{Ceiling, Metric, Origin, Saturation, Score, Scored, Undefined, plain, plain_sentence, results};

const BATCH: &str = "batch";
const UNITS: &str = "units";

/// What is found of a network of a space, as one machine tells another: a JSON object from which [`Rows`] reads the same
/// numbers, to the bit. `metrics` are those of the settings.
pub fn row(arch: &str, space: &str, settings: &Value, metrics: &[Metric], scored: &Scored) -> Value {
    let Scored { params, macs, units, scores, saturation } = scored;
    let scores: Map<String, Value> = (metrics.iter().zip(scores))
        .map(|(metric, score)| (metric.to_string(), results::score_json(Origin::Metric, score)))
        .collect();
    let saturation = saturation.map(|Saturation { ratio, ceiling }| {
        let ceiling = match ceiling {
            Ceiling::Batch => BATCH,
            Ceiling::Units => UNITS,
        };
        json!({ "ratio": ratio, "ceiling": ceiling })
    });
    json!({
        "arch": arch,
        "params": params,
        "macs": macs,
        "units": units,
        "scores": scores,
        "saturation": saturation,
        "space": space,
        "settings": settings,
    })
}

/// Rows that cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A file is none of theirs.
    #[error(transparent)]
    Line(#[from] LineError),
    /// An object that is not of a share.
    #[error("{line}: this is no row of a share: {}; score the table in shares", plain_sentence(what))]
    NoRow {
        /// Where.
        line: Line,
        /// What is wrong.
        what: String,
    },
    /// A row that says two things.
    #[error("{second}: {} is in {first} as well, with other contents", plain(arch))]
    Twice {
        /// Its architecture.
        arch: String,
        /// Where it is first.
        first: Line,
        /// Where it is otherwise.
        second: Line,
    },
    /// Networks were scored otherwise than is asked for.
    #[error(
        "{line}: `{field}` is {}, and {} is asked for; give the options with which the shares were scored",
        plain(there),
        plain(here)
    )]
    Differs {
        /// What is different.
        field: String,
        /// The first row that was scored so.
        line: Line,
        /// What it is there.
        there: String,
        /// What it is where the rows are put together.
        here: String,
    },
    /// Not all networks are there.
    #[error(
        "{missing} of {of} networks with seed {seed} are missing, the first of them {}: a share was stopped, or is not \
         among the files; score it again, or give it too",
        plain(first)
    )]
    Missing {
        /// How many.
        missing: usize,
        /// How many there should be.
        of: usize,
        /// The seed.
        seed: String,
        /// The first.
        first: String,
    },
}

/// What shares have found: see [`row`].
#[derive(Debug)]
pub struct Rows {
    /// The spaces and settings of which there are rows, each with the first of them.
    settings: Vec<(Value, Value, Line)>,
    /// By the places of their settings, and by their architectures.
    rows: HashMap<(usize, String), (Line, Value)>,
}

impl Rows {
    /// Reads files with a row in each line, in any order. A row that is there twice has to be the same.
    ///
    /// # Errors
    /// If a file cannot be read, or holds something else.
    pub fn read(files: &[impl AsRef<Path>]) -> Result<Self, RowsError> {
        let mut rows = Rows { settings: Vec::new(), rows: HashMap::new() };
        each_line(files, |line, object| rows.add(line, object))?;
        Ok(rows)
    }

    fn add(&mut self, line: Line, mut object: Value) -> Result<(), RowsError> {
        let no_row = |what: &str| RowsError::NoRow { line: line.clone(), what: what.to_owned() };
        let fields = object.as_object_mut().ok_or_else(|| no_row("it is no object"))?;
        let mut take =
            |field: &str| fields.remove(field).ok_or_else(|| no_row(&format!("it has no `{field}`")));
        let (space, settings, arch) = (take("space")?, take("settings")?, take("arch")?);
        let Value::String(arch) = arch else { return Err(no_row("its `arch` is no text")) };
        let is_known = |(of, with, _): &(Value, Value, Line)| *of == space && *with == settings;
        let place = self.settings.iter().position(is_known).unwrap_or_else(|| {
            self.settings.push((space.clone(), settings.clone(), line.clone()));
            self.settings.len() - 1
        });
        match self.rows.entry((place, arch)) {
            Entry::Vacant(empty) => {
                empty.insert((line, object));
            }
            Entry::Occupied(known) if known.get().1 != object => {
                let (first, arch) = (known.get().0.clone(), known.key().1.clone());
                return Err(RowsError::Twice { arch, first, second: line });
            }
            Entry::Occupied(_) => {}
        }
        Ok(())
    }

    /// What is found of architectures of a space, scored with these settings and by these metrics, which are those of
    /// the settings.
    ///
    /// # Errors
    /// If one is missing, or was scored with other settings.
    pub fn scored(
        &self,
        archs: &[String],
        space: &str,
        settings: &Value,
        metrics: &[Metric],
    ) -> Result<Vec<Scored>, RowsError> {
        let is_so = |(of, with, _): &(Value, Value, Line)| of == space && with == settings;
        let Some(place) = self.settings.iter().position(is_so) else {
            return Err(self.differs(archs, space, settings));
        };
        let rows: Vec<_> = archs.iter().map(|arch| self.rows.get(&(place, arch.clone()))).collect();
        let mut missing = archs.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(arch, _)| arch);
        if let Some(first) = missing.next() {
            let (missing, of, seed) = (missing.count() + 1, archs.len(), settings["seed"].to_string());
            return Err(RowsError::Missing { missing, of, seed, first: first.clone() });
        }
        let scored = |(line, row): &(Line, Value)| {
            scored(row, metrics).map_err(|what| RowsError::NoRow { line: line.clone(), what })
        };
        rows.into_iter().flatten().map(scored).collect()
    }

    /// How rows of this seed, or else the first, differ from what is asked for.
    fn differs(&self, archs: &[String], space: &str, settings: &Value) -> RowsError {
        let of_seed =
            self.settings.iter().find(|(of, with, _)| of == space && with["seed"] == settings["seed"]);
        let Some((of, with, line)) = of_seed.or(self.settings.first()) else {
            let (of, seed) = (archs.len(), settings["seed"].to_string());
            return RowsError::Missing {
                missing: of,
                of,
                seed,
                first: archs.first().cloned().unwrap_or_default(),
            };
        };
        let spaces = ("space".to_owned(), of.clone(), Value::from(space));
        let fields = settings.as_object().into_iter().flatten();
        let fields = fields.map(|(name, here)| (name.clone(), with[name].clone(), here.clone()));
        let different = std::iter::once(spaces).chain(fields).find(|(_, there, here)| there != here);
        let (field, there, here) =
            different.unwrap_or_else(|| ("settings".to_owned(), with.clone(), settings.clone()));
        RowsError::Differs { field, line: line.clone(), there: there.to_string(), here: here.to_string() }
    }
}

/// What stands in a row, or what is wrong with it.
fn scored(row: &Value, metrics: &[Metric]) -> Result<Scored, String> {
    let count = |field: &str| row[field].as_u64().ok_or_else(|| format!("its `{field}` is no count"));
    let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
    let score = |metric: &Metric| {
        let name = metric.to_string();
        let score = &row["scores"][&name];
        match (number(&score["mean"]), number(&score["std"]), score["reason"].as_str()) {
            (Some(mean), Some(std), None) => Ok(Ok(Score { mean, std })),
            (None, None, Some(reason)) => Ok(Err(Undefined::Recorded(reason.to_owned()))),
            _ => Err(format!("it has no score of {name}")),
        }
    };
    let saturation = match &row["saturation"] {
        Value::Null => None,
        saturation => {
            let ceiling = match saturation["ceiling"].as_str() {
                Some(BATCH) => Some(Ceiling::Batch),
                Some(UNITS) => Some(Ceiling::Units),
                _ => None,
            };
            let read = number(&saturation["ratio"]).zip(ceiling);
            let (ratio, ceiling) = read.ok_or("its `saturation` is none")?;
            Some(Saturation { ratio, ceiling })
        }
    };
    Ok(Scored {
        params: count("params")?,
        macs: count("macs")?,
        units: count("units")?,
        scores: metrics.iter().map(score).collect::<Result<_, String>>()?,
        saturation,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metrics(list: &str) -> Vec<Metric> {
        list.parse::<crate::Columns>().unwrap().metrics().to_vec()
    }

    fn settings(seed: u64) -> Value {
        json!({ "batch": 16, "seed": seed })
    }

    /// A file of these rows.
    fn read(rows: &[String]) -> Result<Rows, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, rows.join("\n")).unwrap();
        Rows::read(&[&path]).map_err(|error| error.to_string().replace(&path.display().to_string(), "rows"))
    }

    fn network(params: u64) -> Scored {
        let scores = vec![Ok(Score { mean: params as f64, std: 0.0 })];
        Scored { params, macs: 2, units: 3, scores, saturation: None }
    }

    fn line(arch: &str, seed: u64, params: u64) -> String {
        row(arch, "nb201", &settings(seed), &metrics("params"), &network(params)).to_string()
    }

    fn finite() -> impl Strategy<Value = f64> {
        any::<u64>().prop_map(f64::from_bits).prop_filter("scores are finite", |number| number.is_finite())
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were(
            mean in finite(), std in finite(), ratio in finite(), counts in any::<[u64; 3]>(),
            reason in any::<String>(), is_saturated in any::<bool>(),
        ) {
            let [params, macs, units] = counts;
            let scores = vec![Ok(Score { mean, std }), Err(Undefined::Recorded(reason))];
            let saturation = is_saturated.then_some(Saturation { ratio, ceiling: Ceiling::Units });
            let scored = Scored { params, macs, units, scores, saturation };
            let metrics = metrics("swap,ntk");
            let written = row("a", "nb201", &settings(0), &metrics, &scored).to_string();
            let rows = read(&[written.clone(), written]).unwrap();
            let found = rows.scored(&["a".to_owned()], "nb201", &settings(0), &metrics).unwrap();
            prop_assert_eq!(found[0].scores[0].as_ref().unwrap().mean.to_bits(), mean.to_bits());
            prop_assert_eq!(found, vec![scored]);
        }
    }

    #[test]
    fn what_does_not_belong_together_is_an_error() {
        let asked = |rows: &[String], archs: &[&str], seed: u64| {
            let archs: Vec<String> = archs.iter().map(|&arch| arch.to_owned()).collect();
            let found = read(rows)?.scored(&archs, "nb201", &settings(seed), &metrics("params"));
            let found = found.map_err(|error| error.to_string())?;
            Ok::<_, String>(found.into_iter().map(|scored| scored.params).collect::<Vec<_>>())
        };
        let rows = [line("a", 0, 1), line("b", 0, 2), line("b", 1, 3)];
        assert_eq!(asked(&rows, &["b", "a", "b"], 0), Ok(vec![2, 1, 2]));
        assert_eq!(asked(&rows, &["b"], 1), Ok(vec![3]));
        let error = |rows: &[String], archs: &[&str], seed| {
            let error = asked(rows, archs, seed).unwrap_err();
            // Folders have names of their own.
            error.split_once("rows:").map_or(error.clone(), |(_, error)| format!("rows:{error}"))
        };
        insta::assert_snapshot!(error(&rows, &["a", "b", "c"], 1), @"2 of 3 networks with seed 1 are missing, the first of them a: a share was stopped, or is not among the files; score it again, or give it too");
        insta::assert_snapshot!(error(&[], &["a"], 1), @"1 of 1 networks with seed 1 are missing, the first of them a: a share was stopped, or is not among the files; score it again, or give it too");
        insta::assert_snapshot!(error(&rows, &["a"], 2), @"rows:1: `seed` is 0, and 2 is asked for; give the options with which the shares were scored");
        insta::assert_snapshot!(error(&[line("a", 0, 1), line("a", 0, 2)], &["a"], 0), @"rows:2: a is in rows:1 as well, with other contents");
        insta::assert_snapshot!(error(&["{}".to_owned()], &["a"], 0), @"rows:1: this is no row of a share: it has no `space`; score the table in shares");
        insta::assert_snapshot!(error(&["[".to_owned()], &["a"], 0), @"rows:1: this is no row of a share: EOF while parsing a list at line 1 column 1; give files with what shares have printed");
        let changed = line("a", 0, 1).replace("\"params\":{", "\"macs\":{");
        insta::assert_snapshot!(error(&[changed], &["a"], 0), @"rows:1: this is no row of a share: it has no score of params; score the table in shares");
    }
}
