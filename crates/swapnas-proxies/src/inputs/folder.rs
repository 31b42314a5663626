//! A folder of pictures.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, RgbImage};
use rayon::prelude::*;
use swapnas_graph::Shape;
use walkdir::{DirEntry, WalkDir};

use super::pick::pick;
use super::pictures::{Album, Normalisation, fit};
use super::{Images, InputError};

/// Mean and standard deviation of ImageNet, as image classifiers are trained with.
const NORMALISATION: Normalisation =
    Normalisation { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/// Draws `count` of the pictures below `folder`.
pub(super) fn draw(folder: &Path, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
    let mut album = Album::new(shape, count, NORMALISATION)?;
    let files = list(folder)?;
    if files.len() < count {
        return Err(InputError::TooFew { path: folder.to_owned(), needed: count, found: files.len() as u64 });
    }
    let classes = classes(folder, &files);
    let picks = pick("images", files.len() as u64, count, seed);
    let pictures: Vec<_> =
        picks.par_iter().map(|&index| Ok(fit(decode(&files[index as usize])?, shape))).collect();
    for (place, picture) in pictures.into_iter().enumerate() {
        album.put(place, &picture?);
    }
    let labels = classes.map(|classes| picks.iter().map(|&index| classes[index as usize]).collect());
    Ok(album.finish(labels))
}

/// All pictures below the folder in the order of their names.
fn list(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    // A walk takes a file for a folder with itself in it; this does not.
    fs::read_dir(folder).map_err(|cause| InputError::Read { path: folder.to_owned(), cause })?;
    let hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let mut files = Vec::new();
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !hidden(entry)) {
        let entry = entry.map_err(|error| InputError::Read {
            path: error.path().unwrap_or(folder).to_owned(),
            cause: error.into(),
        })?;
        if entry.file_type().is_file() && is_picture(entry.path()) {
            files.push(entry.into_path());
        }
    }
    if files.is_empty() {
        return Err(InputError::NoPictures { folder: folder.to_owned() });
    }
    Ok(files)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
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

fn decode(path: &Path) -> Result<RgbImage, InputError> {
    let decoding = |cause| InputError::Decode { path: path.to_owned(), cause };
    let bytes = fs::read(path).map_err(|cause| InputError::Read { path: path.to_owned(), cause })?;
    let format = image::guess_format(&bytes).map_err(decoding)?;
    if format == ImageFormat::Jpeg && ends_early(&bytes) {
        return Err(InputError::CutPicture { path: path.to_owned() });
    }
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    Ok(reader.decode().map_err(decoding)?.into_rgb8())
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
        let files = list(folder.path()).unwrap();
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

    #[test]
    fn a_broken_picture_among_good_ones_matters_only_when_it_is_drawn() {
        let folder = folder(&[("a.png", 10), ("b.png", 20), ("c.png", 30), ("d.png", 40)]);
        fs::write(folder.path().join("c.png"), "text").unwrap();
        for seed in 0..10 {
            let broken = pick("images", 4, 2, seed).contains(&2);
            let drawn = draw(folder.path(), Shape::new(3, 8, 8), 2, seed);
            assert_eq!(matches!(drawn, Err(InputError::Decode { .. })), broken, "{seed}: {drawn:?}");
            assert_eq!(drawn.is_err(), broken);
        }
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
        let whole = fs::read(good.path().join("a.png")).unwrap();
        fs::write(good.path().join("b.png"), &whole[..whole.len() - 20]).unwrap();
        insta::assert_snapshot!(error(&good, "", 2), @"cannot decode the picture `DIR/b.png`: unexpected end of file; replace it or move it away");
        let noisy = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * x * 7 + y * y * 13) as u8; 3]));
        noisy.save(good.path().join("b.jpg")).unwrap();
        let whole = fs::read(good.path().join("b.jpg")).unwrap();
        fs::remove_file(good.path().join("b.png")).unwrap();
        fs::write(good.path().join("b.jpg"), &whole[..whole.len() / 2]).unwrap();
        insta::assert_snapshot!(error(&good, "", 2), @"the picture `DIR/b.jpg` ends early; replace it or move it away");
        fs::remove_file(good.path().join("b.jpg")).unwrap();
        fs::write(good.path().join("b.png"), "").unwrap();
        insta::assert_snapshot!(error(&good, "", 2), @"cannot decode the picture `DIR/b.png`: The image format could not be determined; replace it or move it away");
        fs::write(good.path().join("b.png"), "text").unwrap();
        insta::assert_snapshot!(error(&good, "", 2), @"cannot decode the picture `DIR/b.png`: The image format could not be determined; replace it or move it away");
    }
}
