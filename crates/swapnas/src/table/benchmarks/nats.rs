//! NATS-Bench: a folder with a file for each architecture, one of these, or all of them in one pickle.
//!
//! A file has for each number of epochs what was measured with several seeds on several data sets. Accuracies are means
//! over the seeds after the last epoch, in percent; parameters and multiply-accumulates are in millions.

use std::fs::File;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::part::Part;
use super::super::records::Text;
use super::super::{Problem, TableError};
use super::pickle::{Item, Pickle};
use super::rows::{Rows, cell, mean};
use super::{REPEATED, Request, unpack};

const HEADER: [&str; 8] = [
    "arch",
    "val_accuracy",
    "test_accuracy",
    "train_accuracy",
    "params",
    "flops",
    "latency",
    "train_seconds",
];

/// The data set that is read unless another is asked for.
const DATASET: &str = "cifar10";

/// How many files are read before their rows are put down.
const AT_ONCE: usize = 256;

/// Whether a pickle is one of the benchmark.
pub(super) fn is_one(root: Item<'_, '_>) -> bool {
    root.get("meta_archs").is_some() || is_network(root)
}

/// Whether it holds what was measured of one architecture.
fn is_network(root: Item<'_, '_>) -> bool {
    root.entries().next().is_some_and(|(_, state)| state.get("all_results").is_some())
}

/// A file of one architecture, or of all.
pub(super) fn file(file: &str, root: Item<'_, '_>, request: Request<'_>) -> Result<Text, TableError> {
    let networks: Vec<Item<'_, '_>> = if is_network(root) {
        vec![root]
    } else {
        let all = root.get("arch2infos").map(|infos| infos.entries().map(|(_, network)| network).collect());
        all.ok_or_else(|| TableError::Names { file: file.to_owned() })?
    };
    let first = *networks.first().ok_or_else(|| TableError::Empty { file: file.to_owned() })?;
    let part = choose(file, first, request)?;
    let mut rows = Rows::new(&HEADER);
    for network in networks.into_iter().take(request.limit) {
        rows.push(row(network, &part));
    }
    rows.text(file, part)
}

/// A folder of files, which are read one at a time by each thread.
pub(super) fn folder(path: &Path, file: &str, request: Request<'_>) -> Result<Text, TableError> {
    let unread = |source| TableError::Read { file: file.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unread)? {
        paths.push(entry.map_err(unread)?.path());
    }
    paths.retain(|path| is_numbered(path));
    paths.sort();
    paths.truncate(request.limit);
    let Some(first) = paths.first() else { return Err(TableError::Folder { file: file.to_owned() }) };
    let chosen =
        paths.iter().find_map(|path| with_network(path, |network| choose(file, network, request)).ok());
    let part = match chosen {
        Some(part) => part?,
        // There is none that could be read.
        None => {
            let problem = with_network(first, |_| ()).err();
            let cause = problem.map(|problem| problem.to_string()).unwrap_or_default();
            return Err(TableError::Damaged { file: file.to_owned(), format: "folder of NATS-Bench", cause });
        }
    };
    let mut rows = Rows::new(&HEADER);
    for paths in paths.chunks(AT_ONCE) {
        let read = |path: &PathBuf| with_network(path, |network| row(network, &part)).and_then(|row| row);
        let found: Vec<Result<Vec<String>, Problem>> = paths.par_iter().map(read).collect();
        found.into_iter().for_each(|row| rows.push(row));
    }
    rows.text(file, part)
}

/// Whether a file has the name of an architecture's, as `000123.pickle.pbz2`.
fn is_numbered(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.strip_suffix(".pickle.pbz2"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Reads the file of an architecture, and takes from it.
fn with_network<T>(path: &Path, take: impl FnOnce(Item<'_, '_>) -> T) -> Result<T, Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let damaged = |cause: String| Problem::Damaged { what: name.clone(), cause };
    let mut opened = File::open(path).map_err(|error| damaged(error.to_string()))?;
    let bytes = unpack(&mut opened).map_err(|packed| damaged(packed.to_string()))?;
    let pickle = Pickle::read(&bytes).map_err(|error| damaged(error.to_string()))?;
    if !is_network(pickle.root()) {
        return Err(damaged("it holds no results".to_owned()));
    }
    let taken = take(pickle.root());
    if pickle.is_exhausted() { Err(damaged(REPEATED.to_owned())) } else { Ok(taken) }
}

/// Chooses among the data sets and numbers of epochs that a network has.
fn choose(file: &str, network: Item<'_, '_>, request: Request<'_>) -> Result<Part, TableError> {
    let mut epochs: Vec<(u32, String)> = network
        .entries()
        .filter_map(|(name, _)| name.text())
        .map(|name| (epochs_of(name).unwrap_or_default(), name.to_owned()))
        .take(16)
        .collect();
    epochs.sort();
    let epochs: Vec<String> = epochs.into_iter().map(|(_, name)| name).collect();
    let mut datasets: Vec<String> = Vec::new();
    for (_, state) in network.entries().take(16) {
        for (dataset, _) in results(state).take(256) {
            if !datasets.iter().any(|known| known == dataset) {
                datasets.push(dataset.to_owned());
            }
        }
    }
    let default = datasets.iter().position(|name| name == DATASET).unwrap_or_default();
    // The last are the most epochs.
    Part::choose(file, &datasets, &epochs, [default, epochs.len().saturating_sub(1)], request.wanted)
}

/// NAS-Bench-201 calls its numbers of epochs by names.
fn epochs_of(name: &str) -> Option<u32> {
    match name {
        "less" => Some(12),
        "full" => Some(200),
        number => number.parse().ok(),
    }
}

/// What was measured, with the data set, for every seed.
fn results<'p, 'b>(state: Item<'p, 'b>) -> impl Iterator<Item = (&'p str, Item<'p, 'b>)> {
    let entries = state.get("all_results").into_iter().flat_map(|results| results.entries());
    entries.filter_map(|(key, result)| Some((key.items().next()?.text()?, result)))
}

/// The row of a network.
fn row(network: Item<'_, '_>, part: &Part) -> Result<Vec<String>, Problem> {
    let name = |choice: &Option<super::super::Choice>| {
        choice.as_ref().map(|choice| choice.name.clone()).unwrap_or_default()
    };
    let (dataset, epochs) = (name(&part.dataset), name(&part.epochs));
    let missing = || Problem::NoResults { part: format!("`{dataset}` after `{epochs}` epochs") };
    let state = network.get(&epochs).ok_or_else(missing)?;
    let arch = state.get("arch_str").and_then(|arch| arch.text()).ok_or_else(missing)?;
    let of = |wanted: &str| -> Vec<Item<'_, '_>> {
        results(state).filter(|(dataset, _)| *dataset == wanted).map(|(_, result)| result).collect()
    };
    let found = of(&dataset);
    if found.is_empty() {
        return Err(missing());
    }
    // All images of CIFAR-10 but those of the test are trained on, so that of half of them has to tell for validation.
    let validated = if dataset == DATASET { of("cifar10-valid") } else { Vec::new() };
    let validated = if dataset == DATASET { &validated } else { &found };
    let test =
        if dataset.starts_with(DATASET) && !dataset.starts_with("cifar100") { "ori-test" } else { "x-test" };
    let each = |results: &[Item<'_, '_>], value: &dyn Fn(Item<'_, '_>) -> Option<f64>| {
        cell(mean(&results.iter().filter_map(|&result| value(result)).collect::<Vec<_>>()))
    };
    let number = |name: &'static str| move |result: Item<'_, '_>| result.get(name)?.number();
    Ok(vec![
        arch.to_owned(),
        each(validated, &|result| evaluated(result, "x-valid")),
        each(&found, &|result| evaluated(result, test)),
        each(&found, &|result| last(result, "train_acc1es")),
        each(&found, &number("params")),
        each(&found, &number("flop")),
        each(&found, &latency),
        each(&found, &|result| {
            let seconds = result.get("train_times")?.entries().map(|(_, seconds)| seconds.number());
            let seconds: Vec<f64> = seconds.collect::<Option<_>>()?;
            (!seconds.is_empty()).then(|| seconds.iter().sum())
        }),
    ])
}

/// The last epoch of a training, from 0.
fn last_epoch(result: Item<'_, '_>) -> Option<i64> {
    result.get("epochs")?.integer()?.checked_sub(1)
}

/// The accuracy after the last epoch on a set of images.
fn evaluated(result: Item<'_, '_>, images: &str) -> Option<f64> {
    result.get("eval_acc1es")?.get(&format!("{images}@{}", last_epoch(result)?))?.number()
}

/// The value of the last epoch.
fn last(result: Item<'_, '_>, name: &str) -> Option<f64> {
    let last = last_epoch(result)?;
    result.get(name)?.entries().find(|(epoch, _)| epoch.integer() == Some(last))?.1.number()
}

/// The mean of what was measured, in seconds. Nothing and what is negative stand for nothing measured.
fn latency(result: Item<'_, '_>) -> Option<f64> {
    let measured: Vec<f64> = result.get("latency")?.numbers().into_iter().collect::<Option<_>>()?;
    mean(&measured).filter(|latency| *latency > 0.0)
}
