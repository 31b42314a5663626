//! What is particular to NAS-Bench-101.

use std::collections::{HashMap, HashSet};

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_spaces::nb101::Cell;
use swapnas_spaces::{Arch, by_name};

/// The first record of the benchmark's files, with the parameters and the hash given there.
#[test]
fn hash_and_parameters_are_the_benchmarks() {
    let space = by_name("nb101").unwrap();
    let arch = space.parse(space.encodings()[1].example).unwrap();
    assert_eq!(Cell::from(&arch).hash(), "00005c142e6f48ac74fdcf73e3439874");
    let graph = space.network(&arch, &space.default_network()).unwrap();
    assert_eq!(graph.parameter_count(), 8_555_530);
}

#[test]
fn all_are_as_many_as_published() {
    let space = by_name("nb101").unwrap();
    let all: HashSet<Arch> = space.all().unwrap().collect();
    assert_eq!(all.len() as u128, space.size());
    for arch in all.iter().step_by(1000) {
        assert_eq!(space.canonical(arch), *arch);
    }
}

/// No two cells in canonical form have the same hash, and isomorphic cells have the same.
#[test]
fn canonical_forms_and_hashes_agree() {
    let space = by_name("nb101").unwrap();
    let hashes: HashSet<String> =
        space.all().unwrap().step_by(7).take(20_000).map(|arch| Cell::from(&arch).hash()).collect();
    assert_eq!(hashes.len(), 20_000);

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut arch = space.sample(&mut rng);
    for _ in 0..200 {
        let other = space.sample(&mut rng);
        // Children are neither pruned nor in canonical form.
        let child = space.crossover(&arch, &other, &mut rng);
        assert_eq!(Cell::from(&child).hash(), Cell::from(&space.canonical(&child)).hash());
        arch = space.mutate(&child, &mut rng);
    }
}

/// Samples have as many vertices as the cells of the space have, up to chance.
#[test]
fn samples_are_uniform_over_sizes() {
    const SAMPLES: usize = 20_000;
    let space = by_name("nb101").unwrap();
    let sizes = |archs: &mut dyn Iterator<Item = Arch>| {
        let mut sizes: HashMap<(usize, usize), f64> = HashMap::new();
        archs.for_each(|arch| {
            let cell = Cell::from(&arch);
            *sizes.entry((cell.vertices(), cell.edges().count())).or_default() += 1.0;
        });
        sizes
    };
    let expected = sizes(&mut space.all().unwrap());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let drawn = sizes(&mut (0..SAMPLES).map(|_| space.sample(&mut rng)));
    for (size, number) in expected {
        let probability = number / space.size() as f64;
        let mean = probability * SAMPLES as f64;
        let deviation = (mean * (1.0 - probability)).sqrt();
        let found = drawn.get(&size).copied().unwrap_or_default();
        assert!((found - mean).abs() <= 4.5 * deviation + 1.0, "{size:?}: {found} instead of {mean:.1}");
    }
}
