//! Which files are pictures that can be used.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, RgbImage};
use rayon::prelude::*;

/// Folders with no more bytes of pictures are decoded from the first to the last before anything is drawn, which
/// takes about a second; of larger ones, each file is looked at from both ends.
const DECODED: u64 = 32 << 20;

/// How much of a file is read at either end.
const END: u64 = 4096;

/// The files that cannot be used, as far as this can be said in a short time: all of them where there are not too
/// many, else those that do not begin and end as a picture does.
pub(super) fn check(files: &[PathBuf]) -> BTreeMap<usize, String> {
    let bytes = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let few = files.par_iter().map(bytes).sum::<u64>() <= DECODED;
    let checked = files.par_iter().enumerate().filter_map(|(index, file)| {
        let whole = !few && has_both_ends(file).unwrap_or(false);
        let flaw = if whole { None } else { decode(file).err() };
        Some((index, flaw?.to_string()))
    });
    checked.collect()
}

/// Why a file is no picture that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it cannot be decoded: {0}")]
    Decode(#[from] image::ImageError),
    #[error("it ends early")]
    EndsEarly,
}

/// Decodes a picture. One that would take more than 512 MiB is refused, as the library does unless told otherwise.
pub(super) fn decode(path: &Path) -> Result<RgbImage, Flaw> {
    let bytes = fs::read(path)?;
    let format = image::guess_format(&bytes)?;
    if format == ImageFormat::Jpeg && ends_early(&bytes) {
        return Err(Flaw::EndsEarly);
    }
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    Ok(reader.decode()?.into_rgb8())
}

/// Whether a file begins and ends as a PNG or JPEG file does. There are pictures for which this does not hold, such
/// as those with something behind them.
pub(super) fn has_both_ends(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut end = |from| {
        let mut bytes = Vec::new();
        file.seek(from)?;
        (&mut file).take(END).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let begin = end(SeekFrom::Start(0))?;
    let last = end(SeekFrom::End(-(END.min(begin.len() as u64) as i64)))?;
    Ok(match image::guess_format(&begin) {
        // The chunk that is the last one, with its checksum (RFC 2083, 4.1.4).
        Ok(ImageFormat::Png) => last.ends_with(b"IEND\xae\x42\x60\x82"),
        Ok(ImageFormat::Jpeg) => last.ends_with(&[0xff, 0xd9]),
        _ => false,
    })
}

/// Whether the last scan of a JPEG file has no end: the decoder would fill it with grey.
///
/// Within a scan neither marker occurs, since there a 255 is followed by 0 or a restart marker (ITU-T T.81,
/// B.1.1).
fn ends_early(jpeg: &[u8]) -> bool {
    let last = |marker: [u8; 2]| jpeg.windows(2).rposition(|two| two == marker);
    let (start_of_scan, end_of_image) = (last([0xff, 0xda]), last([0xff, 0xd9]));
    start_of_scan > end_of_image
}
