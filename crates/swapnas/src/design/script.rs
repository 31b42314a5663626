//! The program that trains a network that was designed.

use std::path::Path;

use swapnas_metrics::inputs::Survey;
use swapnas_spaces::NetworkConfig;

/// A program in Python; what differs from one to the next stands in its first lines.
const TRAIN: &str = include_str!("train.py");

/// The program for the pictures of a folder.
pub(super) fn train(survey: &Survey, network: &NetworkConfig) -> String {
    let validation = survey.validation.as_deref().map_or("None".to_owned(), text);
    let lines = [
        ("TRAIN = \"\"\n", format!("TRAIN = {}\n", text(&survey.train))),
        ("VALIDATION = None\n", format!("VALIDATION = {validation}\n")),
        (
            "CHANNELS, SIDE = 3, 32\n",
            format!("CHANNELS, SIDE = {}, {}\n", survey.channels, network.input.height),
        ),
    ];
    lines.into_iter().fold(TRAIN.to_owned(), |script, (line, written)| {
        debug_assert!(script.contains(line), "{line}");
        script.replacen(line, &written, 1)
    })
}

/// A path as a string of Python.
fn text(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // JSON is written with escapes that Python reads as well.
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
