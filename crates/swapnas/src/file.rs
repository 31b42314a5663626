use std::fs::File;
use std::io::{BufWriter, ErrorKind, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use swapnas_graph::plain;

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", plain(path))]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Whether a file can be written there, as far as can be said beforehand: before long work, say.
///
/// # Errors
/// If it is a folder, or if the folder that it is to be in is none.
pub fn check_output(path: &Path) -> Result<(), WriteError> {
    let error = |kind: ErrorKind| Err(WriteError { path: path.to_owned(), source: kind.into() });
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() {
        return error(ErrorKind::IsADirectory);
    }
    match folder.map(Path::metadata) {
        Some(Err(source)) => Err(WriteError { path: path.to_owned(), source }),
        Some(Ok(folder)) if !folder.is_dir() => error(ErrorKind::NotADirectory),
        _ => Ok(()),
    }
}

/// Writes a file so that there is never half of it: into a temporary one in the same folder, which
/// then takes the name. What is not a plain file, such as a pipe, is written to as it is.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), WriteError> {
    write_by(path, |out| out.write_all(contents))
}

/// The same by a function that writes the contents, so that they need not be in memory.
///
/// # Errors
/// If it cannot be written, or the function fails.
pub fn write_by(
    path: &Path,
    contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), WriteError> {
    check_output(path)?;
    replace(path, contents).map_err(|error| WriteError { path: path.to_owned(), source: without_file(error) })
}

/// The error without the name of the temporary file, of which nobody knows.
fn without_file(error: std::io::Error) -> std::io::Error {
    if error.get_ref().is_some() { error.kind().into() } else { error }
}

fn replace(path: &Path, contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    // The file that a link points to is replaced, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if target.exists() && !target.is_file() {
        let mut out = BufWriter::new(File::create(&target)?);
        return contents(&mut out).and_then(|()| out.flush());
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As for any new file, the user's mask decides; temporary files are private otherwise.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.prefix(".swapnas-").tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut out = BufWriter::new(file);
    contents(&mut out)?;
    let file = out.into_inner().map_err(IntoInnerError::into_error)?;
    file.persist(&target)?;
    Ok(())
}
