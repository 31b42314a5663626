//! What every space promises, tested on each, and what these do besides.

use std::collections::HashSet;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_graph::Shape;
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space, contract, spaces};

/// All spaces, and the parts of them that are spaces themselves.
fn all() -> impl Iterator<Item = &'static dyn Space> {
    spaces().iter().copied().chain(spaces().iter().filter_map(|space| space.one_cell()))
}

#[test]
fn all_spaces_keep_their_promises() {
    std::thread::scope(|scope| {
        all().for_each(|space| {
            scope.spawn(move || contract::check(space));
        });
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn promises_hold_for_what_any_seed_draws(seed: u64) {
        all().for_each(|space| contract::check_drawn(space, seed));
    }

    /// White space may be anywhere between parts.
    #[test]
    fn texts_can_be_spread_over_lines(seed: u64) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for &space in spaces() {
            let arch = space.sample(&mut rng);
            for encoding in space.encodings() {
                let text = space.print_as(&arch, encoding.name).unwrap();
                let spread = format!("\n\t {}\r\n", text.replace(',', " ,\n").replace('[', "[ "));
                prop_assert_eq!(&space.parse(&spread).unwrap(), &arch, "{}", spread);
            }
        }
    }

    /// Where architectures have genes at fixed places; cells of NAS-Bench-101 have a test of their own.
    #[test]
    fn children_have_their_parents_genes(seed: u64) {
        for &space in spaces().iter().filter(|space| space.name() != "nb101") {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let (a, b) = (space.sample(&mut rng), space.sample(&mut rng));
            let child = space.crossover(&a, &b, &mut rng);
            prop_assert!([a.genes().len(), b.genes().len()].contains(&child.genes().len()));
            for (place, gene) in child.genes().iter().enumerate() {
                let of = |parent: &Arch| parent.genes().get(place) == Some(gene);
                prop_assert!(of(&a) || of(&b), "gene {} of {:?}", place, child);
            }
        }
    }

    /// Neither text nor JSON can make a parser panic, and errors have a place.
    #[test]
    fn anything_can_be_parsed(text in ".{0,60}") {
        for &space in spaces() {
            if let Err(error) = space.parse(&text) {
                prop_assert!(!error.expected.is_empty() && !error.found.is_empty());
            }
        }
    }
}

#[test]
fn texts_are_no_longer_than_there_are_places() {
    for &space in spaces().iter().filter(|space| space.vocabulary().is_some()) {
        let arch = space.parse(space.encodings()[0].example).unwrap();
        let build = |tokens| {
            let input = Shape::new(1, 1, tokens);
            space.network(&arch, &NetworkConfig { input, ..space.scored_network() })
        };
        assert!(build(129).is_ok());
        assert!(matches!(build(2000), Err(NetworkError::OutOfRange { what: "tokens", .. })));
    }
}

#[test]
fn samples_depend_on_the_seed() {
    for &space in spaces() {
        let sample = |seed| space.sample(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        assert_ne!(sample(5), sample(6));
    }
}

/// Equal operations on equal inputs share their weights between architectures.
#[test]
fn neighbours_share_most_weights() {
    for &space in spaces() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
        let arch = space.sample(&mut rng);
        let config = NetworkConfig { channels: Some(16), ..space.scored_network() };
        let keys = |arch: &Arch| -> HashSet<_> {
            space.network(arch, &config).unwrap().params().iter().map(|p| p.key).collect()
        };
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
