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

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bzip2::read::MultiBzDecoder;

use super::TableError;
use super::part::Wanted;
use super::records::Text;
use pickle::{Item, Pickle};

/// The most bytes that a compressed file may become: a hundred times what the results of one network are.
const UNPACKED: u64 = 64 << 20;

/// The most bytes of a pickle that is not compressed.
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
    /// A file of PyTorch, old or new.
    Torch,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Format::Bzip2,
            [b'P', b'K', 3, 4, ..] => Format::Torch,
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
        Format::Torch => Err(TableError::Torch { file }),
        Format::Bzip2 => {
            let bytes = unpack(&mut whole).map_err(|cause| cause.of(&file))?;
            from_pickle(&file, &bytes, request)
        }
        Format::Pickle => {
            let mut bytes = Vec::new();
            whole.take(PICKLE + 1).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 > PICKLE {
                return Err(TableError::TooLarge { file, megabytes: PICKLE >> 20 });
            }
            from_pickle(&file, &bytes, request)
        }
    }
}

/// Why a compressed file is not read.
#[derive(Debug, thiserror::Error)]
enum Packed {
    #[error("{0}")]
    Damaged(#[from] io::Error),
    #[error("it holds more than {} MB", UNPACKED >> 20)]
    TooLarge,
}

impl Packed {
    fn of(self, file: &str) -> TableError {
        let file = file.to_owned();
        match self {
            Packed::Damaged(cause) => {
                TableError::Damaged { file, format: "file of bzip2", cause: cause.to_string() }
            }
            Packed::TooLarge => TableError::TooLarge { file, megabytes: UNPACKED >> 20 },
        }
    }
}

/// What is in a file that is compressed with bzip2.
fn unpack(reader: &mut dyn Read) -> Result<Vec<u8>, Packed> {
    let mut bytes = Vec::new();
    MultiBzDecoder::new(reader).take(UNPACKED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > UNPACKED { Err(Packed::TooLarge) } else { Ok(bytes) }
}

/// The table in a pickle.
fn from_pickle(file: &str, bytes: &[u8], request: Request<'_>) -> Result<Text, TableError> {
    let damaged = |cause| TableError::Damaged { file: file.to_owned(), format: "pickle", cause };
    let pickle = Pickle::read(bytes).map_err(|error| damaged(error.to_string()))?;
    let root = pickle.root();
    let text = if root.get("nasbench201").is_some() {
        hwnas::table(file, root, request)
    } else if nats::is_one(root) {
        nats::file(file, root, request)
    } else {
        Err(TableError::NoBenchmark { file: file.to_owned(), holds: holds(root) })
    };
    // What was not found for want of time may be there.
    if pickle.is_exhausted() { Err(damaged(REPEATED.to_owned())) } else { text }
}

/// Said where a small file is to be looked through without end.
const REPEATED: &str = "it refers to the same contents again and again";

/// What is in a pickle, in a few words.
fn holds(root: Item<'_, '_>) -> String {
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
