use std::io::Write;
use std::path::Path;

use csv::ByteRecord;
use swapnas_metrics::Scored;

use super::Table;
use crate::file;
use crate::{Origin, Ranking, WriteError};

/// Scores of the networks of a table.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// The table.
    pub table: &'a Table,
    /// The places of the networks among [`Table::rows`], in ascending order.
    pub rows: &'a [usize],
    /// What was found of each of them, if they were scored.
    pub scored: Option<&'a [&'a Scored]>,
    /// Rankings of them; those that the table has itself are left out.
    pub rankings: &'a [Ranking],
}

/// Writes a table with scores as CSV: the columns of the table as they are, `params`, `macs` and `units` of the scored
/// networks, for each metric `NAME_mean` and `NAME_std`, for each aggregate `NAME`, and `reason`, which says why
/// metrics are undefined where their columns are empty. Lines of networks without scores are left out.
///
/// If the table has a column of such a name already, the name gets `swapnas_` in front. Columns of a table without a
/// header are called `arch`, `accuracy`, and others `column_3` by their numbers.
///
/// The file is there in full or not at all.
///
/// # Errors
/// If the file cannot be written.
///
/// # Panics
/// If there is not one of each for every network.
pub fn write_scores(path: &Path, scores: &Scores<'_>) -> Result<(), WriteError> {
    let write = |out: &mut dyn Write| scores.write(out).map_err(std::io::Error::from);
    file::write_by(path, write)
}

impl Scores<'_> {
    fn write(&self, out: &mut dyn Write) -> csv::Result<()> {
        let Scores { rows, scored, rankings, .. } = self;
        assert!(scored.is_none_or(|scored| scored.len() == rows.len()), "one for every row");
        let mut writer = csv::Writer::from_writer(out);
        let mut names = self.table.header(rows);
        let width = names.len();
        let computed = || rankings.iter().filter(|ranking| ranking.origin != Origin::Given);
        for name in self.names(computed()) {
            names.push(free_name(&name, &names).into_bytes());
        }
        writer.write_record(&names)?;
        for (place, record) in self.table.records(rows).enumerate() {
            for field in 0..width {
                writer.write_field(record.get(field).unwrap_or_default())?;
            }
            if let Some(Scored { params, macs, units, .. }) = scored.map(|scored| scored[place]) {
                for count in [params, macs, units] {
                    writer.write_field(count.to_string())?;
                }
            }
            let mut reasons = Vec::new();
            for Ranking { name, origin, values, .. } in computed() {
                let [mean, std] = match &values[place] {
                    Ok(score) => [number(score.mean), number(score.std)],
                    Err(reason) => {
                        reasons.push(format!("{name}: {reason}"));
                        [String::new(), String::new()]
                    }
                };
                writer.write_field(mean)?;
                if *origin == Origin::Metric {
                    writer.write_field(std)?;
                }
            }
            writer.write_field(reasons.join("; "))?;
            writer.write_record(None::<&[u8]>)?;
        }
        Ok(writer.flush()?)
    }

    /// The names of the columns that are added.
    fn names<'r>(&self, computed: impl Iterator<Item = &'r Ranking>) -> Vec<String> {
        let sizes: &[&str] = if self.scored.is_some() { &["params", "macs", "units"] } else { &[] };
        let mut names: Vec<String> = sizes.iter().map(|&name| name.to_owned()).collect();
        for Ranking { name, origin, .. } in computed {
            match origin {
                Origin::Metric => names.extend([format!("{name}_mean"), format!("{name}_std")]),
                Origin::Aggregate | Origin::Given => names.push(name.clone()),
            }
        }
        names.push("reason".to_owned());
        names
    }
}

impl Table {
    /// The rows with these places, in ascending order, as they are in the file.
    pub(super) fn records(&self, rows: &[usize]) -> impl Iterator<Item = ByteRecord> {
        let places = rows.iter().map(|&row| self.rows()[row].place);
        let mut records = self.text.records();
        places.map(move |place| {
            let record = records.find(|(other, _)| *other == place);
            record.expect("rows are those of the table").1
        })
    }

    /// The names of the columns, as they are in the file, for as many as any of these rows has. Without a header they
    /// are `arch`, `accuracy`, and others `column_3` by their numbers.
    pub(super) fn header(&self, rows: &[usize]) -> Vec<Vec<u8>> {
        let header = if self.has_header { self.text.records().next() } else { None };
        let mut names: Vec<Vec<u8>> =
            header.iter().flat_map(|(_, header)| header.iter().map(<[u8]>::to_vec)).collect();
        let widest = self.records(rows).map(|record| record.len()).max().unwrap_or(0);
        for column in names.len()..widest.max(self.accuracy + 1) {
            let name = match column {
                _ if self.has_header => None,
                _ if self.arch == Some(column) => Some("arch".to_owned()),
                _ if self.accuracy == column => Some("accuracy".to_owned()),
                _ => None,
            };
            names.push(name.unwrap_or_else(|| format!("column_{}", column + 1)).into_bytes());
        }
        names
    }
}

/// The name, or one like it that is not taken.
fn free_name(name: &str, taken: &[Vec<u8>]) -> String {
    let mut free = name.to_owned();
    while taken.iter().any(|taken| taken.trim_ascii() == free.as_bytes()) {
        free.insert_str(0, "swapnas_");
    }
    free
}

/// The shortest text that reads back as the same number, with an exponent if it is very large or small.
fn number(number: f64) -> String {
    format!("{number:?}")
}
