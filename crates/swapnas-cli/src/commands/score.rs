//! `swapnas score`.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use swapnas::{Arch, Scored, Scorer, Tensors, table};

use crate::Ending;
use crate::args::ScoreArgs;
use crate::progress::Bar;
use crate::render;

/// How many of the sampled architectures are shown unless asked otherwise.
const BEST_OF_SAMPLE: u64 = 10;

pub(crate) fn run(args: ScoreArgs) -> anyhow::Result<Ending> {
    args.scoring.start_threads()?;
    let archs = architectures(&args)?;
    let tensors = args.tensors.as_deref().map(Tensors::read).transpose()?;
    let scorer = args.scoring.scorer(tensors)?;
    let bar = Bar::new(archs.len())?;
    let scored = scorer.score(&archs, &bar);
    bar.finish();
    let scored = scored?;
    let done = scored.iter().flatten().count();
    let mut rows: Vec<(&Arch, &Scored)> =
        archs.iter().zip(&scored).filter_map(|(arch, scored)| Some((arch, scored.as_ref()?))).collect();
    let top = args.top.or(args.random.map(|_| BEST_OF_SAMPLE));
    if let Some(top) = top {
        best_first(&scorer, &mut rows);
        rows.truncate(top as usize);
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        for (arch, scored) in &rows {
            writeln!(out, "{}", object(&scorer, arch, scored))?;
        }
    } else {
        let shown = match top {
            Some(_) if done > rows.len() => format!("the best {} of {done} architectures", rows.len()),
            _ => format!("{done} architectures"),
        };
        writeln!(out, "{}: {shown}", args.scoring.space.name())?;
        writeln!(out, "{}", render::settings(&scorer))?;
        writeln!(out, "{}", render::scores(&scorer, &rows))?;
        for warning in render::warnings(&scorer, scored.iter().flatten()) {
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
        archs.push(space.parse(text).with_context(|| format!("cannot read the architecture `{text}`"))?);
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

/// Sorts by the first metric; networks for which it is undefined come last.
fn best_first(scorer: &Scorer, rows: &mut [(&Arch, &Scored)]) {
    let Some(metric) = scorer.settings().metrics.first() else { return };
    let better = metric.definition().direction;
    rows.sort_by(|(_, a), (_, b)| match (&a.scores[0], &b.scores[0]) {
        (Ok(a), Ok(b)) => better.best_first(a.mean, b.mean),
        (a, b) => a.is_err().cmp(&b.is_err()),
    });
}

fn object(scorer: &Scorer, arch: &Arch, scored: &Scored) -> Value {
    let scores: Map<String, Value> = scorer
        .settings()
        .metrics
        .iter()
        .zip(&scored.scores)
        .map(|(metric, score)| {
            let value = match score {
                Ok(score) => json!({ "mean": score.mean, "std": score.std }),
                Err(reason) => json!({ "mean": null, "std": null, "reason": reason.to_string() }),
            };
            (metric.to_string(), value)
        })
        .collect();
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
