//! `swapnas bench create` and `swapnas bench report`.

use std::io::Write;

use serde_json::json;
use swapnas::graph::Level;
use swapnas::statistics::Noise;
use swapnas::train::benchmark::{self, Benchmark, BenchmarkError};
use swapnas::{Progress, Training, plain, plain_sentence};

use crate::args::{BenchCommand, BenchCreateArgs};
use crate::commands::scoring::start_threads;
use crate::progress::Bar;
use crate::render;
use crate::{Ending, say};

mod report;

pub(crate) fn run(command: BenchCommand, given: &[String]) -> anyhow::Result<Ending> {
    match command {
        BenchCommand::Create(args) => create(args),
        BenchCommand::Report(args) => report::run(args, given),
    }
}

fn create(args: BenchCreateArgs) -> anyhow::Result<Ending> {
    start_threads(args.training.threads)?;
    let level = Level::from_env()?;
    let training = Training { space: args.space, options: args.training.options };
    let plan = training.plan(args.networks, args.seeds);
    let bar = Bar::new(plan.networks)?;
    let made = benchmark::create(&args.out, &plan, level, &bar);
    bar.finish();
    let made = made?;
    let rows = made.rows();
    let accuracies: Vec<f64> = rows.iter().map(benchmark::Row::accuracy).collect();
    let range = accuracies.iter().fold(None, |range: Option<(f64, f64)>, x| {
        Some(range.map_or((*x, *x), |(low, high)| (low.min(*x), high.max(*x))))
    });
    let noise = Noise::of(&made.accuracies());
    let failed: Vec<(&str, &str)> = made.failed().collect();
    bar.print(|out| {
        if args.json {
            let object = json!({
                "table": made.table(),
                "plan": plan,
                "networks": rows.len(),
                "failed": failed.iter().map(|(arch, why)| json!({"arch": arch, "reason": why})).collect::<Vec<_>>(),
                "accuracy": range.map(|(low, high)| [low, high]),
                "noise": noise,
                "version": env!("CARGO_PKG_VERSION"),
            });
            return Ok(writeln!(out, "{object}")?);
        }
        write!(out, "{}: {}", plain(&made.table()), render::count(rows.len(), "network"))?;
        if let Some((low, high)) = range {
            write!(out, ", accuracies from {low:.1} to {high:.1} %")?;
        }
        writeln!(out)?;
        if let Some(noise) = &noise {
            writeln!(out, "{}", describe(noise, plan.seeds))?;
        }
        Ok(writeln!(out, "`swapnas bench report {}` says which metrics to trust on it", plain(&args.out))?)
    })?;
    for (arch, why) in &failed {
        say(format_args!("not trained: {}: {}", plain(arch), plain_sentence(why)));
    }
    if made.networks() < plan.networks && bar.stopped() {
        let all = render::count(plan.networks, "network");
        say(format_args!("stopped: {} of {all} are trained; the same command goes on", made.networks()));
        return Ok(bar.ending());
    }
    if made.networks() < plan.networks {
        let space = args.space.name();
        say(format_args!(
            "{space} has no more than {} that differ",
            render::count(made.networks(), "network")
        ));
    }
    Ok(Ending::Complete)
}

/// How sure accuracies are, in words.
fn describe(noise: &Noise, seeds: usize) -> String {
    format!(
        "{} each: accuracies vary by {:.2} points from seed to seed (standard deviation) and correlate by {:.3}; no \
         ranking can be expected to correlate with their means by more than {:.3}",
        render::count(seeds, "training"),
        noise.deviation,
        noise.reliability,
        noise.ceiling,
    )
}

/// The benchmark in a folder, as far as it is there; an error if nothing can be said of it.
fn open(folder: &std::path::Path) -> anyhow::Result<Benchmark> {
    let made = benchmark::open(folder).map_err(|error| match error {
        BenchmarkError::None { .. } => {
            anyhow::anyhow!("{error}: `swapnas bench create --out {}` makes one", plain(folder))
        }
        other => other.into(),
    })?;
    let rows = made.rows().len();
    anyhow::ensure!(
        rows > 1,
        "{} of the benchmark in {} are trained, and a correlation takes two: go on with `swapnas bench create`",
        rows,
        plain(folder)
    );
    Ok(made)
}
