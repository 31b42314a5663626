//! `swapnas correlate`.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use swapnas::plot::{Colours, Scatter, check_path};
use swapnas::table::{self, Options, Problems, Row, ScoredRow};
use swapnas::{
    Column, Correlation, Score, Scored, Scoring, Undefined, check_output, plain, saturation_warnings,
};

use crate::args::CorrelateArgs;
use crate::commands::scoring::start_threads;
use crate::progress::Bar;
use crate::render;
use crate::subjects::{Reader, Subject, Subjects};
use crate::{Ending, say};

pub(crate) fn run(args: CorrelateArgs, given: &[String]) -> anyhow::Result<Ending> {
    let start = Instant::now();
    let threads = start_threads(args.scoring.threads)?;
    let scoring = Scoring::from(&args.scoring);
    if let Some(path) = &args.plot {
        check_path(path)?;
    }
    for path in args.out.iter().chain(&args.plot) {
        check_output(path)?;
    }
    // What cannot be computed need not be looked for.
    scoring.columns()?;
    let (rows, failed) = rows(&args, &scoring)?;
    let (subjects, accuracies): (Vec<Subject>, Vec<f64>) = rows.into_iter().unzip();
    let subjects = Subjects::new(subjects, &scoring, None, given)?;
    let (columns, settings) = (&subjects.columns, subjects.settings());
    let bar = Bar::new(subjects.len())?;
    let began = Instant::now();
    let scored = subjects.score(&bar);
    let seconds = began.elapsed().as_secs_f64();
    bar.finish();

    let done: Vec<(usize, f64, Scored)> = (accuracies.iter().enumerate())
        .zip(scored?)
        .filter_map(|((index, accuracy), scored)| Some((index, *accuracy, scored?)))
        .collect();
    if let Some(path) = &args.out {
        let texts: Vec<String> = done.iter().map(|(index, ..)| subjects.name(*index)).collect();
        let rows = done.iter().zip(&texts);
        let rows: Vec<ScoredRow<'_>> = rows
            .map(|((_, accuracy, scored), arch)| ScoredRow { arch, accuracy: Some(*accuracy), scored })
            .collect();
        table::write_scores(path, columns, &rows)?;
    }
    let networks: Vec<&Scored> = done.iter().map(|(.., scored)| scored).collect();
    let accuracies: Vec<f64> = done.iter().map(|(_, accuracy, _)| *accuracy).collect();
    let params: Vec<u64> = networks.iter().map(|scored| scored.params).collect();
    let values: Vec<Vec<Result<Score, Undefined>>> =
        columns.iter().map(|column| columns.values(column, &networks)).collect();
    let correlations: Vec<(&Column, Correlation)> = columns
        .iter()
        .zip(&values)
        .map(|(column, values)| {
            let seed = args.scoring.seed;
            (column, swapnas::correlate(column.direction(), values, &accuracies, &params, seed))
        })
        .collect();
    // Where nothing was scored before the work was stopped, there is nothing to draw.
    if let (Some(path), Some((column, correlation))) = (&args.plot, correlations.first())
        && !done.is_empty()
    {
        let points = Points { values: &values[0], accuracies: &accuracies, params: &params };
        draw(path, &subjects, column, &points, correlation)?;
    }
    bar.print(|out| {
        if args.json {
            let metrics: Map<String, Value> = correlations
                .iter()
                .map(|(column, correlation)| Ok((column.to_string(), serde_json::to_value(correlation)?)))
                .collect::<Result<_, serde_json::Error>>()?;
            let failed: Vec<Value> = failed
                .iter()
                .map(|(line, reason)| json!({ "line": line, "reason": reason.to_string() }))
                .collect();
            let object = json!({
                "space": subjects.origin(),
                "network": subjects.network(),
                "n": done.len(),
                "failed": failed,
                "skipped_pictures": render::skipped(settings),
                "metrics": metrics,
                "seconds": { "total": start.elapsed().as_secs_f64(), "scoring": seconds },
                "threads": threads,
                "simd": settings.level.to_string(),
            });
            writeln!(out, "{object}")?;
            return Ok(());
        }
        let networks = render::count(done.len(), subjects.noun());
        writeln!(out, "{}: {networks} of {}", subjects.origin(), plain(&args.table))?;
        writeln!(out, "{}", subjects.describe())?;
        writeln!(out, "{}", render::correlations(&correlations, args.markdown))?;
        for (line, reason) in failed.iter() {
            writeln!(out, "skipped line {line}: {reason}")?;
        }
        let saturation = saturation_warnings(settings.batch, done.iter().map(|(.., scored)| scored));
        for warning in saturation.into_iter().chain(subjects.warnings()) {
            writeln!(out, "{warning}")?;
        }
        if !args.markdown {
            let (total, level) = (start.elapsed().as_secs_f64(), settings.level);
            writeln!(out, "{total:.2} s in all, {seconds:.2} s scoring, {threads} threads, {level}")?;
        }
        Ok(())
    })?;
    if done.len() < subjects.len() {
        let all = render::count(subjects.len(), subjects.noun());
        say(format_args!("stopped: {} of {all} are scored", done.len()));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

/// What is to be scored with accuracies, and the lines that are left out.
fn rows(args: &CorrelateArgs, scoring: &Scoring) -> anyhow::Result<(Vec<(Subject, f64)>, Problems)> {
    let table = table::read(
        &args.table,
        &Options {
            arch_column: args.arch_column.clone(),
            accuracy_column: args.accuracy_column.clone(),
            limit: args.limit.map(|limit| limit as usize),
        },
    )?;
    let mut problems = table.problems().clone();
    let mut rows = Vec::with_capacity(table.rows().len());
    let mut reader = Reader::new(scoring).building();
    for Row { line, arch, accuracy } in table.rows() {
        match reader.read(arch) {
            Ok(subject) => rows.push((subject, *accuracy)),
            Err(error) => problems.add(*line, error),
        }
    }
    if !args.scoring.skip_bad && !problems.is_empty() {
        return Err(problems)
            .context("nothing is scored; mend these lines, or leave them out with --skip-bad");
    }
    if rows.len() < 2 {
        let lines = render::count(rows.len(), "usable line");
        bail!("{} has {lines}; a correlation takes two", plain(table.file()));
    }
    Ok((rows, problems))
}

/// What is drawn: a value, an accuracy and a size for every network.
struct Points<'a> {
    values: &'a [Result<Score, Undefined>],
    accuracies: &'a [f64],
    params: &'a [u64],
}

/// Draws the first metric against accuracy.
fn draw(
    path: &Path,
    subjects: &Subjects,
    column: &Column,
    points: &Points<'_>,
    correlation: &Correlation,
) -> anyhow::Result<()> {
    let networks = points.values.iter().zip(points.accuracies.iter().zip(points.params));
    let (points, params): (Vec<(f64, f64)>, Vec<f64>) = networks
        .filter_map(|(value, (accuracy, params))| {
            Some(((value.as_ref().ok()?.mean, *accuracy), *params as f64))
        })
        .unzip();
    let rho = correlation.spearman.map_or("undefined".to_owned(), |rho| format!("{rho:.3}"));
    let networks = render::count(points.len(), subjects.noun());
    let title = format!("Spearman's rho = {rho}, {networks} of {}", subjects.origin());
    let name = column.to_string();
    let x_label = if name == "swap" { "SWAP-Score" } else { &name };
    // Colours show how much of the score is size alone, unless that is what is drawn.
    let colours = (name != "params").then_some(Colours { label: "parameters", values: &params });
    Scatter { title: &title, x_label, y_label: "accuracy", points: &points, colours }.draw(path)?;
    Ok(())
}
