//! What users write on the command line to say what they want.

use swapnas_metrics::inputs::InputSpec;
use swapnas_metrics::{Column, Columns, Metric};

use crate::{text, told};

/// Lists of metrics and aggregates.
pub(crate) fn columns(input: &[u8]) {
    let text = text(input);
    let columns: Columns = match text.parse() {
        Ok(columns) => columns,
        Err(error) => {
            told(&error);
            return;
        }
    };
    assert!(columns.iter().len() > 0, "no error, and no column");
    let written: Vec<String> = columns.iter().map(Column::to_string).collect();
    let again: Columns = written.join(",").parse().unwrap_or_else(|error| panic!("{written:?}: {error}"));
    assert_eq!(again, columns, "{written:?}");
    let metrics = columns.metrics();
    for (place, metric) in metrics.iter().enumerate() {
        assert!(!metrics[..place].contains(metric), "{metric} twice");
        let read: Metric = metric.to_string().parse().unwrap_or_else(|error| panic!("{metric}: {error}"));
        assert_eq!(&read, metric);
    }
    for column in columns.iter() {
        let parts = match column {
            Column::Metric(metric) => std::slice::from_ref(metric),
            Column::Aggregate { parts, .. } => parts,
        };
        assert!(!parts.is_empty() && parts.iter().all(|part| metrics.contains(part)), "{column}");
    }
    // The ranks of no networks.
    for column in columns.iter() {
        assert!(columns.values(column, &[]).is_empty());
    }
}

/// Where images come from.
pub(crate) fn input_spec(input: &[u8]) {
    match text(input).parse::<InputSpec>() {
        Ok(spec) => assert_eq!(spec.to_string().parse().as_ref(), Ok(&spec), "{spec}"),
        Err(error) => {
            told(&error);
        }
    }
}
