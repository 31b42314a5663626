//! Reference data beside the checkout, which tests read if it is there.

use std::path::PathBuf;

use serde_json::Value;

/// A file of the benchmark tables (`SWAPNAS_DATA`).
pub(crate) fn table(name: &str) -> Option<Vec<csv::StringRecord>> {
    let text = std::fs::read_to_string(locate("SWAPNAS_DATA", "data", name)?).expect("readable");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    Some(reader.records().collect::<Result<_, _>>().expect("a CSV table"))
}

/// A JSON file of the fixtures (`SWAPNAS_FIXTURES`).
pub(crate) fn fixture(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(fixture_path(name)?).expect("readable");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// The path of a file of the fixtures.
pub(crate) fn fixture_path(name: &str) -> Option<PathBuf> {
    locate("SWAPNAS_FIXTURES", "fixtures", name)
}

/// Where the file is. Without it a test says so and returns, but CI must have it.
fn locate(variable: &str, folder: &str, name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(folder);
    let path = std::env::var_os(variable).map_or_else(beside, PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{} is missing", path.display());
    println!("skipped: {} is missing; set {variable}", path.display());
    None
}
