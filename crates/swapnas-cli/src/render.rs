//! What is printed for people to read.

pub(crate) mod correlations;

use std::path::Path;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};
use swapnas::results::Found;
use swapnas::{
    Columns, Init, Score, Scored, Settings, Shape, Sharing, Skipped, Space, Undefined, number, plain,
    plain_sentence,
};

/// As many as a score has meaning.
const DIGITS: usize = 5;

/// How the networks were scored, in a line or two.
pub(crate) fn settings(network: &str, settings: &Settings, tensors: Option<&Path>) -> String {
    let weights = match (tensors, settings.sharing) {
        (Some(tensors), _) => {
            return format!("network {network}; weights and batch of {}", plain(tensors));
        }
        (None, Sharing::Shared) => "shared",
        (None, Sharing::Independent) => "independent",
    };
    // Metrics by the sets of weights that they are computed with.
    let mut sets: Vec<((u32, Init), Vec<String>)> = Vec::new();
    for metric in &settings.metrics {
        let Some(set) = settings.weights_for(metric) else { continue };
        match sets.iter_mut().find(|(known, _)| *known == set) {
            Some((_, metrics)) => metrics.push(metric.to_string()),
            None => sets.push((set, vec![metric.to_string()])),
        }
    }
    let mut text = format!(
        "network {network}\ninputs {}, batch {}, seed {}, {}",
        plain(&settings.inputs.to_string()),
        settings.batch,
        settings.seed,
        settings.precision
    );
    for ((repeats, init), metrics) in &sets {
        text.push_str(&format!("\n{repeats} x {init} {weights} weights"));
        if sets.len() > 1 {
            text.push_str(&format!(": {}", metrics.join(", ")));
        }
    }
    for metric in &settings.metrics {
        let found: Vec<String> =
            metric.found().map(|(argument, value)| format!("{}={value}", argument.name)).collect();
        if !found.is_empty() {
            text.push_str(&format!("\n{metric} with {}, by the sizes of the space", found.join(" and ")));
        }
    }
    text
}

/// A network with what was found.
pub(crate) struct Row<'a> {
    /// Its place among all that is scored.
    pub index: usize,
    pub name: String,
    /// Whether the name is a text of others.
    pub is_foreign: bool,
    /// Its images and classes, if they are its own.
    pub shapes: Option<(Shape, usize)>,
    /// What it is scored as, or why it was refused.
    pub found: Result<&'a Scored, &'a str>,
    /// One for each column.
    pub values: Vec<Result<Score, Undefined>>,
}

/// A table of scores.
pub(crate) fn scores(noun: &str, columns: &Columns, rows: &[Row<'_>]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    let names = columns.iter().map(|column| plain(&column.to_string()).to_string());
    table.set_header(["".to_owned()].into_iter().chain(names).chain([noun.to_owned()]));
    for (place, row) in rows.iter().enumerate() {
        let mut cells = vec![Cell::new(place + 1).set_alignment(CellAlignment::Right)];
        for score in &row.values {
            let text = match score {
                Err(Undefined::Refused(_)) => "-".to_owned(),
                Ok(Score { mean, std }) if *std > 0.0 => {
                    format!("{} ± {}", number(*mean, DIGITS), number(*std, DIGITS))
                }
                Ok(Score { mean, .. }) => number(*mean, DIGITS),
                Err(reason) => undefined(reason),
            };
            cells.push(Cell::new(text).set_alignment(CellAlignment::Right));
        }
        let name = if row.is_foreign { plain(&row.name).to_string() } else { row.name.clone() };
        cells.push(Cell::new(match row.found {
            Ok(_) => name,
            Err(reason) => format!("{name}: refused: {}", plain_sentence(reason)),
        }));
        table.add_row(cells);
    }
    table.to_string()
}

/// A table of what a search has found.
pub(crate) fn found(space: &dyn Space, found: &[Found<'_>]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    let names = found.first().map(|first| first.scores.iter().map(|(name, _)| plain(name).to_string()));
    let sizes = ["params", "macs", "final params", "final macs", "architecture"].map(str::to_owned);
    table.set_header(["".to_owned()].into_iter().chain(names.into_iter().flatten()).chain(sizes));
    for (place, Found { entry, scores, .. }) in found.iter().enumerate() {
        let scores = scores.iter().map(|(_, score)| match score {
            Ok(score) => number(score.mean, DIGITS),
            Err(reason) => undefined(reason),
        });
        let counts = [entry.scored.params, entry.scored.macs, entry.sizes.params, entry.sizes.macs];
        let numbers = [(place + 1).to_string()].into_iter().chain(scores);
        let numbers = numbers.chain(counts.map(|count| count.to_string()));
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let cells: Vec<Cell> = numbers.map(right).chain([Cell::new(space.print(&entry.arch))]).collect();
        table.add_row(cells);
    }
    table.to_string()
}

fn undefined(reason: &Undefined) -> String {
    format!("undefined: {}", plain_sentence(&reason.to_string()))
}

/// The pictures that were left out, as JSON.
pub(crate) fn skipped(settings: &Settings) -> Vec<Value> {
    let skipped = settings.inputs.skipped().into_iter();
    let object =
        |skipped: Skipped| json!({ "file": skipped.path.to_string_lossy(), "reason": skipped.reason });
    skipped.map(object).collect()
}

/// What was taken of a table though nobody chose it: the column of architectures and that of accuracies, as far as they are
/// asked for, and the data set and number of epochs.
pub(crate) fn choices(table: &swapnas::table::Table, arch: bool, accuracy: bool) -> Option<String> {
    let arch = table.arch_column().filter(|_| arch);
    let arch = arch.map(|column| format!("architectures are in column {column}"));
    let accuracy = accuracy.then(|| format!("accuracies are in column {}", table.accuracy_column()));
    let part = table.part().and_then(|part| part.silent());
    let choices: Vec<String> = arch.into_iter().chain(accuracy).chain(part).collect();
    (!choices.is_empty()).then(|| choices.join(", "))
}

/// A number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What is said of an architecture that cannot be read, before the reason.
pub fn unread(text: &str) -> String {
    format!("cannot read the architecture `{}`", plain(text))
}

/// Text broken into lines of at most 96 characters, each after `indent`.
pub(crate) fn paragraph(text: &str, indent: &str) -> String {
    let options = textwrap::Options::new(96).initial_indent(indent).subsequent_indent(indent);
    textwrap::fill(text, options)
}
