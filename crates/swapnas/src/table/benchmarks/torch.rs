//! Files that PyTorch's `save` wrote, of which the pickle is read, and not the numbers of tensors, which lie behind it.
//!
//! Before version 1.6, three small pickles come first: a number that tells such files, the version of the format, and what
//! the machine was. Since then, files are zip archives, and the pickle is their first entry. As it is stored as it is, and
//! says itself where it ends, the header of the entry is all that has to be known of the archive: libraries that read
//! archives look at their ends first, which a pipe does not show, and refuse entries whose header has no size, as these.

use super::pickle::{Pickle, PickleError, Source, Taken};

/// What an archive lacks that PyTorch wrote.
pub(super) struct Foreign;

/// Skips what is in front of the pickle in files of earlier versions.
pub(super) fn skip(source: &mut Source<'_>) -> Result<(), PickleError> {
    for _ in ["number", "version", "machine"] {
        Pickle::read(source, &mut |_| Taken::Not)?;
    }
    Ok(())
}

/// The header of an entry in an archive, without name and extra fields.
const HEADER: u64 = 30;

/// Goes to the pickle in an archive.
pub(super) fn open(source: &mut Source<'_>) -> Result<(), Foreign> {
    let mut take = |length| source.take(length).map(<[u8]>::to_vec).map_err(|_| Foreign);
    let header = take(HEADER)?;
    let field = |place: usize| u16::from_le_bytes([header[place], header[place + 1]]);
    let [flags, compression, name, extra] = [6, 8, 26, 28].map(field);
    let name = take(name.into())?;
    take(extra.into())?;
    let is_encrypted = flags & 1 == 1;
    if name.ends_with(b"/data.pkl") && compression == 0 && !is_encrypted { Ok(()) } else { Err(Foreign) }
}
