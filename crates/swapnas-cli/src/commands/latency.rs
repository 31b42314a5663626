//! `swapnas latency`.

use std::io::Write;
use std::time::Instant;

use serde_json::{Value, json};
use swapnas::latency::{Check, Latency, Measured, Operations};
use swapnas::{NetworkConfig, Scoring, Searching, check_output, command, number, plain, write_file};

use crate::args::LatencyArgs;
use crate::progress::Bar;
use crate::render;
use crate::{Ending, say};

/// Operations that are shown; the table has all.
const SHOWN: usize = 5;

pub(crate) fn run(args: LatencyArgs) -> anyhow::Result<Ending> {
    let start = Instant::now();
    check_output(&args.out)?;
    let latency = asked(&args);
    let session = latency.start()?;
    let operations = latency.operations()?;
    let bar = Bar::of_steps(latency.steps(&operations))?;
    let measured = latency.measure(session, &operations, &bar);
    bar.finish();
    let Some(measured) = measured? else {
        say("stopped before all operations were measured; nothing was written");
        return Ok(bar.ending());
    };
    write_file(&args.out, &measured.table.to_csv()?)?;
    let seconds = start.elapsed().as_secs_f64();
    bar.print(|out| {
        if args.json {
            return Ok(writeln!(out, "{}", describe(&args, &latency, &operations, &measured, seconds))?);
        }
        Ok(show(out, &args, &latency, &operations, &measured, seconds)?)
    })?;
    if measured.checks.len() < args.check {
        let done = measured.checks.len();
        say(format_args!(
            "stopped: the table is written, and checked with {done} of {}",
            render::count(args.check, "network")
        ));
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

fn asked(args: &LatencyArgs) -> Latency {
    // As the search has it that will read the table.
    let mut searching = Searching::new(Scoring::new(args.space));
    searching.scoring.options.network.classes = args.classes;
    let trained = &mut searching.options.trained;
    (trained.channels, trained.cells, trained.size) = (args.channels, args.cells, args.size);
    Latency {
        space: args.space,
        network: searching.final_network(),
        runtime: args.on,
        python: args.python.clone(),
        threads: args.threads,
        batch: args.batch,
        seconds: args.seconds,
        check: args.check,
        seed: args.seed,
    }
}

/// For people.
fn show(
    out: &mut impl Write,
    args: &LatencyArgs,
    latency: &Latency,
    operations: &Operations,
    measured: &Measured,
    seconds: f64,
) -> std::io::Result<()> {
    let Latency { space, network, threads, batch, .. } = latency;
    writeln!(out, "{}: {}", space.name(), space.describe(network))?;
    writeln!(out, "{}, {}, batch {batch}", plain(&measured.runtime), render::count(*threads, "thread"))?;
    writeln!(
        out,
        "{} of {}, measured in {}",
        render::count(operations.len(), "operation"),
        render::count(operations.architectures(), "architecture"),
        render::count(operations.measurements(), "place"),
    )?;
    let mut rows: Vec<(&str, f64)> = measured.table.rows().collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (operation, ms) in rows.into_iter().take(SHOWN) {
        writeln!(out, "  {:>8} ms  {operation}", number(ms, 3))?;
    }
    writeln!(
        out,
        "networks take {:.2} times as long as their pieces, so all times are multiplied by that",
        measured.scale
    )?;
    if let (Some(fastest), Some(slowest)) = (extreme(measured, f64::min), extreme(measured, f64::max)) {
        writeln!(
            out,
            "{} measured as a whole take {} to {} ms",
            render::count(measured.checks.len(), "network"),
            number(fastest, 3),
            number(slowest, 3)
        )?;
    }
    if let Some(error) = measured.median_error() {
        let rho = measured.spearman().map_or_else(|| "-".to_owned(), |rho| format!("{rho:.3}"));
        writeln!(
            out,
            "the table predicts them with Spearman's rho {rho}, half of them to within {:.1} %",
            100.0 * error
        )?;
    }
    writeln!(out, "{} has the times; {seconds:.0} s", plain(&args.out))?;
    writeln!(out, "to search with it: {}", search(args, network))
}

/// The smallest or largest time of a network that was measured.
fn extreme(measured: &Measured, of: fn(f64, f64) -> f64) -> Option<f64> {
    measured.checks.iter().map(|check| check.measured).reduce(of)
}

/// The command that searches with the table, for which a limit is to be filled in.
fn search(args: &LatencyArgs, network: &NetworkConfig) -> String {
    let mut words = format!("swapnas search --space {}", args.space.name());
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push_str(&format!(" --{name} {value}"));
        }
    };
    option("final-channels", args.channels.map(|n| n.to_string()));
    option("final-cells", args.cells.map(|n| n.to_string()));
    option("final-size", args.size.map(|_| network.input.to_string()));
    option("classes", args.classes.map(|n| n.to_string()));
    option("latency-table", Some(command::quoted(&args.out)));
    option("max-latency", Some("MS".to_owned()));
    words
}

/// For programs.
fn describe(
    args: &LatencyArgs,
    latency: &Latency,
    operations: &Operations,
    measured: &Measured,
    seconds: f64,
) -> Value {
    let Latency { space, network, threads, batch, seed, .. } = latency;
    let row = |(operation, ms): (&str, f64)| {
        let (op, input) = operation.split_once(',').unwrap_or((operation, ""));
        json!({ "op": op, "input": input, "ms": ms })
    };
    let check = |check: &Check| {
        json!({
            "arch": space.print(&check.arch),
            "measured_ms": check.measured,
            "predicted_ms": check.predicted,
        })
    };
    json!({
        "space": space.name(),
        "network": space.describe(network),
        "runtime": measured.runtime,
        "threads": threads,
        "batch": batch,
        "seed": seed,
        "architectures": operations.architectures(),
        "places": operations.measurements(),
        "scale": measured.scale,
        "operations": measured.table.rows().map(row).collect::<Vec<_>>(),
        "checks": measured.checks.iter().map(check).collect::<Vec<_>>(),
        "spearman": measured.spearman(),
        "median_relative_error": measured.median_error(),
        "table": args.out,
        "seconds": seconds,
        "version": env!("CARGO_PKG_VERSION"),
    })
}
