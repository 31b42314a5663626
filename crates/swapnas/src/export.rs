//! Architectures handed over to other tools: as a network that can be trained, a description, or a drawing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use swapnas_formats::onnx::{self, Contents, OnnxError};
use swapnas_formats::torch::{self, TorchError};
use swapnas_graph::option::{CELLS, CHANNELS, FORMAT, INPUT, OUT};
use swapnas_graph::{
    Batch, BatchError, Draw, FixedStatistics, Graph, Init, Level, Op, Param, Plan, RunError, Shape, Weights,
};
use swapnas_metrics::inputs::{Images, InputError, InputSpec};
use swapnas_metrics::{MemoryError, check_memory};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Preset, Space};
use swapnas_train::TrainedNetwork;

use crate::{ImageSize, WriteError, drawing, file, plain};

/// How many images, or texts, the statistics of batch normalisations are taken from: those of one block.
const CALIBRATION: usize = 16;

/// What an architecture is exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A module of PyTorch, ready to be trained.
    Torch,
    /// An ONNX file with weights.
    Onnx,
    /// An object with the architecture in all encodings and the size of its network.
    Json,
    /// A drawing for Graphviz.
    Dot,
    /// A drawing.
    Svg,
}

impl Format {
    /// All there are.
    pub const ALL: [Format; 5] = [Format::Torch, Format::Onnx, Format::Json, Format::Dot, Format::Svg];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Torch => "torch",
            Format::Onnx => "onnx",
            Format::Json => "json",
            Format::Dot => "dot",
            Format::Svg => "svg",
        }
    }

    /// How names of such files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Torch => "py",
            _ => self.name(),
        }
    }

    /// The format of a file of that name, if its extension says it.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Format::ALL.into_iter().find(|format| format.extension() == extension)
    }

    /// The format that is asked for, or that the name of the file says.
    ///
    /// # Errors
    /// If neither says it, or one says another than the other.
    pub fn choose(asked: Option<Self>, path: Option<&Path>) -> Result<Self, FormatError> {
        match (asked, path.map(|path| (path, Format::of(path)))) {
            (Some(format), Some((path, Some(other)))) if other != format => {
                Err(FormatError::Other { path: path.to_owned(), format })
            }
            (Some(format), _) | (None, Some((_, Some(format)))) => Ok(format),
            (None, Some((path, None))) => Err(FormatError::Unsaid { path: path.to_owned() }),
            (None, None) => Err(FormatError::None),
        }
    }

    /// Whether it is text that can be shown.
    pub const fn is_text(self) -> bool {
        !matches!(self, Format::Onnx)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is called `{}`; the formats are {list}", plain(.0), list = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Format::ALL.into_iter().find(|f| f.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A format that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A file with the name of another format.
    #[error(
        "{} is the name of another format than {format}: leave out {FORMAT}, or change the name",
        plain(path)
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What is asked for.
        format: Format,
    },
    /// A file whose name says none.
    #[error(
        "the name of {} says no format: give {FORMAT} ({}), or a name that ends in .{}",
        plain(path), Format::ALL.map(Format::name).join(", "), Format::ALL.map(Format::extension).join(", .")
    )]
    Unsaid {
        /// The file.
        path: PathBuf,
    },
    /// No format and no file.
    #[error(
        "give {FORMAT} ({}), or {OUT} with a file whose name says it",
        Format::ALL.map(Format::name).join(", ")
    )]
    None,
}

/// An architecture that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be built into the network asked for.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network cannot be written for PyTorch.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The network cannot be written as ONNX.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// There are no images of that shape.
    #[error(transparent)]
    Images(#[from] InputError),
    /// The images do not make a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The network cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is not as much memory as it takes to write weights.
    #[error("{0}; lower {CHANNELS}, {CELLS} or {INPUT}")]
    Memory(MemoryError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What the network that is exported has other than the space's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetworkOverrides {
    /// Which of the space's networks it is; the benchmark's if `None`.
    pub preset: Option<Preset>,
    /// Channels of its first stage.
    pub channels: Option<usize>,
    /// Its cells, or cells of each stage.
    pub cells: Option<usize>,
    /// Its classes.
    pub classes: Option<usize>,
    /// The size of its images.
    pub size: Option<ImageSize>,
}

impl NetworkOverrides {
    /// The network: unless changed, the one that is trained.
    pub fn network(&self, space: &dyn Space) -> NetworkConfig {
        let own = match self.preset.unwrap_or(Preset::Benchmark) {
            Preset::Benchmark => space.final_network(),
            Preset::Swap => NetworkConfig { preset: Preset::Swap, ..space.default_network() },
        };
        NetworkConfig {
            channels: self.channels.or(own.channels),
            cells: self.cells.or(own.cells),
            classes: self.classes.unwrap_or(own.classes),
            input: self.size.map_or(own.input, |size| size.shape(own.input)),
            ..own
        }
    }
}

/// An architecture with the network that it is to become.
///
/// ```
/// use swapnas::export::{Export, Format};
///
/// let space = swapnas::space("nb201")?;
/// let arch = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|")?;
/// let export = Export { space, arch: &arch, network: space.final_network(), seed: 0 };
/// let json = String::from_utf8(export.contents(Format::Json)?)?;
/// assert!(json.contains(r#""params":"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// The space of the architecture.
    pub space: &'a dyn Space,
    /// The architecture.
    pub arch: &'a Arch,
    /// The network.
    pub network: NetworkConfig,
    /// The seed of weights and of the images that go with them.
    pub seed: u64,
}

impl Export<'_> {
    /// What a file of that format holds.
    ///
    /// # Errors
    /// If the architecture cannot be built into the network.
    pub fn contents(&self, format: Format) -> Result<Vec<u8>, ExportError> {
        Ok(match format {
            Format::Torch => torch::module(&self.graph()?, &self.about()?)?.into_bytes(),
            Format::Onnx => self.onnx()?,
            Format::Json => format!("{:#}\n", self.description()?).into_bytes(),
            Format::Dot => drawing::dot(&self.space.diagrams(self.arch)).into_bytes(),
            Format::Svg => drawing::svg(&self.space.diagrams(self.arch)).into_bytes(),
        })
    }

    /// Writes a file, which is there in full or not at all.
    ///
    /// # Errors
    /// If the architecture cannot be built into the network or the file cannot be written.
    pub fn write(&self, format: Format, path: &Path) -> Result<(), ExportError> {
        Ok(file::write(path, &self.contents(format)?)?)
    }

    /// The weights of an ONNX file: drawn as PyTorch draws them by default, from the seed.
    pub fn weights(&self) -> Draw {
        Draw { init: Init::PyTorch, seed: self.seed, repeat: 0, network: None }
    }

    /// The images, or texts, from which an ONNX file has the statistics of its batch normalisations: without any, the
    /// values of an untrained network would shrink from layer to layer until nothing is left of them.
    ///
    /// # Errors
    /// If there is no network, images of its shape cannot be drawn, or there is no memory for them.
    pub fn images(&self) -> Result<Images, ExportError> {
        self.images_for(&self.graph()?)
    }

    fn images_for(&self, graph: &Graph) -> Result<Images, ExportError> {
        let shape = self.network.input;
        let Shape { channels, height, width } = shape;
        // As numbers of a picture, and once more as lanes.
        let numbers = [CALIBRATION, channels, height, width].into_iter().fold(2, usize::saturating_mul);
        memory("the images", numbers.saturating_mul(size_of::<f32>()))?;
        let inputs = InputSpec::default();
        Ok(match graph.vocabulary() {
            None => inputs.draw(shape, CALIBRATION, self.seed)?,
            Some(vocabulary) => inputs.draw_texts(shape, vocabulary, CALIBRATION, self.seed)?,
        })
    }

    fn onnx(&self) -> Result<Vec<u8>, ExportError> {
        let graph = Arc::new(self.graph()?);
        onnx::check(&graph)?;
        let weights = Weights::Drawn(self.weights());
        // Other normalisations take theirs from each sample.
        let has_statistics = graph.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm(_)));
        let statistics = if has_statistics {
            let plan = FixedStatistics::plan(graph.clone());
            let images = self.images_for(&graph)?;
            let images = Batch::from_nchw(images.count, images.shape(), &images.data)?;
            let run = plan_bytes(&plan);
            memory("weights and values of the network", run.max(file_bytes(&graph)))?;
            FixedStatistics::measure(&plan, weights, &images, Level::best())?
        } else {
            memory("weights of the network", file_bytes(&graph))?;
            FixedStatistics::default()
        };
        let about = format!("{}{}\n", self.about()?, self.calibration(&graph, has_statistics));
        Ok(onnx::export(&graph, &Contents { weights, statistics: &statistics, about: &about })?)
    }

    /// The network as it was trained, as an ONNX file; `about` is for its readers.
    ///
    /// # Errors
    /// If the architecture cannot be built into the network, or the weights are those of another.
    pub fn trained_onnx(&self, trained: &TrainedNetwork, about: &str) -> Result<Vec<u8>, ExportError> {
        let graph = self.graph()?;
        memory("weights of the network", file_bytes(&graph))?;
        let tensors = trained.tensors();
        let about = format!("{}{about}\n", self.about()?);
        let weights = Weights::Loaded(&tensors);
        Ok(onnx::export(&graph, &Contents { weights, statistics: trained.statistics(), about: &about })?)
    }

    fn calibration(&self, graph: &Graph, has_statistics: bool) -> String {
        let (init, seed) = (Init::PyTorch, self.seed);
        let untrained = format!("Untrained: weights {init}, seed {seed}");
        if !has_statistics {
            return format!("{untrained}.");
        }
        let (samples, inputs) = match graph.vocabulary() {
            None => ("images", InputSpec::default()),
            Some(_) => ("texts", InputSpec::default().for_texts()),
        };
        format!(
            "{untrained}; statistics of batch normalisations from {CALIBRATION} {samples} {inputs}, seed {seed}."
        )
    }

    fn graph(&self) -> Result<Graph, ExportError> {
        Ok(self.space.network(self.arch, &self.network)?)
    }

    /// What a reader of the file should know.
    fn about(&self) -> Result<String, ExportError> {
        let graph = self.graph()?;
        Ok(format!(
            "The network of an architecture of the space {}.\n\n{}\n\n{}\n{} parameters, {} multiply-accumulates {}.\n\
             Written by swapnas {}.\n",
            self.space.name(),
            self.space.print(self.arch),
            self.space.describe(&self.network),
            graph.parameter_count(),
            graph.macs(),
            if graph.vocabulary().is_some() { "a text" } else { "an image" },
            env!("CARGO_PKG_VERSION"),
        ))
    }

    fn description(&self) -> Result<Value, ExportError> {
        let graph = self.graph()?;
        let NetworkConfig { preset, channels, cells, input, classes } = self.network;
        // Some encodings cannot express everything; those that can are enough.
        let encodings = self.space.encodings().into_iter().filter(|encoding| encoding.name != "json");
        let encodings = encodings.filter_map(|encoding| {
            let text = self.space.print_as(self.arch, encoding.name).ok()?;
            Some((encoding.name.to_owned(), Value::from(text)))
        });
        Ok(json!({
            "space": self.space.name(),
            "architecture": self.space.to_json(self.arch),
            "encodings": encodings.collect::<Map<String, Value>>(),
            "network": {
                "description": self.space.describe(&self.network),
                "preset": preset.name(),
                "channels": channels,
                "cells": cells,
                "input": [input.channels, input.height, input.width],
                "classes": classes,
            },
            "params": graph.parameter_count(),
            "macs": graph.macs(),
        }))
    }
}

/// The bytes that are in memory at once while statistics are taken.
fn plan_bytes(plan: &Plan) -> usize {
    let number = size_of::<f32>();
    let lanes = [plan.lanes_per_block(), CALIBRATION, number].into_iter().fold(1, usize::saturating_mul);
    lanes.saturating_add(plan.bytes_of_weights(number))
}

/// The bytes that are in memory at once while the file is made: all parameters by themselves, and all in the file. As
/// long as one of them is there as it is drawn as well, there is no file.
fn file_bytes(graph: &Graph) -> usize {
    let elements = graph.params().iter().map(Param::len).fold(0, usize::saturating_add);
    elements.saturating_mul(2 * size_of::<f32>())
}

fn memory(what: &'static str, bytes: usize) -> Result<(), ExportError> {
    check_memory(what, bytes).map_err(ExportError::Memory)
}
