//! A training kept in a file, so that it goes on where it was.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use swapnas_graph::{Element, Key, plain};

use crate::bytes::Bytes;
use crate::{Dataset, Epoch, Settings, Trainer, file};

/// Under which name the file says what it is of.
const ABOUT: &str = "swapnas";

/// What a checkpoint is of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct About {
    settings: Settings,
    /// What tells the network and its images from others.
    network: u64,
    data: u64,
    history: Vec<Epoch>,
}

/// A checkpoint that cannot be written or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read the checkpoint {}: {cause}", plain(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the checkpoint {}: {cause}", plain(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is no checkpoint, or a damaged one.
    #[error("{} is no checkpoint that can be gone on with: {why}; remove it to begin anew", plain(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It is of another training.
    #[error("{} is of another {what}; remove it to begin anew, or ask for the same", plain(path))]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

impl<E: Element> Trainer<E> {
    /// Writes all that the training depends on to a file, which is there as a whole or not at all, whenever the process
    /// dies.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path, data: &Dataset) -> Result<(), CheckpointError> {
        let about = serde_json::to_string(&self.about(data)).expect("numbers and names");
        let about = HashMap::from([(ABOUT.to_owned(), about)]);
        let write = || -> io::Result<()> {
            let bytes = safetensors::serialize(self.tensors(), Some(about)).map_err(io::Error::other)?;
            file::write(path, &bytes)
        };
        write().map_err(|cause| CheckpointError::Write { path: path.to_owned(), cause })
    }

    /// Goes on from a file that [`save`](Self::save) has written, of the same network, settings and images.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is of another training.
    pub fn resume(&mut self, path: &Path, data: &Dataset) -> Result<(), CheckpointError> {
        let owned = || path.to_owned();
        let bytes = std::fs::read(path).map_err(|cause| CheckpointError::Read { path: owned(), cause })?;
        let damaged = |why: String| CheckpointError::Damaged { path: owned(), why };
        let format = |error: SafeTensorError| damaged(plain(&error.to_string()).to_string());
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(format)?;
        let about = header.metadata().as_ref().and_then(|about| about.get(ABOUT));
        let about = about.ok_or_else(|| damaged("it does not say of what it is".to_owned()))?;
        let about: About =
            serde_json::from_str(about).map_err(|e| damaged(plain(&e.to_string()).to_string()))?;
        let own = self.about(data);
        for (what, same) in [
            ("network", about.network == own.network),
            ("data set", about.data == own.data),
            ("training", about.settings == own.settings),
        ] {
            if !same {
                return Err(CheckpointError::Other { path: owned(), what });
            }
        }
        if about.history.len() > self.settings.epochs {
            return Err(damaged(format!("it has {} epochs", about.history.len())));
        }
        let file = SafeTensors::deserialize(&bytes).map_err(format)?;
        let numbers = |name: &str, count: usize| -> Result<Vec<f64>, CheckpointError> {
            let tensor = file.tensor(name).map_err(format)?;
            let (found, _) = tensor.data().as_chunks::<8>();
            let found: Vec<f64> = found.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            if tensor.dtype() != Dtype::F64 || found.len() != count || found.iter().any(|x| !x.is_finite()) {
                return Err(damaged(format!("'{}' is not {count} finite numbers", plain(name))));
            }
            Ok(found)
        };
        // Nothing is changed before all is read.
        let (mut weights, mut running, mut descent) =
            (self.weights.clone(), self.running.clone(), self.descent.clone());
        let ids: Vec<_> = self.graph().param_ids().collect();
        for (which, set) in [&mut weights].into_iter().chain(&mut descent.memories).enumerate() {
            for id in &ids {
                let to = set.get_mut(*id);
                let from = numbers(&name_of(which, id.index()), to.len())?;
                to.iter_mut().zip(from).for_each(|(to, from)| *to = E::from_f64(from));
            }
        }
        for (value, statistics) in running.iter_mut() {
            let channels = statistics.mean.len();
            statistics.mean = numbers(&format!("mean.{}", value.index()), channels)?;
            statistics.variance = numbers(&format!("variance.{}", value.index()), channels)?;
        }
        (self.weights, self.running, self.descent) = (weights, running, descent);
        self.history = about.history;
        Ok(())
    }

    fn about(&self, data: &Dataset) -> About {
        let graph = self.graph();
        let params: Vec<_> = graph.params().iter().map(|param| (&param.name, &param.shape)).collect();
        let network = Key::of(params).with(graph.key());
        let (network, data) = (network.0, data.key().0);
        About { settings: self.settings, network, data, history: self.history.clone() }
    }

    /// Everything by name: weights, what the optimiser remembers, running statistics.
    fn tensors(&self) -> Vec<(String, Bytes)> {
        let sets = [&self.weights].into_iter().chain(&self.descent.memories).enumerate();
        let params = sets.flat_map(|(which, set)| {
            let named = set.iter().enumerate();
            named.map(move |(param, numbers)| {
                (name_of(which, param), Bytes::doubles(numbers.iter().map(|x| x.to_f64())))
            })
        });
        let statistics = self.running.iter().flat_map(|(value, statistics)| {
            [("mean", &statistics.mean), ("variance", &statistics.variance)].map(|(name, numbers)| {
                (format!("{name}.{}", value.index()), Bytes::doubles(numbers.iter().copied()))
            })
        });
        params.chain(statistics).collect()
    }
}

/// The name of a parameter's numbers: of the weights, or of what the optimiser remembers.
fn name_of(set: usize, param: usize) -> String {
    match set {
        0 => format!("weight.{param}"),
        memory => format!("memory.{memory}.{param}"),
    }
}
