//! Correlations as JSON, written part by part: there may be a million networks.

use std::io::{BufWriter, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};
use swapnas::table::{Place, Row};
use swapnas::{Ranking, results};

use super::findings::{Finding, Found};
use super::print::Run;
use crate::render;

/// Writes one object: of one table, or with a list of several.
pub(super) fn write(out: &mut impl Write, found: &Found, run: &Run) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer(&mut out, &Report { found, run })?;
    writeln!(out)?;
    Ok(out.flush()?)
}

struct Report<'a> {
    found: &'a Found,
    run: &'a Run,
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Report { found, run } = self;
        let mut map = serializer.serialize_map(None)?;
        let simd = found.subjects.first().map(|subjects| subjects.settings().level.to_string());
        map.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
        map.serialize_entry("threads", &run.threads)?;
        map.serialize_entry("simd", &simd)?;
        map.serialize_entry("seeds", &found.seeds)?;
        match &found.findings[..] {
            [finding] => entries(&mut map, &Section { found, finding })?,
            findings => {
                let sections: Vec<Section<'_>> =
                    findings.iter().map(|finding| Section { found, finding }).collect();
                map.serialize_entry("tables", &sections)?;
            }
        }
        let seconds = json!({ "total": run.start.elapsed().as_secs_f64(), "scoring": found.seconds });
        map.serialize_entry("seconds", &seconds)?;
        map.end()
    }
}

/// What is said of one table.
struct Section<'a> {
    found: &'a Found,
    finding: &'a Finding,
}

impl Serialize for Section<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("label", &self.finding.label)?;
        entries(&mut map, self)?;
        map.end()
    }
}

fn entries<M: SerializeMap>(map: &mut M, section: &Section<'_>) -> Result<(), M::Error> {
    let Section { found, finding } = section;
    let subjects = found.subjects_of(finding);
    map.serialize_entry("table", finding.table.file())?;
    map.serialize_entry("arch_column", &finding.table.arch_column())?;
    map.serialize_entry("accuracy_column", finding.table.accuracy_column())?;
    if let Some(part) = finding.table.part() {
        map.serialize_entry("dataset", &part.dataset.as_ref().map(|choice| &choice.name))?;
        map.serialize_entry("epochs", &part.epochs.as_ref().map(|choice| &choice.name))?;
    }
    map.serialize_entry("space", &subjects.map(|subjects| subjects.origin()))?;
    map.serialize_entry("network", &subjects.map(|subjects| subjects.network()))?;
    map.serialize_entry("settings", &subjects.map(|subjects| subjects.settings_json()))?;
    map.serialize_entry("n", &finding.rows.len())?;
    let failed = finding.failed.iter();
    let failed: Vec<Value> =
        failed.map(|(place, reason)| at(place, json!({ "reason": reason.to_string() }))).collect();
    map.serialize_entry("failed", &failed)?;
    let skipped = subjects.map(|subjects| render::skipped(subjects.settings()));
    map.serialize_entry("skipped_pictures", &skipped.unwrap_or_default())?;
    let named = finding.rankings.iter().zip(&finding.correlations);
    let metrics: Map<String, Value> = named
        .map(|(ranking, correlation)| Ok((ranking.name.clone(), serde_json::to_value(correlation)?)))
        .collect::<Result<_, serde_json::Error>>()
        .map_err(serde::ser::Error::custom)?;
    map.serialize_entry("metrics", &metrics)?;
    if let Some(comparison) = &finding.comparison {
        map.serialize_entry("comparison", comparison)?;
    }
    map.serialize_entry("scores", &Scores(finding))
}

/// An object that says where the row begins that it is about, in a line if there are lines.
fn at(Place { line, record }: Place, mut object: Value) -> Value {
    if line > 0 {
        object["line"] = line.into();
    }
    if let Some(record) = record {
        object["record"] = record.into();
    }
    object
}

/// The networks, each with what its line says and what was found.
struct Scores<'a>(&'a Finding);

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Finding { table, rows, scored, rankings, .. } = self.0;
        let has_archs = table.arch_column().is_some();
        let mut list = serializer.serialize_seq(Some(rows.len()))?;
        for (place, row) in rows.iter().enumerate() {
            let Row { place: origin, arch, accuracy } = &table.rows()[*row];
            let value = |Ranking { name, origin, values, .. }: &Ranking| {
                (name.clone(), results::score_json(*origin, &values[place]))
            };
            let values: Map<String, Value> = rankings.iter().map(value).collect();
            let mut object = at(*origin, json!({ "accuracy": accuracy, "values": values }));
            if has_archs {
                object["arch"] = arch.as_str().into();
            }
            if let Some(scored) = scored {
                object["params"] = scored[place].params.into();
                object["macs"] = scored[place].macs.into();
                object["units"] = scored[place].units.into();
            }
            list.serialize_element(&object)?;
        }
        list.end()
    }
}
