//! A folder of pictures.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use image::{ImageFormat, ImageReader, RgbImage};
use rayon::prelude::*;
use swapnas_graph::{Shape, plain};
use walkdir::{DirEntry, WalkDir};

use super::pick::pick;
use super::pictures::{Album, Normalisation, fit};
use super::{Images, InputError};

/// Mean and standard deviation of ImageNet, as image classifiers are trained with.
const NORMALISATION: Normalisation =
    Normalisation { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/// Folders with no more bytes of pictures are decoded from the first to the last before anything is drawn, which
/// takes about a second; of larger ones, each file is looked at from both ends.
const DECODED: u64 = 32 << 20;

/// How much of a file is read at either end.
const END: u64 = 4096;

/// How many of the pictures that cannot be used are listed.
const LISTED: usize = 20;

/// A folder of pictures: see [`InputSpec::Images`](super::InputSpec::Images).
///
/// All files are checked when the first batch is drawn. Clones share what was found.
#[derive(Clone, Debug)]
pub struct PictureFolder {
    path: PathBuf,
    skip_bad: bool,
    found: Arc<Mutex<Option<Found>>>,
}

/// What is in a folder.
#[derive(Clone, Debug)]
struct Found {
    /// All pictures in the order of their names.
    files: Arc<Vec<PathBuf>>,
    /// The class of each.
    classes: Arc<Option<Vec<usize>>>,
    /// Those that cannot be used, by their numbers, and why.
    bad: BTreeMap<usize, String>,
    /// What could not even be looked into.
    unread: Vec<Skipped>,
}

/// A file that is left out, since it is no picture that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", plain(&self.path), plain(&self.reason))
    }
}

/// A line for each, up to twenty of them.
pub(super) fn listing(skipped: &[Skipped]) -> String {
    let mut text = String::new();
    for skipped in skipped.iter().take(LISTED) {
        text.push_str(&format!("\n  {skipped}"));
    }
    if skipped.len() > LISTED {
        text.push_str(&format!("\n  and {} more", skipped.len() - LISTED));
    }
    text
}

impl PartialEq for PictureFolder {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.skip_bad) == (&other.path, other.skip_bad)
    }
}

impl PictureFolder {
    /// The pictures below `path`; one that cannot be used is an error.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        PictureFolder { path: path.into(), skip_bad: false, found: Arc::default() }
    }

    /// The pictures below `path` without those that cannot be used.
    pub fn skipping_bad(path: impl Into<PathBuf>) -> Self {
        PictureFolder { skip_bad: true, ..PictureFolder::new(path) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether pictures that cannot be used are left out.
    pub fn skips_bad(&self) -> bool {
        self.skip_bad
    }

    /// What was left out of the batches that have been drawn, and of the folder before.
    pub fn skipped(&self) -> Vec<Skipped> {
        self.lock().as_ref().map(Found::skipped).unwrap_or_default()
    }

    /// Draws `count` of the pictures.
    ///
    /// They are drawn from all, and those that cannot be used are passed over, so that what else is drawn does not
    /// depend on them.
    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut album = Album::new(shape, count, NORMALISATION)?;
        loop {
            let Found { files, classes, bad, .. } = self.find()?;
            let usable = files.len() - bad.len();
            if usable < count {
                let (path, found) = (self.path.clone(), usable as u64);
                return Err(InputError::TooFew { path, needed: count, found });
            }
            let mut picks = pick("images", files.len() as u64, count + bad.len(), seed);
            picks.retain(|&index| !bad.contains_key(&(index as usize)));
            picks.truncate(count);
            let picture = |&index: &u64| Ok(fit(decode(&files[index as usize])?, shape));
            let pictures: Vec<Result<RgbImage, Flaw>> = picks.par_iter().map(picture).collect();
            let mut flaws = BTreeMap::new();
            for (place, (picture, index)) in pictures.into_iter().zip(&picks).enumerate() {
                match picture {
                    Ok(picture) => album.put(place, &picture),
                    Err(flaw) => {
                        flaws.insert(*index as usize, flaw.to_string());
                    }
                }
            }
            if flaws.is_empty() {
                let labels = Option::as_ref(&classes);
                let labels =
                    labels.map(|classes| picks.iter().map(|&index| classes[index as usize]).collect());
                return Ok(album.finish(labels));
            }
            self.take_note(flaws)?;
        }
    }

    /// The files of the folder, which are checked when they are asked for the first time.
    fn find(&self) -> Result<Found, InputError> {
        if let Some(found) = &*self.lock() {
            return Ok(found.clone());
        }
        // Nothing is locked meanwhile, since threads that wait for others of the pool may take up other work.
        let (files, unread) = list(&self.path)?;
        let files = Arc::new(files);
        let bad = check(&files);
        let classes = Arc::new(classes(&self.path, &files));
        let found = Found { files, classes, bad, unread };
        self.refuse(&found)?;
        Ok(self.lock().insert(found).clone())
    }

    /// Remembers what has turned out to be no picture.
    fn take_note(&self, flaws: BTreeMap<usize, String>) -> Result<(), InputError> {
        match &mut *self.lock() {
            Some(found) => {
                found.bad.extend(flaws);
                self.refuse(found)
            }
            None => Ok(()),
        }
    }

    /// An error of what cannot be used, unless it is to be left out.
    fn refuse(&self, found: &Found) -> Result<(), InputError> {
        let bad = found.skipped();
        if self.skip_bad || bad.is_empty() {
            return Ok(());
        }
        Err(InputError::Pictures { folder: self.path.clone(), bad })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn skipped(&self) -> Vec<Skipped> {
        let bad = self.bad.iter();
        let bad =
            bad.map(|(&index, reason)| Skipped { path: self.files[index].clone(), reason: reason.clone() });
        bad.chain(self.unread.iter().cloned()).collect()
    }
}

/// All pictures below the folder in the order of their names, and what cannot be looked into: folders that may not
/// be read, and links that lead nowhere or back to where they are.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Skipped>), InputError> {
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

/// The files that cannot be used, as far as this can be said in a short time: all of them where there are not too
/// many, else those that do not begin and end as a picture does.
fn check(files: &[PathBuf]) -> BTreeMap<usize, String> {
    let bytes = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let few = files.par_iter().map(bytes).sum::<u64>() <= DECODED;
    let checked = files.par_iter().enumerate().filter_map(|(index, file)| {
        let whole = !few && has_both_ends(file).unwrap_or(false);
        let flaw = if whole { None } else { decode(file).err() };
        Some((index, flaw?.to_string()))
    });
    checked.collect()
}

/// The class of each file: the number of the first folder on its way, if every file has one.
fn classes(folder: &Path, files: &[PathBuf]) -> Option<Vec<usize>> {
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

/// Why a file is no picture that can be used.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it cannot be decoded: {0}")]
    Decode(#[from] image::ImageError),
    #[error("it ends early")]
    EndsEarly,
}

/// Decodes a picture. One that would take more than 512 MiB is refused, as the library does unless told otherwise.
fn decode(path: &Path) -> Result<RgbImage, Flaw> {
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
fn has_both_ends(path: &Path) -> io::Result<bool> {
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

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::{DynamicImage, GrayAlphaImage, GrayImage, LumaA, RgbaImage};
    use tempfile::TempDir;

    use super::*;

    /// A folder with one-coloured pictures of those names and levels of red.
    fn folder(pictures: &[(&str, u8)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for &(name, level) in pictures {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            RgbImage::from_pixel(3, 3, Rgb([level, 0, 0])).save(path).unwrap();
        }
        folder
    }

    /// The level of red that a normalised value was made of.
    fn level(value: f32) -> u8 {
        ((value * 0.229 + 0.485) * 255.0).round() as u8
    }

    fn draw(folder: &Path, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        PictureFolder::new(folder).draw(shape, count, seed)
    }

    fn draw_levels(folder: &Path, count: usize, seed: u64) -> (Vec<u8>, Option<Vec<usize>>) {
        let images = draw(folder, Shape::new(1, 2, 2), count, seed).unwrap();
        (images.data.chunks_exact(4).map(|image| level(image[0])).collect(), images.labels)
    }

    #[test]
    fn pictures_are_found_in_subfolders_which_are_their_classes() {
        let folder = folder(&[
            ("dog/a.png", 10),
            ("cat/b.png", 20),
            ("cat/more/c.PNG", 30),
            ("owl/d.png", 40),
            ("owl/.hidden.png", 50),
            (".cache/e.png", 60),
        ]);
        fs::write(folder.path().join("cat/readme.txt"), "no picture").unwrap();
        let (files, _) = list(folder.path()).unwrap();
        let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["b.png", "c.PNG", "a.png", "d.png"]);

        let (levels, labels) = draw_levels(folder.path(), 4, 0);
        let mut drawn: Vec<_> = levels.into_iter().zip(labels.unwrap()).collect();
        assert_ne!(draw_levels(folder.path(), 4, 1).0, drawn.iter().map(|d| d.0).collect::<Vec<_>>());
        drawn.sort_unstable();
        assert_eq!(drawn, [(10, 1), (20, 0), (30, 0), (40, 2)]);
    }

    #[test]
    fn a_picture_outside_all_classes_means_there_are_none() {
        let folder = folder(&[("a.png", 10), ("b/c.png", 20)]);
        let (mut levels, labels) = draw_levels(folder.path(), 2, 0);
        levels.sort_unstable();
        assert_eq!((levels, labels), (vec![10, 20], None));
    }

    #[test]
    fn a_short_draw_begins_a_long_one() {
        let folder = folder(&[("a.png", 10), ("b.png", 20), ("c.png", 30), ("d.png", 40)]);
        for seed in 0..5 {
            assert_eq!(draw_levels(folder.path(), 4, seed).0[..2], draw_levels(folder.path(), 2, seed).0);
        }
    }

    #[test]
    fn grey_transparent_and_misnamed_pictures_are_read() {
        let folder = TempDir::new().unwrap();
        let grey = GrayImage::from_pixel(4, 4, image::Luma([90]));
        let grey_alpha = GrayAlphaImage::from_pixel(4, 4, LumaA([90, 10]));
        let alpha = RgbaImage::from_pixel(4, 4, image::Rgba([90, 90, 90, 10]));
        let deep = DynamicImage::ImageRgb8(RgbImage::from_pixel(4, 4, Rgb([90; 3]))).into_rgb16();
        grey.save(folder.path().join("grey.png")).unwrap();
        grey.save(folder.path().join("grey.jpg")).unwrap();
        grey_alpha.save(folder.path().join("grey-alpha.png")).unwrap();
        alpha.save(folder.path().join("alpha.png")).unwrap();
        deep.save(folder.path().join("deep.png")).unwrap();
        DynamicImage::ImageRgb16(deep).into_luma16().save(folder.path().join("deep-grey.png")).unwrap();
        fs::copy(folder.path().join("grey.png"), folder.path().join("named.JPEG")).unwrap();

        let images = draw(folder.path(), Shape::new(3, 4, 4), 7, 0).unwrap();
        for i in 0..7 {
            for (channel, values) in images.image(i).chunks_exact(16).enumerate() {
                let [mean, std] = [NORMALISATION.mean[channel], NORMALISATION.std[channel]];
                assert!(values.iter().all(|value| ((value * std + mean) * 255.0).round() == 90.0));
            }
        }
    }

    /// Twenty pictures, of which some are broken: text, nothing, the beginning of a picture, and one whose middle is
    /// spoilt.
    fn partly_broken() -> TempDir {
        let names: Vec<(String, u8)> = (0..20).map(|i| (format!("{i:02}.png"), 10 * i)).collect();
        let names: Vec<(&str, u8)> = names.iter().map(|(name, level)| (&**name, *level)).collect();
        let folder = folder(&names);
        let path = |name: &str| folder.path().join(name);
        let mut whole = fs::read(path("03.png")).unwrap();
        fs::write(path("03.png"), "text").unwrap();
        fs::write(path("07.png"), "").unwrap();
        fs::write(path("11.png"), &whole[..whole.len() - 9]).unwrap();
        let middle = whole.len() - 20;
        whole[middle] ^= 0xff;
        fs::write(path("13.png"), whole).unwrap();
        folder
    }

    #[test]
    fn broken_pictures_are_found_whatever_is_drawn() {
        let folder = partly_broken();
        for seed in 0..10 {
            let error = draw(folder.path(), Shape::new(3, 8, 8), 1, seed).unwrap_err().to_string();
            let error = error.replace(&*folder.path().to_string_lossy(), "DIR");
            insta::allow_duplicates! { insta::assert_snapshot!(error, @"
4 files in `DIR` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
  `DIR/03.png`: it cannot be decoded: The image format could not be determined
  `DIR/07.png`: it cannot be decoded: The image format could not be determined
  `DIR/11.png`: it cannot be decoded: unexpected end of file
  `DIR/13.png`: it cannot be decoded: Format error decoding Png: CRC error: expected 0x32613e69 …(88 more)…eserved: false, safecopy: false } chunk.
") };
        }
    }

    #[test]
    fn broken_pictures_are_left_out_and_told() {
        let broken = partly_broken();
        let mended = partly_broken();
        for name in ["03.png", "07.png", "11.png", "13.png"] {
            fs::copy(mended.path().join("00.png"), mended.path().join(name)).unwrap();
        }
        for seed in 0..10 {
            let pictures = PictureFolder::skipping_bad(broken.path());
            assert_eq!(pictures.skipped(), []);
            let shape = Shape::new(1, 2, 2);
            let drawn = pictures.draw(shape, 16, seed).unwrap();
            let levels: Vec<u8> = drawn.data.chunks_exact(4).map(|image| level(image[0])).collect();
            // As from the whole folder, without those that are broken.
            let order = pick("images", 20, 20, seed);
            let good = order.into_iter().filter(|index| ![3, 7, 11, 13].contains(index));
            assert_eq!(levels, good.map(|index| 10 * index as u8).collect::<Vec<_>>());
            let names = |skipped: Vec<Skipped>| -> Vec<String> {
                let name =
                    |skipped: &Skipped| skipped.path.file_name().unwrap().to_string_lossy().into_owned();
                skipped.iter().map(name).collect()
            };
            assert_eq!(names(pictures.clone().skipped()), ["03.png", "07.png", "11.png", "13.png"]);
            let few = pictures.draw(shape, 17, seed).unwrap_err();
            assert!(matches!(few, InputError::TooFew { found: 16, needed: 17, .. }), "{few}");
        }
    }

    #[test]
    fn what_is_found_while_drawing_is_passed_over_as_well() {
        let folder = partly_broken();
        for seed in 0..10 {
            let checked = PictureFolder::skipping_bad(folder.path());
            let expected = checked.draw(Shape::new(3, 2, 2), 10, seed).unwrap();
            // As in a folder that is too large to be decoded beforehand.
            let unchecked = PictureFolder::skipping_bad(folder.path());
            let (files, unread) = list(folder.path()).unwrap();
            let (files, classes) = (Arc::new(files), Arc::new(None));
            *unchecked.lock() = Some(Found { files, classes, bad: BTreeMap::new(), unread });
            assert_eq!(unchecked.draw(Shape::new(3, 2, 2), 10, seed).unwrap(), expected);
            let skipped = unchecked.skipped();
            assert!(skipped.iter().all(|skipped| checked.skipped().contains(skipped)), "{skipped:?}");
        }
    }

    #[test]
    fn ends_of_pictures_are_known() {
        let folder = partly_broken();
        let ends = |name: &str| has_both_ends(&folder.path().join(name)).unwrap();
        assert!(ends("00.png") && !ends("03.png") && !ends("07.png") && !ends("11.png"));
        let noise = RgbImage::from_fn(99, 99, |x, y| Rgb([(x * x * 7 + y * y * 13) as u8; 3]));
        noise.save(folder.path().join("a.jpg")).unwrap();
        let whole = fs::read(folder.path().join("a.jpg")).unwrap();
        fs::write(folder.path().join("b.jpg"), &whole[..whole.len() - 1]).unwrap();
        assert!(ends("a.jpg") && !ends("b.jpg"));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_or_back_are_told() {
        let folder = folder(&[("a.png", 10), ("b/c.png", 20)]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere.png", folder.path().join("d.png")).unwrap();
        let error = draw(folder.path(), Shape::new(3, 8, 8), 1, 0).unwrap_err().to_string();
        insta::assert_snapshot!(error.replace(&*folder.path().to_string_lossy(), "DIR"), @"
2 files in `DIR` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
  `DIR/b/loop`: a link back to DIR
  `DIR/d.png`: No such file or directory (os error 2)
");
        let pictures = PictureFolder::skipping_bad(folder.path());
        assert_eq!(pictures.draw(Shape::new(3, 8, 8), 2, 0).unwrap().count, 2);
        assert_eq!(pictures.skipped().len(), 2);
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused() {
        // The beginning of a PNG file of 60,000 times 60,000 pixels; the checksum of its header is right.
        let folder = folder(&[("a.png", 10)]);
        let mut bomb = fs::read(folder.path().join("a.png")).unwrap();
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let crc = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        fs::write(folder.path().join("b.png"), bomb).unwrap();
        let error = draw(folder.path(), Shape::new(3, 8, 8), 1, 0).unwrap_err().to_string();
        insta::assert_snapshot!(error.replace(&*folder.path().to_string_lossy(), "DIR"), @"
1 file in `DIR` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
  `DIR/b.png`: it cannot be decoded: Memory limit exceeded
");
    }

    /// The checksum of PNG (RFC 2083, 15).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            (0..8).fold(crc ^ u32::from(*byte), step)
        })
    }

    #[test]
    fn errors_name_the_file() {
        let shape = Shape::new(3, 8, 8);
        let error = |folder: &TempDir, below: &str, count| {
            let text = draw(&folder.path().join(below), shape, count, 0).unwrap_err().to_string();
            text.replace(&*folder.path().to_string_lossy(), "DIR")
        };
        let good = folder(&[("a.png", 1), ("b.png", 2)]);
        insta::assert_snapshot!(error(&good, "", 3), @"`DIR/` holds 2 images, but 3 are needed; add images or draw fewer");
        insta::assert_snapshot!(error(&good, "nowhere", 1), @"cannot read `DIR/nowhere`: No such file or directory (os error 2); check the path and its permissions");
        fs::create_dir(good.path().join("folder.png")).unwrap();
        insta::assert_snapshot!(error(&good, "", 3), @"`DIR/` holds 2 images, but 3 are needed; add images or draw fewer");
        insta::assert_snapshot!(error(&good, "a.png", 1), @"cannot read `DIR/a.png`: Not a directory (os error 20); check the path and its permissions");
        insta::assert_snapshot!(error(&TempDir::new().unwrap(), "", 1), @"`DIR/` has no pictures: no file below it ends in .png, .jpg or .jpeg; convert what there is, or give another folder");
        let noisy = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * x * 7 + y * y * 13) as u8; 3]));
        noisy.save(good.path().join("b.jpg")).unwrap();
        let whole = fs::read(good.path().join("b.jpg")).unwrap();
        fs::write(good.path().join("b.jpg"), &whole[..whole.len() / 2]).unwrap();
        insta::assert_snapshot!(error(&good, "", 2), @"
1 file in `DIR/` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
  `DIR/b.jpg`: it ends early
");
    }
}
