//! From a folder of labelled pictures to a network that is ready to be trained.
//!
//! What suits the pictures is decided by rules that are said: the [size](side) of the images, the
//! [space and the size of the network](Design::new). A search then finds the architecture, and [`Design::write`] leaves
//! the network and a program that trains it.

mod choice;
mod script;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use swapnas_graph::{Level, Shape, plain};
use swapnas_metrics::inputs::{InputSpec, PictureFolder, Survey};
use swapnas_search::{LatencyTable, Limits, Search, SearchError};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

pub use choice::{Reach, side};

use crate::export::{Export, ExportError, Format};
use crate::{ImageSize, NetworkOptions, Scoring, ScoringOptions, SearchOptions, Searching, file};

/// What somebody wants of a network besides that it be accurate.
#[derive(Clone, Default)]
pub struct Wishes {
    /// Limits of the network.
    pub limits: Limits,
    /// How long operations take.
    pub latency: Option<LatencyTable>,
    /// The space to search, if it is not to be chosen.
    pub space: Option<&'static dyn Space>,
    /// Height and width of the images, if they are not to be chosen.
    pub side: Option<usize>,
    /// The seed of everything that is drawn.
    pub seed: u64,
}

/// What is to be searched for, and why.
#[derive(Clone)]
pub struct Design {
    survey: Survey,
    wishes: Wishes,
    space: &'static dyn Space,
    network: NetworkConfig,
    reasons: Vec<String>,
}

/// Pictures or wishes that nothing can be designed for.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    /// The space is one of networks that read texts.
    #[error("{0} has networks of texts, and these are pictures")]
    Texts(&'static str),
    /// A network cannot be built for images of that size.
    #[error("networks of {space} cannot be built for images of {input}: {cause}")]
    Network {
        /// The space.
        space: &'static str,
        /// The images.
        input: Shape,
        /// Why.
        cause: Box<NetworkError>,
    },
    /// Sizes cannot be told.
    #[error(transparent)]
    Search(Box<SearchError>),
    /// Nothing is within the limits.
    #[error("{}", choice::unreachable(limits, reach))]
    Unreachable {
        /// The limits.
        limits: String,
        /// What each space that takes such images comes to at the least, that which was asked for or chosen first.
        reach: Vec<Reach>,
    },
    /// Latency is limited, and not known of the network that the other limits allow.
    #[error(
        "nobody knows how long a network of {space} takes, {described}: measure its operations, and give the table of \
         latencies"
    )]
    Unmeasured {
        /// The space.
        space: &'static str,
        /// The network.
        network: Box<NetworkConfig>,
        /// The network in words.
        described: String,
    },
    /// The folder holds what was found for other pictures or wishes.
    #[error("{} has another design; give the same pictures and options as then, or another folder", plain(.0))]
    Other(PathBuf),
}

impl From<SearchError> for DesignError {
    fn from(error: SearchError) -> Self {
        DesignError::Search(Box::new(error))
    }
}

impl Design {
    /// Chooses for the pictures of a folder.
    ///
    /// Images are of the [size](side) that most pictures have, and of one channel if all are grey. Up to 64 pixels the
    /// space is `darts`, whose networks keep small images as large as they are, and above `mobilenet`, whose networks
    /// make large ones smaller at once. The network to be trained has as many channels and cells as the benchmark's, or
    /// fewer: the most for which one in ten of a hundred random architectures is within the limits. Architectures are
    /// ranked by what the space is ranked by, on the pictures themselves.
    ///
    /// # Errors
    /// If nothing is within the limits, or networks cannot be built for such images.
    pub fn new(survey: Survey, wishes: Wishes) -> Result<Self, DesignError> {
        let choice = choice::choose(&survey, &wishes)?;
        let choice::Choice { space, network, reasons } = choice;
        Ok(Design { survey, wishes, space, network, reasons })
    }

    /// What is in the folder.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The space that is searched.
    pub fn space(&self) -> &'static dyn Space {
        self.space
    }

    /// The network that is to be trained.
    pub fn network(&self) -> &NetworkConfig {
        &self.network
    }

    /// Why it is so, in sentences.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// The search for the architecture.
    pub fn searching(&self) -> Searching {
        let NetworkConfig { channels, cells, input, classes, .. } = self.network;
        let scored = self.space.scored_network().input;
        // As large as networks are scored by default, with the channels of the pictures.
        let size = Shape { channels: input.channels, ..scored };
        let network = NetworkOptions {
            size: (size != scored).then_some(ImageSize::Shape(size)),
            classes: Some(classes),
            ..NetworkOptions::default()
        };
        let scoring = ScoringOptions {
            inputs: self.inputs(),
            seed: self.wishes.seed,
            network,
            ..ScoringOptions::default()
        };
        let trained = NetworkOptions {
            channels,
            cells,
            size: Some(ImageSize::Shape(input)),
            ..NetworkOptions::default()
        };
        Searching {
            scoring: Scoring { options: scoring, ..Scoring::new(self.space) },
            options: SearchOptions {
                limits: self.wishes.limits,
                latency: self.wishes.latency.clone(),
                trained,
                ..SearchOptions::default()
            },
        }
    }

    /// Begins the search in a folder, with so many cycles, or goes on with the one that is there if it is the same.
    ///
    /// # Errors
    /// If the search cannot begin, or the folder holds another one.
    pub fn begin(&self, folder: &Path, cycles: usize, level: Level) -> Result<Search, DesignError> {
        let mut searching = self.searching();
        searching.options.cycles = cycles;
        let (configuration, _) = searching.configuration()?;
        if !folder.join("run.db").exists() {
            return Ok(Search::create(folder, configuration, level)?);
        }
        let search = Search::resume(folder, level)?;
        if *search.configuration() != configuration {
            return Err(DesignError::Other(folder.to_owned()));
        }
        Ok(search)
    }

    /// The pictures, or what is drawn in their place if they do not make a batch.
    fn inputs(&self) -> InputSpec {
        if self.survey.train_pictures() < choice::BATCH {
            return InputSpec::default();
        }
        let folder = &self.survey.train;
        InputSpec::Images(if self.survey.bad.is_empty() {
            PictureFolder::new(folder)
        } else {
            PictureFolder::skipping_bad(folder)
        })
    }

    /// Writes the network of an architecture into a folder, as `network.py` and `network.onnx`, and `train.py`, which
    /// trains it on the pictures.
    ///
    /// # Errors
    /// If the network cannot be written.
    pub fn write(&self, arch: &Arch, folder: &Path) -> Result<(), ExportError> {
        let export = Export { space: self.space, arch, network: self.network, seed: self.wishes.seed };
        for format in [Format::Torch, Format::Onnx] {
            export.write(format, &folder.join("network").with_extension(format.extension()))?;
        }
        let script = script::train(&self.survey, &self.network);
        Ok(file::write(&folder.join("train.py"), script.as_bytes())?)
    }

    /// What was found and chosen, for programs.
    pub fn json(&self) -> Value {
        let Survey { train, validation, classes, pictures, validation_pictures, channels, sides, bad } =
            &self.survey;
        let Shape { channels: _, height, width } = self.network.input;
        json!({
            "pictures": {
                "train": train,
                "validation": validation,
                "classes": classes,
                "train_pictures": pictures,
                "validation_pictures": validation_pictures,
                "channels": channels,
                "sides": sides,
                "skipped": bad.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
            "space": self.space.name(),
            "size": [self.network.input.channels, height, width],
            "final_network": self.space.describe(&self.network),
            "reasons": self.reasons,
        })
    }
}
