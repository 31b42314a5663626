//! The program that measures, and the Python that runs it.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use swapnas_formats::onnx::{self, Contents};
use swapnas_formats::torch;
use swapnas_graph::{Draw, FixedStatistics, Graph, Init, Shape, Weights, plain};
use swapnas_metrics::Progress;
use tempfile::TempDir;

use super::LatencyError;
use crate::file;

/// A program in Python that answers a line of JSON for each that it is given.
const MEASURE: &str = include_str!("measure.py");

/// What runs networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// ONNX Runtime, on the processor.
    OnnxRuntime,
    /// PyTorch, on the processor, an operation after the other.
    Torch,
}

impl Runtime {
    /// All there are.
    pub const ALL: [Runtime; 2] = [Runtime::OnnxRuntime, Runtime::Torch];

    /// The name on the command line, which is that of its package.
    pub const fn name(self) -> &'static str {
        match self {
            Runtime::OnnxRuntime => "onnxruntime",
            Runtime::Torch => "torch",
        }
    }

    /// What a file of a network holds.
    fn contents(self, graph: &Graph) -> Result<Vec<u8>, String> {
        match self {
            Runtime::OnnxRuntime => {
                let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 0, repeat: 0, network: None });
                let contents = Contents { weights, statistics: &FixedStatistics::default(), about: "" };
                onnx::export(graph, &contents).map_err(|error| error.to_string())
            }
            Runtime::Torch => {
                torch::module(graph, "").map(String::into_bytes).map_err(|error| error.to_string())
            }
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Runtime::OnnxRuntime => "onnx",
            Runtime::Torch => "py",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of nothing that runs networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing that runs networks is called `{}`; give onnxruntime or torch", plain(.0))]
pub struct UnknownRuntime(pub String);

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    fn from_str(name: &str) -> Result<Self, UnknownRuntime> {
        let found = Runtime::ALL.into_iter().find(|runtime| runtime.name() == name);
        found.ok_or_else(|| UnknownRuntime(name.to_owned()))
    }
}

/// What the program says, a line at a time.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ready(String),
    Missing(String),
    Refused(String),
    /// The number of a network, and why it cannot be run.
    Failed(usize, String),
    Ms(Vec<f64>),
}

/// Why there is no answer.
pub(super) enum Trouble {
    /// Somebody wants an end.
    Stopped,
    /// The network of that number cannot be measured.
    Network(usize, String),
    /// Nothing can be measured any more.
    Program(LatencyError),
}

/// The program while it runs.
pub(super) struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    folder: TempDir,
    python: PathBuf,
    runtime: Runtime,
    version: String,
}

impl Process {
    /// Starts it, and waits until it is ready.
    pub(super) fn start(
        python: &Path,
        runtime: Runtime,
        threads: usize,
        batch: usize,
    ) -> Result<Self, LatencyError> {
        let start_error = |source| LatencyError::Python { python: python.to_owned(), source };
        let folder = tempfile::tempdir().map_err(LatencyError::Folder)?;
        let mut command = Command::new(python);
        command.args(["-c", MEASURE, runtime.name(), &threads.to_string(), &batch.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            // Ctrl-C is for us alone; we end it then.
            use std::os::unix::process::CommandExt;
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(start_error)?;
        let (sender, answers) = channel();
        let output = child.stdout.take().map(BufReader::new);
        std::thread::spawn(move || {
            let lines = output.into_iter().flat_map(BufReader::lines).map_while(Result::ok);
            for line in lines {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = child.stderr.take();
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stderr) = stderr {
                // What cannot be read is not shown.
                let _ = stderr.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut process = Process {
            requests: child.stdin.take(),
            child,
            answers,
            errors: Some(errors),
            folder,
            python: python.to_owned(),
            runtime,
            version: String::new(),
        };
        match process.answer(&()) {
            Ok(Answer::Ready(version)) => process.version = version,
            Ok(Answer::Missing(package)) => {
                return Err(LatencyError::Missing { python: python.to_owned(), package });
            }
            Ok(Answer::Refused(what)) => return Err(LatencyError::Refused(what)),
            Err(Trouble::Program(error)) => return Err(error),
            _ => return Err(process.ended()),
        }
        Ok(process)
    }

    /// The runtime with its version.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Milliseconds of networks that take the same input. They are run in turns, `seconds` for each of them.
    pub(super) fn measure(
        &mut self,
        graphs: &[&Graph],
        seconds: f64,
        progress: &dyn Progress,
    ) -> Result<Vec<f64>, Trouble> {
        let mut files = Vec::with_capacity(graphs.len());
        for (number, graph) in graphs.iter().enumerate() {
            let contents = self.runtime.contents(graph).map_err(|what| Trouble::Network(number, what))?;
            let path = self.folder.path().join(format!("{number}.{}", self.runtime.extension()));
            file::write(&path, &contents).map_err(|error| Trouble::Program(error.into()))?;
            files.push(path);
        }
        let Some(first) = graphs.first() else { return Ok(Vec::new()) };
        let Shape { channels, height, width } = first.shape(first.input());
        let vocabulary = graphs.iter().find_map(|graph| graph.vocabulary());
        let input = match vocabulary {
            None => vec![channels, height, width],
            Some(_) => vec![height * width],
        };
        let seconds = seconds * graphs.len() as f64;
        let request = json!({ "files": files, "input": input, "vocabulary": vocabulary, "seconds": seconds });
        if let Some(requests) = &mut self.requests {
            // If nobody reads it, there is no answer either.
            let _ = writeln!(requests, "{request}");
        }
        match self.answer(progress)? {
            Answer::Ms(ms) if ms.len() == graphs.len() => Ok(ms),
            Answer::Failed(number, what) if number < graphs.len() => Err(Trouble::Network(number, what)),
            _ => Err(Trouble::Program(self.ended())),
        }
    }

    fn answer(&mut self, progress: &dyn Progress) -> Result<Answer, Trouble> {
        loop {
            if progress.stopped() {
                return Err(Trouble::Stopped);
            }
            match self.answers.recv_timeout(Duration::from_millis(50)) {
                // Packages may print what they like.
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(answer) => return Ok(answer),
                    Err(_) => continue,
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Program(self.ended())),
            }
        }
    }

    /// Why it ended, as it says itself.
    fn ended(&mut self) -> LatencyError {
        let _ = self.child.kill();
        let said = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned());
        let python = self.python.clone();
        LatencyError::Ended { python, what: last.unwrap_or_else(|| "it said nothing".to_owned()) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
