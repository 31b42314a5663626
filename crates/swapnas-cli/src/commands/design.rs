//! `swapnas design`.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::{Context, anyhow};
use swapnas::design::{Design, DesignError, Wishes};
use swapnas::search::{Ended, LatencyTable, Limits};
use swapnas::{Level, NetworkConfig, Survey, plain, plain_sentence, results};

use super::search::Run;
use crate::args::DesignArgs;
use crate::commands::scoring::start_threads;
use crate::render;
use crate::{Ending, say};

/// Architectures that are shown and kept besides the best.
const TOP: usize = 5;

pub(crate) fn run(args: DesignArgs) -> anyhow::Result<Ending> {
    start_threads(args.threads)?;
    let level = Level::from_env()?;
    let survey = Survey::of(&args.images, args.skip_bad)?;
    if !survey.bad.is_empty() {
        say(format_args!("left out: {} that cannot be used", render::count(survey.bad.len(), "file")));
        for skipped in &survey.bad {
            say(format_args!("  {skipped}"));
        }
    }
    let wishes = Wishes {
        limits: Limits {
            min_params: None,
            max_params: args.max_params,
            max_macs: args.max_macs,
            max_latency: args.max_latency,
        },
        latency: args.latency_table.as_deref().map(LatencyTable::read).transpose()?,
        space: args.space,
        side: args.size,
        seed: args.seed,
    };
    let design = Design::new(survey, wishes).map_err(|error| match &error {
        DesignError::Unmeasured { space, network, .. } => {
            anyhow!("{error}, as in `{}`", measuring(space, network))
        }
        _ => error.into(),
    })?;
    let mut search = design.begin(&args.out, args.cycles, level)?;
    if !args.json {
        let mut out = std::io::stdout().lock();
        describe(&mut out, &design)?;
    }
    let Run { bar, ended, seconds } = Run::of(&mut search, None, TOP)?;
    let found = results::best(&search, TOP);
    let best = found.first().context("no architecture was evaluated before it was stopped")?;
    design.write(&best.entry.arch, &args.out)?;
    bar.print(|out| {
        if args.json {
            let mut object = results::best_json(&search, ended, TOP);
            object["design"] = design.json();
            object["folder"] = args.out.display().to_string().into();
            object["seconds"] = seconds.into();
            return Ok(writeln!(out, "{object}")?);
        }
        writeln!(out, "{}", render::found(design.space(), &found))?;
        let folder = plain(&args.out);
        writeln!(
            out,
            "{folder}/network.py is the best one in PyTorch, network.onnx the same with weights, and"
        )?;
        writeln!(out, "train.py trains it on the pictures: python {folder}/train.py")?;
        Ok(writeln!(out, "report.html shows the search; {seconds:.1} s")?)
    })?;
    if ended == Ended::Stopped {
        say("stopped: the network is the best that was found by then; the same command goes on");
        return Ok(bar.ending());
    }
    Ok(Ending::Complete)
}

/// The command that measures the operations of a network.
fn measuring(space: &str, network: &NetworkConfig) -> String {
    let mut words = format!("swapnas latency --space {space}");
    for (name, number) in [("channels", network.channels), ("cells", network.cells)] {
        if let Some(number) = number {
            let _ = write!(words, " --{name} {number}");
        }
    }
    let NetworkConfig { input, classes, .. } = network;
    let _ = write!(words, " --size {input} --classes {classes} --out latency.csv");
    words
}

/// What was found in the folder, and what was chosen for it.
fn describe(out: &mut impl Write, design: &Design) -> std::io::Result<()> {
    let survey = design.survey();
    let names: Vec<String> = survey.classes.iter().map(|class| plain(class).to_string()).collect();
    let (fewest, most) = (survey.pictures.iter().min(), survey.pictures.iter().max());
    let each = match (fewest, most) {
        (Some(fewest), Some(most)) if fewest != most => format!("{fewest} to {most} each"),
        (Some(count), _) => format!("{count} each"),
        _ => String::new(),
    };
    let validation = match &survey.validation {
        Some(folder) => format!("{} to validate on in {}", survey.validation_pictures, plain(folder)),
        None => "a tenth of them will be held out to validate on".to_owned(),
    };
    let [smallest, median, largest] = survey.sides;
    writeln!(
        out,
        "{}: {} of {} ({}), {each}; {validation}",
        plain(&survey.train),
        render::count(survey.train_pictures(), "picture"),
        format_args!("{} classes", names.len()),
        names.join(", "),
    )?;
    writeln!(out, "shorter sides from {smallest} to {largest} pixels, median {median}")?;
    for reason in design.reasons() {
        writeln!(out, "{}", plain_sentence(reason))?;
    }
    Ok(())
}
