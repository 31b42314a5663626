//! `swapnas score`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use swapnas::table::Problems;
use swapnas::{
    Columns, Origin, Score, Scored, Scoring, Shape, Tensors, Undefined, results, saturation_warnings, table,
};

use crate::args::ScoreArgs;
use crate::commands::scoring::{check_skip_bad, start_threads};
use crate::progress::Bar;
use crate::render;
use crate::subjects::{Reader, Subject, Subjects};
use crate::{Ending, say};

/// How many of the sampled architectures are shown unless asked otherwise.
const BEST_OF_SAMPLE: u64 = 10;

pub(crate) fn run(args: ScoreArgs, given: &[String]) -> anyhow::Result<Ending> {
    start_threads(args.scoring.threads)?;
    check_skip_bad(&args.scoring, args.archs_file.is_some())?;
    let scoring = args.scoring.of(args.space);
    // What cannot be computed need not be looked for.
    scoring.columns()?;
    let (subjects, failed) = subjects(&args, &scoring)?;
    let tensors = args.tensors.as_deref().map(Tensors::read).transpose()?;
    let subjects = Subjects::new(subjects, &scoring, tensors, given)?;
    let columns = &subjects.columns;
    let bar = Bar::new(subjects.len())?;
    let scored = subjects.score(&bar);
    bar.finish();
    let scored = scored?;
    let done = scored.iter().flatten().count();
    let mut rows = rows(columns, &subjects, &scored);
    let top = args.top.or(args.random.map(|_| BEST_OF_SAMPLE));
    if let Some(top) = top {
        best_first(columns, &mut rows);
        rows.truncate(top as usize);
    }
    bar.print(|out| {
        if args.json {
            let settings = subjects.settings_json();
            for row in &rows {
                let mut object = object(columns, row);
                object["space"] = subjects.origin().into();
                object["settings"] = settings.clone();
                writeln!(out, "{object}")?;
            }
            // Lines of standard output are networks.
            skipped_lines(&failed).chain(subjects.settings().inputs.warning()).for_each(say);
            return Ok(());
        }
        let shown = match top {
            Some(_) if done > rows.len() => {
                format!("the best {} of {}", rows.len(), render::count(done, subjects.noun()))
            }
            _ => render::count(done, subjects.noun()),
        };
        writeln!(out, "{}: {shown}", subjects.origin())?;
        writeln!(out, "{}", subjects.describe())?;
        writeln!(out, "{}", render::scores(subjects.noun(), columns, &rows))?;
        let saturation = saturation_warnings(subjects.settings().batch, scored.iter().flatten());
        for warning in skipped_lines(&failed).chain(saturation).chain(subjects.warnings()) {
            writeln!(out, "{warning}")?;
        }
        Ok(())
    })?;
    if done < subjects.len() {
        let all = render::count(subjects.len(), subjects.noun());
        say(format_args!("stopped: {done} of {all} are scored"));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

/// What is said of lines that are left out.
fn skipped_lines(failed: &Problems) -> impl Iterator<Item = String> {
    failed.iter().map(|(line, reason)| format!("skipped line {line}: {reason}"))
}

/// All that is asked for, and the lines that are left out.
fn subjects(args: &ScoreArgs, scoring: &Scoring) -> anyhow::Result<(Vec<Subject>, Problems)> {
    let mut failed = Problems::new("");
    let mut subjects = Vec::new();
    for text in &args.archs {
        subjects.push(Subject::typed(text, scoring)?);
    }
    if let Some(file) = &args.archs_file {
        let list = table::read_list(file)?;
        let mut problems = list.problems().clone();
        let mut reader = Reader::new(scoring);
        for entry in list.entries() {
            match reader.read(&entry.arch) {
                Ok(subject) => subjects.push(subject),
                Err(error) => problems.add(entry.line, error),
            }
        }
        if args.scoring.skip_bad {
            failed = problems;
        } else {
            problems.check()?;
        }
    }
    if let Some(count) = args.random {
        let archs = swapnas::sample(scoring.space, count as usize, scoring.seed);
        subjects.extend(archs.into_iter().map(Subject::Arch));
    }
    if subjects.is_empty() && !failed.is_empty() {
        return Err(failed).context("there is nothing to score but lines that cannot be used");
    }
    if subjects.is_empty() {
        bail!("there is nothing to score: give architectures, ONNX files, --archs FILE or --random N");
    }
    Ok((subjects, failed))
}

/// A network with what was found.
pub(crate) struct Row<'a> {
    pub name: String,
    /// Its images and classes, if they are its own.
    pub shapes: Option<(Shape, usize)>,
    pub scored: &'a Scored,
    /// One for each column.
    pub values: Vec<Result<Score, Undefined>>,
}

/// Those that are scored. Ranks are taken over all of them.
fn rows<'a>(columns: &Columns, subjects: &Subjects, scored: &'a [Option<Scored>]) -> Vec<Row<'a>> {
    let done = scored.iter().enumerate().filter_map(|(index, scored)| Some((index, scored.as_ref()?)));
    let (indices, networks): (Vec<usize>, Vec<&Scored>) = done.unzip();
    let by_column: Vec<_> = columns.iter().map(|column| columns.values(column, &networks)).collect();
    let rows = indices.into_iter().zip(networks).enumerate();
    let row = |(place, (index, scored)): (usize, (usize, &'a Scored))| {
        let values = by_column.iter().map(|values| values[place].clone()).collect();
        Row { name: subjects.name(index), shapes: subjects.shapes(index), scored, values }
    };
    rows.map(row).collect()
}

/// Sorts by the first column; networks for which it is undefined come last.
fn best_first(columns: &Columns, rows: &mut [Row<'_>]) {
    let Some(column) = columns.iter().next() else { return };
    let better = column.direction();
    rows.sort_by(|a, b| match (&a.values[0], &b.values[0]) {
        (Ok(a), Ok(b)) => better.best_first(a.mean, b.mean),
        (a, b) => a.is_err().cmp(&b.is_err()),
    });
}

fn object(columns: &Columns, row: &Row<'_>) -> Value {
    let scores: Map<String, Value> = columns
        .iter()
        .zip(&row.values)
        .map(|(column, score)| (column.to_string(), results::score_json(Origin::of(column), score)))
        .collect();
    let Row { name, shapes, scored, .. } = row;
    let mut object = json!({
        "arch": name,
        "params": scored.params,
        "macs": scored.macs,
        "units": scored.units,
        "scores": scores,
    });
    if let Some((Shape { channels, height, width }, classes)) = shapes {
        object["input"] = json!([channels, height, width]);
        object["classes"] = json!(classes);
    }
    if scored.saturation.is_some_and(|s| s.is_saturated()) {
        object["saturated"] = true.into();
    }
    object
}
