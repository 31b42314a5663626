//! Scoring networks wherever they come from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use swapnas_graph::{Graph, Key, Shape, Tensors};

use super::agenda::Agenda;
use super::plan::Planned;
use super::refused;
use super::work::{Due, GroupWork, Measured, Memories};
use super::{Outcome, Precision, Progress, Refusals, Refused, Remedy, ScoreError, Scored, Settings};
use crate::check_memory;
use crate::definition::Precise;
use crate::inputs::InputSpec;
use crate::trial::{Network, SharedInputs, Source};

/// Scores networks that are there as graphs, such as those of ONNX files.
///
/// They are not built from architectures, so metrics that look at another network of the same architecture (a
/// smaller one, or the same for other images) are undefined.
pub struct GraphScorer {
    pub(super) settings: Settings,
    pub(super) agenda: Agenda,
    pub(super) shared: Shown,
    pub(super) tensors: Option<Tensors>,
    pub(super) remedy: Remedy,
}

/// What networks read, and how many classes they tell apart.
pub(super) struct Reads {
    pub input: Shape,
    pub classes: usize,
    /// How many tokens there are, if they read texts.
    pub vocabulary: Option<usize>,
    /// Shape of the images for the smallest network of a space.
    pub smallest: Option<Shape>,
}

impl Reads {
    pub(super) fn images(input: Shape, classes: usize) -> Self {
        Reads { input, classes, vocabulary: None, smallest: None }
    }
}

/// What networks are shown, in the precision in which they compute.
pub(super) enum Shown {
    Single(SharedInputs<f32>),
    Double(SharedInputs<f64>),
}

/// Networks that are planned together. More share more, and need more memory.
const CHUNK: usize = 256;

/// Bytes that may be known of the networks of a chunk: with very many repeats, there are fewer of them.
const CHUNK_BYTES: usize = 256 << 20;

impl GraphScorer {
    /// A scorer of networks that take images of a shape and tell so many classes apart.
    ///
    /// # Errors
    /// If the images cannot be had.
    pub fn new(input: Shape, classes: usize, settings: Settings) -> Result<Self, ScoreError> {
        let agenda = Agenda::new(&settings)?;
        GraphScorer::with_agenda(Reads::images(input, classes), settings, agenda, Remedy::Show)
    }

    /// A scorer of networks that read texts of so many tokens, each a number below `vocabulary`, and tell so many
    /// classes apart.
    ///
    /// # Errors
    /// If the texts cannot be had.
    pub fn of_texts(
        length: usize,
        vocabulary: usize,
        classes: usize,
        settings: Settings,
    ) -> Result<Self, ScoreError> {
        let agenda = Agenda::new(&settings)?;
        let reads =
            Reads { vocabulary: Some(vocabulary), ..Reads::images(Shape::new(1, 1, length), classes) };
        GraphScorer::with_agenda(reads, settings, agenda, Remedy::Show)
    }

    /// A scorer of networks that take the same.
    pub(super) fn with_agenda(
        reads: Reads,
        settings: Settings,
        agenda: Agenda,
        remedy: Remedy,
    ) -> Result<Self, ScoreError> {
        let Reads { input, classes, vocabulary, smallest } = reads;
        let Shape { channels, height, width } = input;
        let numbers = [settings.batch, channels, height, width].into_iter().fold(1, usize::saturating_mul);
        let bytes = numbers.saturating_mul(agenda.needs.bytes_of_image(settings.precision.bytes()));
        let fields = match settings.inputs {
            // The amplitudes of all frequencies, and on every thread a spectrum and its transform.
            InputSpec::Spectral(_) => {
                let threads = rayon::current_num_threads().min(settings.batch);
                height.saturating_mul(width).saturating_mul(12 + 24 * threads)
            }
            _ => 0,
        };
        check_memory("the images", bytes.saturating_add(fields))
            .map_err(|error| ScoreError::Memory { error, remedy })?;
        let (inputs, batch, seed) = (&settings.inputs, settings.batch, settings.seed);
        let source = Source { inputs, shape: input, batch, classes, vocabulary, seed, smallest };
        let shared = match settings.precision {
            Precision::Single => Shown::Single(SharedInputs::draw(&source, agenda.needs)?),
            Precision::Double => Shown::Double(SharedInputs::draw(&source, agenda.needs)?),
        };
        Ok(GraphScorer { settings, agenda, shared, tensors: None, remedy })
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
        Ok(refused::none(self.score_each(graphs, Refusals::Errors, progress)?))
    }

    /// The same; what becomes of those that cannot be scored is for `refusals` to say.
    ///
    /// # Errors
    /// If nothing can be scored at all; if a refusal is an error, then of the first.
    pub fn score_each(
        &self,
        graphs: &[Arc<Graph>],
        refusals: Refusals,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Outcome>>, ScoreError> {
        let plan = |graph: &Arc<Graph>| self.plan(graph.clone(), graph.key(), Network::alone);
        self.score_planned(graphs, Arc::as_ptr, plan, refusals, progress)
    }

    /// Scores what `plan` makes ready; subjects with the same `name` are planned and scored once.
    pub(super) fn score_planned<'s, T: Sync, N: Eq + Hash>(
        &self,
        subjects: &'s [T],
        name: impl Fn(&'s T) -> N,
        plan: impl Fn(&T) -> Result<Planned, ScoreError> + Sync,
        refusals: Refusals,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Outcome>>, ScoreError> {
        let mut places = HashMap::new();
        let mut distinct: Vec<Subject<'_, T>> = Vec::new();
        let mut place_of = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let place = *places.entry(name(subject)).or_insert(distinct.len());
            match distinct.get_mut(place) {
                Some(known) => known.copies += 1,
                None => distinct.push(Subject { subject, copies: 1 }),
            }
            place_of.push(place);
        }
        let scored = match &self.shared {
            Shown::Single(shared) => self.score_in(shared, &distinct, plan, refusals, progress)?,
            Shown::Double(shared) => self.score_in(shared, &distinct, plan, refusals, progress)?,
        };
        Ok(if distinct.len() == subjects.len() {
            scored
        } else {
            place_of.into_iter().map(|place| scored[place].clone()).collect()
        })
    }

    fn score_in<E: Precise, T: Sync>(
        &self,
        shared: &SharedInputs<E>,
        subjects: &[Subject<'_, T>],
        plan: impl Fn(&T) -> Result<Planned, ScoreError> + Sync,
        refusals: Refusals,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Outcome>>, ScoreError> {
        let mut scored: Vec<Option<Outcome>> = vec![None; subjects.len()];
        // Where the first network of each key is, and its patterns, if that is all it has been run for.
        let mut known: HashMap<Key, (usize, Option<Measured>)> = HashMap::new();
        let patterns_alone = self.agenda.of_passes.is_empty();
        let memories = Mutex::new(Memories::default());
        let bytes = Measured::bytes(&self.settings, self.agenda.repeats);
        check_memory("the results of all repeats", bytes).map_err(ScoreError::Repeats)?;
        let size = (CHUNK_BYTES / bytes).clamp(1, CHUNK);
        let admitted = |planned: Planned| {
            let room = memories.lock().unwrap_or_else(PoisonError::into_inner).admit(planned.bytes);
            room.map_err(|error| ScoreError::Memory { error, remedy: self.remedy })?;
            Ok(planned)
        };
        for (chunk, subjects) in subjects.chunks(size).enumerate() {
            if progress.stopped() {
                break;
            }
            let planned: Vec<(Result<Planned, Refused>, usize)> = subjects
                .par_iter()
                .map(|Subject { subject, copies }| Ok((refusals.settle(plan(subject))?, *copies)))
                .collect::<Result<_, ScoreError>>()?;
            let (mut unknown, mut others) = (Vec::new(), Vec::new());
            for (index, (planned, copies)) in (chunk * size..).zip(planned) {
                let planned = match planned {
                    Ok(planned) => refusals.settle(admitted(planned))?,
                    refused => refused,
                };
                let planned = match planned {
                    Ok(planned) => planned,
                    Err(refused) => {
                        scored[index] = Some(Err(refused));
                        progress.advance(copies as f64);
                        continue;
                    }
                };
                match known.entry(planned.key) {
                    Entry::Vacant(first) => {
                        first.insert((index, None));
                        unknown.push((index, Due { planned, copies }));
                    }
                    Entry::Occupied(_) => others.push((index, planned, copies)),
                }
            }
            let (indices, networks): (Vec<usize>, Vec<Due>) = unknown.into_iter().unzip();
            let (dues, memories) = (&*networks, &memories);
            let measured =
                GroupWork { scorer: self, shared, dues, memories, refusals, progress }.measure()?;
            for ((index, Due { planned, .. }), measured) in indices.into_iter().zip(&networks).zip(measured) {
                let outcome = |measured: &Result<Measured, Refused>| match measured {
                    Ok(found) => Ok(self.scored(planned.graph(), found)),
                    Err(refused) => Err(refused.clone()),
                };
                scored[index] = measured.as_ref().map(outcome);
                let measured = measured.and_then(Result::ok).filter(|_| patterns_alone);
                let counts = measured.map(|measured| measured.counts);
                let patterns = counts.map(|counts| Measured { counts, ..Measured::default() });
                known.insert(planned.key, (index, patterns));
            }
            for (index, planned, copies) in others {
                scored[index] = match &known[&planned.key] {
                    (_, Some(patterns)) => Some(Ok(self.scored(planned.graph(), patterns))),
                    // A network that is equal in everything.
                    (first, None) => scored[*first].clone(),
                };
                if scored[index].is_some() {
                    progress.advance(copies as f64);
                }
            }
        }
        Ok(scored)
    }
}

/// What is to be scored, and how many there are of it.
struct Subject<'s, T> {
    subject: &'s T,
    copies: usize,
}
