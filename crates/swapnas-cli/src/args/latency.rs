//! What can be typed to measure how long operations take.

use std::path::PathBuf;

use clap::Args;
use swapnas::latency::Runtime;
use swapnas::{ImageSize, Space};

use super::{number, positive, scored_input, seed, space};

#[derive(Args)]
pub(crate) struct LatencyArgs {
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    /// What runs the networks: onnxruntime or torch, on the processor
    #[arg(long, value_name = "RUNTIME", default_value_t = Runtime::OnnxRuntime)]
    pub on: Runtime,
    /// The table: a CSV file with the columns op, input and ms
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Channels of the network, as of --final-channels of a search [default: 36 for darts, else the benchmark's]
    #[arg(long, value_name = "N", value_parser = number(1..=2048))]
    pub channels: Option<usize>,
    /// Cells of the network, as of --final-cells [default: 20 for darts, else the benchmark's]
    #[arg(long, value_name = "N", value_parser = number(1..=256))]
    pub cells: Option<usize>,
    /// Shape of its images, CHANNELSxHEIGHTxWIDTH, or only their height and width as one number; tokens of texts
    /// [default: the space's own]
    #[arg(long, value_name = "SHAPE", visible_alias = "input", value_parser = scored_input)]
    pub size: Option<ImageSize>,
    /// Its classes [default: the space's own]
    #[arg(long, value_name = "N", value_parser = number(1..=1_000_000))]
    pub classes: Option<usize>,
    /// Images, or texts, that the network takes at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(1..=4096))]
    pub batch: usize,
    /// Threads that it is run with, each on a processor of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(1..=1024))]
    pub threads: usize,
    /// The Python that has the runtime
    #[arg(long, value_name = "PATH", default_value = "python3")]
    pub python: PathBuf,
    /// How long each network is run, but for at least fifteen runs
    #[arg(long, value_name = "S", default_value = "0.15", value_parser = positive)]
    pub seconds: f64,
    /// Measure N networks as a whole, and say how well the table predicts them
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = number(0..=10_000))]
    pub check: usize,
    /// Seed of the architectures
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
