//! NATS-Bench: a folder with a file for each architecture, one of these, or all of them in one pickle, as the file of
//! PyTorch that NAS-Bench-201 was published as.
//!
//! A file has for each number of epochs what was measured with several seeds on several data sets. Accuracies are means
//! over the seeds after the last epoch, in percent; parameters and multiply-accumulates are in millions.

use std::fs::File;
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use rayon::prelude::*;

use super::super::part::Part;
use super::super::records::Text;
use super::super::{Problem, TableError};
use super::pickle::{Item, Pickle, PickleError, Source, Taken};
use super::rows::{Rows, cell, mean};
use super::{Request, UNPACKED};

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

/// The most networks of a file, four times as many as the size space has.
const MOST_NETWORKS: usize = 1 << 17;

/// Whether it holds what was measured of one architecture: the states of its results by the number of epochs.
fn is_network(item: Item<'_>) -> bool {
    let of_results = |state: Item<'_>| state.entries().take(8).any(|(key, _)| key.text() == Some(RESULTS));
    item.entries().next().is_some_and(|(_, state)| of_results(state))
}

/// What the state of results has them under, close to its beginning.
const RESULTS: &str = "all_results";

/// The row of a network among others, of which nothing is left that it could share with them.
fn whole_row(network: Item<'_>, part: &Part) -> Result<Vec<String>, Problem> {
    network.take_lost();
    let row = row(network, part);
    if network.take_lost() { Err(Problem::Shared) } else { row }
}

/// The rows of a file's networks, which are taken from it one by one.
pub(super) struct Networks<'a> {
    file: &'a str,
    request: Request<'a>,
    /// The part that was chosen when the first network was seen, or why there is none, and the rows of all.
    rows: Option<(Result<Part, TableError>, Rows)>,
}

impl<'a> Networks<'a> {
    pub(super) fn new(file: &'a str, request: Request<'a>) -> Self {
        Networks { file, request, rows: None }
    }

    /// Makes a row of what is a network.
    pub(super) fn take(&mut self, item: Item<'_>) -> Taken {
        if !is_network(item) {
            return Taken::Not;
        }
        let first = || (choose(self.file, item, self.request), Rows::new(&HEADER));
        let (part, rows) = self.rows.get_or_insert_with(first);
        match part {
            Ok(_) if rows.count() == MOST_NETWORKS => {
                let (file, format) = (self.file.to_owned(), "file of NATS-Bench");
                let cause = format!("it holds more than {MOST_NETWORKS} networks");
                *part = Err(TableError::Damaged { file, format, cause });
                return Taken::Last;
            }
            Ok(part) if rows.count() < self.request.limit => rows.push(whole_row(item, part)),
            _ => return Taken::Last,
        }
        if rows.count() == self.request.limit { Taken::Last } else { Taken::Whole }
    }

    /// The table, if there were networks.
    pub(super) fn text(self) -> Option<Result<Text, TableError>> {
        let (part, rows) = self.rows?;
        Some(part.and_then(|part| rows.text(self.file, part)))
    }
}

/// Why there is no table in a file that has the names of architectures and no network.
pub(super) fn without_networks(file: &str, root: Item<'_>) -> TableError {
    let file = file.to_owned();
    match root.get("arch2infos").filter(|infos| infos.is_dictionary()) {
        Some(_) => TableError::Empty { file },
        None => TableError::Names { file },
    }
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
fn with_network<T>(path: &Path, take: impl FnOnce(Item<'_>) -> T) -> Result<T, Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let damaged = |cause: String| Problem::Damaged { what: name.clone(), cause };
    let mut decoder = MultiBzDecoder::new(File::open(path).map_err(|error| damaged(error.to_string()))?);
    let mut source = Source::new(&mut decoder, UNPACKED);
    match first_network(&mut source, take) {
        Ok(taken) => taken.ok_or_else(|| damaged("it holds no results".to_owned())),
        Err(error) => {
            let failure = source.into_failure().map(|failure| failure.to_string());
            Err(damaged(failure.unwrap_or_else(|| error.to_string())))
        }
    }
}

/// Takes from the first network of a pickle, which is read to its end.
fn first_network<T>(
    source: &mut Source<'_>,
    take: impl FnOnce(Item<'_>) -> T,
) -> Result<Option<T>, PickleError> {
    let mut take = Some(take);
    let mut taken = None;
    Pickle::read(source, &mut |item| {
        if !is_network(item) {
            return Taken::Not;
        }
        taken = take.take().map(|take| take(item)).or(taken.take());
        Taken::Whole
    })?;
    source.finish()?;
    Ok(taken)
}

/// Chooses among the data sets and numbers of epochs that a network has.
fn choose(file: &str, network: Item<'_>, request: Request<'_>) -> Result<Part, TableError> {
    let names = network.entries().filter_map(|(name, _)| name.text()).map(epochs_of);
    let mut epochs: Vec<String> = names.take(16).map(str::to_owned).collect();
    epochs.sort_by_key(|name| (name.parse().unwrap_or(0_u32), name.clone()));
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

/// A number of epochs, for which NAS-Bench-201 has names.
fn epochs_of(name: &str) -> &str {
    match name {
        "less" => "12",
        "full" => "200",
        number => number,
    }
}

/// What was measured, with the data set, for every seed.
fn results<'p>(state: Item<'p>) -> impl Iterator<Item = (&'p str, Item<'p>)> {
    let entries = state.get(RESULTS).into_iter().flat_map(|results| results.entries());
    entries.filter_map(|(key, result)| Some((key.items().next()?.text()?, result)))
}

/// The row of a network.
fn row(network: Item<'_>, part: &Part) -> Result<Vec<String>, Problem> {
    let name = |choice: &Option<super::super::Choice>| {
        choice.as_ref().map(|choice| choice.name.clone()).unwrap_or_default()
    };
    let (dataset, epochs) = (name(&part.dataset), name(&part.epochs));
    let missing = || Problem::NoResults { part: format!("`{dataset}` after `{epochs}` epochs") };
    let mut states = network.entries().filter(|(name, _)| name.text().map(epochs_of) == Some(&epochs));
    let (_, state) = states.next().ok_or_else(missing)?;
    let arch = state.get("arch_str").and_then(|arch| arch.text()).ok_or_else(missing)?;
    let of = |wanted: &str| -> Vec<Item<'_>> {
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
    let each = |results: &[Item<'_>], value: &dyn Fn(Item<'_>) -> Option<f64>| {
        cell(mean(&results.iter().filter_map(|&result| value(result)).collect::<Vec<_>>()))
    };
    let number = |name: &'static str| move |result: Item<'_>| result.get(name)?.number();
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
fn last_epoch(result: Item<'_>) -> Option<i64> {
    result.get("epochs")?.integer()?.checked_sub(1)
}

/// The accuracy after the last epoch on a set of images.
fn evaluated(result: Item<'_>, images: &str) -> Option<f64> {
    result.get("eval_acc1es")?.get(&format!("{images}@{}", last_epoch(result)?))?.number()
}

/// The value of the last epoch.
fn last(result: Item<'_>, name: &str) -> Option<f64> {
    let last = last_epoch(result)?;
    result.get(name)?.entries().find(|(epoch, _)| epoch.integer() == Some(last))?.1.number()
}

/// The mean of what was measured, in seconds. Nothing and what is negative stand for nothing measured.
fn latency(result: Item<'_>) -> Option<f64> {
    let measured: Vec<f64> = result.get("latency")?.numbers().into_iter().collect::<Option<_>>()?;
    mean(&measured).filter(|latency| *latency > 0.0)
}
