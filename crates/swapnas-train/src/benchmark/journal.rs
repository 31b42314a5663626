//! What has been trained, a line for each network and seed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use swapnas_graph::plain;

use crate::Epoch;

/// A network that was trained once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The architecture, in the space's canonical encoding.
    pub arch: String,
    /// Seed of the training.
    pub seed: u64,
    /// Parameters of the network.
    pub params: u64,
    /// Its multiply-accumulates for an image.
    pub macs: u64,
    /// How long the training took.
    pub seconds: f64,
    /// What the epochs came to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub epochs: Vec<Epoch>,
    /// Why it could not be trained to the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
}

/// A journal that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("{}: {cause}", plain(path))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A line is not what was written.
    #[error("{}, line {line}: {why}; remove the line to have this network trained anew", plain(path))]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Another process has it.
    #[error("{} is in use: another process makes this benchmark", plain(path))]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

/// A journal that is being written. The system lets go of it when the process ends, however it does.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, new or not, with what stands in it. A last line without an end was being written when the
    /// process died, and is taken away.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Training>), JournalError> {
        let error = |cause| JournalError::File { path: path.to_owned(), cause };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(JournalError::Locked { path: path.to_owned() });
            }
            Err(std::fs::TryLockError::Error(cause)) => return Err(error(cause)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(error)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(error)?;
            file.seek(SeekFrom::End(0)).map_err(error)?;
        }
        let trained = parse(path, &text[..whole])?;
        Ok((Journal { path: path.to_owned(), file }, trained))
    }

    /// Writes a line, which is on the disk when this returns.
    pub(super) fn add(&mut self, trained: &Training) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(trained).expect("numbers and texts");
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|cause| JournalError::File { path: self.path.clone(), cause })
    }
}

/// What stands in a journal, but for a last line that has no end.
pub(super) fn read(path: &Path) -> Result<Vec<Training>, JournalError> {
    let text = std::fs::read(path).map_err(|cause| JournalError::File { path: path.to_owned(), cause })?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    parse(path, &text[..whole])
}

fn parse(path: &Path, text: &[u8]) -> Result<Vec<Training>, JournalError> {
    let mut all = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let wrong = |why: String| JournalError::Line { path: path.to_owned(), line: index + 1, why };
        let trained: Training =
            serde_json::from_slice(line).map_err(|error| wrong(plain(&error.to_string()).to_string()))?;
        let percent =
            |epoch: &Epoch| [epoch.accuracy, epoch.train_accuracy].iter().all(|x| (0.0..=100.0).contains(x));
        if !trained.epochs.iter().all(percent) {
            return Err(wrong("an accuracy is no percentage".to_owned()));
        }
        all.push(trained);
    }
    Ok(all)
}
