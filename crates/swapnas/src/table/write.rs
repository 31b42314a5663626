use std::path::Path;

use swapnas_proxies::{Metric, Scored};

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
/// `NAME_mean` and `NAME_std`, and `reason`, which says why metrics are undefined where their columns
/// are empty.
///
/// The file is there in full or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_scores<'a>(
    path: &Path,
    metrics: &[Metric],
    rows: impl IntoIterator<Item = ScoredRow<'a>>,
) -> Result<(), WriteError> {
    let text =
        scores(metrics, rows).map_err(|error| WriteError { path: path.to_owned(), source: error.into() })?;
    file::write(path, &text)
}

fn scores<'a>(metrics: &[Metric], rows: impl IntoIterator<Item = ScoredRow<'a>>) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names: Vec<String> = metrics.iter().map(ToString::to_string).collect();
    let columns = ["arch", "accuracy", "params", "macs", "units"].map(str::to_owned).into_iter();
    let of_metrics = names.iter().flat_map(|name| [format!("{name}_mean"), format!("{name}_std")]);
    writer.write_record(columns.chain(of_metrics).chain(["reason".to_owned()]))?;
    for ScoredRow { arch, accuracy, scored } in rows {
        writer.write_field(arch)?;
        writer.write_field(accuracy.map(number).unwrap_or_default())?;
        for count in [scored.params, scored.macs, scored.units] {
            writer.write_field(count.to_string())?;
        }
        let mut reasons = Vec::new();
        for (name, score) in names.iter().zip(&scored.scores) {
            let [mean, std] = match score {
                Ok(score) => [number(score.mean), number(score.std)],
                Err(reason) => {
                    reasons.push(format!("{name}: {reason}"));
                    [String::new(), String::new()]
                }
            };
            writer.write_field(mean)?;
            writer.write_field(std)?;
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
