//! A folder of pictures.

mod check;
mod survey;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use check::{Flaw, check, decode};
use image::RgbImage;
use rayon::prelude::*;
use swapnas_graph::{Shape, plain};
use walk::{classes, list};

use super::pick::pick;
use super::pictures::{Album, Normalisation, fit};
use super::{Images, InputError};

pub use survey::{Survey, SurveyError};

/// Mean and standard deviation of ImageNet, as image classifiers are trained with.
const NORMALISATION: Normalisation =
    Normalisation { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/// How many of the pictures that cannot be used are listed.
const LISTED: usize = 20;

/// A folder of pictures: see [`InputSpec::Images`](super::InputSpec::Images).
///
/// All files are checked when the first batch is drawn. Clones share what was found.
#[derive(Clone, Debug)]
pub struct PictureFolder {
    path: PathBuf,
    skip_bad: bool,
    found: Arc<Mutex<Option<Found>>>,
}

/// What is in a folder.
#[derive(Clone, Debug)]
struct Found {
    /// All pictures in the order of their names.
    files: Arc<Vec<PathBuf>>,
    /// The class of each.
    classes: Arc<Option<Vec<usize>>>,
    /// Those that cannot be used, by their numbers, and why.
    bad: BTreeMap<usize, String>,
    /// What could not even be looked into.
    unread: Vec<Skipped>,
}

/// A file that is left out, since it is no picture that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", plain(&self.path), plain(&self.reason))
    }
}

/// A line for each, up to twenty of them.
pub(super) fn listing(skipped: &[Skipped]) -> String {
    let mut text = String::new();
    for skipped in skipped.iter().take(LISTED) {
        text.push_str(&format!("\n  {skipped}"));
    }
    if skipped.len() > LISTED {
        text.push_str(&format!("\n  and {} more", skipped.len() - LISTED));
    }
    text
}

impl PartialEq for PictureFolder {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.skip_bad) == (&other.path, other.skip_bad)
    }
}

impl PictureFolder {
    /// The pictures below `path`; one that cannot be used is an error.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        PictureFolder { path: path.into(), skip_bad: false, found: Arc::default() }
    }

    /// The pictures below `path` without those that cannot be used.
    pub fn skipping_bad(path: impl Into<PathBuf>) -> Self {
        PictureFolder { skip_bad: true, ..PictureFolder::new(path) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether pictures that cannot be used are left out.
    pub fn skips_bad(&self) -> bool {
        self.skip_bad
    }

    /// What was left out of the batches that have been drawn, and of the folder before.
    pub fn skipped(&self) -> Vec<Skipped> {
        self.lock().as_ref().map(Found::skipped).unwrap_or_default()
    }

    /// Draws `count` of the pictures.
    ///
    /// They are drawn from all, and those that cannot be used are passed over, so that what else is drawn does not
    /// depend on them.
    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut album = Album::new(shape, count, NORMALISATION)?;
        loop {
            let Found { files, classes, bad, .. } = self.find()?;
            let usable = files.len() - bad.len();
            if usable < count {
                let (path, found) = (self.path.clone(), usable as u64);
                return Err(InputError::TooFew { path, what: "images", needed: count, found });
            }
            let mut picks = pick("images", files.len() as u64, count + bad.len(), seed);
            picks.retain(|&index| !bad.contains_key(&(index as usize)));
            picks.truncate(count);
            let picture = |&index: &u64| Ok(fit(decode(&files[index as usize])?, shape));
            let pictures: Vec<Result<RgbImage, Flaw>> = picks.par_iter().map(picture).collect();
            let mut flaws = BTreeMap::new();
            for (place, (picture, index)) in pictures.into_iter().zip(&picks).enumerate() {
                match picture {
                    Ok(picture) => album.put(place, &picture),
                    Err(flaw) => {
                        flaws.insert(*index as usize, flaw.to_string());
                    }
                }
            }
            if flaws.is_empty() {
                let labels = Option::as_ref(&classes);
                let labels =
                    labels.map(|classes| picks.iter().map(|&index| classes[index as usize]).collect());
                return Ok(album.finish(labels));
            }
            self.take_note(flaws)?;
        }
    }

    /// The files of the folder, which are checked when they are asked for the first time.
    fn find(&self) -> Result<Found, InputError> {
        if let Some(found) = &*self.lock() {
            return Ok(found.clone());
        }
        // Nothing is locked meanwhile, since threads that wait for others of the pool may take up other work.
        let (files, unread) = list(&self.path)?;
        let files = Arc::new(files);
        let bad = check(&files);
        let classes = Arc::new(classes(&self.path, &files));
        let found = Found { files, classes, bad, unread };
        self.refuse(&found)?;
        Ok(self.lock().insert(found).clone())
    }

    /// Remembers what has turned out to be no picture.
    fn take_note(&self, flaws: BTreeMap<usize, String>) -> Result<(), InputError> {
        match &mut *self.lock() {
            Some(found) => {
                found.bad.extend(flaws);
                self.refuse(found)
            }
            None => Ok(()),
        }
    }

    /// An error of what cannot be used, unless it is to be left out.
    fn refuse(&self, found: &Found) -> Result<(), InputError> {
        let bad = found.skipped();
        if self.skip_bad || bad.is_empty() {
            return Ok(());
        }
        Err(InputError::Pictures { folder: self.path.clone(), bad })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn skipped(&self) -> Vec<Skipped> {
        let bad = self.bad.iter();
        let bad =
            bad.map(|(&index, reason)| Skipped { path: self.files[index].clone(), reason: reason.clone() });
        bad.chain(self.unread.iter().cloned()).collect()
    }
}
