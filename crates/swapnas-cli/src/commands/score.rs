//! `swapnas score`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use swapnas::{
    Arch, Columns, Score, Scored, Scorer, Scoring, Tensors, Undefined, results, saturation_warnings, table,
};

use crate::Ending;
use crate::args::ScoreArgs;
use crate::commands::scoring::start_threads;
use crate::progress::Bar;
use crate::render;

/// How many of the sampled architectures are shown unless asked otherwise.
const BEST_OF_SAMPLE: u64 = 10;

pub(crate) fn run(args: ScoreArgs) -> anyhow::Result<Ending> {
    start_threads(args.scoring.threads)?;
    let scoring = Scoring::from(&args.scoring);
    let columns = scoring.columns()?;
    let archs = architectures(&args)?;
    let scorer = match args.tensors.as_deref() {
        Some(file) => scoring.scorer_of(Tensors::read(file)?)?,
        None => scoring.scorer()?,
    };
    let bar = Bar::new(archs.len())?;
    let scored = scorer.score(&archs, &bar);
    bar.finish();
    let scored = scored?;
    let done = scored.iter().flatten().count();
    let mut rows = rows(&columns, &archs, &scored);
    let top = args.top.or(args.random.map(|_| BEST_OF_SAMPLE));
    if let Some(top) = top {
        best_first(&columns, &mut rows);
        rows.truncate(top as usize);
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        for row in &rows {
            writeln!(out, "{}", object(&scorer, &columns, row))?;
        }
    } else {
        let shown = match top {
            Some(_) if done > rows.len() => format!("the best {} of {done} architectures", rows.len()),
            _ => render::count(done, "architecture"),
        };
        writeln!(out, "{}: {shown}", args.scoring.space.name())?;
        writeln!(out, "{}", render::settings(&scorer))?;
        writeln!(out, "{}", render::scores(&scorer, &columns, &rows))?;
        for warning in saturation_warnings(scorer.settings().batch, scored.iter().flatten()) {
            writeln!(out, "{warning}")?;
        }
    }
    if done < archs.len() {
        eprintln!("stopped: {done} of {} architectures are scored", archs.len());
        return Ok(Ending::Stopped);
    }
    Ok(Ending::Complete)
}

/// All architectures that are asked for.
fn architectures(args: &ScoreArgs) -> anyhow::Result<Vec<Arch>> {
    let space = args.scoring.space;
    let mut archs = Vec::new();
    for text in &args.archs {
        archs.push(space.parse(text).with_context(|| render::unread(text))?);
    }
    if let Some(file) = &args.archs_file {
        let list = table::read_list(file)?;
        let mut problems = list.problems().clone();
        for entry in list.entries() {
            match space.parse(&entry.arch) {
                Ok(arch) => archs.push(arch),
                Err(error) => problems.add(entry.line, error),
            }
        }
        problems.check()?;
    }
    if let Some(count) = args.random {
        archs.extend(swapnas::sample(space, count as usize, args.scoring.seed));
    }
    if archs.is_empty() {
        bail!("there is nothing to score: give architectures, --archs FILE or --random N");
    }
    Ok(archs)
}

/// An architecture with what was found.
pub(crate) struct Row<'a> {
    pub arch: &'a Arch,
    pub scored: &'a Scored,
    /// One for each column.
    pub values: Vec<Result<Score, Undefined>>,
}

/// Those architectures that are scored. Ranks are taken over all of them.
fn rows<'a>(columns: &Columns, archs: &'a [Arch], scored: &'a [Option<Scored>]) -> Vec<Row<'a>> {
    let done = archs.iter().zip(scored).filter_map(|(arch, scored)| Some((arch, scored.as_ref()?)));
    let (archs, networks): (Vec<&Arch>, Vec<&Scored>) = done.unzip();
    let by_column: Vec<_> = columns.iter().map(|column| columns.values(column, &networks)).collect();
    let values = |place: usize| by_column.iter().map(|values| values[place].clone()).collect();
    let rows = archs.into_iter().zip(networks).enumerate();
    rows.map(|(place, (arch, scored))| Row { arch, scored, values: values(place) }).collect()
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

fn object(scorer: &Scorer, columns: &Columns, row: &Row<'_>) -> Value {
    let scores: Map<String, Value> = columns
        .iter()
        .zip(&row.values)
        .map(|(column, score)| (column.to_string(), results::score_json(column, score)))
        .collect();
    let Row { arch, scored, .. } = row;
    let mut object = json!({
        "arch": scorer.space().print(arch),
        "params": scored.params,
        "macs": scored.macs,
        "units": scored.units,
        "scores": scores,
    });
    if scored.saturation.is_some_and(|s| s.is_saturated()) {
        object["saturated"] = true.into();
    }
    object
}
