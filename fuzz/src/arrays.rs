//! Files of numbers.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use swapnas_graph::{Shape, Tensors};
use swapnas_metrics::inputs::{Cifar10, Images, draw_npy};

use crate::{choice, told};

/// An array of NumPy as images of a shape and number that the first byte chooses.
pub(crate) fn npy(input: &[u8]) {
    let (first, bytes) = choice(input);
    let shape =
        [Shape::new(3, 2, 1), Shape::new(1, 1, 1), Shape::new(2, 3, 3), Shape::new(4, 1, 2)][first & 3];
    let count = [1, 2, 3, 16][first >> 2 & 3];
    let draw = || draw_npy(Path::new("images.npy"), Cursor::new(bytes), shape, count, 7);
    match draw() {
        Ok(images) => {
            whole(&images, shape, count);
            assert_eq!(draw().ok(), Some(images.clone()), "another time, other images");
            assert_eq!(images.labels, None);
            // The length of the header is a number of two bytes, or since version 2 of four.
            let start = match bytes[6] {
                1 => 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]])),
                _ => 12 + u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize,
            };
            // All numbers are among those of the file.
            let (header, data) = bytes.split_at(start);
            if header.windows(5).any(|part| part == b"'<f4'") {
                let of_file: Vec<f32> = data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                for image in images.data.chunks_exact(shape.elements()) {
                    assert!(of_file.chunks_exact(shape.elements()).any(|other| other == image));
                }
            }
        }
        Err(error) => {
            told(&error);
        }
    }
}

/// A file of weights.
pub(crate) fn safetensors(input: &[u8]) {
    let path = Path::new("weights.safetensors");
    let tensors = match Tensors::from_bytes(path, input) {
        Ok(tensors) => tensors,
        Err(error) => {
            told(&error);
            return;
        }
    };
    let file = SafeTensors::deserialize(input).expect("it was read before");
    let mut bytes = BTreeMap::new();
    for (name, view) in file.tensors() {
        let tensor = tensors.get(&name);
        assert_eq!(tensor.is_some(), view.dtype() == Dtype::F32, "{name}");
        if let Some(tensor) = tensor {
            assert_eq!(tensor.shape.iter().product::<usize>(), tensor.numbers.len(), "{name}");
            assert_eq!(tensor.shape, view.shape());
            let numbers: Vec<u8> = tensor.numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            assert_eq!(numbers, view.data(), "{name}");
            bytes.insert(name, (tensor.shape.clone(), numbers));
        }
    }
    let views = bytes.iter().map(|(name, (shape, numbers))| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), numbers).expect("as many numbers as the shape says"),
        )
    });
    let written = safetensors::serialize(views, None).expect("it can be written");
    let again = Tensors::from_bytes(path, &written).expect("what was written can be read");
    for (name, (shape, numbers)) in &bytes {
        let tensor = again.get(name).expect("it was written");
        assert_eq!(&tensor.shape, shape);
        assert!(tensor.numbers.iter().flat_map(|number| number.to_le_bytes()).eq(numbers.iter().copied()));
    }
}

/// The bytes of a picture with its label.
pub(crate) const CIFAR10_RECORD: usize = 3073;
/// The most pictures of an input: each has to be resized.
const MOST_PICTURES: usize = 2;

/// Images of CIFAR-10. Inputs are too short for pictures, so each byte stands for a run of them.
pub(crate) fn cifar10(input: &[u8]) {
    let (first, rest) = choice(input);
    let (repeats, rest) = choice(rest);
    let most = MOST_PICTURES * CIFAR10_RECORD;
    let mut bytes = Vec::with_capacity(most);
    for byte in rest {
        bytes.resize((bytes.len() + repeats * 2 + 1).min(most + 1), *byte);
    }
    // Most lengths are no multiple of a picture's.
    if first & 1 == 0 {
        bytes.resize(bytes.len().next_multiple_of(CIFAR10_RECORD).min(most), 0);
    }
    let file = match Cifar10::from_bytes("batch.bin", &bytes[..]) {
        Ok(file) => file,
        Err(error) => {
            told(&error);
            return;
        }
    };
    assert_eq!(file.count() * CIFAR10_RECORD, bytes.len());
    let shape = [Shape::new(3, 32, 32), Shape::new(1, 4, 4), Shape::new(5, 3, 2), Shape::new(3, 1, 33)]
        [first >> 1 & 3];
    let indices: Vec<usize> = (0..file.count() + (first >> 3 & 1)).collect();
    match file.images(&indices, shape) {
        Ok(images) => {
            whole(&images, shape, file.count());
            let labels = bytes.chunks(CIFAR10_RECORD).map(|record| usize::from(record[0])).collect();
            assert_eq!(images.labels, Some(labels));
            if shape == Shape::new(3, 32, 32) {
                for (image, record) in bytes.chunks(CIFAR10_RECORD).enumerate() {
                    // Brighter pixels have greater values, pixel by pixel of a colour.
                    for (values, pixels) in images.image(image).chunks(1024).zip(record[1..].chunks(1024)) {
                        let order =
                            |(pixel, value): (&u8, &f32)| pixels[0].cmp(pixel) == values[0].total_cmp(value);
                        assert!(pixels.iter().zip(values).all(order));
                    }
                }
            }
        }
        Err(error) => {
            told(&error);
            let labels_are_good = bytes.chunks(CIFAR10_RECORD).all(|record| record[0] < 10);
            assert!(!labels_are_good || indices.len() > file.count(), "{error}");
        }
    }
}

fn whole(images: &Images, shape: Shape, count: usize) {
    assert_eq!((images.shape(), images.count), (shape, count));
    assert_eq!(images.data.len(), shape.elements() * count);
    assert!(images.data.iter().all(|value| value.is_finite()));
}
