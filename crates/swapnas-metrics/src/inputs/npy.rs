//! Arrays saved by NumPy.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use npyz::{Deserialize, NpyFile, NpyHeader, NpyReader, Order};
use swapnas_graph::Shape;

use super::pick::pick;
use super::{Images, InputError, Place};

/// Takes or draws `count` images of the array in `path`.
pub(super) fn draw(path: &Path, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
    let file = File::open(path).map_err(|cause| InputError::Read { path: path.to_owned(), cause })?;
    draw_npy(path, BufReader::new(file), shape, count, seed)
}

/// Draws what [`InputSpec::Npy`](super::InputSpec::Npy) does from a file that is open, or in memory; `path` is
/// what messages call it.
///
/// # Errors
///
/// When it is not an array of such images, or holds too few.
pub fn draw_npy(
    path: &Path,
    file: impl Read + Seek,
    shape: Shape,
    count: usize,
    seed: u64,
) -> Result<Images, InputError> {
    let mut images = Images::zeros(shape, count)?;
    let array = open(path, file, shape, &[shape.channels, shape.height, shape.width].map(|n| n as u64))?;
    let found = array.shape()[0];
    if found < count as u64 {
        return Err(InputError::TooFew { path: path.to_owned(), what: "images", needed: count, found });
    }
    let picks = if found == count as u64 { (0..found).collect() } else { pick("npy", found, count, seed) };
    match array.try_data::<f32>() {
        Ok(values) => fill(&mut images, path, &picks, values, |value: f32| value, f64::from),
        Err(array) => match array.try_data::<f64>() {
            Ok(values) => fill(&mut images, path, &picks, values, |value: f64| value as f32, |value| value),
            Err(array) => match array.try_data::<u8>() {
                Ok(values) => {
                    fill(&mut images, path, &picks, values, |value: u8| f32::from(value) / 255.0, f64::from)
                }
                Err(array) => Err(wrong_type(path, &array)),
            },
        },
    }?;
    Ok(images)
}

/// Takes or draws `count` texts of the array in `path`, in whole numbers of any type that NumPy makes of tokens.
pub(super) fn draw_tokens(path: &Path, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
    let file = File::open(path).map_err(|cause| InputError::Read { path: path.to_owned(), cause })?;
    let mut texts = Images::zeros(shape, count)?;
    let array = open(path, BufReader::new(file), shape, &[shape.width as u64])?;
    let found = array.shape()[0];
    if found < count as u64 {
        return Err(InputError::TooFew { path: path.to_owned(), what: "texts", needed: count, found });
    }
    let picks = if found == count as u64 { (0..found).collect() } else { pick("npy", found, count, seed) };
    // The largest are rounded, and are no tokens in any case.
    match array.try_data::<i64>() {
        Ok(values) => fill(&mut texts, path, &picks, values, |value: i64| value as f32, |value| value as f64),
        Err(array) => match array.try_data::<i32>() {
            Ok(values) => fill(&mut texts, path, &picks, values, |value: i32| value as f32, f64::from),
            Err(array) => match array.try_data::<u16>() {
                Ok(values) => fill(&mut texts, path, &picks, values, f32::from, f64::from),
                Err(array) => Err(InputError::NpyTokens {
                    path: path.to_owned(),
                    found: array.header().dtype().descr(),
                }),
            },
        },
    }?;
    Ok(texts)
}

/// Opens the array and makes sure that it holds images of `shape`, each of which has the dimensions `expected`, and that
/// the file holds it.
fn open<R: Read + Seek>(
    path: &Path,
    mut reader: R,
    shape: Shape,
    expected: &[u64],
) -> Result<NpyFile<R>, InputError> {
    let reading = |cause| InputError::Read { path: path.to_owned(), cause };
    let header = read_header(&mut reader)
        .map_err(|error| InputError::NpyHeader { path: path.to_owned(), reason: first_line(&error) })?;
    let Some(item_size) = header.dtype().num_bytes() else {
        return Err(wrong_type(path, &header));
    };
    let count = match *header.shape() {
        [count, ref image @ ..] if image == expected => count,
        _ => {
            let (path, found) = (path.to_owned(), header.shape().to_vec());
            return Err(match *expected {
                [_] => InputError::NpyTexts { path, length: shape.width, found },
                _ => InputError::NpyShape { path, expected: shape, found },
            });
        }
    };
    if header.order() != Order::C {
        return Err(InputError::NpyOrder { path: path.to_owned() });
    }
    let expected =
        u128::from(count).saturating_mul(shape.elements() as u128).saturating_mul(item_size as u128);
    let start = reader.stream_position().map_err(reading)?;
    let found = reader.seek(SeekFrom::End(0)).map_err(reading)?.saturating_sub(start);
    reader.seek(SeekFrom::Start(start)).map_err(reading)?;
    if expected > u128::from(found) {
        return Err(InputError::NpyLength { path: path.to_owned(), expected, found });
    }
    Ok(NpyFile::with_header(header, reader))
}

/// More than NumPy writes for arrays of images.
const MAX_HEADER: usize = 1 << 16;
/// Brackets within brackets, of which a plain array has one pair within another, and one of records two more.
const MAX_DEPTH: usize = 4;

/// Reads the header, which must be short and flat: whoever parses it goes down into its brackets, and into those that
/// turn out not to be what they were taken for up to three times, so that each level takes three times as long.
fn read_header(reader: &mut impl Read) -> io::Result<NpyHeader> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut header = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut header)?;
    if header.len() < 8 || !header.starts_with(b"\x93NUMPY") {
        return Err(wrong("it does not begin as one"));
    }
    let digits = if header[6] == 1 { 2 } else { 4 };
    let mut length = [0; 4];
    reader.read_exact(&mut length[..digits]).map_err(|_| wrong("its header has no end"))?;
    header.extend(&length[..digits]);
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return Err(wrong("its header is too long"));
    }
    let start = header.len();
    reader.take(length as u64).read_to_end(&mut header)?;
    if header.len() - start < length {
        return Err(wrong("its header has no end"));
    }
    let (mut depth, mut quote) = (0_usize, None);
    for byte in &header[start..] {
        match (quote, byte) {
            // It may stand for a quotation mark that ends no string, but NumPy writes none for plain arrays.
            (_, b'\\') => return Err(wrong("its header has a backslash")),
            (Some(end), byte) => quote = (end != byte).then_some(end),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(wrong("its header has brackets within brackets"));
        }
    }
    NpyHeader::from_reader(&header[..])
}

/// What is said of a header that does not parse goes on to repeat all of it.
fn first_line(error: &io::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn wrong_type(path: &Path, header: &NpyHeader) -> InputError {
    InputError::NpyType { path: path.to_owned(), found: header.dtype().descr() }
}

/// Reads the images of the numbers `picks`.
fn fill<T: Deserialize + Copy>(
    images: &mut Images,
    path: &Path,
    picks: &[u64],
    mut values: NpyReader<T, impl Read + Seek>,
    to_f32: impl Fn(T) -> f32,
    to_f64: impl Fn(T) -> f64,
) -> Result<(), InputError> {
    let reading = |cause| InputError::Read { path: path.to_owned(), cause };
    let shape = images.shape();
    let size = shape.elements();
    for (image, &pick) in images.data.chunks_exact_mut(size).zip(picks) {
        values.seek_to(pick * size as u64).map_err(reading)?;
        for (index, (to, value)) in image.iter_mut().zip(&mut values).enumerate() {
            let value = value.map_err(reading)?;
            *to = to_f32(value);
            if !to.is_finite() {
                let place = Place::new(pick, shape, index);
                return Err(InputError::NpyValue { path: path.to_owned(), place, value: to_f64(value) });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// The bytes of an `.npy` file.
    fn npy(dtype: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(((header.len() + 1) as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.push(b'\n');
        bytes.extend(data);
        bytes
    }

    fn draw_bytes(bytes: &[u8], shape: Shape, count: usize) -> Result<Images, InputError> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.npy");
        fs::write(&path, bytes).unwrap();
        draw(&path, shape, count, 0)
    }

    /// The error without the folder's random name.
    fn error(bytes: &[u8], count: usize) -> String {
        let text = draw_bytes(bytes, Shape::new(3, 2, 1), count).unwrap_err().to_string();
        let (start, end) = (text.find('`').unwrap(), text.find("x.npy").unwrap());
        format!("{}{}", &text[..=start], &text[end..])
    }

    fn floats(n: usize) -> Vec<u8> {
        (0..n).flat_map(|i| (i as f32).to_le_bytes()).collect()
    }

    #[test]
    fn a_batch_of_the_needed_size_is_taken_in_order_in_every_type() {
        let shape = Shape::new(3, 2, 1);
        let counting: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let f64s: Vec<u8> = (0..12).flat_map(|i| f64::from(i).to_le_bytes()).collect();
        let big_endian: Vec<u8> = (0..12).flat_map(|i| (i as f32).to_be_bytes()).collect();
        for (dtype, data) in [("<f4", floats(12)), ("<f8", f64s), (">f4", big_endian)] {
            let images = draw_bytes(&npy(dtype, "False", "(2, 3, 2, 1)", &data), shape, 2).unwrap();
            assert_eq!((images.data, images.labels), (counting.clone(), None), "{dtype}");
        }
        let bytes: Vec<u8> = (0..12).map(|i| i * 20).collect();
        let images = draw_bytes(&npy("|u1", "False", "(2, 3, 2, 1)", &bytes), shape, 2).unwrap();
        assert_eq!(images.data, counting.iter().map(|i| i * 20.0 / 255.0).collect::<Vec<_>>());
    }

    #[test]
    fn from_a_larger_array_whole_images_are_drawn_by_the_seed() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.npy");
        fs::write(&path, npy("<f4", "False", "(50, 1, 2, 3)", &floats(300))).unwrap();
        let draw = |count, seed| draw(&path, Shape::new(1, 2, 3), count, seed).unwrap();
        let images = draw(20, 1);
        let mut starts: Vec<_> = images.data.chunks_exact(6).map(|image| image[0] as usize).collect();
        for (i, &start) in starts.iter().enumerate() {
            assert_eq!(start % 6, 0);
            assert_eq!(images.image(i), [0, 1, 2, 3, 4, 5].map(|k| (start + k) as f32));
        }
        assert_eq!(images.data[..30], draw(5, 1).data);
        assert_ne!(images, draw(20, 2));
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts.len(), 20);
    }

    #[test]
    fn errors_say_what_was_found_and_what_is_needed() {
        let good = floats(12);
        let array = |dtype, order, shape| npy(dtype, order, shape, &good);
        insta::assert_snapshot!(error(b"", 2), @"`x.npy` is no NumPy array: it does not begin as one; write it with numpy.save");
        insta::assert_snapshot!(error(b"not numpy", 2), @"`x.npy` is no NumPy array: it does not begin as one; write it with numpy.save");
        insta::assert_snapshot!(error(&array("<f4", "Maybe", "(2, 3, 2, 1)"), 2), @"`x.npy` is no NumPy array: could not parse Python expression: syntax error:  --> 1:35; write it with numpy.save");
        insta::assert_snapshot!(error(&array("<f4", "0", "(2, 3, 2, 1)"), 2), @"`x.npy` is no NumPy array: 'fortran_order' value is not a bool; write it with numpy.save");
        insta::assert_snapshot!(error(&array("<f2", "False", "(2, 3, 2, 1)"), 2), @"`x.npy` is an array of '<f2'; save it as float32, float64 or uint8");
        insta::assert_snapshot!(error(&array("<f4", "False", "(0, 3, 2, 1)"), 2), @"`x.npy` holds 0 images, but 2 are needed; add images or draw fewer");
        insta::assert_snapshot!(error(&array("<f4", "False", "()"), 2), @"`x.npy` is an array of shape [], but the network needs [N, 3, 2, 1] (images, channels, height, width); reshape or transpose it");
        insta::assert_snapshot!(error(&array("<i8", "False", "(1, 3, 2, 1)"), 1), @"`x.npy` is an array of '<i8'; save it as float32, float64 or uint8");
        insta::assert_snapshot!(error(&array("|O", "False", "(1, 3, 2, 1)"), 1), @"`x.npy` is an array of '|O'; save it as float32, float64 or uint8");
        insta::assert_snapshot!(error(&array("<f4", "False", "(2, 1, 3, 2)"), 2), @"`x.npy` is an array of shape [2, 1, 3, 2], but the network needs [N, 3, 2, 1] (images, channels, height, width); reshape or transpose it");
        insta::assert_snapshot!(error(&array("<f4", "False", "(12,)"), 2), @"`x.npy` is an array of shape [12], but the network needs [N, 3, 2, 1] (images, channels, height, width); reshape or transpose it");
        insta::assert_snapshot!(error(&array("<f4", "True", "(2, 3, 2, 1)"), 2), @"`x.npy` is in Fortran order; save numpy.ascontiguousarray of the array instead");
        insta::assert_snapshot!(error(&array("<f4", "False", "(2, 3, 2, 1)"), 3), @"`x.npy` holds 2 images, but 3 are needed; add images or draw fewer");
        insta::assert_snapshot!(error(&array("<f4", "False", "(3, 3, 2, 1)"), 2), @"`x.npy` ends early: its array needs 72 bytes, but 48 follow the header; save it again");
        let nan = [&good[..40], &f32::NAN.to_le_bytes(), &good[..4]].concat();
        insta::assert_snapshot!(error(&npy("<f4", "False", "(2, 3, 2, 1)", &nan), 2), @"`x.npy`: image 1, channel 2, row 0, column 0 is NaN, which is no number; replace it by a number that is finite as a 32-bit float");
        let large: Vec<u8> = (0..6).flat_map(|_| 1e300_f64.to_le_bytes()).collect();
        insta::assert_snapshot!(error(&npy("<f8", "False", "(1, 3, 2, 1)", &large), 1), @"`x.npy`: image 0, channel 0, row 0, column 0 is 1e300, which is too large; replace it by a number that is finite as a 32-bit float");
    }

    #[test]
    fn texts_are_called_texts() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("tokens.npy");
        fs::write(&path, npy("<i8", "False", "(2, 3)", &[0; 48])).unwrap();
        let error = draw_tokens(&path, Shape::new(1, 1, 3), 4, 0).unwrap_err().to_string();
        assert!(
            error.ends_with("tokens.npy` holds 2 texts, but 4 are needed; add texts or draw fewer"),
            "{error}"
        );
    }

    #[test]
    fn headers_that_go_deep_are_refused() {
        for shape in ["(".repeat(60_000), "[".repeat(60_000), "-".repeat(60_000), "'".repeat(60_000)] {
            let error = error(&npy("<f4", "False", &shape, &floats(12)), 2);
            assert!(error.starts_with("`x.npy` is no NumPy array: ") && error.len() < 300, "{error}");
        }
        // Brackets of a string close none.
        for shape in ["{".repeat(13), "{'}':".repeat(40), r"{'\N{'}':".repeat(40)] {
            let error = error(&npy("<f4", "False", &shape, &floats(12)), 2);
            assert!(error.starts_with("`x.npy` is no NumPy array: its header has "), "{error}");
        }
        let records = error(&npy("', 'a': [('b', '<f4', (2,))], 'c': '", "False", "(2,)", &floats(12)), 2);
        assert!(!records.contains("brackets"), "{records}");
        let mut long = npy("<f4", "False", "(2, 3, 2, 1)", &floats(12));
        long[6] = 2;
        assert_eq!(
            error(&long, 2).split(';').next(),
            Some("`x.npy` is no NumPy array: its header is too long")
        );
    }

    #[test]
    fn a_cut_file_is_an_error_wherever_it_ends() {
        let whole = npy("<f4", "False", "(2, 3, 2, 1)", &floats(12));
        for end in 0..whole.len() {
            assert!(draw_bytes(&whole[..end], Shape::new(3, 2, 1), 2).is_err(), "{end}");
        }
    }
}
