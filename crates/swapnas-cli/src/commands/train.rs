//! `swapnas train`.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Instant;

use anyhow::{Context, anyhow};
use serde_json::json;
use swapnas::export::Export;
use swapnas::graph::Level;
use swapnas::train::{Epoch, Trainer};
use swapnas::{Progress, Training, TrainingOptions, check_output, plain, write_file};

use crate::args::TrainArgs;
use crate::commands::scoring::start_threads;
use crate::progress::Bar;
use crate::render;
use crate::{Ending, say};

pub(crate) fn run(args: TrainArgs) -> anyhow::Result<Ending> {
    let threads = start_threads(args.training.threads)?;
    let level = Level::from_env()?;
    for path in [&args.out, &args.onnx, &args.checkpoint].into_iter().flatten() {
        check_output(path)?;
    }
    let space = args.space;
    let arch = space.parse(&args.arch).with_context(|| render::unread(&args.arch))?;
    let training = Training { space, options: args.training.options };
    let TrainingOptions { ref inputs, seed, .. } = training.options;
    let settings = training.settings();
    let data = training.data()?;
    let network = training.network(data.classes());
    let graph = space.network(&arch, &network)?;
    let (params, macs) = (graph.parameter_count(), graph.macs());
    let mut trainer = Trainer::<f32>::new(graph, settings, level)?.parallel(threads > 1);
    trainer.check(&data)?;
    trainer
        .check_memory(1)
        .map_err(|error| anyhow!("{error}; lower --batch, --channels, --cells or --size"))?;
    if let Some(path) = args.checkpoint.as_deref().filter(|path| path.exists()) {
        trainer.resume(path, &data)?;
    }
    let steps = trainer.steps(&data);
    let bar = Bar::of_steps(settings.epochs * steps)?;
    bar.advance((trainer.history().len() * steps) as f64);
    let mut report = Report::new(args.json);
    if !args.json {
        let about = format!(
            "{}: {}\n{}\n{} parameters, {} multiply-accumulates an image; {} images of {} to train with, {} to validate on",
            space.name(),
            plain(&space.print(&arch)),
            space.describe(&network),
            params,
            macs,
            data.train().len(),
            plain(&inputs.to_string()),
            data.validation().len(),
        );
        bar.print(|out| Ok(writeln!(out, "{about}")?))?;
    }
    for epoch in trainer.history() {
        bar.print_above(|out| report.write(out, epoch, None))?;
    }
    while !trainer.is_done() {
        let start = Instant::now();
        let goes_on = &mut || {
            bar.advance(1.0);
            !bar.stopped()
        };
        let Some(epoch) = trainer.epoch(&data, goes_on)? else { break };
        if let Some(path) = &args.checkpoint {
            trainer.save(path, &data)?;
        }
        bar.print_above(|out| report.write(out, &epoch, Some(start.elapsed().as_secs_f64())))?;
    }
    bar.finish();
    if !trainer.is_done() {
        let done = trainer.history().len();
        let kept = match &args.checkpoint {
            Some(path) if done > 0 => format!("; the same command goes on from {}", plain(path)),
            _ => String::new(),
        };
        say(format_args!("stopped: {done} of {} are done{kept}", render::count(settings.epochs, "epoch")));
        return Ok(bar.ending());
    }
    let trained = trainer.trained(&data);
    if let Some(path) = &args.out {
        write_file(path, &trained.to_safetensors())?;
    }
    if let Some(path) = &args.onnx {
        let export = Export { space, arch: &arch, network, seed };
        let epochs = render::count(settings.epochs, "epoch");
        let about = format!("Trained: {epochs} with {inputs}, seed {seed}.");
        write_file(path, &export.trained_onnx(&trained, &about)?)?;
    }
    if args.json {
        let object = json!({
            "arch": space.print(&arch),
            "space": space.name(),
            "network": space.describe(&network),
            "params": params,
            "macs": macs,
            "inputs": inputs.to_string(),
            "train_images": data.train().len(),
            "validation_images": data.validation().len(),
            "settings": settings,
            "epochs": trainer.history(),
            "accuracy": trainer.history().last().map(|epoch| epoch.accuracy),
            "version": env!("CARGO_PKG_VERSION"),
        });
        bar.print(|out| Ok(writeln!(out, "{object}")?))?;
    }
    Ok(Ending::Complete)
}

/// Epochs as they are done.
struct Report {
    is_json: bool,
    has_header: bool,
}

impl Report {
    fn new(is_json: bool) -> Self {
        Report { is_json, has_header: false }
    }

    /// A line for an epoch; of those that another process has done, it is not known how long they took.
    fn write(&mut self, out: &mut dyn Write, epoch: &Epoch, seconds: Option<f64>) -> anyhow::Result<()> {
        if self.is_json {
            writeln!(out, "{}", serde_json::to_string(epoch)?)?;
            return Ok(());
        }
        let mut line = String::new();
        if !self.has_header {
            self.has_header = true;
            line.push_str("epoch    loss  train %  validation loss  validation %  seconds\n");
        }
        let Epoch { epoch, loss, train_accuracy, validation_loss, accuracy } = epoch;
        write!(line, "{epoch:5} {loss:7.4} {train_accuracy:8.2} {validation_loss:16.4} {accuracy:13.2}")?;
        if let Some(seconds) = seconds {
            write!(line, " {seconds:8.2}")?;
        }
        writeln!(out, "{line}")?;
        Ok(())
    }
}
