//! NAS-Bench-101, as records of TensorFlow: one for each training of a network, of which there are three for every number
//! of epochs.

use std::collections::HashMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

use super::super::part::Part;
use super::super::records::Text;
use super::super::{Problem, TableError};
use super::Request;
use super::rows::{Rows, cell};
use super::tfrecord::Records;

const HEADER: [&str; 8] = [
    "arch",
    "val_accuracy",
    "test_accuracy",
    "train_accuracy",
    "params",
    "train_seconds",
    "half_val_accuracy",
    "repeats",
];

/// What was measured in a training.
#[derive(Clone, PartialEq, Message)]
struct ModelMetrics {
    /// Before, halfway and after.
    #[prost(message, repeated, tag = "1")]
    evaluations: Vec<Evaluation>,
    #[prost(int32, optional, tag = "2")]
    params: Option<i32>,
}

/// What was measured at one time of a training.
#[derive(Clone, Copy, PartialEq, Message)]
struct Evaluation {
    #[prost(double, optional, tag = "2")]
    seconds: Option<f64>,
    #[prost(double, optional, tag = "3")]
    train: Option<f64>,
    #[prost(double, optional, tag = "4")]
    validation: Option<f64>,
    #[prost(double, optional, tag = "5")]
    test: Option<f64>,
}

/// A network, and the sums over its trainings.
struct Network {
    arch: Result<String, Problem>,
    params: Option<i32>,
    /// By the number of epochs.
    sums: Vec<(u32, Sums)>,
}

#[derive(Default)]
struct Sums {
    count: u32,
    validation: f64,
    test: f64,
    train: f64,
    seconds: f64,
    halfway: f64,
}

/// The most numbers of epochs; the benchmark has four.
const MOST_EPOCHS: usize = 16;

/// Reads a file, record by record.
pub(super) fn read(file: &str, reader: &mut dyn Read, request: Request<'_>) -> Result<Text, TableError> {
    let mut records = Records::new(reader);
    let mut networks: Vec<Network> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all_epochs: Vec<u32> = Vec::new();
    loop {
        let damaged =
            |cause: String| TableError::Damaged { file: file.to_owned(), format: "file of TFRecords", cause };
        let number = records.number + 1;
        let Some(bytes) = records.next().map_err(|error| damaged(error.to_string()))? else { break };
        let (hash, epochs, adjacency, operations, metrics): (String, u32, String, String, String) =
            serde_json::from_slice(bytes).map_err(|_| TableError::NoBenchmark {
                file: file.to_owned(),
                holds: format!("records, of which number {number} is none of NAS-Bench-101"),
            })?;
        if !all_epochs.contains(&epochs) {
            all_epochs.push(epochs);
            if all_epochs.len() > MOST_EPOCHS {
                return Err(damaged(format!(
                    "networks were trained for more than {MOST_EPOCHS} numbers of epochs"
                )));
            }
        }
        let place = match places.get(&hash) {
            Some(place) => *place,
            None if networks.len() >= request.limit => continue,
            None => {
                networks.push(Network {
                    arch: arch(&adjacency, &operations),
                    params: None,
                    sums: Vec::new(),
                });
                places.insert(hash, networks.len() - 1);
                networks.len() - 1
            }
        };
        networks[place].add(epochs, &metrics, number);
    }
    all_epochs.sort_unstable();
    let names: Vec<String> = all_epochs.iter().map(u32::to_string).collect();
    // The last are the most epochs, by which networks are ranked.
    let part = Part::choose(
        file,
        &["cifar10".to_owned()],
        &names,
        [0, names.len().saturating_sub(1)],
        request.wanted,
    )?;
    let epochs = part.epochs.as_ref().and_then(|choice| choice.name.parse().ok()).unwrap_or_default();
    let mut rows = Rows::new(&HEADER);
    for network in networks {
        rows.push(network.row(epochs));
    }
    rows.text(file, part)
}

impl Network {
    fn add(&mut self, epochs: u32, metrics: &str, record: u64) {
        let unread = |cause: String| Problem::Damaged { what: format!("record {record} of the file"), cause };
        let metrics = match metrics_of(metrics) {
            Ok(metrics) => metrics,
            Err(cause) => return self.refuse(unread(cause)),
        };
        let [_, half, last, ..] = metrics.evaluations[..] else {
            return self.refuse(unread("it has no evaluation before, halfway and after training".to_owned()));
        };
        self.params = self.params.or(metrics.params);
        let place = self.sums.iter().position(|(other, _)| *other == epochs).unwrap_or_else(|| {
            self.sums.push((epochs, Sums::default()));
            self.sums.len() - 1
        });
        let sums = &mut self.sums[place].1;
        sums.count += 1;
        // What is not there is zero, as it is in the benchmark's own reader.
        sums.validation += last.validation.unwrap_or_default();
        sums.test += last.test.unwrap_or_default();
        sums.train += last.train.unwrap_or_default();
        sums.seconds += last.seconds.unwrap_or_default();
        sums.halfway += half.validation.unwrap_or_default();
    }

    fn refuse(&mut self, problem: Problem) {
        if self.arch.is_ok() {
            self.arch = Err(problem);
        }
    }

    fn row(self, epochs: u32) -> Result<Vec<String>, Problem> {
        let arch = self.arch?;
        let Some((_, sums)) = self.sums.iter().find(|(other, _)| *other == epochs) else {
            return Err(Problem::NoResults { part: format!("{epochs} epochs") });
        };
        let mean = |sum: f64| cell(Some(sum / f64::from(sums.count)));
        Ok(vec![
            arch,
            mean(sums.validation),
            mean(sums.test),
            mean(sums.train),
            cell(self.params.map(f64::from)),
            mean(sums.seconds),
            mean(sums.halfway),
            sums.count.to_string(),
        ])
    }
}

fn metrics_of(text: &str) -> Result<ModelMetrics, String> {
    let bytes = STANDARD
        .decode(text.replace('\n', ""))
        .map_err(|error| format!("its metrics are no base 64: {error}"))?;
    ModelMetrics::decode(&bytes[..]).map_err(|error| format!("its metrics are no message: {error}"))
}

/// The most vertices of a cell; the benchmark has seven.
const MOST_VERTICES: usize = 16;

/// A cell in the encoding that the benchmark's own code takes: its matrix and its operations.
fn arch(adjacency: &str, operations: &str) -> Result<String, Problem> {
    let unread = |cause: String| Problem::Damaged { what: "the cell".to_owned(), cause };
    let operations: Vec<&str> = operations.split(',').collect();
    let size = operations.len();
    if size > MOST_VERTICES
        || adjacency.len() != size * size
        || !adjacency.bytes().all(|bit| bit == b'0' || bit == b'1')
    {
        return Err(unread(format!("{} digits are no matrix for {size} operations", adjacency.len())));
    }
    let bits = adjacency.as_bytes();
    let matrix: Vec<Vec<u8>> =
        bits.chunks(size).map(|row| row.iter().map(|bit| bit - b'0').collect()).collect();
    Ok(serde_json::json!({ "matrix": matrix, "ops": operations }).to_string())
}
