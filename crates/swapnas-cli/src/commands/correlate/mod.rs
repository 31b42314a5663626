//! `swapnas correlate`.

pub(crate) mod figure;
pub(crate) mod findings;
mod json;
mod print;
mod shares;
pub(crate) mod tables;

use std::io::Write;
use std::time::Instant;

use anyhow::bail;
use swapnas::shard::Rows;
use swapnas::table::{self, Scores};
use swapnas::{Scored, check_output, plain, plot};

use crate::args::{CorrelateArgs, TableFormat};
use crate::commands::scoring::start_threads;
use crate::progress::Bar;
use crate::render;
use crate::{Ending, say};

/// What is drawn for those who try the command and nothing else.
const FIRST_FIGURE: &str = "swapnas-correlate.svg";

pub(crate) fn run(mut args: CorrelateArgs, given: &[String]) -> anyhow::Result<Ending> {
    let start = Instant::now();
    let threads = start_threads(args.scoring.threads)?;
    check(&args)?;
    if let Some(shard) = args.shard {
        let mut jobs = tables::read(&args, given)?;
        shares::share(shard, &mut jobs)?;
        return shares::print(&args, findings::group(jobs, given)?);
    }
    if args.tables.is_empty() && args.plot.is_none() && !given.iter().any(|name| name != "threads") {
        args.plot = Some(FIRST_FIGURE.into());
    }
    let (found, bar) = find(&args, given)?;

    let findings = &found.findings;
    if let (Some(path), [finding]) = (&args.out, &findings[..]) {
        let scored: Option<Vec<&Scored>> = finding.scored.as_ref().map(|scored| scored.iter().collect());
        let scores = Scores {
            table: &finding.table,
            rows: &finding.rows,
            scored: scored.as_deref(),
            rankings: &finding.rankings,
        };
        table::write_scores(path, &scores)?;
    }
    // Where nothing was scored before the work was stopped, there is nothing to draw.
    if let Some(path) = &args.plot
        && findings.iter().any(|finding| !finding.rows.is_empty())
    {
        figure::draw(path, findings)?;
    }
    let run = print::Run { start, seconds: found.seconds, threads };
    bar.print(|out| {
        if args.json {
            return json::write(out, &found, &run);
        }
        print::write(out, &args, &found, &run)?;
        if args.tables.is_empty() && args.format == TableFormat::Text {
            writeln!(out, "{}", render::paragraph(table::EMBEDDED, ""))?;
            if let Some(path) = &args.plot {
                writeln!(out, "figure: {}", plain(path))?;
            }
        }
        Ok(())
    })?;
    let (done, all) = (found.done(), found.all());
    if done < all {
        let all = render::count(all, found.noun());
        say(format_args!("stopped: {done} of {all} are scored"));
        return Ok(bar.ending());
    }
    if found.seeds < args.seeds {
        say(format_args!("stopped: {} of {} are complete", found.seeds, render::count(args.seeds, "seed")));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

/// Scores and correlates, with a progress bar, which is gone when it is done.
pub(crate) fn find(args: &CorrelateArgs, given: &[String]) -> anyhow::Result<(findings::Found, Bar)> {
    let jobs = tables::read(args, given)?;
    let groups = findings::group(jobs, given)?;
    if !args.scored.is_empty() && groups.iter().all(|group| group.len() == 0) {
        bail!("there is nothing to score, and so nothing to take from files; leave out --scored");
    }
    let rows = if args.scored.is_empty() { None } else { Some(Rows::read(&args.scored)?) };
    let bar = Bar::new(groups.iter().map(|group| group.len() * args.seeds).sum())?;
    let found = findings::find(args, groups, rows.as_ref(), &bar)?;
    bar.finish();
    Ok((found, bar))
}

/// Refuses what cannot be done before anything is read.
fn check(args: &CorrelateArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.plot {
        plot::check_path(path)?;
    }
    for path in args.out.iter().chain(&args.plot) {
        check_output(path)?;
    }
    if args.out.is_some() && args.tables.len() > 1 {
        bail!("--out writes one table with its scores, and there are {}; give one", args.tables.len());
    }
    if args.compare && args.format == TableFormat::Csv {
        bail!("--compare makes a matrix, which is no row of --format csv; give --json or another format");
    }
    let last_seed = args.scoring.options.seed.checked_add(args.seeds as u64 - 1);
    if last_seed.is_none() {
        bail!("--seeds {} goes beyond the largest seed; give a smaller --seed", args.seeds);
    }
    // What cannot be computed need not be looked for.
    if let Some(space) = args.space.first() {
        args.scoring.of(*space).columns()?;
    }
    Ok(())
}
