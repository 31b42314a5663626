//! Scoring networks wherever they come from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rayon::prelude::*;
use swapnas_graph::{Graph, Key, Shape, Tensors};

use super::agenda::Agenda;
use super::plan::Planned;
use super::work::{Measured, Memories, Work};
use super::{Precision, Progress, ScoreError, Scored, Settings};
use crate::definition::Precise;
use crate::trial::{Material, Network, Source};

/// Scores networks that are there as graphs, such as those of ONNX files.
///
/// They are not built from architectures, so metrics that look at another network of the same architecture (a
/// smaller one, or the same for other images) are undefined.
pub struct GraphScorer {
    pub(super) settings: Settings,
    pub(super) agenda: Agenda,
    pub(super) material: Shown,
    pub(super) tensors: Option<Tensors>,
}

/// What networks are shown, in the precision in which they compute.
pub(super) enum Shown {
    Single(Material<f32>),
    Double(Material<f64>),
}

/// Networks that are planned together. More share more, and need more memory.
const CHUNK: usize = 256;

/// Multiply-accumulates that networks which are scored together take, more or less: some seconds of
/// work, which is what may be lost when somebody stops it.
const CHUNK_MACS: u64 = 200_000_000_000;

impl GraphScorer {
    /// A scorer of networks that take images of a shape and tell so many classes apart.
    ///
    /// # Errors
    /// If the images cannot be had.
    pub fn new(input: Shape, classes: usize, settings: Settings) -> Result<Self, ScoreError> {
        let agenda = Agenda::new(&settings)?;
        GraphScorer::with_agenda(input, classes, settings, agenda, None)
    }

    /// The same; `thin` is the shape of the images for the smallest network of a space.
    pub(super) fn with_agenda(
        input: Shape,
        classes: usize,
        settings: Settings,
        agenda: Agenda,
        thin: Option<Shape>,
    ) -> Result<Self, ScoreError> {
        let Shape { channels, height, width } = input;
        let sizes = [settings.batch, channels, height, width];
        // As numbers of a picture, and once more as lanes.
        let numbers = sizes.into_iter().fold(2, usize::saturating_mul);
        settings.precision.check_memory("the images", numbers)?;
        let (inputs, batch, seed) = (&settings.inputs, settings.batch, settings.seed);
        let source = Source { inputs, shape: input, batch, classes, seed, thin };
        let material = match settings.precision {
            Precision::Single => Shown::Single(Material::draw(&source, agenda.needs)?),
            Precision::Double => Shown::Double(Material::draw(&source, agenda.needs)?),
        };
        Ok(GraphScorer { settings, agenda, material, tensors: None })
    }

    /// How networks are scored.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Scores networks on all threads of the current rayon pool, as [`Scorer::score`](super::Scorer::score)
    /// does those of architectures.
    ///
    /// # Errors
    /// If one of them cannot be run, as one that takes other images.
    pub fn score(
        &self,
        graphs: &[Arc<Graph>],
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Scored>>, ScoreError> {
        let plan = |graph: &Arc<Graph>| self.plan(graph.clone(), graph.key(), Network::alone);
        self.score_planned(graphs, plan, progress)
    }

    /// Scores what `plan` makes ready.
    pub(super) fn score_planned<T: Sync>(
        &self,
        subjects: &[T],
        plan: impl Fn(&T) -> Result<Planned, ScoreError> + Sync,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Scored>>, ScoreError> {
        match &self.material {
            Shown::Single(material) => self.score_in(material, subjects, plan, progress),
            Shown::Double(material) => self.score_in(material, subjects, plan, progress),
        }
    }

    fn score_in<E: Precise, T: Sync>(
        &self,
        material: &Material<E>,
        subjects: &[T],
        plan: impl Fn(&T) -> Result<Planned, ScoreError> + Sync,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Scored>>, ScoreError> {
        let mut scored: Vec<Option<Scored>> = vec![None; subjects.len()];
        // Where the first network of each key is, and its patterns, if that is all it has been run for.
        let mut known: HashMap<Key, (usize, Option<Measured>)> = HashMap::new();
        let patterns_alone = self.agenda.of_passes.is_empty();
        let memories = Memories::default();
        for (chunk, subjects) in subjects.chunks(CHUNK).enumerate() {
            if progress.stopped() {
                break;
            }
            let planned: Vec<Planned> = subjects.par_iter().map(&plan).collect::<Result<_, ScoreError>>()?;
            let (mut unknown, mut others) = (Vec::new(), Vec::new());
            for (index, planned) in (chunk * CHUNK..).zip(planned) {
                match known.entry(planned.key) {
                    Entry::Vacant(first) => {
                        first.insert((index, None));
                        unknown.push((index, planned));
                    }
                    Entry::Occupied(_) => others.push((index, planned)),
                }
            }
            let cost = |planned: &Planned| planned.graph().macs() * self.agenda.passes(self.settings.batch);
            let mut rest: &[(usize, Planned)] = &unknown;
            while !rest.is_empty() && !progress.stopped() {
                let mut macs = 0;
                let fits = |(_, planned): &&(usize, Planned)| {
                    macs += cost(planned);
                    macs <= CHUNK_MACS
                };
                let (part, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
                rest = after;
                let networks: Vec<&Planned> = part.iter().map(|(_, planned)| planned).collect();
                let (networks, memories) = (&*networks, &memories);
                let measured = Work { scorer: self, material, networks, memories, progress }.measure()?;
                for ((index, planned), measured) in part.iter().zip(measured) {
                    scored[*index] = measured.as_ref().map(|found| self.scored(planned.graph(), found));
                    let counts = measured.filter(|_| patterns_alone).map(|measured| measured.counts);
                    let patterns = counts.map(|counts| Measured { counts, ..Measured::default() });
                    known.insert(planned.key, (*index, patterns));
                }
            }
            for (index, planned) in others {
                scored[index] = match &known[&planned.key] {
                    (_, Some(patterns)) => Some(self.scored(planned.graph(), patterns)),
                    // A network that is equal in everything.
                    (first, None) => scored[*first].clone(),
                };
                if scored[index].is_some() {
                    progress.advance(1.0);
                }
            }
        }
        Ok(scored)
    }
}
