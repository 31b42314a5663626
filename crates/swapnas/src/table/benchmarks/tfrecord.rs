//! Records of TensorFlow: the length as eight bytes, a checksum of these, the contents, and a checksum of them.

use std::io::{self, Read};

use crc::{CRC_32_ISCSI, Crc, Table};

/// The longest record, some hundred times what one of NAS-Bench-101 is.
const LONGEST: u64 = 1 << 20;

static CHECKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// What is wrong with a file of records.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("it cannot be read on: {0}")]
    Read(#[from] io::Error),
    #[error("it ends within record {0}")]
    Short(u64),
    #[error("the checksum of record {0} is of something else")]
    Checksum(u64),
    #[error("record {record} has {length} bytes, and none has more than {LONGEST}")]
    Long { record: u64, length: u64 },
}

/// Whether a file that begins so is one of records. By chance one in four billion others would be.
pub(super) fn begins(head: &[u8]) -> bool {
    matches!(head.split_at_checked(8), Some((length, rest)) if rest.len() >= 4 && fits(length, &rest[..4]))
}

/// Whether a checksum is that of the bytes. It is turned and moved, so that what has a checksum in it can have one as
/// well.
fn fits(bytes: &[u8], checksum: &[u8]) -> bool {
    let turned = CHECKSUM.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8);
    checksum == turned.to_le_bytes()
}

/// The records of a file, one at a time.
pub(super) struct Records<R> {
    reader: R,
    /// The number of the record at hand, from 1.
    pub(super) number: u64,
    contents: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R) -> Self {
        Records { reader, number: 0, contents: Vec::new() }
    }

    /// The next record; nothing behind the last.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, RecordError> {
        self.number += 1;
        let number = self.number;
        match self.take(12)? {
            0 => return Ok(None),
            12 => (),
            _ => return Err(RecordError::Short(number)),
        }
        let (length, checksum) = self.contents.split_at(8);
        if !fits(length, checksum) {
            return Err(RecordError::Checksum(number));
        }
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        if length > LONGEST {
            return Err(RecordError::Long { record: number, length });
        }
        let length = length as usize;
        if self.take(length + 4)? < length + 4 {
            return Err(RecordError::Short(number));
        }
        let (contents, checksum) = self.contents.split_at(length);
        if fits(contents, checksum) { Ok(Some(contents)) } else { Err(RecordError::Checksum(number)) }
    }

    /// Takes so many bytes, or those that there are.
    fn take(&mut self, length: usize) -> io::Result<usize> {
        self.contents.clear();
        (&mut self.reader).take(length as u64).read_to_end(&mut self.contents)
    }
}
