//! What every space promises, as a check that any space can be put to.
//!
//! ```
//! use swapnas_spaces::{by_name, contract};
//!
//! contract::check_drawn(by_name("nbmacro")?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{HashMap, HashSet};

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Role;
use crate::{Arch, NetworkConfig, NetworkError, ParseError, Space};

/// How many seeds [`check`] draws architectures by.
const SEEDS: u64 = 24;

/// Spaces of fewer architectures are gone through.
const SMALL: u128 = 20_000;

/// Puts a space to all that spaces promise.
///
/// # Panics
/// If it breaks a promise, with what it does.
pub fn check(space: &dyn Space) {
    encodings(space);
    cells(space);
    (0..SEEDS).for_each(|seed| check_drawn(space, seed));
    if space.size() < SMALL {
        all(space);
    }
}

/// What a space promises of architectures, for some that are drawn by a seed.
///
/// # Panics
/// If it breaks a promise, with what it does.
pub fn check_drawn(space: &dyn Space, seed: u64) {
    let archs = drawn(space, seed);
    assert_eq!(archs, drawn(space, seed), "{}: what is drawn depends on more than the seed", space.name());
    for arch in &archs {
        texts(space, arch);
        diagrams(space, arch);
        canonical(space, arch);
    }
    let [.., arch] = &archs[..] else { unreachable!("some are drawn") };
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    moves(space, arch, rng);
    network(space, arch);
    inputs(space, arch);
    damaged(space, rng);
}

/// Samples, and what moves make of them.
fn drawn(space: &dyn Space, seed: u64) -> Vec<Arch> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut archs = vec![space.sample(&mut rng), space.sample(&mut rng)];
    for _ in 0..3 {
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
    let input = match space.vocabulary() {
        Some(_) => Shape::new(1, 1, 12),
        None => Shape::new(default.input.channels, 64, 64),
    };
    NetworkConfig { channels: Some(16), input, classes: 7, ..default }
}

fn build(space: &dyn Space, arch: &Arch, config: &NetworkConfig) -> Graph {
    let built = space.network(arch, config);
    built.unwrap_or_else(|error| panic!("{}: {}: {error}", space.name(), space.print(arch)))
}

/// Each encoding has a name of its own and says what it is, and its example is written as it is read.
fn encodings(space: &dyn Space) {
    let encodings = space.encodings();
    let names: HashSet<&str> = encodings.iter().map(|encoding| encoding.name).collect();
    assert_eq!(names.len(), encodings.len(), "{}: two encodings of one name", space.name());
    for (place, encoding) in encodings.iter().enumerate() {
        let about = format!("{} of {}", encoding.name, space.name());
        assert!(!encoding.description.is_empty(), "{about} says nothing of itself");
        let arch = space.parse(encoding.example).unwrap_or_else(|error| panic!("{about}: {error}"));
        let printed = space.print_as(&arch, encoding.name).unwrap_or_else(|error| panic!("{about}: {error}"));
        // Objects may have their parts in any order.
        let value = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        match (value(&printed), value(encoding.example)) {
            (Some(printed), Some(example)) => assert_eq!(printed, example, "{about}"),
            _ => assert_eq!(printed, encoding.example, "{about}"),
        }
        if place == 0 {
            assert_eq!(space.print(&arch), printed, "{about}: the first encoding is the canonical one");
        }
    }
}

/// The number of cells can be set, or else is refused as part of the architecture.
fn cells(space: &dyn Space) {
    let arch = space.parse(space.encodings()[0].example).expect("examples can be read");
    let params = |cells| {
        let graph = space.network(&arch, &NetworkConfig { cells: Some(cells), ..small(space) });
        graph.map(|graph| graph.params().len())
    };
    match (params(1), params(3)) {
        (Ok(fewer), Ok(more)) => {
            assert!(fewer < more, "{}: three cells have no more parameters than one", space.name());
        }
        (Err(NetworkError::Fixed { .. }), Err(NetworkError::Fixed { .. })) => {}
        (one, three) => panic!("{}: one cell gives {one:?}, three give {three:?}", space.name()),
    }
}

/// Every encoding that can express an architecture reads what it writes, and so does JSON.
fn texts(space: &dyn Space, arch: &Arch) {
    let same = |read: Result<Arch, ParseError>, text: &str| match read {
        Ok(read) => assert_eq!(&read, arch, "{}: {text} is read as another", space.name()),
        Err(error) => panic!("{}: {text} cannot be read: {error}", space.name()),
    };
    same(space.parse(&space.print(arch)), &space.print(arch));
    let json = space.to_json(arch);
    same(space.parse_json(&json), &json.to_string());
    for encoding in space.encodings() {
        if let Ok(text) = space.print_as(arch, encoding.name) {
            same(space.parse(&text), &text);
        }
    }
}

/// Diagrams are graphs without cycles, from an input to an output.
fn diagrams(space: &dyn Space, arch: &Arch) {
    let diagrams = space.diagrams(arch);
    assert!(!diagrams.is_empty(), "{}: no diagram", space.name());
    for diagram in diagrams {
        let about = format!("{}: {diagram:?}", space.name());
        assert!(diagram.nodes.iter().all(|node| !node.label.is_empty()), "{about}");
        for role in [Role::Input, Role::Output] {
            assert!(diagram.nodes.iter().any(|node| node.role == role), "{about}");
        }
        let ahead = diagram.edges.iter().all(|edge| edge.from < edge.to && edge.to < diagram.nodes.len());
        assert!(ahead, "{about}: an edge goes back, or nowhere");
        assert!(diagram.edges.is_sorted_by_key(|edge| edge.to), "{about}: edges into one node are apart");
        assert!(diagram.edges.iter().all(|edge| edge.label != "none"), "{about}: zeros are drawn");
    }
}

/// The canonical form is its own, and a network like any other.
fn canonical(space: &dyn Space, arch: &Arch) {
    let canonical = space.canonical(arch);
    assert_eq!(space.canonical(&canonical), canonical, "{}: {}", space.name(), space.print(arch));
    build(space, &canonical, &small(space));
}

/// Neighbours are others, each once, and can be built; mutants are neighbours; a child of one parent is that parent.
fn moves(space: &dyn Space, arch: &Arch, rng: &mut dyn Rng) {
    let about = format!("{}: {}", space.name(), space.print(arch));
    let neighbours = space.neighbours(arch);
    let distinct: HashSet<&Arch> = neighbours.iter().collect();
    assert_eq!(distinct.len(), neighbours.len(), "{about} has a neighbour twice");
    assert!(!distinct.contains(arch), "{about} is its own neighbour");
    for neighbour in neighbours.iter().step_by(7) {
        texts(space, neighbour);
        build(space, neighbour, &small(space));
    }
    for _ in 0..5 {
        let mutant = space.mutate(arch, rng);
        assert!(distinct.contains(&mutant), "{about}: the mutant {} is no neighbour", space.print(&mutant));
    }
    let sampled = space.sample(rng);
    let child = space.crossover(&sampled, &sampled, rng);
    assert_eq!(child, sampled, "{}: a child of {} alone is another", space.name(), space.print(&sampled));
}

/// Logits first, then features; names, keys and shapes as metrics rely on.
fn network(space: &dyn Space, arch: &Arch) {
    let about = format!("{}: {}", space.name(), space.print(arch));
    let config = small(space);
    let graph = build(space, arch, &config);
    let [logits, features] = graph.outputs() else { panic!("{about}: logits and features are returned") };
    assert_eq!(graph.shape(*logits), Shape::new(config.classes, 1, 1), "{about}: the logits");
    assert_eq!(graph.shape(*features).pixels(), 1, "{about}: the features have rows and columns");
    assert_eq!(graph.vocabulary(), space.vocabulary(), "{about}: tokens");
    let names: HashSet<&str> = graph.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names.len(), graph.params().len(), "{about}: two parameters of one name");
    let keys: HashSet<_> = graph.params().iter().map(|param| param.key).collect();
    assert_eq!(keys.len(), graph.params().len(), "{about}: two parameters of one key");
}

/// Odd sizes of images are halved as well as even ones, and rows need not be as many as columns; texts may have any
/// length, and are no images.
fn inputs(space: &dyn Space, arch: &Arch) {
    let with = |input| NetworkConfig { input, ..small(space) };
    if space.vocabulary().is_some() {
        for tokens in [1, 2, 7, 32] {
            build(space, arch, &with(Shape::new(1, 1, tokens)));
        }
        let refused = space.network(arch, &with(Shape::new(3, 32, 32)));
        let is_refused = matches!(refused, Err(NetworkError::Texts { .. }));
        assert!(is_refused, "{}: images are not refused", space.name());
    } else {
        for (height, width) in [(31, 31), (33, 18), (30, 47), (4, 5)] {
            build(space, arch, &with(Shape::new(small(space).input.channels, height, width)));
        }
    }
}

/// Text that describes nothing is an error that says what was expected.
fn damaged(space: &dyn Space, rng: &mut dyn Rng) {
    const JUNK: &[u8] = b"[](){}|~,:019abz_\"' -";
    for encoding in space.encodings() {
        let letters: Vec<char> = encoding.example.chars().collect();
        let (before, after) = letters.split_at(rng.random_range(0..=letters.len()));
        let junk = (0..rng.random_range(0..4)).map(|_| char::from(JUNK[rng.random_range(0..JUNK.len())]));
        let cut: String = before.iter().copied().chain(junk).collect();
        let rest: String = after.iter().collect();
        for text in [format!("{cut}{rest}"), cut, rest] {
            if let Err(error) = space.parse(&text) {
                let told = !error.expected.is_empty() && !error.found.is_empty();
                assert!(told, "{}: {text}: {error:?}", space.name());
            }
        }
    }
}

/// Small spaces list every architecture once, and samples are spread evenly over them.
fn all(space: &dyn Space) {
    let all: Vec<Arch> = space.all().unwrap_or_else(|| panic!("{} is small", space.name())).collect();
    assert_eq!(all.len() as u128, space.size(), "{}: as many as are said", space.name());
    let places: HashMap<&Arch, usize> = all.iter().zip(0..).collect();
    assert_eq!(places.len(), all.len(), "{}: each once", space.name());
    let mut counts = vec![0.0; all.len()];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let each = 20.0;
    for _ in 0..20 * all.len() {
        let sample = space.sample(&mut rng);
        match places.get(&sample) {
            Some(&place) => counts[place] += 1.0,
            None => panic!("{}: {} is drawn, but not listed", space.name(), space.print(&sample)),
        }
    }
    // Pearson's statistic, which for many cells is nearly normal.
    let freedom = (all.len() - 1).max(1) as f64;
    let statistic: f64 = counts.iter().map(|count| (count - each) * (count - each) / each).sum();
    let deviations = (statistic - freedom) / (2.0 * freedom).sqrt();
    assert!(deviations.abs() < 6.0, "{}: samples are {deviations} deviations from even", space.name());
}
