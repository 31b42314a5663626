//! What can be typed.

mod design;
mod latency;
mod options;
mod training;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use swapnas::export::Format;
use swapnas::options::Takes;
use swapnas::shard::Shard;
use swapnas::{ImageSize, Preset, Space};

pub(crate) use design::DesignArgs;
pub(crate) use latency::LatencyArgs;
pub(crate) use options::{ScoringArgs, SearchingArgs, TrainingArgs};
pub(crate) use training::{BenchCommand, BenchCreateArgs, BenchReportArgs, TrainArgs};

/// Rank neural architectures without training them.
#[derive(Parser)]
#[command(name = "swapnas", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Correlate scores with the accuracies of a table of architectures
    Correlate(CorrelateArgs),
    /// Write a table as CSV, whatever file of a benchmark it is read from
    Convert(ConvertArgs),
    /// Score architectures
    Score(ScoreArgs),
    /// Put together what several machines have scored of one list
    Merge(MergeArgs),
    /// Search for architectures
    Search(SearchArgs),
    /// Design a network for a folder of labelled pictures, and write a program that trains it
    Design(DesignArgs),
    /// Measure how long the operations of a space take on this machine, for searches with --max-latency
    Latency(LatencyArgs),
    /// Write an architecture as a network to be trained, a description or a drawing
    Export(ExportArgs),
    /// Train the network of an architecture on labelled images
    Train(TrainArgs),
    /// Train a sample of a space, and see which metrics order it as its accuracies do
    #[command(subcommand)]
    Bench(BenchCommand),
    /// List the search spaces, or explain one
    Spaces(SpacesArgs),
    /// List the metrics, or explain one
    Metrics(MetricsArgs),
    /// Print what a shell needs to complete commands and options
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command, or a book
    Man(ManArgs),
}

#[derive(Args)]
pub(crate) struct CorrelateArgs {
    /// Files of architectures or names of ONNX files, and accuracies: CSV, with or without header, records in JSON,
    /// whose fields within other objects are columns such as `scores.glue`, the folder of NATS-Bench or its file,
    /// NAS-Bench-201 as a file of PyTorch, NAS-Bench-101 as TFRecords or HW-NAS-Bench; `-` reads standard input. Of several
    /// data sets and numbers of epochs in a file, one is chosen behind its name, as `FOLDER#cifar100/12`. A file may be
    /// given several times, for several columns of accuracies [default: a small table that comes with the program]
    #[arg(value_name = "TABLE")]
    pub tables: Vec<PathBuf>,
    /// Search space; `swapnas spaces` lists them. Once for all tables, or once for each, in their order [of the table
    /// that comes with the program nb201]
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: Vec<&'static dyn Space>,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Correlate columns of the table that hold numbers as well, by name, by the last part of it (`glue` for
    /// `scores.glue`) or by number from 1 on, separated by commas:
    /// larger numbers are taken to be better. Without --metrics, no metric is computed, and without --space no
    /// network is built to count its parameters
    #[arg(long, value_name = "LIST")]
    pub columns: Option<String>,
    /// Correlate metrics and columns with each other, too
    #[arg(long)]
    pub compare: bool,
    /// Score with N seeds, from --seed on, and say how Spearman's rho varies; all else is of the first one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(1..=10_000))]
    pub seeds: usize,
    /// Use the first N rows of each table only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Column of the architectures, by name, the last part of it or number from 1 on, once for all tables or once for each
    /// [default: by its name, or the first]
    #[arg(long, value_name = "C")]
    pub arch_column: Vec<String>,
    /// Column of the accuracies, by name, the last part of it or number from 1 on, once for all tables or once for each
    /// [default: by its name, or the second]
    #[arg(long, value_name = "C")]
    pub accuracy_column: Vec<String>,
    /// Score the I-th of N shares of the networks, on one of N machines, and print what is found of each instead of
    /// correlations; the same command with --scored FILE... in place of it then has them all
    #[arg(long, value_name = "I/N", requires = "json", conflicts_with_all = ["compare", "out", "plot"])]
    pub shard: Option<Shard>,
    /// Take scores from what the same command has printed with --shard, of every I from 1 to N, instead of scoring
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "shard")]
    pub scored: Vec<PathBuf>,
    /// Write the table with all scores to a CSV file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Draw scores against accuracies, a panel for each metric and table: an SVG, PDF or PNG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// How to print correlations; csv has a row for each table and metric with every statistic
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = TableFormat::Text)]
    pub format: TableFormat,
    /// Print one JSON object, with the scores of every network
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct ConvertArgs {
    /// The table, in any format that `swapnas correlate` reads; `-` reads standard input
    #[arg(value_name = "TABLE")]
    pub table: PathBuf,
    /// Search space of the architectures, which are then read, and written in its canonical encoding; without it they are
    /// written as the table spells them
    #[arg(long, value_name = "SPACE", value_parser = space)]
    pub space: Option<&'static dyn Space>,
    /// Encoding to write architectures in; `swapnas spaces SPACE` lists them
    #[arg(long, value_name = "NAME", requires = "space")]
    pub encoding: Option<String>,
    /// Write only these columns besides architectures and accuracies, by name, by the last part of it or by number from 1
    /// on, separated by commas [default: all]
    #[arg(long, value_name = "LIST")]
    pub columns: Option<String>,
    /// Use the first N rows only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Column of the architectures, by name, the last part of it or number from 1 on [default: by its name, or the first]
    #[arg(long, value_name = "C")]
    pub arch_column: Option<String>,
    /// Column of the accuracies, by name, the last part of it or number from 1 on [default: by its name, or the second]
    #[arg(long, value_name = "C")]
    pub accuracy_column: Option<String>,
    /// Leave out rows that cannot be used, and list them; otherwise nothing is written
    #[arg(long)]
    pub skip_bad: bool,
    /// Where to; standard output without it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// How tables of correlations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people to read
    Text,
    /// A table in Markdown
    Markdown,
    /// A tabular of LaTeX with the rules of booktabs
    Latex,
    /// A row for each table and metric
    Csv,
}

#[derive(Args)]
pub(crate) struct ScoreArgs {
    /// Architectures in any encoding of the space, or ONNX files, whose names end in .onnx
    #[arg(value_name = "ARCH")]
    pub archs: Vec<String>,
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Read architectures or names of ONNX files from a file, one a line, in a column of a CSV file, or in records in
    /// JSON; `-` reads standard input
    #[arg(long = "archs", value_name = "FILE")]
    pub archs_file: Option<PathBuf>,
    /// Sample N architectures
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub random: Option<u64>,
    /// Take images and weights from a safetensors file: `input`, and the parameters by their names
    #[arg(long, value_name = "FILE")]
    pub tensors: Option<PathBuf>,
    /// End with an error at the first network that cannot be scored, such as a file that cannot be read, instead of
    /// scoring the others and saying why in its row; so it is where there is but one network
    #[arg(long)]
    pub strict: bool,
    /// Print the best N by the first metric only [default: 10 with --random, else all in the order given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub top: Option<u64>,
    /// Score the I-th of N shares of all that is asked for, on one of N machines; `swapnas merge` puts together what they
    /// print
    #[arg(long, value_name = "I/N", requires = "json", conflicts_with = "top")]
    pub shard: Option<Shard>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct MergeArgs {
    /// What `swapnas score --shard I/N --json` has printed, of every I from 1 to N, in any order. The rows are printed in
    /// the order of the list, the same as without --shard
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SearchArgs {
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub search: SearchingArgs,
    /// End after so many seconds
    #[arg(long, value_name = "S", value_parser = positive)]
    pub budget_seconds: Option<f64>,
    /// Folder of the run, which must not hold one yet [default: swapnas-search, swapnas-search-2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Continue the run in a folder, with its own settings
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// How many of the best architectures to print and write
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = number(1..=1_000_000))]
    pub top: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// Architecture in any encoding of the space
    pub arch: String,
    /// Search space; `swapnas spaces` lists them
    #[arg(long, value_name = "SPACE", value_parser = space, default_value = "darts")]
    pub space: &'static dyn Space,
    /// torch (a PyTorch module), onnx (with weights), json (all encodings), dot (Graphviz) or svg (a
    /// drawing) [default: by the extension of the file]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Where to; standard output without it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The network: benchmark or swap
    #[arg(long, value_name = "NETWORK", default_value_t = Preset::Benchmark)]
    pub network: Preset,
    /// Channels of the first stage [default: the network's own]
    #[arg(long, value_name = "N", value_parser = number(1..=2048))]
    pub channels: Option<usize>,
    /// Cells, or cells of each stage [default: the network's own]
    #[arg(long, value_name = "N", value_parser = number(1..=256))]
    pub cells: Option<usize>,
    /// Classes [default: the network's own]
    #[arg(long, value_name = "N", value_parser = number(1..=1_000_000))]
    pub classes: Option<usize>,
    /// Shape of the images, CHANNELSxHEIGHTxWIDTH, or only their height and width as one number; tokens of texts
    /// [default: the network's own]
    #[arg(long, value_name = "SHAPE")]
    pub input: Option<ImageSize>,
    /// Seed of the weights of an ONNX file
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed)]
    pub seed: u64,
}

/// Images that networks are scored with.
fn scored_input(text: &str) -> Result<ImageSize, String> {
    value(Takes::Size, text)
}

#[derive(Args)]
pub(crate) struct SpacesArgs {
    /// The space to explain
    #[arg(value_parser = space)]
    pub space: Option<&'static dyn Space>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct MetricsArgs {
    /// The metric to explain
    pub metric: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

#[derive(Args)]
pub(crate) struct ManArgs {
    /// Folder for a page for each command, such as swapnas-search.1; it is made if need be
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder for a book instead, for mdBook to make a site of: tutorials, and a page for each command, search space and
    /// metric; it is made if need be
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub book: Option<PathBuf>,
}

fn space(name: &str) -> Result<&'static dyn Space, String> {
    if name == "onnx" {
        return Err("ONNX files need no space: `swapnas score model.onnx`".to_owned());
    }
    swapnas::space(name).map_err(|error| error.to_string())
}

/// A value of a kind, as options of the tables have it.
fn value<V: FromStr<Err: Display>>(takes: Takes, text: &str) -> Result<V, String> {
    takes.check(text)?;
    text.parse().map_err(|error: V::Err| error.to_string())
}

fn seed(text: &str) -> Result<u64, String> {
    value(Takes::Number { least: 0, most: u64::MAX }, text)
}

/// A count such as 3300000, 3.3M, 600k or 1.2G.
fn count(text: &str) -> Result<u64, String> {
    Takes::Count.check(text)?;
    Ok(swapnas::count(text).unwrap_or_default())
}

/// A number greater than zero.
fn positive(text: &str) -> Result<f64, String> {
    value(Takes::Positive, text)
}

/// Milliseconds, greater than zero, with or without their unit.
fn milliseconds(text: &str) -> Result<f64, String> {
    positive(text.strip_suffix("ms").unwrap_or(text))
}

/// A number within a range.
fn number(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    let (least, most) = (*range.start() as u64, *range.end() as u64);
    move |text| value(Takes::Number { least, most }, text)
}
