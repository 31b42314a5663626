//! What can be typed to design a network.

use std::path::PathBuf;

use clap::Args;
use swapnas::Space;

use super::{count, milliseconds, number, seed, space};

#[derive(Args)]
pub(crate) struct DesignArgs {
    /// Folder with a folder of pictures for each class, or with folders `train` and `val` that have those
    #[arg(value_name = "DIR")]
    pub images: PathBuf,
    /// Folder for what is found; what is there of the same design is gone on with
    #[arg(long, value_name = "DIR", default_value = "swapnas-design")]
    pub out: PathBuf,
    /// Most parameters of the network, such as 1M
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_params: Option<u64>,
    /// Most multiply-accumulates of the network, such as 100M
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_macs: Option<u64>,
    /// Most milliseconds of the network, such as 5 or 5ms, by the latency table
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub max_latency: Option<f64>,
    /// What `swapnas latency` has measured, a CSV file with the columns op, input and ms; without it, a limit of latency
    /// says which command measures it
    #[arg(long, value_name = "FILE")]
    pub latency_table: Option<PathBuf>,
    /// Leave out pictures that cannot be used, and list them
    #[arg(long)]
    pub skip_bad: bool,
    /// Height and width of the images [default: the largest of 32, 64, 96, 128, 160, 192 and 224 that half of the
    /// pictures reach]
    #[arg(long, value_name = "N", value_parser = number(8..=1024))]
    pub size: Option<usize>,
    /// Search space [default: darts up to images of 64 pixels, mobilenet above]
    #[arg(long, value_name = "SPACE", value_parser = space)]
    pub space: Option<&'static dyn Space>,
    /// Cycles of the search, each of five architectures
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = number(0..=1_000_000))]
    pub cycles: usize,
    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = number(1..=1024))]
    pub threads: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
