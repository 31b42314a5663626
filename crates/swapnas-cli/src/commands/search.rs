//! `swapnas search`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use swapnas::export::final_network;
use swapnas::results::{self, Found};
use swapnas::search::{Configuration, Ended, LatencyTable, Limits, Search, regularisation};
use swapnas::{Level, NetworkConfig, Preset};

use crate::Ending;
use crate::args::{SearchArgs, WeightsArg};
use crate::progress::Bar;
use crate::render;

/// The folder of runs that are given none.
const FOLDER: &str = "swapnas-search";

/// What may be given together with `--resume`.
const WITH_RESUME: [&str; 5] = ["resume", "threads", "json", "budget_seconds", "top"];

/// `given` are the names of the options that were typed.
pub(crate) fn run(args: SearchArgs, given: &[String]) -> anyhow::Result<Ending> {
    let start = Instant::now();
    let threads = args.scoring.start_threads()?;
    let level = Level::from_env()?;
    let mut search = match &args.resume {
        Some(folder) => {
            if let Some(name) = given.iter().find(|name| !WITH_RESUME.contains(&name.as_str())) {
                bail!(
                    "the run in {} has its own settings; leave out --{}",
                    folder.display(),
                    name.replace('_', "-")
                );
            }
            Search::resume(folder, level)?
        }
        None => {
            let configuration = configuration(&args)?;
            Search::create(&folder(args.out.as_deref())?, configuration, level)?
        }
    };
    let total = match search.configuration().evaluations() {
        Some(evaluations) => evaluations,
        None => usize::try_from(search.candidates().space().size()).unwrap_or(usize::MAX),
    };
    let bar = Bar::new(total)?;
    let searching = Instant::now();
    let ended = search.run(&bar, args.budget_seconds.map(Duration::from_secs_f64));
    let searching = searching.elapsed().as_secs_f64();
    bar.finish();
    // Whatever happened, what was found by then is written. Where that fails as well, for instance since
    // the disk is full, the first error is the one to mend.
    let written = results::write(&search, *ended.as_ref().unwrap_or(&Ended::Stopped), args.top);
    let ended = ended?;
    written?;
    let total = start.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut object = results::best_json(&search, ended, args.top);
        object["folder"] = search.folder().display().to_string().into();
        object["seconds"] = serde_json::json!({ "total": total, "searching": searching });
        object["threads"] = threads.into();
        object["simd"] = level.to_string().into();
        writeln!(out, "{object}")?;
    } else {
        show(&mut out, &search, args.top)?;
        let evaluated = search.evaluated();
        let rate = evaluated as f64 / searching.max(1e-9);
        writeln!(
            out,
            "{} evaluations, {evaluated} of them made now, {rate:.0} a second; {total:.2} s in all, \
             {threads} threads, {level}",
            search.archive().entries().len()
        )?;
    }
    match ended {
        Ended::Complete => Ok(Ending::Complete),
        Ended::OutOfTime => {
            eprintln!("the time is up; go on with --resume {}", search.folder().display());
            Ok(Ending::Complete)
        }
        Ended::Stopped => {
            eprintln!("stopped; go on with --resume {}", search.folder().display());
            Ok(Ending::Stopped)
        }
    }
}

/// The folder that is asked for, or one that does not exist yet.
fn folder(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = asked {
        return Ok(folder.to_owned());
    }
    let names = std::iter::once(FOLDER.to_owned()).chain((2..10_000).map(|n| format!("{FOLDER}-{n}")));
    let free = names.map(PathBuf::from).find(|path| !path.exists());
    free.with_context(|| format!("there are too many folders called {FOLDER}-N; give one with --out"))
}

fn configuration(args: &SearchArgs) -> anyhow::Result<Configuration> {
    let scoring = &args.scoring;
    let scored = scoring.network();
    // A network of a single cell shows nothing of the other kind of cell.
    let one_cell = scored.preset == Preset::Swap && scoring.space.one_cell().is_some();
    let space = scoring.space.one_cell().filter(|_| one_cell).unwrap_or(scoring.space);
    let benchmark = final_network(space);
    let trained = NetworkConfig {
        channels: args.final_channels,
        cells: args.final_cells,
        classes: scored.classes,
        input: if scoring.size.is_some() { scored.input } else { benchmark.input },
        ..benchmark
    };
    let default = if scored.preset == Preset::Swap { "swap-reg" } else { "swap" };
    let mut metrics = scoring.metrics.clone().unwrap_or_else(|| default.to_owned());
    metrics.parse::<swapnas::Columns>()?;
    if let Some(params) = args.target_params {
        if scoring.metrics.as_deref().is_some_and(|metrics| metrics != "swap-reg") {
            bail!("--target-params sets mu and sigma of swap-reg; leave out --metrics {metrics}");
        }
        let target = regularisation(space, &scored, &trained, params)?;
        metrics = format!("swap-reg:mu={}:sigma={}", target.mu, target.sigma);
        eprintln!(
            "{params} parameters of the network to be trained are about {} thousand of the scored one: the \
             objective is {metrics}",
            target.mu
        );
    }
    Ok(Configuration {
        space: scoring.space.name().to_owned(),
        one_cell,
        scored: (&scored).into(),
        trained: (&trained).into(),
        metrics,
        inputs: scoring.inputs.to_string(),
        batch: scoring.batch,
        repeats: scoring.repeats,
        seed: scoring.seed,
        init: scoring.init.map(|init| init.to_string()),
        independent: matches!(scoring.weights, WeightsArg::Independent),
        precision: scoring.precision.to_string(),
        algorithm: args.algorithm,
        population: args.population,
        sample: args.sample,
        cycles: args.cycles,
        mutations: args.mutations,
        limits: Limits {
            min_params: args.min_params,
            max_params: args.max_params,
            max_macs: args.max_macs,
            max_latency: args.max_latency,
        },
        latency: args.latency_table.as_deref().map(LatencyTable::read).transpose()?,
        second: args.second_objective,
    })
}

/// The best architectures, and where everything else is.
fn show(out: &mut impl Write, search: &Search, top: usize) -> anyhow::Result<()> {
    let space = search.candidates().space();
    let configuration = search.configuration();
    writeln!(
        out,
        "{}: {} search for {}",
        space.name(),
        configuration.algorithm,
        search.archive().objective()
    )?;
    writeln!(out, "{}", render::settings(search.scorer()))?;
    writeln!(out, "final network {}", space.describe(search.candidates().network()))?;
    if configuration.one_cell {
        writeln!(out, "normal and reduction cell are alike, since the scored network has one cell")?;
    }
    let found: Vec<Found<'_>> = results::best(search, top);
    writeln!(out, "{}", render::found(space, &found))?;
    let folder = search.folder().display();
    writeln!(out, "{folder}/report.html shows the search and the best cells; best.json, history.csv and")?;
    writeln!(out, "run.db are in the same folder")?;
    if let Some(best) = found.first() {
        let arch = space.print(&best.entry.arch);
        writeln!(
            out,
            "the network in PyTorch: swapnas export \"{arch}\" --space {} --format torch",
            space.name()
        )?;
    }
    Ok(())
}
