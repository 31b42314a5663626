//! Correlations for people to read, and for papers.

use std::io::Write;
use std::time::Instant;

use swapnas::{Correlation, plain, saturation_warnings};

use super::findings::{Finding, Found};
use crate::args::{CorrelateArgs, TableFormat};
use crate::render;
use crate::render::correlations::{self, Grid};
use crate::say;

/// What is known of the run itself.
pub(super) struct Run {
    pub start: Instant,
    pub seconds: f64,
    pub threads: usize,
}

pub(super) fn write(
    out: &mut impl Write,
    args: &CorrelateArgs,
    found: &Found,
    run: &Run,
) -> anyhow::Result<()> {
    let findings = &found.findings;
    if args.format == TableFormat::Csv {
        let rows = findings.iter().flat_map(|finding| {
            let subjects = found.subjects_of(finding);
            let origin = subjects.map_or("", |subjects| subjects.origin());
            finding.rankings.iter().zip(&finding.correlations).map(move |(ranking, correlation)| {
                let accuracy = finding.table.accuracy_column();
                correlations::Row {
                    table: &finding.label,
                    file: finding.table.file(),
                    accuracy: accuracy.name.clone().unwrap_or_else(|| accuracy.number.to_string()),
                    space: origin,
                    metric: &ranking.name,
                    correlation,
                }
            })
        });
        correlations::csv(out, rows)?;
        // Lines of standard output are rows.
        notes(found).for_each(say);
        return Ok(());
    }
    let comment = if args.format == TableFormat::Latex { "% " } else { "" };
    let mut line = |text: String| -> anyhow::Result<()> {
        for line in text.lines() {
            writeln!(out, "{comment}{line}")?;
        }
        Ok(())
    };
    for finding in findings {
        line(heading(found, finding))?;
    }
    let mut described: Vec<String> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.has_metrics) {
        if let Some(subjects) = found.subjects_of(finding) {
            let mut text = subjects.describe();
            if findings.len() > 1 {
                text = format!("{}: {text}", subjects.origin());
            }
            if !described.contains(&text) {
                described.push(text);
            }
        }
    }
    described.into_iter().try_for_each(&mut line)?;
    for finding in findings {
        let arch = finding.silent.arch && finding.scored.is_some();
        if let Some(choices) = render::choices(&finding.table, arch, finding.silent.accuracy) {
            line(prefix(found, finding) + &choices)?;
        }
    }
    let grid = match &findings[..] {
        [finding] => correlations::of_one_table(&named(finding)),
        _ => {
            let tables: Vec<(&str, Vec<(&str, &Correlation)>)> =
                findings.iter().map(|finding| (&finding.label[..], named(finding))).collect();
            correlations::of_tables(&tables)
        }
    };
    writeln!(out, "{}", show(&grid, args.format))?;
    for finding in findings {
        let Some(comparison) = &finding.comparison else { continue };
        let title = format!("{}Spearman's rho of each with each", prefix(found, finding));
        writeln!(out, "\n{comment}{title}")?;
        if args.format == TableFormat::Markdown {
            writeln!(out)?; // else the title would be a row
        }
        writeln!(out, "{}", show(&correlations::of_each_with_each(comparison), args.format))?;
    }
    for note in notes(found) {
        writeln!(out, "{comment}{note}")?;
    }
    if args.format == TableFormat::Text {
        let (total, seconds, threads) = (run.start.elapsed().as_secs_f64(), run.seconds, run.threads);
        let level = found.subjects.first().map(|subjects| format!(", {}", subjects.settings().level));
        let level = level.unwrap_or_default();
        writeln!(out, "{total:.2} s in all, {seconds:.2} s scoring, {threads} threads{level}")?;
    }
    Ok(())
}

fn show(grid: &Grid, format: TableFormat) -> String {
    match format {
        TableFormat::Text | TableFormat::Csv => grid.text(),
        TableFormat::Markdown => grid.markdown(),
        TableFormat::Latex => grid.latex(),
    }
}

/// The names of rankings with their correlations.
fn named(finding: &Finding) -> Vec<(&str, &Correlation)> {
    finding.rankings.iter().map(|ranking| &ranking.name[..]).zip(&finding.correlations).collect()
}

/// How many networks there are, and where they are from.
fn heading(found: &Found, finding: &Finding) -> String {
    let file = plain(finding.table.file());
    match found.subjects_of(finding) {
        Some(subjects) => {
            let networks = render::count(finding.rows.len(), subjects.noun());
            format!("{}{}: {networks} of {file}", prefix(found, finding), subjects.origin())
        }
        None => format!("{}{} of {file}", prefix(found, finding), render::count(finding.rows.len(), "row")),
    }
}

/// Which of several tables is meant.
fn prefix(found: &Found, finding: &Finding) -> String {
    if found.findings.len() > 1 { format!("{}: ", plain(&finding.label)) } else { String::new() }
}

/// What a reader should know besides: why values are missing, what was left out, and what is doubtful.
fn notes(found: &Found) -> impl Iterator<Item = String> {
    found.findings.iter().flat_map(move |finding| {
        let mut notes = Vec::new();
        for (name, correlation) in named(finding) {
            // Of several tables, nothing is shown but Spearman's rho.
            let is_whole = correlation.spearman_ci95.is_some() && correlation.undefined == 0;
            if found.findings.len() > 1 && is_whole {
                continue;
            }
            let reasons = correlation.reasons.iter();
            notes.extend(reasons.map(|reason| format!("{}: {}", plain(name), plain(reason))));
        }
        if finding.scored.is_none() {
            notes.push(
                "numbers of parameters are not known: --space says what architectures are of".to_owned(),
            );
        }
        notes.extend(finding.failed.iter().map(|(place, reason)| format!("skipped {place}: {reason}")));
        if let (true, Some(subjects), Some(scored)) =
            (finding.has_metrics, found.subjects_of(finding), &finding.scored)
        {
            notes.extend(saturation_warnings(subjects.settings().batch, subjects.remedy(), scored.iter()));
            notes.extend(subjects.warnings());
        }
        let prefix = prefix(found, finding);
        notes.into_iter().map(move |note| format!("{prefix}{note}"))
    })
}
