//! What can be typed to train.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use swapnas::{ImageSize, InputSpec, Preset, Space};

use super::{ScoringArgs, number, positive, scored_input, seed, space};

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

/// How to train.
#[derive(Args)]
pub(crate) struct TrainingArgs {
    /// Labelled images: shapes, cifar10:PATH or images:DIR with a folder for each class
    #[arg(long, value_name = "SPEC", default_value = "shapes")]
    pub inputs: InputSpec,
    /// Images to train with
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = number(2..=10_000_000))]
    pub train_images: usize,
    /// Images to validate on, others than those
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = number(1..=10_000_000))]
    pub validation_images: usize,
    /// Times that all images are seen
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = number(1..=100_000))]
    pub epochs: usize,
    /// Images of a step
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = number(2..=4096))]
    pub batch: usize,
    /// sgd, with momentum of Nesterov, or adamw
    #[arg(long, value_enum, value_name = "NAME", default_value_t = OptimiserArg::Sgd)]
    pub optimiser: OptimiserArg,
    /// Learning rate at its highest; it falls along a cosine [default: 0.1 for sgd, 0.001 for adamw]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub rate: Option<f64>,
    /// How long the mean of gradients remembers: momentum of sgd, beta1 of adamw [default: 0.9]
    #[arg(long, value_name = "X", value_parser = share)]
    pub momentum: Option<f64>,
    /// Decay of weights [default: 0.0005 for sgd, 0.01 for adamw]
    #[arg(long, value_name = "X", value_parser = not_negative)]
    pub weight_decay: Option<f64>,
    /// Epochs over which the learning rate rises before it falls
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number(0..=100_000))]
    pub warmup: usize,
    /// Share of each label that is spread evenly over all classes
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    pub label_smoothing: f64,
    /// Do not mirror images
    #[arg(long)]
    pub no_flip: bool,
    /// Pixels by which images are moved at most [default: an eighth of their shorter side]
    #[arg(long, value_name = "N", value_parser = number(0..=1024))]
    pub crop: Option<usize>,
    /// Side of a square that is cut out of images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number(0..=4096))]
    pub cutout: usize,
    /// How likely it is that a branch is left out for an image in the last epoch, growing from 0
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    pub drop_path: f64,
    /// Seed of images, weights and everything else that is drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = number(1..=1024))]
    pub threads: Option<usize>,
    /// The network that is trained: benchmark or swap [default: the small one that is scored by default]
    #[arg(long, value_name = "NETWORK")]
    pub network: Option<Preset>,
    /// Channels of the first stage [default: the network's own]
    #[arg(long, value_name = "N", value_parser = number(1..=2048))]
    pub channels: Option<usize>,
    /// Cells, or cells of each stage [default: the network's own]
    #[arg(long, value_name = "N", value_parser = number(1..=256))]
    pub cells: Option<usize>,
    /// Shape of the images, CHANNELSxHEIGHTxWIDTH, or only their height and width as one number [default: the network's
    /// own]
    #[arg(long, value_name = "SHAPE", visible_alias = "input", value_parser = scored_input)]
    pub size: Option<ImageSize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimiserArg {
    /// Stochastic gradient descent with momentum
    Sgd,
    /// Adam with decay apart from the gradient
    Adamw,
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
/// A number of 0 or more.
fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.0..1e12).contains(number));
    number.ok_or_else(|| "give a number of 0 or more".to_owned())
}

/// A part of a whole.
fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.0..=0.99).contains(number));
    number.ok_or_else(|| "give a number from 0 to 0.99".to_owned())
}
