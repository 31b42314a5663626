//! What is scored: architectures of a space, or the networks of ONNX files.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;
use swapnas::onnx::{self, Model, ModelError};
use swapnas::options::SCORING;
use swapnas::{
    Arch, Columns, Finding, Progress, Refusals, Remedy, ScoreError, Scored, Scorer, Scoring, ScoringError,
    ScoringOptions, Settings, Shape, Tensors, Unread, plain, results, score_readable,
};

use crate::{explain, render};

/// How models are scored: on texts, if all of them read texts and nothing else is asked for.
fn settings_of(
    models: &[Result<Model, Unread>],
    scoring: &Scoring,
    columns: &Columns,
) -> Result<Settings, ScoringError> {
    let mut settings = scoring.settings(columns)?;
    let mut read = models.iter().flatten().peekable();
    if read.peek().is_some() && read.all(|model| model.vocabulary().is_some()) {
        settings.inputs = settings.inputs.for_texts();
    }
    Ok(settings)
}

/// One thing to be scored.
pub(crate) enum Subject {
    Arch(Arch),
    Model(Model),
    /// Nothing, but the others are scored.
    Unread(Unread),
}

impl Subject {
    /// What a text of a file stands for: the name of an ONNX file, or an architecture of the space.
    pub(crate) fn read(text: &str, scoring: &Scoring) -> anyhow::Result<Self> {
        Ok(if Model::is_named(text) {
            Subject::Model(Model::read(Path::new(text), scoring.images())?)
        } else {
            Subject::Arch(scoring.space.parse(text)?)
        })
    }

    /// What stands for no network, for that reason.
    pub(crate) fn unread(name: &str, reason: String) -> Self {
        Subject::Unread(Unread { name: name.to_owned(), reason })
    }

    /// What was typed.
    pub(crate) fn typed(text: &str, scoring: &Scoring) -> anyhow::Result<Self> {
        let read = Subject::read(text, scoring);
        if Model::is_named(text) { read } else { read.with_context(|| render::unread(text)) }
    }
}

/// Why a text stands for no network, where it stands beside.
pub(crate) fn reason(error: &anyhow::Error) -> String {
    match error.downcast_ref::<ModelError>() {
        Some(error) => error.reason(),
        None => explain(error.as_ref()),
    }
}

/// Reads what a file lists, where the same text may stand in many lines: an architecture is parsed once.
pub(crate) struct Reader<'a> {
    scoring: &'a Scoring,
    /// Whether networks are built for once.
    builds: bool,
    known: HashMap<&'a str, Arch>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(scoring: &'a Scoring) -> Self {
        Reader { scoring, builds: false, known: HashMap::new() }
    }

    /// Lets it build every network for once, so that one that cannot be built costs no scores.
    pub(crate) fn building(self) -> Self {
        Reader { builds: true, ..self }
    }

    pub(crate) fn read(&mut self, text: &'a str) -> anyhow::Result<Subject> {
        if let Some(arch) = self.known.get(text) {
            return Ok(Subject::Arch(arch.clone()));
        }
        let subject = Subject::read(text, self.scoring)?;
        if let Subject::Arch(arch) = &subject {
            if self.builds {
                self.scoring.space.network(arch, &self.scoring.network())?;
            }
            self.known.insert(text, arch.clone());
        }
        Ok(subject)
    }
}

/// Subjects, all of one kind, what is computed of them, and what scores them.
pub(crate) struct Subjects {
    pub(crate) columns: Columns,
    kind: Kind,
}

enum Kind {
    Archs(Vec<Result<Arch, Unread>>, Box<Scorer>),
    /// Each as it is.
    Models(Vec<Result<Model, Unread>>, Box<Settings>),
}

impl Subjects {
    /// Makes subjects ready to be scored; with `tensors`, images and weights come from there. `given` are the
    /// options that were typed.
    pub(crate) fn new(
        subjects: Vec<Subject>,
        scoring: &Scoring,
        tensors: Option<Tensors>,
        given: &[String],
    ) -> anyhow::Result<Self> {
        let models = subjects.iter().find_map(|subject| match subject {
            Subject::Model(model) => Some(model.path().to_owned()),
            _ => None,
        });
        let has_archs = subjects.iter().any(|subject| matches!(subject, Subject::Arch(_)));
        if let (Some(first), true) = (&models, has_archs) {
            let path = plain(first);
            bail!(
                "{path} is an ONNX file, but there are architectures of a space as well; score them by themselves"
            );
        }
        // If nothing can be read, names tell what it was meant to be.
        let is_named =
            |subject: &Subject| matches!(subject, Subject::Unread(one) if Model::is_named(&one.name));
        if models.is_none() && (has_archs || !subjects.iter().any(is_named)) {
            let scorer = match tensors {
                Some(tensors) => scoring.scorer_of(tensors)?,
                None => scoring.scorer()?,
            };
            let arch = |subject| match subject {
                Subject::Arch(arch) => Some(Ok(arch)),
                Subject::Model(_) => None,
                Subject::Unread(unread) => Some(Err(unread)),
            };
            let archs = subjects.into_iter().filter_map(arch).collect();
            return Ok(Subjects { columns: scoring.columns()?, kind: Kind::Archs(archs, Box::new(scorer)) });
        }
        let of_spaces = SCORING.iter().filter(|row| row.of_spaces).map(|row| row.name);
        let mut of_spaces = ["space", "tensors"].into_iter().chain(of_spaces);
        if let Some(option) = of_spaces.find(|option| given.iter().any(|given| given == option)) {
            bail!(
                "--{option} means nothing to ONNX files, whose networks are scored as they are; leave it out"
            );
        }
        let columns = scoring.columns()?;
        let model = |subject| match subject {
            Subject::Model(model) => Some(Ok(model)),
            Subject::Arch(_) => None,
            Subject::Unread(unread) => Some(Err(unread)),
        };
        let models: Vec<Result<Model, Unread>> = subjects.into_iter().filter_map(model).collect();
        let settings = settings_of(&models, scoring, &columns)?;
        Ok(Subjects { columns, kind: Kind::Models(models, Box::new(settings)) })
    }

    /// Lets them be scored with images and weights of another seed.
    pub(crate) fn reseed(&mut self, scoring: &Scoring, seed: u64) -> anyhow::Result<()> {
        let options = ScoringOptions { seed, ..scoring.options.clone() };
        let scoring = Scoring { options, ..scoring.clone() };
        match &mut self.kind {
            Kind::Archs(_, scorer) => **scorer = scoring.scorer()?,
            Kind::Models(models, settings) => **settings = settings_of(models, &scoring, &self.columns)?,
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            Kind::Archs(archs, _) => archs.len(),
            Kind::Models(models, _) => models.len(),
        }
    }

    /// How a subject is written.
    pub(crate) fn name(&self, index: usize) -> String {
        match &self.kind {
            Kind::Archs(archs, scorer) => match &archs[index] {
                Ok(arch) => scorer.space().print(arch),
                Err(unread) => unread.name.clone(),
            },
            Kind::Models(models, _) => match &models[index] {
                Ok(model) => model.path().display().to_string(),
                Err(unread) => unread.name.clone(),
            },
        }
    }

    /// Whether that is a text of others, which may be anything. Architectures are there to be copied.
    pub(crate) fn is_foreign(&self, index: usize) -> bool {
        match &self.kind {
            Kind::Archs(archs, _) => archs[index].is_err(),
            Kind::Models(..) => true,
        }
    }

    /// What the subjects are of.
    pub(crate) fn origin(&self) -> &'static str {
        match &self.kind {
            Kind::Archs(_, scorer) => scorer.space().name(),
            Kind::Models(..) => "onnx",
        }
    }

    /// What can be done where they are too large, or too small.
    pub(crate) fn remedy(&self) -> Remedy {
        match &self.kind {
            Kind::Archs(..) => Remedy::Build,
            Kind::Models(..) => Remedy::Show,
        }
    }

    /// What one of them is called.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Archs(..) => "architecture",
            Kind::Models(..) => "network",
        }
    }

    /// The images that a subject is shown and how many classes it tells apart, if that is its own.
    pub(crate) fn shapes(&self, index: usize) -> Option<(Shape, usize)> {
        match &self.kind {
            Kind::Archs(..) => None,
            Kind::Models(models, _) => {
                let model = models[index].as_ref().ok()?;
                Some((model.input(), model.classes()))
            }
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        match &self.kind {
            Kind::Archs(_, scorer) => scorer.settings(),
            Kind::Models(_, settings) => settings,
        }
    }

    /// The networks that are scored, in words.
    pub(crate) fn network(&self) -> String {
        let models = match &self.kind {
            Kind::Archs(_, scorer) => return scorer.space().describe(scorer.network()),
            Kind::Models(models, _) => models,
        };
        let mut kinds: Vec<String> = Vec::new();
        for model in models.iter().flatten() {
            let (input, classes) = (model.input(), model.classes());
            let input = match model.vocabulary() {
                Some(vocabulary) => format!("{} of {vocabulary} tokens", input.width),
                None => input.to_string(),
            };
            let kind = format!("{input}, {classes} class{}", if classes == 1 { "" } else { "es" });
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if kinds.is_empty() {
            return "of the file".to_owned();
        }
        format!("of the file: {}", kinds.join("; "))
    }

    /// How the networks are scored, for programs.
    pub(crate) fn settings_json(&self) -> Value {
        let mut settings = results::settings_json(&self.network(), self.settings());
        if let Kind::Archs(_, scorer) = &self.kind
            && let Some(tensors) = scorer.tensors()
        {
            // Images and weights are not drawn, but those of a file.
            settings["tensors"] = tensors.to_string_lossy().into();
        }
        settings
    }

    /// How the networks are scored, in a line or two.
    pub(crate) fn describe(&self) -> String {
        let tensors = match &self.kind {
            Kind::Archs(_, scorer) => scorer.tensors(),
            Kind::Models(..) => None,
        };
        render::settings(&self.network(), self.settings(), tensors)
    }

    /// Scores them; the first that cannot be scored is an error.
    pub(crate) fn score(&self, progress: &dyn Progress) -> Result<Vec<Option<Scored>>, ScoreError> {
        let found = self.score_each(Refusals::Errors, progress)?;
        Ok(found.into_iter().map(|finding| finding?.ok()).collect())
    }

    /// Scores them; what becomes of those that cannot be scored is for `refusals` to say.
    pub(crate) fn score_each(
        &self,
        refusals: Refusals,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Finding>>, ScoreError> {
        match &self.kind {
            Kind::Archs(archs, scorer) => {
                score_readable(archs, progress, |archs| scorer.score_each(archs, refusals, progress))
            }
            Kind::Models(models, settings) => score_readable(models, progress, |models| {
                onnx::score_each(models, settings, refusals, progress)
            }),
        }
    }

    /// What a reader of the scores should know of the files, of networks and of images.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let of_models = match &self.kind {
            Kind::Archs(..) => None,
            Kind::Models(models, _) => {
                onnx::warning(&models.iter().flatten().cloned().collect::<Vec<Model>>())
            }
        };
        of_models.into_iter().chain(self.settings().inputs.warning())
    }
}
