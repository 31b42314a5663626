//! Files of benchmarks that are neither CSV nor JSON, of which columns are made as of JSON. Which they are is told by what
//! is in them.
//!
//! They are read as the benchmarks' public code defines them. As most of the published files have gigabytes, tests read small ones
//! that `tests/benchmarks/write.py` makes by the same definitions.

mod hwnas;
mod nats;
mod nb101;
mod pickle;
mod rows;
#[cfg(test)]
mod tests;
mod tfrecord;
mod torch;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bzip2::read::MultiBzDecoder;

use super::TableError;
use super::part::Wanted;
use super::records::Text;
use pickle::{Item, Pickle, PickleError, Source};

/// The most bytes that a compressed file may become for each network that is found in it: a hundred times what the results
/// of one are.
const UNPACKED: u64 = 64 << 20;

/// The most bytes of a pickle that is not compressed, for each network as well.
const PICKLE: u64 = 256 << 20;

/// How many bytes tell what a file is.
const HEAD: usize = 14;

/// What PyTorch wrote in front of everything before it wrote zip archives.
const TORCH: [u8; HEAD] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// What a file is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// CSV, JSON, or anything else.
    Text,
    /// A pickle, compressed with bzip2.
    Bzip2,
    Pickle,
    /// Records of TensorFlow.
    Records,
    /// A file of PyTorch before version 1.6.
    Torch,
    /// A zip archive, as those of PyTorch since then.
    Zip,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Format::Bzip2,
            [b'P', b'K', 3, 4, ..] => Format::Zip,
            head if head.starts_with(&TORCH) => Format::Torch,
            [0x80, 2..=5, ..] => Format::Pickle,
            head if tfrecord::begins(head) => Format::Records,
            _ => Format::Text,
        }
    }
}

/// What is asked of a file.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) wanted: Option<&'a Wanted>,
    /// How many rows are wanted at most.
    pub(super) limit: usize,
}

/// Reads a file or folder, or standard input for `-`.
pub(super) fn read(path: &Path, limit: Option<usize>) -> Result<Text, TableError> {
    let (path, wanted) = Wanted::split(path);
    let request = Request { wanted: wanted.as_ref(), limit: limit.unwrap_or(usize::MAX) };
    if path == Path::new("-") {
        return from_reader("standard input".to_owned(), &mut io::stdin().lock(), request);
    }
    let file = path.display().to_string();
    if path.is_dir() {
        return nats::folder(&path, &file, request);
    }
    match File::open(&path) {
        Ok(mut opened) => from_reader(file, &mut opened, request),
        Err(source) => Err(TableError::Read { file, source }),
    }
}

/// The same of bytes that are at hand.
pub(super) fn decode(file: String, bytes: Vec<u8>, limit: Option<usize>) -> Result<Text, TableError> {
    match Format::of(&bytes) {
        Format::Text => Text::decode(file, bytes),
        _ => from_reader(file, &mut &bytes[..], Request { wanted: None, limit: limit.unwrap_or(usize::MAX) }),
    }
}

fn from_reader(file: String, reader: &mut dyn Read, request: Request<'_>) -> Result<Text, TableError> {
    let mut head = Vec::new();
    let failed = |source: io::Error| TableError::Read { file: file.clone(), source };
    reader.take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    let format = Format::of(&head);
    let mut whole = (&head[..]).chain(reader);
    match format {
        Format::Text => {
            let mut bytes = Vec::new();
            whole.read_to_end(&mut bytes).map_err(failed)?;
            let text = Text::decode(file, bytes)?;
            Ok(Text { wanted: request.wanted.cloned(), ..text })
        }
        Format::Records => nb101::read(&file, &mut io::BufReader::with_capacity(1 << 16, whole), request),
        Format::Bzip2 => {
            let mut decoder = MultiBzDecoder::new(whole);
            let mut source = Source::new(&mut decoder, UNPACKED);
            let read = from_pickle(&file, &mut source, request);
            read.map_err(|refused| refused.of(&file, source, Some(BZIP2)))
        }
        Format::Torch | Format::Zip | Format::Pickle => {
            let mut source = Source::new(&mut whole, PICKLE);
            let read = match format {
                Format::Torch => torch::skip(&mut source).map_err(Refused::from),
                Format::Zip => torch::open(&mut source)
                    .map_err(|torch::Foreign| Refused::Table(TableError::Archive { file: file.clone() })),
                _ => Ok(()),
            };
            let read = read.and_then(|()| from_pickle(&file, &mut source, request));
            read.map_err(|refused| refused.of(&file, source, None))
        }
    }
}

/// What files that are compressed are called.
const BZIP2: &str = "file of bzip2";

/// Why no table is read of a pickle.
enum Refused {
    Pickle(PickleError),
    Table(TableError),
}

impl From<PickleError> for Refused {
    fn from(error: PickleError) -> Self {
        Refused::Pickle(error)
    }
}

impl From<TableError> for Refused {
    fn from(error: TableError) -> Self {
        Refused::Table(error)
    }
}

impl Refused {
    /// The error of a file. What its bytes are compressed as is damaged if they cannot be read.
    fn of(self, file: &str, source: Source<'_>, packed: Option<&'static str>) -> TableError {
        let file = file.to_owned();
        let error = match self {
            Refused::Table(error) => return error,
            Refused::Pickle(error) => error,
        };
        let damaged = |format, cause: String| TableError::Damaged { file: file.clone(), format, cause };
        match (source.into_failure(), packed) {
            (Some(failure), Some(packed)) => damaged(packed, failure.to_string()),
            (Some(source), None) => TableError::Read { file, source },
            (None, _) => match error.too_large() {
                Some(megabytes) => TableError::TooLarge { file, megabytes },
                None => damaged("pickle", error.to_string()),
            },
        }
    }
}

/// The table in a pickle.
fn from_pickle(file: &str, source: &mut Source<'_>, request: Request<'_>) -> Result<Text, Refused> {
    let mut networks = nats::Networks::new(file, request);
    let pickle = Pickle::read(source, &mut |item| networks.take(item))?;
    if pickle.root().is_some() {
        // Checksums are behind all else.
        source.finish()?;
    }
    if let Some(text) = networks.text() {
        return Ok(text?);
    }
    let Some(root) = pickle.root() else { return Err(TableError::Empty { file: file.to_owned() }.into()) };
    let text = if root.get("nasbench201").is_some() {
        hwnas::table(file, root, request)
    } else if root.get("meta_archs").is_some() {
        Err(nats::without_networks(file, root))
    } else {
        Err(TableError::NoBenchmark { file: file.to_owned(), holds: holds(root) })
    };
    // What was not found for want of time may be there.
    pickle.check(source)?;
    Ok(text?)
}

/// What is in a pickle, in a few words.
fn holds(root: Item<'_>) -> String {
    let keys: Vec<String> = root
        .entries()
        .take(4)
        .filter_map(|(key, _)| key.text().map(|key| format!("`{}`", crate::plain(&shortened(key)))))
        .collect();
    if keys.is_empty() { root.kind().to_owned() } else { format!("a dictionary with {}", keys.join(", ")) }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
