//! Runs every target on the inputs that are known, and on random changes of them.

use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_fuzz::{TARGETS, Target, seeds};

/// How many random changes of each target's inputs are run.
const CHANGED: usize = 3000;

/// Pieces that formats are made of.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b"\r\n",
    b",",
    b"\"",
    b"'",
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b":",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"none",
    b"rank(",
    b"\xff\xff\xff\xff",
    b"\x80",
    b"\xc3\xa9",
    b"\x1b[31m",
    b"\xe2\x80\xae",
];

/// Good inputs, and those that were found by searching.
fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let mut inputs = seeds::of(target.name);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    inputs.extend(files.iter().map(|file| std::fs::read(file).unwrap()));
    inputs
}

/// A few bytes are replaced, taken out, repeated, or put in from elsewhere.
fn change(input: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut Xoshiro256PlusPlus) {
    for _ in 0..rng.random_range(1..5) {
        let place = rng.random_range(0..=input.len());
        let end = (place + rng.random_range(1..12)).min(input.len());
        match rng.random_range(0..6) {
            0 if place < input.len() => input[place] = rng.random(),
            1 if place < input.len() => input[place] ^= 1 << rng.random_range(0..8),
            2 => drop(input.drain(place..end)),
            3 => {
                let piece = input[place..end].to_vec();
                let to = rng.random_range(0..=input.len());
                input.splice(to..to, piece);
            }
            4 => drop(input.splice(place..place, PIECES.choose(rng).unwrap().iter().copied())),
            _ => {
                let other = others.choose(rng).unwrap();
                let from = rng.random_range(0..=other.len());
                let to = (from + rng.random_range(1..40)).min(other.len());
                input.splice(place..end, other[from..to].iter().copied());
            }
        }
    }
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = inputs(target);
    inputs.iter().for_each(|input| (target.run)(input));
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for _ in 0..CHANGED {
        let mut input = inputs.choose(&mut rng).unwrap().clone();
        change(&mut input, &inputs, &mut rng);
        (target.run)(&input);
    }
}

macro_rules! replay {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_run() {
            assert_eq!([$(stringify!($name)),*], TARGETS.map(|target| target.name));
        }
    };
}

replay! {
    genotype spaces table list benchmark latency columns input_spec onnx onnx_graph npy safetensors cifar10 run_db run_rows
}
