//! What a folder of pictures is good for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::{ImageDecoder, ImageReader};
use rayon::prelude::*;
use swapnas_graph::option::SKIP_BAD;
use swapnas_graph::plain;

use super::check::check;
use super::walk::list;
use super::{Skipped, listing};
use crate::inputs::InputError;

/// Pictures whose sizes and colours are looked at; of more, so many that lie evenly among them.
const LOOKED_AT: usize = 2000;

/// What a folder of labelled pictures has, and how it is divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// The folder with the pictures to train with.
    pub train: PathBuf,
    /// The folder with those to validate on, if it has one of its own.
    pub validation: Option<PathBuf>,
    /// The names of the classes, in order, which are the names of folders.
    pub classes: Vec<String>,
    /// Pictures of each class to train with.
    pub pictures: Vec<usize>,
    /// Pictures to validate on.
    pub validation_pictures: usize,
    /// 1 if all pictures that were looked at are grey, else 3.
    pub channels: usize,
    /// Shorter sides of the pictures that were looked at, in pixels: smallest, median, largest.
    pub sides: [u32; 3],
    /// What cannot be used.
    pub bad: Vec<Skipped>,
}

/// A folder whose pictures cannot be learnt from.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// There are no pictures, or the folder cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Pictures that are of no class.
    #[error(
        "{} is in no folder of its class; put the pictures of each class into a folder of its own below {}",
        plain(picture),
        plain(folder)
    )]
    NoClass {
        /// One of them.
        picture: PathBuf,
        /// Where the folders of classes are.
        folder: PathBuf,
    },
    /// Fewer than two classes.
    #[error("all pictures in {} are of the class `{}`; it takes at least two", plain(folder), plain(class))]
    OneClass {
        /// Where the folders of classes are.
        folder: PathBuf,
        /// The only one.
        class: String,
    },
    /// Classes to validate that are none to train with.
    #[error(
        "the class `{}` of {} has no pictures in {}; each class needs some to train with",
        plain(class),
        plain(validation),
        plain(train)
    )]
    UnknownClass {
        /// The class.
        class: String,
        /// Where it is.
        validation: PathBuf,
        /// Where it is not.
        train: PathBuf,
    },
    /// Pictures that cannot be used.
    #[error(
        "{} in `{}` cannot be used; replace what is broken, move it away, or leave it out with {SKIP_BAD}:{}",
        if bad.len() == 1 { "1 file".to_owned() } else { format!("{} files", bad.len()) }, plain(folder), listing(bad)
    )]
    Bad {
        /// The folder.
        folder: PathBuf,
        /// Which ones, and why.
        bad: Vec<Skipped>,
    },
}

/// Names of folders that divide pictures, and are no classes.
const TRAIN: [&str; 2] = ["train", "training"];
const VALIDATION: [&str; 4] = ["val", "valid", "validation", "test"];

impl Survey {
    /// Looks at a folder that has a folder for each class, or has those in a folder `train` and, if there is one, a
    /// folder `val`, `valid`, `validation` or, where none of these is, `test`. Every file is checked as
    /// [`PictureFolder`](super::PictureFolder) does; with `skip_bad`, what cannot be used is left out.
    ///
    /// # Errors
    /// If there are no pictures, pictures are in no folder of a class, or there are fewer than two classes.
    pub fn of(folder: &Path, skip_bad: bool) -> Result<Self, SurveyError> {
        let (train, validation) = parts(folder)?;
        let (files, mut bad) = usable(&train)?;
        let to_validate = validation.as_deref().map(usable).transpose()?;
        let to_validate = to_validate.map(|(files, more)| {
            bad.extend(more);
            files
        });
        // What cannot be used may be all that there is of a class.
        if !bad.is_empty() && !skip_bad {
            return Err(SurveyError::Bad { folder: folder.to_owned(), bad });
        }
        if files.is_empty() {
            return Err(InputError::NoPictures { folder: train }.into());
        }
        let by_class = by_class(&train, &files)?;
        if let [(class, _)] = &by_class.iter().collect::<Vec<_>>()[..] {
            return Err(SurveyError::OneClass { folder: train, class: (*class).clone() });
        }
        let mut validation_pictures = 0;
        if let (Some(validation), Some(files)) = (&validation, to_validate) {
            for (class, count) in self::by_class(validation, &files)? {
                if !by_class.contains_key(&class) {
                    let (validation, train) = (validation.clone(), train);
                    return Err(SurveyError::UnknownClass { class, validation, train });
                }
                validation_pictures += count;
            }
        }
        let step = files.len().div_ceil(LOOKED_AT).max(1);
        let seen: Vec<(u32, bool)> =
            files.par_iter().step_by(step).filter_map(|file| look(file).ok()).collect();
        let mut sides: Vec<u32> = seen.iter().map(|(side, _)| *side).collect();
        sides.sort_unstable();
        let side = |place: usize| sides.get(place).copied().unwrap_or_default();
        Ok(Survey {
            channels: if seen.iter().all(|(_, is_grey)| *is_grey) { 1 } else { 3 },
            sides: [side(0), side(sides.len() / 2), side(sides.len().saturating_sub(1))],
            pictures: by_class.values().copied().collect(),
            classes: by_class.into_keys().collect(),
            train,
            validation,
            validation_pictures,
            bad,
        })
    }

    /// Pictures to train with.
    pub fn train_pictures(&self) -> usize {
        self.pictures.iter().sum()
    }
}

/// The folders to train with and to validate on.
fn parts(folder: &Path) -> Result<(PathBuf, Option<PathBuf>), InputError> {
    let read = |cause| InputError::Read { path: folder.to_owned(), cause };
    let mut folders = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            folders.insert(name, path);
        }
    }
    let named = |names: &[&str]| names.iter().find_map(|name| folders.get(*name)).cloned();
    Ok(match named(&TRAIN) {
        Some(train) => (train, named(&VALIDATION)),
        None => (folder.to_owned(), None),
    })
}

/// The pictures of a folder that can be used, and what cannot.
fn usable(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Skipped>), InputError> {
    let (files, mut unread) = list(folder)?;
    let bad = check(&files);
    let mut usable = Vec::with_capacity(files.len());
    for (index, path) in files.into_iter().enumerate() {
        match bad.get(&index) {
            Some(reason) => unread.push(Skipped { path, reason: reason.clone() }),
            None => usable.push(path),
        }
    }
    if usable.is_empty() && unread.is_empty() {
        return Err(InputError::NoPictures { folder: folder.to_owned() });
    }
    Ok((usable, unread))
}

/// How many pictures each class has.
fn by_class(folder: &Path, files: &[PathBuf]) -> Result<BTreeMap<String, usize>, SurveyError> {
    let mut classes = BTreeMap::new();
    for file in files {
        let mut way = file.strip_prefix(folder).unwrap_or(file).iter();
        let (Some(class), Some(_)) = (way.next(), way.next()) else {
            return Err(SurveyError::NoClass { picture: file.clone(), folder: folder.to_owned() });
        };
        *classes.entry(class.to_string_lossy().into_owned()).or_insert(0) += 1;
    }
    Ok(classes)
}

/// The shorter side of a picture, and whether it is grey, by its header.
fn look(path: &Path) -> image::ImageResult<(u32, bool)> {
    let decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let (width, height) = decoder.dimensions();
    Ok((width.min(height), !decoder.color_type().has_color()))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage};
    use tempfile::TempDir;

    use super::*;

    fn folder(pictures: &[(&str, u32, u32, bool)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for &(name, width, height, is_grey) in pictures {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if is_grey {
                GrayImage::new(width, height).save(path).unwrap();
            } else {
                RgbImage::new(width, height).save(path).unwrap();
            }
        }
        folder
    }

    fn error(folder: &TempDir, skip_bad: bool) -> String {
        let error = Survey::of(folder.path(), skip_bad).unwrap_err().to_string();
        error.replace(&*folder.path().to_string_lossy(), "DIR")
    }

    #[test]
    fn classes_are_folders_and_sizes_those_of_the_pictures() {
        let folder =
            folder(&[("b/1.png", 30, 50, true), ("a/1.png", 41, 40, true), ("a/x/2.png", 90, 70, true)]);
        let survey = Survey::of(folder.path(), false).unwrap();
        assert_eq!((survey.classes, survey.pictures), (vec!["a".to_owned(), "b".to_owned()], vec![2, 1]));
        assert_eq!((survey.channels, survey.sides), (1, [30, 40, 70]));
        assert_eq!((survey.train, survey.validation), (folder.path().to_owned(), None));
    }

    #[test]
    fn parts_are_no_classes() {
        let folder = folder(&[
            ("Train/a/1.png", 9, 9, false),
            ("Train/b/1.png", 9, 9, true),
            ("val/a/1.png", 9, 9, false),
            ("test/c/1.png", 9, 9, false),
        ]);
        let survey = Survey::of(folder.path(), false).unwrap();
        assert_eq!((survey.classes.len(), survey.validation_pictures, survey.channels), (2, 1, 3));
        assert_eq!(survey.validation, Some(folder.path().join("val")));
    }

    #[test]
    fn what_cannot_be_learnt_from_is_said() {
        let none = folder(&[("a/1.png", 9, 9, false), ("2.png", 9, 9, false)]);
        insta::assert_snapshot!(error(&none, false), @"DIR/2.png is in no folder of its class; put the pictures of each class into a folder of its own below DIR");
        let one = folder(&[("a/1.png", 9, 9, false), ("a/2.png", 9, 9, false)]);
        insta::assert_snapshot!(error(&one, false), @"all pictures in DIR are of the class `a`; it takes at least two");
        let unknown = folder(&[
            ("train/a/1.png", 9, 9, false),
            ("train/b/1.png", 9, 9, false),
            ("val/c/1.png", 9, 9, true),
        ]);
        insta::assert_snapshot!(error(&unknown, false), @"the class `c` of DIR/val has no pictures in DIR/train; each class needs some to train with");
        let broken = folder(&[("a/1.png", 9, 9, false), ("b/2.png", 9, 9, false)]);
        fs::write(broken.path().join("b/3.png"), "text").unwrap();
        insta::assert_snapshot!(error(&broken, false), @"
        1 file in `DIR` cannot be used; replace what is broken, move it away, or leave it out with skip_bad:
          `DIR/b/3.png`: it cannot be decoded: The image format could not be determined
        ");
        assert_eq!(Survey::of(broken.path(), true).unwrap().bad.len(), 1);
        // The only picture of a class is not taken for none.
        fs::write(broken.path().join("b/2.png"), "text").unwrap();
        assert!(error(&broken, false).starts_with("2 files in `DIR` cannot be used"));
        insta::assert_snapshot!(error(&broken, true), @"all pictures in DIR are of the class `a`; it takes at least two");
        fs::write(broken.path().join("a/1.png"), "text").unwrap();
        assert!(error(&broken, true).contains("DIR"), "{}", error(&broken, true));
    }
}
