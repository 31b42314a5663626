//! The pages that a search and a benchmark leave behind: HTML with everything in it, so that it can be kept, mailed and
//! opened anywhere.
//!
//! ```
//! use swapnas::report::{Report, render};
//!
//! let report = Report { title: "Search in nb201".to_owned(), ..Report::default() };
//! assert!(render(&report).contains("<title>Search in nb201</title>"));
//! ```

mod axis;
mod benchmark;
mod chart;
mod page;

pub use benchmark::{BenchmarkReport, render_benchmark};

/// What there is to report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// What a reader must know before all else, such as that the search was stopped early.
    pub notes: Vec<String>,
    /// The name of the score that was searched for.
    pub score: String,
    /// The best score so far after so many evaluations, in ascending order.
    pub curve: Vec<(u64, f64)>,
    /// What the front weighs the score against, such as `parameters`.
    pub against: String,
    /// Every architecture that was evaluated.
    pub points: Vec<Point>,
    /// The best architectures, best first.
    pub best: Vec<Best>,
    /// What the search was told, as names and values.
    pub settings: Vec<(String, String)>,
    /// What it ran with, as names and versions.
    pub versions: Vec<(String, String)>,
    /// The command that repeats it.
    pub command: String,
}

/// An architecture that was evaluated.
#[derive(Clone, Debug)]
pub struct Point {
    /// The architecture in the space's own encoding.
    pub arch: String,
    /// Parameters of the network that is to be trained.
    pub params: u64,
    /// Multiply-accumulates of the network that is to be trained, for one image.
    pub macs: u64,
    /// Milliseconds, if they are known.
    pub latency: Option<f64>,
    /// Its score. Points whose score is not finite are left out.
    pub score: f64,
    /// Whether no other is better in score and in what the front weighs it against at once.
    pub on_front: bool,
}

/// One of the best architectures.
#[derive(Clone, Debug)]
pub struct Best {
    /// Its place, 1 for the best.
    pub rank: usize,
    /// The architecture in the space's own encoding.
    pub arch: String,
    /// All scores by name; `None` for one that is undefined. The names of the first one head the table.
    pub scores: Vec<(String, Option<f64>)>,
    /// Parameters of the network that is to be trained.
    pub params: u64,
    /// Multiply-accumulates of the network that is to be trained, for one image.
    pub macs: u64,
    /// Milliseconds, if they are known.
    pub latency: Option<f64>,
    /// What it looks like, as [`drawing::svg`](crate::drawing::svg) draws it. SVG is put into the page as it
    /// is.
    pub drawings: Vec<String>,
}

/// The report as a page of HTML that loads nothing and runs no script.
pub fn render(report: &Report) -> String {
    page::page(report).into_string()
}
