use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Writes a file so that there is never half of it: into a temporary one in the same folder, which
/// then takes the name. What is not a plain file, such as a pipe, is written to as it is.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), WriteError> {
    replace(path, contents).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn replace(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    // The file that a link points to is replaced, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if target.exists() && !target.is_file() {
        return std::fs::write(&target, contents);
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As for any new file, the user's mask decides; temporary files are private otherwise.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".swapnas-").tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(contents)?;
    file.persist(&target)?;
    Ok(())
}
