//! Time to make a batch of images: `cargo bench -p swapnas-metrics --bench inputs`.
//!
//! What is counted are the values written, so the rates of the kinds compare with each other. One thread
//! and all threads are measured apart. Files are in the memory of the operating system.

use std::fs;

use divan::Bencher;
use divan::counter::ItemsCount;
use image::{Rgb, RgbImage};
use rayon::ThreadPoolBuilder;
use swapnas_graph::Shape;
use swapnas_metrics::inputs::InputSpec;
use tempfile::TempDir;

fn main() {
    divan::main();
}

/// A batch: number of images and sides.
const BATCHES: [(usize, usize); 3] = [(16, 32), (64, 64), (64, 224)];

/// Draws batches in a pool of so many threads; 0 are as many as there are cores.
fn draw(bencher: Bencher<'_, '_>, spec: &str, (count, side): (usize, usize), threads: usize) {
    let spec: InputSpec = spec.parse().expect("the benches write valid specs");
    let shape = Shape::new(3, side, side);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let draw = || spec.draw(shape, count, 0).expect("the benches have their files");
    bencher.counter(ItemsCount::new(count * shape.elements())).bench_local(|| pool.install(draw));
}

#[divan::bench(args = BATCHES, consts = [1, 0])]
fn spectral<const THREADS: usize>(bencher: Bencher<'_, '_>, batch: (usize, usize)) {
    draw(bencher, "spectral", batch, THREADS);
}

#[divan::bench(args = BATCHES, consts = [1, 0])]
fn gaussian<const THREADS: usize>(bencher: Bencher<'_, '_>, batch: (usize, usize)) {
    draw(bencher, "gaussian", batch, THREADS);
}

/// From a batch of 10,000 records, as in the published files.
#[divan::bench(args = BATCHES)]
fn cifar10(bencher: Bencher<'_, '_>, batch: (usize, usize)) {
    let folder = TempDir::new().expect("there is room for files");
    let file = folder.path().join("data_batch_1.bin");
    fs::write(&file, vec![7; 3073 * 10_000]).expect("there is room for files");
    draw(bencher, &format!("cifar10:{}", file.display()), batch, 1);
}

/// From 64 PNG pictures of 256x256 with a gradient.
#[divan::bench(args = BATCHES, consts = [1, 0])]
fn images<const THREADS: usize>(bencher: Bencher<'_, '_>, batch: (usize, usize)) {
    let folder = TempDir::new().expect("there is room for files");
    for i in 0..64 {
        RgbImage::from_fn(256, 256, |x, y| Rgb([x as u8, y as u8, i]))
            .save(folder.path().join(format!("{i}.png")))
            .expect("there is room for files");
    }
    draw(bencher, &format!("images:{}", folder.path().display()), batch, THREADS);
}

/// From an array of twice as many float32 images.
#[divan::bench(args = BATCHES)]
fn npy(bencher: Bencher<'_, '_>, (count, side): (usize, usize)) {
    let folder = TempDir::new().expect("there is room for files");
    let file = folder.path().join("images.npy");
    let header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, 3, {side}, {side}), }}\n",
        2 * count
    );
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + 2 * count * 3 * side * side * 4, 0);
    fs::write(&file, bytes).expect("there is room for files");
    draw(bencher, &format!("npy:{}", file.display()), (count, side), 1);
}
