//! CIFAR-10 in its binary format.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{Rgb, RgbImage};
use swapnas_graph::Shape;

use super::pick::pick;
use super::pictures::{Album, Normalisation, fit};
use super::{Images, InputError};

/// Sides of a picture in pixels.
const SIDE: usize = 32;
/// Bytes of one colour of a picture.
const PLANE: usize = SIDE * SIDE;
/// Bytes of one picture: the label, then the rows of red, of green and of blue.
const RECORD: usize = 1 + 3 * PLANE;

/// Mean and standard deviation of the training images, as NAS codebases write them.
const NORMALISATION: Normalisation =
    Normalisation { mean: [0.49139968, 0.48215827, 0.44653124], std: [0.24703233, 0.24348505, 0.26158768] };

/// CIFAR-10 images in binary files, read only where asked for.
///
/// The format is that of `cifar-10-binary.tar.gz` (Krizhevsky, 2009): per image one label byte, 0 to 9,
/// then 32x32 bytes each of red, green and blue. Values become `(byte / 255 - mean) / std` with the mean
/// and standard deviation of the training images. Other sizes than 32x32 are resized as
/// [`InputSpec::Images`](super::InputSpec::Images) are.
#[derive(Clone, Debug)]
pub struct Cifar10 {
    path: PathBuf,
    files: Vec<Batch>,
}

/// A file with its number of images.
#[derive(Clone, Debug)]
struct Batch {
    path: PathBuf,
    count: usize,
    /// What is in the file, if it is in memory.
    bytes: Option<Arc<[u8]>>,
}

impl Cifar10 {
    /// Opens one file, or the files `data_batch_*.bin` of a folder in the order of their names.
    ///
    /// The folder's `test_batch.bin` is not used; it can be opened as a file.
    ///
    /// # Errors
    ///
    /// When the path cannot be read, the folder has no such file, or the length of a file is not a
    /// multiple of 3073 bytes.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, InputError> {
        let path = path.into();
        let files = if path.is_dir() { training_batches(&path)? } else { vec![path.clone()] };
        let files = files
            .into_iter()
            .map(|path| {
                let bytes = fs::metadata(&path).map_err(reading(&path))?.len();
                Ok(Batch { count: count(&path, bytes)?, path, bytes: None })
            })
            .collect::<Result<_, _>>()?;
        Ok(Cifar10 { path, files })
    }

    /// The images of one file that is in memory; `path` is what messages call it.
    ///
    /// # Errors
    ///
    /// When the length is not a multiple of 3073 bytes.
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) -> Result<Self, InputError> {
        let (path, bytes) = (path.into(), bytes.into());
        let count = count(&path, bytes.len() as u64)?;
        Ok(Cifar10 { files: vec![Batch { path: path.clone(), count, bytes: Some(bytes) }], path })
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.files.iter().map(|file| file.count).sum()
    }

    /// The images of the given numbers, in that order; images are numbered from 0 through all files.
    ///
    /// # Errors
    ///
    /// When an image does not exist or cannot be read, or its label is above 9.
    pub fn images(&self, indices: &[usize], shape: Shape) -> Result<Images, InputError> {
        let mut album = Album::new(shape, indices.len(), NORMALISATION)?;
        let mut labels = Vec::with_capacity(indices.len());
        for (place, &index) in indices.iter().enumerate() {
            let (label, picture) = self.read(index)?;
            labels.push(label);
            album.put(place, &fit(picture, shape));
        }
        Ok(album.finish(Some(labels)))
    }

    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let found = self.count() as u64;
        if found < count as u64 {
            return Err(InputError::TooFew { path: self.path.clone(), what: "images", needed: count, found });
        }
        let picks = pick("cifar10", found, count, seed);
        self.images(&picks.into_iter().map(|index| index as usize).collect::<Vec<_>>(), shape)
    }

    fn read(&self, index: usize) -> Result<(usize, RgbImage), InputError> {
        let mut image = index;
        for Batch { path, count, bytes } in &self.files {
            if image >= *count {
                image -= count;
                continue;
            }
            let start = image as u64 * RECORD as u64;
            let mut record = [0; RECORD];
            match bytes {
                Some(bytes) => record.copy_from_slice(&bytes[start as usize..][..RECORD]),
                None => File::open(path)
                    .and_then(|mut file| {
                        file.seek(SeekFrom::Start(start))?;
                        file.read_exact(&mut record)
                    })
                    .map_err(reading(path))?,
            }
            let label = record[0];
            if label > 9 {
                return Err(InputError::Cifar10Label { path: path.clone(), image, label });
            }
            let picture = RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
                let pixel = 1 + y as usize * SIDE + x as usize;
                Rgb([0, 1, 2].map(|colour| record[colour * PLANE + pixel]))
            });
            return Ok((label.into(), picture));
        }
        Err(InputError::NoSuchImage { path: self.path.clone(), index, found: self.count() })
    }
}

/// How many images a file of so many bytes holds.
fn count(path: &Path, bytes: u64) -> Result<usize, InputError> {
    if bytes == 0 || !bytes.is_multiple_of(RECORD as u64) {
        return Err(InputError::Cifar10Length { path: path.to_owned(), bytes });
    }
    Ok((bytes / RECORD as u64) as usize)
}

fn training_batches(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading(folder))? {
        let file = entry.map_err(reading(folder))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("data_batch_") && name.ends_with(".bin") {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(InputError::Cifar10Folder { folder: folder.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn reading(path: &Path) -> impl Fn(std::io::Error) -> InputError + '_ {
    |cause| InputError::Read { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::{env, iter};

    use safetensors::{Dtype, SafeTensors};
    use serde_json::Value;
    use tempfile::TempDir;

    use super::*;

    const SHAPE: Shape = Shape::new(3, SIDE, SIDE);

    /// Writes a batch of one-coloured images with labels 0, 1, 2, ...
    fn write_batch(path: &Path, levels: &[u8]) {
        let records = levels.iter().enumerate().flat_map(|(i, &level)| {
            let mut record = vec![level; RECORD];
            record[0] = (i % 10) as u8;
            record
        });
        fs::write(path, records.collect::<Vec<_>>()).unwrap();
    }

    /// The byte that a normalised value was made of.
    fn byte(value: f32, colour: usize) -> u8 {
        ((value * NORMALISATION.std[colour] + NORMALISATION.mean[colour]) * 255.0).round() as u8
    }

    fn levels(images: &Images) -> Vec<u8> {
        (0..images.count).map(|i| byte(images.image(i)[0], 0)).collect()
    }

    #[test]
    fn a_folder_is_its_training_batches_in_order() {
        let folder = TempDir::new().unwrap();
        write_batch(&folder.path().join("data_batch_2.bin"), &[30, 40, 50]);
        write_batch(&folder.path().join("data_batch_1.bin"), &[10, 20]);
        write_batch(&folder.path().join("test_batch.bin"), &[90]);
        fs::write(folder.path().join("batches.meta.txt"), "airplane").unwrap();
        let cifar = Cifar10::open(folder.path()).unwrap();
        assert_eq!(cifar.count(), 5);
        let images = cifar.images(&[0, 1, 2, 3, 4], SHAPE).unwrap();
        assert_eq!(levels(&images), [10, 20, 30, 40, 50]);
        assert_eq!(images.labels, Some(vec![0, 1, 0, 1, 2]));

        let test = Cifar10::open(folder.path().join("test_batch.bin")).unwrap();
        assert_eq!(levels(&test.images(&[0], SHAPE).unwrap()), [90]);
    }

    #[test]
    fn images_are_drawn_without_replacement_by_the_seed() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("batch.bin");
        let all: Vec<u8> = (0..40).collect();
        write_batch(&path, &all);
        let cifar = Cifar10::open(&path).unwrap();
        let draw = |count, seed| cifar.draw(SHAPE, count, seed).unwrap();
        let drawn = draw(40, 0);
        let labels = drawn.labels.clone().unwrap();
        let mut numbers = levels(&drawn);
        assert!(numbers.iter().zip(&labels).all(|(&number, &label)| usize::from(number) % 10 == label));
        assert_eq!(drawn.data[..5 * SHAPE.elements()], draw(5, 0).data);
        assert_ne!(numbers, levels(&draw(40, 1)));
        numbers.sort_unstable();
        assert_eq!(numbers, all);
    }

    #[test]
    fn other_sizes_are_resized() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("batch.bin");
        write_batch(&path, &[77]);
        for shape in [Shape::new(3, 16, 16), Shape::new(3, 64, 48), Shape::new(8, 1, 1)] {
            let images = Cifar10::open(&path).unwrap().images(&[0], shape).unwrap();
            for (channel, values) in images.data.chunks_exact(shape.pixels()).enumerate() {
                assert!(values.iter().all(|&value| byte(value, channel % 3) == 77), "{shape}");
            }
        }
    }

    #[test]
    fn errors_say_which_file_and_why() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("batch.bin");
        let error = |path: &Path, count| {
            let drawn = Cifar10::open(path).and_then(|cifar| cifar.draw(SHAPE, count, 0));
            drawn.unwrap_err().to_string().replace(&*folder.path().to_string_lossy(), "DIR")
        };
        insta::assert_snapshot!(error(&path, 1), @"cannot read `DIR/batch.bin`: No such file or directory (os error 2); check the path and its permissions");
        insta::assert_snapshot!(error(folder.path(), 1), @"`DIR` has no files data_batch_*.bin; give the folder cifar-10-batches-bin, or a batch's file");
        write_batch(&path, &[1, 2, 3]);
        insta::assert_snapshot!(error(&path, 4), @"`DIR/batch.bin` holds 3 images, but 4 are needed; add images or draw fewer");
        let beyond = Cifar10::open(&path).unwrap().images(&[3], SHAPE).unwrap_err().to_string();
        insta::assert_snapshot!(beyond.replace(&*folder.path().to_string_lossy(), "DIR"), @"`DIR/batch.bin` has no image 3; ask for one of its 3, numbered from 0");
        let mut bytes = fs::read(&path).unwrap();
        bytes[RECORD] = 10;
        fs::write(&path, &bytes).unwrap();
        insta::assert_snapshot!(error(&path, 3), @"`DIR/batch.bin` is no binary CIFAR-10 batch: image 1 has label 10, but labels are 0 to 9; take a file of cifar-10-binary.tar.gz, such as data_batch_1.bin");
        bytes.pop();
        fs::write(&path, &bytes).unwrap();
        insta::assert_snapshot!(error(&path, 1), @"`DIR/batch.bin` is no binary CIFAR-10 batch: its 9218 bytes are not a multiple of 3073 (a label and 3x32x32 pixels) above 0; take a file of cifar-10-binary.tar.gz, such as data_batch_1.bin");
        fs::copy(&path, folder.path().join("data_batch_2.bin")).unwrap();
        write_batch(&folder.path().join("data_batch_1.bin"), &[1, 2, 3]);
        insta::assert_snapshot!(error(folder.path(), 1), @"`DIR/data_batch_2.bin` is no binary CIFAR-10 batch: its 9218 bytes are not a multiple of 3073 (a label and 3x32x32 pixels) above 0; take a file of cifar-10-binary.tar.gz, such as data_batch_1.bin");
        fs::write(&path, b"").unwrap();
        insta::assert_snapshot!(error(&path, 1), @"`DIR/batch.bin` is no binary CIFAR-10 batch: its 0 bytes are not a multiple of 3073 (a label and 3x32x32 pixels) above 0; take a file of cifar-10-binary.tar.gz, such as data_batch_1.bin");
    }

    /// The images of a tensor, and its numbers.
    fn tensor(file: &Path, name: &str) -> (usize, Shape, Vec<f32>) {
        let bytes = fs::read(file).unwrap();
        let tensor = SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap();
        let &[count, channels, height, width] = tensor.shape() else {
            panic!("{name}: {:?}", tensor.shape())
        };
        assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
        let values = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        (count, Shape::new(channels, height, width), values.collect())
    }

    /// Images of the fixtures.
    struct Input {
        name: String,
        /// Where the first of them stands in the list of pictures that they are made of, if that is known.
        start: Option<usize>,
        count: usize,
        shape: Shape,
        values: Vec<f32>,
    }

    /// All inputs in the fixtures that are pictures of 32x32.
    fn inputs_of_fixtures(folder: &Path) -> Vec<Input> {
        let index = |name: &str| -> Value {
            serde_json::from_slice(&fs::read(folder.join(name).join("index.json")).unwrap()).unwrap()
        };
        let mut inputs = Vec::new();
        for case in index("swap_darts")["cases"].as_array().unwrap() {
            let name = case["file"].as_str().unwrap().to_owned();
            let (count, shape, values) = tensor(&folder.join("swap_darts").join(&name), "input");
            let start = case["image_start"].as_u64().map(|start| start as usize);
            inputs.push(Input { name, start, count, shape, values });
        }
        let shared = folder.join("metrics_nb201").join(index("metrics_nb201")["shared"].as_str().unwrap());
        for name in ["input_a", "input_b", "input_c"] {
            let (count, shape, values) = tensor(&shared, name);
            inputs.push(Input { name: name.to_owned(), start: None, count, shape, values });
        }
        inputs.retain(|input| (input.shape.height, input.shape.width) == (SIDE, SIDE));
        inputs
    }

    /// The bytes that the first three channels of every image were made of, as a file of that format.
    fn records(values: &[f32], channels: usize) -> Vec<u8> {
        let pictures = values.chunks_exact(channels * PLANE).flat_map(|image| {
            let bytes = image[..3 * PLANE].iter().enumerate().map(|(i, &value)| byte(value, i / PLANE));
            iter::once(0).chain(bytes)
        });
        pictures.collect()
    }

    /// Turns the images of every case back into bytes, and reads these as a CIFAR-10 file: shows that the
    /// normalisation is the reference's to the bit, and so is the order of more than three channels.
    #[test]
    fn inputs_of_the_fixtures_are_read_to_the_bit() {
        let Some(folder) = swapnas_fixtures::fixtures("") else { return };
        let scratch = TempDir::new().unwrap();
        let inputs = inputs_of_fixtures(&folder);
        assert!(inputs.iter().any(|input| input.shape.channels > 3), "no case has more than three channels");
        for Input { name, count, shape, values, .. } in inputs {
            let path = scratch.path().join(&name);
            fs::write(&path, records(&values, shape.channels)).unwrap();
            let images =
                Cifar10::open(&path).unwrap().images(&(0..count).collect::<Vec<_>>(), shape).unwrap();
            assert!(images.data == values, "{name}");
        }
    }

    /// The first pictures of the fixtures' list are those of the sample, in its order. A list that does not
    /// begin as the sample does is another one.
    #[test]
    fn inputs_of_the_fixtures_are_in_the_sample() {
        let Some(fixtures) = swapnas_fixtures::fixtures("") else { return };
        let Some(file) = swapnas_fixtures::data("cifar10_sample.bin") else { return };
        let sample = Cifar10::open(&file).unwrap();
        let bytes = fs::read(&file).unwrap();
        let known = |picture: &[u8]| bytes.chunks_exact(RECORD).any(|record| record[1..] == *picture);
        let mut compared = 0;
        for Input { name, start, count, shape, values } in inputs_of_fixtures(&fixtures) {
            let Some(start) = start.filter(|start| start + count <= sample.count()) else { continue };
            if known(&records(&values, shape.channels)[1..RECORD]) {
                let images = sample.images(&(start..start + count).collect::<Vec<_>>(), shape).unwrap();
                assert!(images.data == values, "{name}: not the sample's images from {start} on");
                compared += 1;
            }
        }
        println!("{compared} cases have images of the sample");
        assert!(
            compared > 0 || env::var_os("SWAPNAS_FIXTURES").is_some(),
            "no case has images of the sample"
        );
    }

    #[test]
    fn the_sample_beside_the_fixtures_is_a_batch() {
        let Some(sample) = swapnas_fixtures::data("cifar10_sample.bin") else { return };
        let cifar = Cifar10::open(sample).unwrap();
        let images = cifar.images(&(0..cifar.count()).collect::<Vec<_>>(), SHAPE).unwrap();
        assert!(images.labels.unwrap().iter().all(|&label| label < 10));
        // Photographs, normalised: mean and variance near 0 and 1 in every colour.
        for colour in 0..3 {
            let plane = |image: usize| &images.data[(image * 3 + colour) * PLANE..][..PLANE];
            let n = (images.count * PLANE) as f64;
            let mean = (0..images.count).flat_map(plane).map(|&x| f64::from(x)).sum::<f64>() / n;
            let square = (0..images.count).flat_map(plane).map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
            assert!(mean.abs() < 0.2 && (square - 1.0).abs() < 0.3, "{colour}: {mean} {square}");
        }
    }
}
