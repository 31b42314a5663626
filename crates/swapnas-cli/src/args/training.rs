//! What can be typed to train.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use swapnas::Space;

use super::{ScoringArgs, TrainingArgs, number, space};

#[derive(Args)]
pub(crate) struct TrainArgs {
    /// Architecture in any encoding of the space
    pub arch: String,
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    #[command(flatten)]
    pub training: TrainingArgs,
    /// Write the trained weights, and the statistics of batch normalisations, to a safetensors file that the
    /// load_state_dict of the module of `export --format torch` takes
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the trained network to an ONNX file
    #[arg(long, value_name = "FILE")]
    pub onnx: Option<PathBuf>,
    /// Write all that training depends on to a file after every epoch, and go on from there if the file is there
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Print one JSON object a line: one for each epoch, and one for all
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Sample architectures of all sizes, train them, and write a table with their accuracies
    Create(BenchCreateArgs),
    /// Correlate all metrics with the accuracies of a benchmark, and say which to trust
    Report(BenchReportArgs),
}

#[derive(Args)]
pub(crate) struct BenchCreateArgs {
    /// Folder of the benchmark; what is there of it is gone on with
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    /// Architectures
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = number(2..=1_000_000))]
    pub networks: usize,
    /// Train each N times, with seeds from --seed on, to know how sure accuracies are
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(1..=1000))]
    pub seeds: usize,
    #[command(flatten)]
    pub training: TrainingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct BenchReportArgs {
    /// Folder of the benchmark
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Write a page with all of it to an HTML file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Draw scores against accuracies: an SVG, PDF or PNG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print one JSON object, with the scores of every network
    #[arg(long)]
    pub json: bool,
}
