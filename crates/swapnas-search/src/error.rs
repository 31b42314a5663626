use std::error::Error;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use swapnas_graph::option::{
    ALGORITHM, FINAL_CELLS, FINAL_CHANNELS, METRICS, OptionName, RESUME, TARGET_PARAMS,
};
use swapnas_graph::{plain, plain_sentence};
use swapnas_metrics::ScoreError;
use swapnas_spaces::NetworkError;

use crate::AlgorithmKind;

/// Something that keeps a search from running.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Networks cannot be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// Another [`Evaluator`](crate::Evaluator) than the scorer has failed.
    #[error("what evaluates the architectures of the search has failed")]
    Evaluator(#[source] Box<dyn Error + Send + Sync>),
    /// The network that is to be trained cannot be built.
    #[error("the network that is to be trained cannot be built: {0}")]
    Final(#[from] NetworkError),
    /// No architecture fits the limits.
    #[error(
        "none of {tries} architectures drawn at random is within the limits ({limits}); the last one has {last}; \
         loosen the limits, or change {FINAL_CHANNELS} and {FINAL_CELLS}"
    )]
    Limits {
        /// How many were drawn.
        tries: usize,
        /// The limits.
        limits: String,
        /// The sizes of the last one.
        last: String,
    },
    /// A space that was gone through, and nothing was within the limits.
    #[error(
        "no architecture of the space is within the limits ({0}); loosen them, or change {FINAL_CHANNELS} and \
         {FINAL_CELLS}"
    )]
    NoneWithin(String),
    /// Limits that leave no number of parameters.
    #[error(
        "no network has {least} parameters or more and {most} or fewer; give limits with room between them"
    )]
    NoRoom {
        /// The fewest parameters allowed.
        least: u64,
        /// The most parameters allowed.
        most: u64,
    },
    /// The space is too large for all of it.
    #[error("the space {0} is too large to go through; use another algorithm")]
    TooLarge(&'static str),
    /// A number that the algorithm cannot work with.
    #[error("{what} cannot be {value}: {allowed}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// What it was.
        value: usize,
        /// What it can be.
        allowed: &'static str,
    },
    /// Every evaluation ended without a value.
    #[error(
        "the objective is undefined for all of the first {count} architectures: {}",
        plain_sentence(reason)
    )]
    Undefined {
        /// How many there were.
        count: usize,
        /// Why, for the first of them.
        reason: String,
    },
    /// The latency table cannot be read.
    #[error("the latency table {}: {what}", plain(path))]
    LatencyTable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The latency table has no entry for an operation.
    #[error("the latency table lacks these operations of the network that is to be trained; add a line for each:\n{}", missing.join("\n"))]
    Latency {
        /// Lines to add, without the milliseconds.
        missing: Vec<String>,
    },
    /// Latency is asked for without a table.
    #[error("a limit or an objective of latency takes a latency table")]
    NoLatencyTable,
    /// A folder that holds a run already.
    #[error("{} already holds a run; give another folder, or continue it with {RESUME}", plain(.0))]
    Taken(PathBuf),
    /// A folder that holds a run of other settings than those that are given.
    #[error("{} holds a run of other settings; give another folder, or the settings of the run", plain(.0))]
    OtherRun(PathBuf),
    /// A run whose algorithm cannot be made from its settings.
    #[error("the algorithm of the run is one's own; continue it from where it was made, with Search::with")]
    OwnAlgorithm,
    /// A folder that holds no run.
    #[error("{} holds no run: {why}", plain(path))]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// Somebody else writes the run.
    #[error("another process is writing the run in {}; wait until it ends, or stop it", plain(.0))]
    Locked(PathBuf),
    /// The folder cannot be used.
    #[error("cannot write the run in {}: {source}", plain(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("the database {}: {}", plain(path), reason(cause))]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: rusqlite::Error,
    },
    /// The database is of another version or another program.
    #[error("{} cannot be used: {what}", plain(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The database is not what was written.
    #[error(
        "{} is damaged: {what}; put back a copy of it, or run the search again in another folder",
        plain(path)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which row.
        what: String,
    },
    /// The folder was moved or removed while the search was running.
    #[error(
        "the run.db of the search is not in {} any more; what was saved is where the folder was moved to: continue it \
         there with {RESUME}",
        plain(.0)
    )]
    Gone(PathBuf),
    /// A number that the algorithm would not look at.
    #[error("{option} means nothing to {ALGORITHM} {algorithm}; leave it out")]
    Unread {
        /// The number.
        option: OptionName,
        /// The algorithm.
        algorithm: AlgorithmKind,
    },
    /// A size to aim at, which is what one metric does, and other metrics.
    #[error("{TARGET_PARAMS} sets mu and sigma of swap-reg; leave out {METRICS} {}", plain(.0))]
    Target(String),
    /// Something that is asked for and does not go together.
    #[error("{0}")]
    Asked(String),
    /// A setting of a stored run that this version does not know.
    #[error("the settings of the run cannot be used: {0}")]
    Settings(String),
}

/// What SQLite says, in words where it is terse.
fn reason(cause: &rusqlite::Error) -> String {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full; what was written by then is whole: make room, and continue the run".to_owned()
        }
        Some(ErrorCode::NotADatabase) => "this is no database".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged".to_owned(),
        _ => plain(&cause.to_string()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Error, ffi};

    use super::SearchError;

    #[test]
    fn what_ails_a_database_is_said_in_words() {
        let shown = |code| {
            let cause = Error::SqliteFailure(ffi::Error::new(code), None);
            SearchError::Database { path: "run/run.db".into(), cause }.to_string()
        };
        insta::assert_snapshot!(shown(ffi::SQLITE_FULL), @"the database run/run.db: the disk is full; what was written by then is whole: make room, and continue the run");
        insta::assert_snapshot!(shown(ffi::SQLITE_CORRUPT), @"the database run/run.db: it is damaged");
        insta::assert_snapshot!(shown(ffi::SQLITE_IOERR), @"the database run/run.db: Error code 10: disk I/O error");
    }
}
