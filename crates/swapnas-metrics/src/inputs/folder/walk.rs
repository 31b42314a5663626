//! Which pictures there are in a folder, and of which classes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Skipped;
use crate::inputs::InputError;

/// All pictures below the folder in the order of their names, and what cannot be looked into: folders that may not
/// be read, and links that lead nowhere or back to where they are.
pub(super) fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Skipped>), InputError> {
    // A walk takes a file for a folder with itself in it; this does not.
    fs::read_dir(folder).map_err(|cause| InputError::Read { path: folder.to_owned(), cause })?;
    let hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_picture(entry.path()) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => unread.push(Skipped {
                path: error.path().unwrap_or(folder).to_owned(),
                reason: match (error.loop_ancestor(), error.io_error()) {
                    (Some(ancestor), _) => format!("a link back to {}", ancestor.display()),
                    (None, Some(cause)) => cause.to_string(),
                    (None, None) => error.to_string(),
                },
            }),
        }
    }
    if files.is_empty() && unread.is_empty() {
        return Err(InputError::NoPictures { folder: folder.to_owned() });
    }
    Ok((files, unread))
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The class of each file: the number of the first folder on its way, if every file has one.
pub(super) fn classes(folder: &Path, files: &[PathBuf]) -> Option<Vec<usize>> {
    let mut last: Option<(&OsStr, usize)> = None;
    files
        .iter()
        .map(|file| {
            let mut way = file.strip_prefix(folder).ok()?.iter();
            let (first, _) = (way.next()?, way.next()?);
            let class = match last {
                Some((name, class)) if name == first => class,
                Some((_, class)) => class + 1,
                None => 0,
            };
            last = Some((first, class));
            Some(class)
        })
        .collect()
}
