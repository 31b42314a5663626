//! Networks of ONNX files, scored as they are.
//!
//! Weights are drawn as for every network, and batch normalisations have the statistics of the batch, so nothing
//! depends on what numbers a file holds. [`swapnas_formats::onnx`] says what networks can be read, and what their
//! weights depend on. Batch normalisations that an exporter has folded into convolutions cannot be seen.
//!
//! ```
//! use swapnas::{Scoring, ScoringOptions};
//! use swapnas::export::{Export, Format};
//! use swapnas::onnx::{Model, score};
//!
//! // A file that is in memory; `Model::read` takes one by its path.
//! let space = swapnas::space("nb201")?;
//! let arch = space.parse("4321")?;
//! let network = swapnas::NetworkConfig { cells: Some(1), ..space.final_network() };
//! let file = Export { space, arch: &arch, network, seed: 0 }.contents(Format::Onnx)?;
//!
//! let options = ScoringOptions { repeats: Some(1), ..ScoringOptions::default() };
//! let scoring = Scoring { options, ..Scoring::new(space) };
//! let model = Model::of("network.onnx".into(), file, scoring.images())?;
//! let columns = scoring.columns()?;
//! let scored = score(&[model], &scoring.settings(&columns)?, &())?;
//! assert!(scored[0].as_ref().is_some_and(|scored| scored.scores[0].is_ok()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use swapnas_formats::onnx;
pub use swapnas_formats::onnx::{Images, InputProblem, ReadError, Reading};
use swapnas_graph::{Graph, ModuleKind, Shape, plain};
use swapnas_metrics::{GraphScorer, Outcome, Progress, Refusals, Refused, ScoreError, Scored, Settings};

/// The network of an ONNX file.
#[derive(Clone, Debug)]
pub struct Model {
    path: PathBuf,
    graph: Arc<Graph>,
}

/// A file that cannot be read as a network.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read at all.
    #[error("cannot read {}: {source}", plain(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no network in it that can be scored.
    #[error("{}: {source}", plain(path))]
    Onnx {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
}

impl ModelError {
    /// Why, without the name of the file.
    pub fn reason(&self) -> String {
        match self {
            ModelError::Read { source, .. } => format!("it cannot be read: {source}"),
            ModelError::Onnx { source, .. } => source.to_string(),
        }
    }
}

impl Model {
    /// Whether this is the name of an ONNX file, and so of no architecture.
    pub fn is_named(text: &str) -> bool {
        Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
    }

    /// Reads a file for some images.
    ///
    /// # Errors
    /// If the file cannot be read, is no ONNX file, or has a network other than of convolutions.
    pub fn read(path: &Path, images: Images) -> Result<Self, ModelError> {
        let path = path.to_owned();
        match std::fs::read(&path) {
            Ok(file) => Model::of(path, file, images),
            Err(source) => Err(ModelError::Read { path, source }),
        }
    }

    /// Reads the contents of a file, which is known by a name that may be any.
    ///
    /// # Errors
    /// If this is no ONNX file, or has a network other than of convolutions.
    pub fn of(path: PathBuf, file: Vec<u8>, reading: impl Into<Reading>) -> Result<Self, ModelError> {
        match onnx::read(file, reading) {
            Ok(graph) => Ok(Model { path, graph: Arc::new(graph) }),
            Err(source) => Err(ModelError::Onnx { path, source }),
        }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// Shape of the images that it takes.
    pub fn input(&self) -> Shape {
        self.graph.shape(self.graph.input())
    }

    /// How many different tokens it knows, if it reads texts.
    pub fn vocabulary(&self) -> Option<usize> {
        self.graph.vocabulary()
    }

    /// How many numbers it returns for an image.
    pub fn classes(&self) -> usize {
        self.graph.shape(self.graph.outputs()[0]).elements()
    }

    /// Whether it has convolutions but no normalisation, as exporters leave networks of batch normalisations unless told
    /// otherwise.
    pub fn lacks_normalisation(&self) -> bool {
        let has = |kind: ModuleKind| self.graph.modules().iter().any(|module| module.kind == kind);
        has(ModuleKind::Conv) && !has(ModuleKind::BatchNorm) && !has(ModuleKind::SampleNorm)
    }
}

/// Scores models on all threads of the current rayon pool, in the order given; those that `progress` stops before
/// they are done are `None`. Those that take the same images, and tell as many classes apart, are shown the same.
///
/// # Errors
/// If the images cannot be had, or a model cannot be run.
pub fn score(
    models: &[Model],
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Vec<Option<Scored>>, ScoreError> {
    let scored = score_each(models, settings, Refusals::Errors, progress)?;
    Ok(scored.into_iter().map(|outcome| outcome?.ok()).collect())
}

/// The same; what becomes of those that cannot be scored is for `refusals` to say.
///
/// # Errors
/// If the images cannot be had; if a refusal is an error, then of the first.
pub fn score_each(
    models: &[Model],
    settings: &Settings,
    refusals: Refusals,
    progress: &dyn Progress,
) -> Result<Vec<Option<Outcome>>, ScoreError> {
    let mut scored: Vec<Option<Outcome>> = vec![None; models.len()];
    let shown = |model: &Model| (model.input(), model.vocabulary(), model.classes());
    // All images are drawn before the first model is scored, so that those that cannot be had cost no scores.
    type Shown = (Shape, Option<usize>, usize);
    let scorer = |(input, vocabulary, classes): Shown| match vocabulary {
        None => GraphScorer::new(input, classes, settings.clone()),
        Some(vocabulary) => GraphScorer::of_texts(input.width, vocabulary, classes, settings.clone()),
    };
    let mut kinds: Vec<(Shown, Result<GraphScorer, Refused>)> = Vec::new();
    for kind in models.iter().map(shown) {
        if !kinds.iter().any(|(known, _)| *known == kind) {
            kinds.push((kind, refusals.settle(scorer(kind))?));
        }
    }
    for (kind, scorer) in kinds {
        if progress.stopped() {
            break;
        }
        let places: Vec<usize> = (0..models.len()).filter(|&index| shown(&models[index]) == kind).collect();
        let graphs: Vec<Arc<Graph>> = places.iter().map(|&index| models[index].graph.clone()).collect();
        let found = match scorer {
            Ok(scorer) => scorer.score_each(&graphs, refusals, progress)?,
            Err(refused) => {
                progress.advance(graphs.len() as f64);
                vec![Some(Err(refused)); graphs.len()]
            }
        };
        for (place, found) in places.into_iter().zip(found) {
            scored[place] = found;
        }
    }
    Ok(scored)
}

/// What a reader of the scores should know of the models: which of them have no batch normalisation, perhaps since
/// their exporter has folded it into convolutions.
pub fn warning(models: &[Model]) -> Option<String> {
    let lacking: Vec<&Model> = models.iter().filter(|model| model.lacks_normalisation()).collect();
    let first = plain(lacking.first()?.path());
    let others = match lacking.len() - 1 {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        others => format!(" and {others} others"),
    };
    Some(format!(
        "without batch normalisation: {first}{others}; where the model has it, the exporter has folded it into \
         convolutions, and scores are those of another network: give torch.onnx.export optimize=False, or \
         dynamo=False with training=TrainingMode.PRESERVE"
    ))
}
