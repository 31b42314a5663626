//! What is particular to the DARTS spaces.

use proptest::prelude::*;
use swapnas_spaces::darts::{Cell, Edge, Genotype, Operation};
use swapnas_spaces::{Architecture, by_name};

/// Any cell, also those that are never sampled: with `none`, equal inputs, other outputs.
fn cell() -> impl Strategy<Value = Cell> {
    let edge = |k: usize| {
        (prop::sample::select(&Operation::ALL[..]), 0..=1 + k / 2).prop_map(|(op, input)| Edge { op, input })
    };
    let edges = [0, 1, 2, 3, 4, 5, 6, 7].map(edge);
    (edges, prop::collection::vec(0usize..6, 1..9))
        .prop_map(|(edges, concat)| Cell::new(edges, &concat).expect("inputs and states are in range"))
}

proptest! {
    #[test]
    fn any_genotype_round_trips(normal in cell(), reduce in cell()) {
        let space = by_name("darts").unwrap();
        let genotype = Genotype { normal, reduce };
        let arch = genotype.arch();
        prop_assert_eq!(&Genotype::from(&arch), &genotype);
        prop_assert_eq!(&genotype.to_string().parse::<Genotype>().unwrap(), &genotype);
        prop_assert_eq!(&space.parse_json(&space.to_json(&arch)).unwrap(), &arch);
        let canonical = space.canonical(&arch);
        prop_assert_eq!(&space.canonical(&canonical), &canonical);
        for neighbour in space.neighbours(&arch) {
            prop_assert_ne!(space.canonical(&neighbour), canonical.clone());
        }
    }

    /// Swapping the edges of a node changes nothing.
    #[test]
    fn order_within_a_node_does_not_matter(normal in cell(), reduce in cell(), node in 0usize..4) {
        let space = by_name("darts").unwrap();
        let mut edges = *normal.edges();
        edges.swap(2 * node, 2 * node + 1);
        let swapped = Cell::new(edges, normal.concat()).unwrap();
        let [one, other] =
            [normal, swapped].map(|normal| space.canonical(&Genotype { normal, reduce: reduce.clone() }.arch()));
        prop_assert_eq!(one, other);
    }
}

#[test]
fn samples_are_as_nas_bench_301_has_them() {
    let space = by_name("nb301").unwrap();
    let mut rng = <rand_xoshiro::Xoshiro256PlusPlus as rand::SeedableRng>::seed_from_u64(0);
    let mut used = std::collections::HashSet::new();
    for _ in 0..1000 {
        let genotype = Genotype::from(&space.sample(&mut rng));
        for cell in [&genotype.normal, &genotype.reduce] {
            assert_eq!(cell.concat(), [2, 3, 4, 5]);
            for (node, pair) in cell.edges().chunks(2).enumerate() {
                assert_ne!(pair[0].input, pair[1].input);
                used.extend(pair.iter().map(|edge| (node, edge.op, edge.input)));
            }
        }
    }
    // Every operation on every input, but never `none`.
    assert_eq!(used.len(), 7 * (2 + 3 + 4 + 5));
    assert!(used.iter().all(|&(_, op, _)| op != Operation::None));
}

#[test]
fn ranges_and_white_space_are_read() {
    let space = by_name("darts").unwrap();
    let example = space.encodings()[0].example;
    let arch = space.parse(example).unwrap();
    let range = example.replace("[2, 3, 4, 5]", "range(2, 6)");
    assert_eq!(space.parse(&range).unwrap(), arch);
    assert_eq!(space.parse(&example.replace(' ', "")).unwrap(), arch);
    assert_eq!(space.parse(&example.replace('\'', "\"")).unwrap(), arch);
}
