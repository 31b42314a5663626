use std::path::Path;

use swapnas_proxies::{Column, Columns, Scored};

use crate::WriteError;
use crate::file;

/// A network and its scores.
#[derive(Clone, Copy, Debug)]
pub struct ScoredRow<'a> {
    /// The architecture.
    pub arch: &'a str,
    /// Its accuracy, if it is known.
    pub accuracy: Option<f64>,
    /// What was found.
    pub scored: &'a Scored,
}

/// Writes scores as CSV: the columns `arch`, `accuracy`, `params`, `macs`, `units`, for each metric
/// `NAME_mean` and `NAME_std`, for each aggregate `NAME`, and `reason`, which says why metrics are
/// undefined where their columns are empty.
///
/// The file is there in full or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_scores(path: &Path, columns: &Columns, rows: &[ScoredRow<'_>]) -> Result<(), WriteError> {
    let text =
        scores(columns, rows).map_err(|error| WriteError { path: path.to_owned(), source: error.into() })?;
    file::write(path, &text)
}

fn scores(columns: &Columns, rows: &[ScoredRow<'_>]) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = columns.iter().flat_map(|column| match column {
        Column::Metric(metric) => vec![format!("{metric}_mean"), format!("{metric}_std")],
        Column::Aggregate { name, .. } => vec![name.clone()],
    });
    let common = ["arch", "accuracy", "params", "macs", "units"].map(str::to_owned).into_iter();
    writer.write_record(common.chain(names).chain(["reason".to_owned()]))?;
    let networks: Vec<&Scored> = rows.iter().map(|row| row.scored).collect();
    let values: Vec<_> = columns.iter().map(|column| columns.values(column, &networks)).collect();
    for (row, ScoredRow { arch, accuracy, scored }) in rows.iter().enumerate() {
        writer.write_field(arch)?;
        writer.write_field(accuracy.map(number).unwrap_or_default())?;
        for count in [scored.params, scored.macs, scored.units] {
            writer.write_field(count.to_string())?;
        }
        let mut reasons = Vec::new();
        for (column, values) in columns.iter().zip(&values) {
            let [mean, std] = match &values[row] {
                Ok(score) => [number(score.mean), number(score.std)],
                Err(reason) => {
                    reasons.push(format!("{column}: {reason}"));
                    [String::new(), String::new()]
                }
            };
            writer.write_field(mean)?;
            if !column.is_aggregate() {
                writer.write_field(std)?;
            }
        }
        writer.write_field(reasons.join("; "))?;
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The shortest text that reads back as the same number, with an exponent if it is very large or small.
fn number(number: f64) -> String {
    format!("{number:?}")
}
