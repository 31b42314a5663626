//! Folders made of pictures of one colour, whole and broken.

use std::fs;

use image::{DynamicImage, GrayAlphaImage, GrayImage, LumaA, Rgb, RgbaImage};
use tempfile::TempDir;

use super::check::has_both_ends;
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
4 files in `DIR` cannot be used; replace what is broken, move it away, or leave it out with skip_bad:
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
            let name = |skipped: &Skipped| skipped.path.file_name().unwrap().to_string_lossy().into_owned();
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
2 files in `DIR` cannot be used; replace what is broken, move it away, or leave it out with skip_bad:
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
1 file in `DIR` cannot be used; replace what is broken, move it away, or leave it out with skip_bad:
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
1 file in `DIR/` cannot be used; replace what is broken, move it away, or leave it out with skip_bad:
  `DIR/b.jpg`: it ends early
");
}
