//! `swapnas search`.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use swapnas::results::{self, Found};
use swapnas::search::{Configuration, Ended, LatencyTable, Search};
use swapnas::{Level, Remedy, SearchOptions, Searching, command, free_folder, plain, saturation_warnings};

use crate::args::SearchArgs;
use crate::commands::scoring::{check_skip_bad, start_threads};
use crate::progress::Bar;
use crate::render;
use crate::{Ending, say};

/// What may be given together with `--resume`.
const WITH_RESUME: [&str; 5] = ["resume", "threads", "json", "budget_seconds", "top"];

/// `given` are the names of the options that were typed.
pub(crate) fn run(args: SearchArgs, given: &[String]) -> anyhow::Result<Ending> {
    let start = Instant::now();
    let threads = start_threads(args.scoring.threads)?;
    let level = Level::from_env()?;
    let mut search = match &args.resume {
        Some(folder) => {
            if let Some(name) = given.iter().find(|name| !WITH_RESUME.contains(&name.as_str())) {
                bail!(
                    "the run in {} has its own settings; leave out --{}",
                    plain(folder),
                    name.replace('_', "-")
                );
            }
            Search::resume(folder, level)?
        }
        None => {
            check_skip_bad(&args.scoring, false)?;
            args.search.options.algorithm.check_numbers(|name| given.iter().any(|given| given == name))?;
            let configuration = configuration(&args)?;
            let folder = args.out.clone().or_else(free_folder);
            let folder =
                folder.context("there are too many folders called swapnas-search-N; give one with --out")?;
            Search::create(&folder, configuration, level)?
        }
    };
    let Run { bar, ended, seconds: searching } = Run::of(&mut search, args.budget_seconds, args.top)?;
    let total = start.elapsed().as_secs_f64();
    bar.print(|out| {
        if args.json {
            let mut object = results::best_json(&search, ended, args.top);
            object["folder"] = search.folder().display().to_string().into();
            object["seconds"] = serde_json::json!({ "total": total, "searching": searching });
            object["threads"] = threads.into();
            object["skipped_pictures"] = render::skipped(search.scorer().settings()).into();
            object["simd"] = level.to_string().into();
            writeln!(out, "{object}")?;
            return Ok(());
        }
        show(out, &search, args.top)?;
        let evaluated = search.evaluated();
        let rate = evaluated as f64 / searching.max(1e-9);
        writeln!(
            out,
            "{} evaluations, {evaluated} of them made now, {rate:.0} a second; {total:.2} s in all, \
             {threads} threads, {level}",
            search.archive().entries().len()
        )?;
        Ok(())
    })?;
    let resume = command::quoted(search.folder());
    match ended {
        Ended::Complete => Ok(Ending::Complete),
        Ended::OutOfTime => {
            say(format_args!("the time is up; go on with --resume {resume}"));
            Ok(Ending::Complete)
        }
        Ended::Stopped => {
            say(format_args!("stopped; go on with --resume {resume}"));
            Ok(bar.ending())
        }
    }
}

/// A search that was run to its end, or as far as there was time.
pub(crate) struct Run {
    pub(crate) bar: Bar,
    pub(crate) ended: Ended,
    pub(crate) seconds: f64,
}

impl Run {
    /// Runs a search, and writes what it has found.
    pub(crate) fn of(search: &mut Search, budget_seconds: Option<f64>, top: usize) -> anyhow::Result<Self> {
        let total = match search.configuration().evaluations() {
            Some(evaluations) => evaluations,
            None => usize::try_from(search.candidates().space().size()).unwrap_or(usize::MAX),
        };
        let bar = Bar::new(total)?;
        let start = Instant::now();
        let ended = search.run(&bar, budget_seconds.map(Duration::from_secs_f64));
        let seconds = start.elapsed().as_secs_f64();
        bar.finish();
        // Whatever happened, what was found by then is written. Where that fails as well, for instance since
        // the disk is full, the first error is the one to mend.
        let written = results::write(search, *ended.as_ref().unwrap_or(&Ended::Stopped), top);
        let ended = ended?;
        written?;
        Ok(Run { bar, ended, seconds })
    }
}

/// How to search, and the sizes that were asked for in words.
fn configuration(args: &SearchArgs) -> anyhow::Result<Configuration> {
    let latency = args.search.latency_table.as_deref().map(LatencyTable::read).transpose()?;
    let options = SearchOptions { latency, ..args.search.options.clone() };
    let searching = Searching { scoring: args.scoring.of(args.space), options };
    let (configuration, target) = searching.configuration()?;
    if let Some(target) = target {
        say(format_args!(
            "{} parameters of the network to be trained are about {} thousand of the scored one: the objective is {}",
            target.params,
            target.mu,
            configuration.metrics()
        ));
        if let Some(warning) = target.warning() {
            say(warning);
        }
    }
    Ok(configuration)
}

/// The best architectures, and where everything else is.
fn show(out: &mut impl Write, search: &Search, top: usize) -> anyhow::Result<()> {
    let space = search.candidates().space();
    let configuration = search.configuration();
    let objective = search.archive().objective().to_string();
    writeln!(out, "{}: {} search for {}", space.name(), configuration.search.algorithm, plain(&objective))?;
    let scorer = search.scorer();
    let network = space.describe(scorer.network());
    writeln!(out, "{}", render::settings(&network, scorer.settings(), scorer.tensors()))?;
    writeln!(out, "final network {}", space.describe(search.candidates().network()))?;
    if configuration.one_cell {
        writeln!(out, "normal and reduction cell are alike, since the scored network has one cell")?;
    }
    let found: Vec<Found<'_>> = results::best(search, top);
    writeln!(out, "{}", render::found(space, &found))?;
    let scored = search.archive().entries().iter().map(|entry| &entry.scored);
    let saturation = saturation_warnings(search.scorer().settings().batch, Remedy::Build, scored);
    for warning in saturation.into_iter().chain(search.scorer().settings().inputs.warning()) {
        writeln!(out, "{warning}")?;
    }
    let folder = plain(search.folder());
    writeln!(out, "{folder}/report.html shows the search and the best cells; best.json, history.csv and")?;
    writeln!(out, "run.db are in the same folder")?;
    if let Some(best) = found.first() {
        let arch = space.print(&best.entry.arch);
        writeln!(
            out,
            "the network in PyTorch: {}",
            command::export(space, &arch, search.candidates().network())
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
