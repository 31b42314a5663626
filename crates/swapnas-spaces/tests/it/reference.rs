//! Reference data beside the checkout, which tests read if it is there.

use serde_json::Value;

/// A file of the benchmark tables.
pub(crate) fn table(name: &str) -> Option<Vec<csv::StringRecord>> {
    let text = std::fs::read_to_string(swapnas_fixtures::data(name)?).expect("readable");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    Some(reader.records().collect::<Result<_, _>>().expect("a CSV table"))
}

/// A JSON file of the fixtures.
pub(crate) fn fixture(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(swapnas_fixtures::fixtures(name)?).expect("readable");
    Some(serde_json::from_str(&text).expect("JSON"))
}
