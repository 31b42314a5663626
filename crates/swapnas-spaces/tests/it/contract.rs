//! What every space promises, tested on each.

use std::collections::HashSet;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_graph::{Graph, Shape};
use swapnas_spaces::diagram::Role;
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space, spaces};

/// Architectures of the space: samples, and what moves make of them.
fn walk(space: &dyn Space, seed: u64, steps: usize) -> Vec<Arch> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut archs = vec![space.sample(&mut rng), space.sample(&mut rng)];
    for _ in 0..steps {
        let [.., a, b] = &archs[..] else { unreachable!("there are two from the start") };
        let child = space.crossover(a, b, &mut rng);
        let mutant = space.mutate(&child, &mut rng);
        archs.extend([child, mutant]);
    }
    archs
}

/// A network of few channels for small images, or short texts, so that many can be built.
fn small(space: &dyn Space) -> NetworkConfig {
    let default = space.default_network();
    let input = if space.vocabulary().is_some() { Shape::new(1, 1, 12) } else { Shape::new(3, 64, 64) };
    NetworkConfig { channels: Some(16), input, classes: 7, ..default }
}

fn build(space: &dyn Space, arch: &Arch) -> Graph {
    let built = space.network(arch, &small(space));
    built.unwrap_or_else(|error| panic!("{}: {}: {error}", space.name(), space.print(arch)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_encoding_reads_what_it_writes(seed: u64) {
        for &space in spaces() {
            for arch in walk(space, seed, 3) {
                prop_assert_eq!(&space.parse(&space.print(&arch)).unwrap(), &arch);
                prop_assert_eq!(&space.parse_json(&space.to_json(&arch)).unwrap(), &arch);
                for encoding in space.encodings() {
                    let text = space.print_as(&arch, encoding.name).unwrap();
                    prop_assert_eq!(&space.parse(&text).unwrap(), &arch, "{}", text);
                    let spread = format!("\n\t {}\r\n", text.replace(',', " ,\n").replace('[', "[ "));
                    prop_assert_eq!(&space.parse(&spread).unwrap(), &arch, "{}", spread);
                }
            }
        }
    }

    #[test]
    fn neighbours_are_others_each_once_and_can_be_built(seed: u64) {
        for &space in spaces() {
            let arch = walk(space, seed, 1).pop().unwrap();
            let neighbours = space.neighbours(&arch);
            let distinct: HashSet<&Arch> = neighbours.iter().collect();
            prop_assert_eq!(distinct.len(), neighbours.len());
            prop_assert!(!distinct.contains(&arch));
            for neighbour in neighbours.iter().step_by(7) {
                prop_assert_eq!(&space.parse(&space.print(neighbour)).unwrap(), neighbour);
                build(space, neighbour);
            }
        }
    }

    #[test]
    fn diagrams_are_graphs_without_cycles(seed: u64) {
        for &space in spaces() {
            for arch in walk(space, seed, 3) {
                let diagrams = space.diagrams(&arch);
                prop_assert!(!diagrams.is_empty());
                for diagram in diagrams {
                    prop_assert!(diagram.nodes.iter().all(|node| !node.label.is_empty()));
                    for role in [Role::Input, Role::Output] {
                        prop_assert!(diagram.nodes.iter().any(|node| node.role == role));
                    }
                    prop_assert!(diagram.edges.iter().all(|e| e.from < e.to && e.to < diagram.nodes.len()));
                    prop_assert!(diagram.edges.is_sorted_by_key(|edge| edge.to), "{:?}", diagram.edges);
                    prop_assert!(diagram.edges.iter().all(|edge| edge.label != "none"));
                }
            }
        }
    }

    #[test]
    fn mutants_are_neighbours(seed: u64) {
        for &space in spaces() {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let arch = space.sample(&mut rng);
            let neighbours = space.neighbours(&arch);
            for _ in 0..5 {
                prop_assert!(neighbours.contains(&space.mutate(&arch, &mut rng)));
            }
        }
    }

    /// Where architectures have genes at fixed places; cells of NAS-Bench-101 have a test of their own.
    #[test]
    fn children_have_their_parents_genes(seed: u64) {
        for &space in spaces() {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let (a, b) = (space.sample(&mut rng), space.sample(&mut rng));
            prop_assert_eq!(&space.crossover(&a, &a, &mut rng), &a);
            let child = space.crossover(&a, &b, &mut rng);
            build(space, &child);
            if space.name() != "nb101" {
                prop_assert!([a.genes().len(), b.genes().len()].contains(&child.genes().len()));
                for (place, gene) in child.genes().iter().enumerate() {
                    let of = |parent: &Arch| parent.genes().get(place) == Some(gene);
                    prop_assert!(of(&a) || of(&b), "gene {} of {:?}", place, child);
                }
            }
        }
    }

    #[test]
    fn canonical_forms_are_their_own(seed: u64) {
        for &space in spaces() {
            for arch in walk(space, seed, 2) {
                let canonical = space.canonical(&arch);
                prop_assert_eq!(&space.canonical(&canonical), &canonical);
                build(space, &canonical);
            }
        }
    }

    /// Logits first, then features; names, keys and shapes as other crates rely on.
    #[test]
    fn networks_are_complete(seed: u64) {
        for &space in spaces() {
            let arch = walk(space, seed, 1).pop().unwrap();
            let graph = build(space, &arch);
            let [logits, features] = graph.outputs() else { panic!("two outputs") };
            prop_assert_eq!(graph.shape(*logits), Shape::new(7, 1, 1));
            prop_assert_eq!(graph.shape(*features).pixels(), 1);
            let names: HashSet<&str> = graph.params().iter().map(|param| param.name.as_str()).collect();
            prop_assert_eq!(names.len(), graph.params().len());
            let keys: HashSet<_> = graph.params().iter().map(|param| param.key).collect();
            prop_assert_eq!(keys.len(), graph.params().len(), "keys of {}", space.print(&arch));
        }
    }

    /// Neither text nor JSON can make a parser panic, and errors have a place.
    #[test]
    fn anything_can_be_parsed(text in ".{0,60}", cut in 0usize..200, junk in "[\\[\\](){}|~,:0-9a-z_\"' -]{0,4}") {
        for &space in spaces() {
            if let Err(error) = space.parse(&text) {
                prop_assert!(!error.expected.is_empty() && !error.found.is_empty());
            }
            for encoding in space.encodings() {
                let cut = encoding.example.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(0);
                let (before, after) = encoding.example.split_at(cut);
                for damaged in [format!("{before}{junk}"), format!("{before}{junk}{after}")] {
                    if let Err(error) = space.parse(&damaged) {
                        prop_assert!(!error.expected.is_empty() && !error.found.is_empty(), "{}", error);
                    }
                }
            }
        }
    }
}

/// The number of cells can be set, or else is refused as part of the architecture.
#[test]
fn cells_are_set_or_refused() {
    for &space in spaces() {
        let arch = space.parse(space.encodings()[0].example).unwrap();
        let params = |cells| {
            let graph = space.network(&arch, &NetworkConfig { cells: Some(cells), ..small(space) });
            graph.map(|graph| graph.params().len())
        };
        match params(1) {
            Ok(fewer) => assert!(fewer < params(3).unwrap(), "{}", space.name()),
            Err(error) => assert!(matches!(error, NetworkError::Fixed { .. }), "{error}"),
        }
    }
}

/// Odd sizes are halved as well as even ones, and rows need not be as many as columns.
#[test]
fn networks_take_images_of_any_size() {
    for &space in spaces().iter().filter(|space| space.vocabulary().is_none()) {
        for arch in walk(space, 3, 2) {
            for (height, width) in [(31, 31), (33, 18), (30, 47), (4, 5)] {
                let config = NetworkConfig { input: Shape::new(3, height, width), ..small(space) };
                let graph = space.network(&arch, &config);
                graph.unwrap_or_else(|error| panic!("{} at {height}x{width}: {error}", space.name()));
            }
        }
    }
}

#[test]
fn networks_of_texts_take_texts_of_any_length_and_no_images() {
    for &space in spaces().iter().filter(|space| space.vocabulary().is_some()) {
        for arch in walk(space, 3, 2) {
            let build = |input| space.network(&arch, &NetworkConfig { input, ..small(space) });
            for tokens in [1, 2, 7, 129] {
                let graph = build(Shape::new(1, 1, tokens)).unwrap();
                assert_eq!(graph.vocabulary(), space.vocabulary());
            }
            assert!(matches!(build(Shape::new(3, 32, 32)), Err(NetworkError::Texts { .. })));
            assert!(matches!(
                build(Shape::new(1, 1, 2000)),
                Err(NetworkError::OutOfRange { what: "tokens", .. })
            ));
        }
    }
}

#[test]
fn samples_depend_on_the_seed_alone() {
    for &space in spaces() {
        assert_eq!(walk(space, 5, 2), walk(space, 5, 2));
        assert_ne!(walk(space, 5, 2), walk(space, 6, 2));
    }
}

/// Small spaces list every architecture once, and samples are spread evenly over them.
#[test]
fn samples_are_uniform() {
    for &space in spaces().iter().filter(|space| space.size() < 20_000) {
        let all: Vec<Arch> = space.all().expect("small spaces can be listed").collect();
        assert_eq!(all.len() as u128, space.size());
        let places: std::collections::HashMap<&Arch, usize> = all.iter().zip(0..).collect();
        assert_eq!(places.len(), all.len());
        let mut counts = vec![0.0; all.len()];
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let each = 20.0;
        for _ in 0..20 * all.len() {
            counts[places[&space.sample(&mut rng)]] += 1.0;
        }
        // Pearson's statistic, which for so many cells is nearly normal.
        let freedom = (all.len() - 1) as f64;
        let statistic: f64 = counts.iter().map(|count| (count - each) * (count - each) / each).sum();
        let deviations = (statistic - freedom) / (2.0 * freedom).sqrt();
        assert!(deviations.abs() < 4.5, "{}: {deviations} standard deviations", space.name());
    }
}

/// Equal operations on equal inputs share their weights between architectures.
#[test]
fn neighbours_share_most_weights() {
    for &space in spaces() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
        let arch = space.sample(&mut rng);
        let keys =
            |arch: &Arch| -> HashSet<_> { build(space, arch).params().iter().map(|p| p.key).collect() };
        let own = keys(&arch);
        let shared: Vec<f64> = space
            .neighbours(&arch)
            .iter()
            .map(|neighbour| {
                let others = keys(neighbour);
                own.intersection(&others).count() as f64 / others.len() as f64
            })
            .collect();
        let mean = shared.iter().sum::<f64>() / shared.len() as f64;
        assert!(mean > 0.4, "{}: neighbours share {mean} of their weights", space.name());
    }
}
