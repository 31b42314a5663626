use std::io::{self, Read};

use super::{Cause, PickleError};

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 16;

/// The bytes of a file, as they come.
pub(in super::super) struct Source<'r> {
    reader: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// How many bytes of the buffer were taken.
    taken: usize,
    /// How many were taken before those in the buffer.
    before: u64,
    /// How many may be taken until something comes of them.
    most: u64,
    /// Where they began.
    start: u64,
    failure: Option<io::Error>,
}

impl<'r> Source<'r> {
    /// Of a reader, from which no more than so many bytes are taken, unless networks are found in them.
    pub(in super::super) fn new(reader: &'r mut dyn Read, most: u64) -> Self {
        Source { reader, buffer: Vec::new(), taken: 0, before: 0, most, start: 0, failure: None }
    }

    /// How many bytes were taken.
    pub(super) fn at(&self) -> u64 {
        self.before + self.taken as u64
    }

    /// How many were taken since something came of them.
    pub(super) fn since(&self) -> u64 {
        self.at() - self.start
    }

    /// As many bytes as in the beginning may be taken again.
    pub(super) fn renew(&mut self) {
        self.start = self.at();
    }

    /// The next bytes.
    pub(in super::super) fn take(&mut self, length: u64) -> Result<&[u8], Cause> {
        let allowed = self.most - self.since().min(self.most);
        let there = self.fill(length.min(allowed + 1))?;
        match usize::try_from(length) {
            Ok(length) if length <= there && length as u64 <= allowed => {
                let from = self.taken;
                self.taken += length;
                Ok(&self.buffer[from..self.taken])
            }
            _ if there as u64 > allowed => Err(self.too_large()),
            _ => Err(Cause::Short),
        }
    }

    /// What is in front of the next line feed, behind which it goes on.
    pub(super) fn line(&mut self) -> Result<&[u8], Cause> {
        let mut seen = 0;
        loop {
            let found = self.buffer[self.taken + seen..].iter().position(|byte| *byte == b'\n');
            if let Some(place) = found {
                let line = self.take((seen + place) as u64 + 1)?;
                return Ok(line.split_last().map(|(_, line)| line).unwrap_or_default());
            }
            seen = self.buffer.len() - self.taken;
            if self.since() + seen as u64 > self.most {
                return Err(self.too_large());
            }
            if self.fill(seen as u64 + 1)? == seen {
                return Err(Cause::Short);
            }
        }
    }

    /// Reads what is left, so that a reader with checksums looks at them.
    pub(in super::super) fn finish(&mut self) -> Result<(), PickleError> {
        let read = io::copy(&mut self.reader.take(self.most), &mut io::sink());
        read.map(drop).map_err(|error| PickleError { cause: self.failed(error), at: self.at() })
    }

    /// Why the reader failed, if it has.
    pub(in super::super) fn into_failure(self) -> Option<io::Error> {
        self.failure
    }

    fn failed(&mut self, error: io::Error) -> Cause {
        self.failure = Some(error);
        Cause::Read
    }

    fn too_large(&self) -> Cause {
        Cause::Large(self.most >> 20)
    }

    /// Reads until so many bytes can be taken, as far as there are so many, and says how many can.
    fn fill(&mut self, count: u64) -> Result<usize, Cause> {
        let there = self.buffer.len() - self.taken;
        let missing = count.saturating_sub(there as u64);
        if missing == 0 {
            return Ok(there);
        }
        self.buffer.drain(..self.taken);
        self.before += self.taken as u64;
        self.taken = 0;
        let read = self.reader.take(missing.max(CHUNK as u64)).read_to_end(&mut self.buffer);
        read.map_err(|error| self.failed(error))?;
        Ok(self.buffer.len())
    }
}
