//! Which operations the networks of a space have, and among what.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::{Key, ValueId};
use swapnas_search::Operation;
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

use super::piece::Surroundings;

/// The most architectures of a space that is gone through as a whole.
const ALL: u128 = 20_000;

/// A larger space is known once so many architectures in a row, with all that differ from them in a gene, have nothing
/// new.
const NOTHING_NEW: usize = 12;

/// The most architectures that are drawn, however many operations there still are.
const MOST_DRAWN: usize = 1_000;

/// An operation is measured in its most frequent surroundings, until they make up this share of all.
const SHARE: f64 = 0.8;

/// In no more different surroundings is it measured.
const MOST_PLACES: usize = 6;

/// The operations of a space, each with the places in which networks have it.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    places: BTreeMap<Operation, BTreeMap<Key, Place>>,
    known: HashSet<Arch>,
}

/// An operation in an architecture's network, with what surrounds it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) arch: Arch,
    pub(super) value: ValueId,
    /// How often networks have it like this.
    pub(super) count: u64,
}

impl Operations {
    /// All operations of a space whose architectures are built into such networks.
    ///
    /// If the space has 20,000 architectures or fewer, all are built. Otherwise they are drawn at random, and with each all
    /// that differ from it in one gene are built, until twelve in a row bring no operation that is new.
    ///
    /// # Errors
    /// If a network cannot be built.
    pub fn of(space: &dyn Space, network: &NetworkConfig, seed: u64) -> Result<Self, NetworkError> {
        let mut operations = Operations::default();
        if let Some(all) = space.all().filter(|_| space.size() <= ALL) {
            for arch in all {
                operations.add(space, network, &arch)?;
            }
            return Ok(operations);
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(Key::of(("latency", seed)).0);
        let mut nothing_new = 0;
        for _ in 0..MOST_DRAWN {
            let before = operations.len();
            let arch = space.sample(&mut rng);
            operations.add(space, network, &arch)?;
            for neighbour in space.neighbours(&arch) {
                operations.add(space, network, &neighbour)?;
            }
            nothing_new = if operations.len() == before { nothing_new + 1 } else { 0 };
            if nothing_new == NOTHING_NEW {
                break;
            }
        }
        Ok(operations)
    }

    /// Adds those of an architecture, as searches know it: in its canonical form.
    fn add(&mut self, space: &dyn Space, network: &NetworkConfig, arch: &Arch) -> Result<(), NetworkError> {
        let arch = space.canonical(arch);
        if !self.known.insert(arch.clone()) {
            return Ok(());
        }
        let graph = space.network(&arch, network)?;
        let surroundings = Surroundings::of(&graph);
        for (value, node) in graph.values() {
            let Some(operation) = Operation::of(&graph, node) else { continue };
            match self.places.entry(operation).or_default().entry(surroundings.key(value)) {
                Entry::Occupied(mut known) => known.get_mut().count += 1,
                Entry::Vacant(new) => {
                    new.insert(Place { arch: arch.clone(), value, count: 1 });
                }
            }
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many architectures were built.
    pub fn architectures(&self) -> usize {
        self.known.len()
    }

    /// All of them, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.places.keys()
    }

    /// In how many places they are measured.
    pub fn measurements(&self) -> usize {
        self.chosen().map(|(_, places)| places.len()).sum()
    }

    /// Each operation with the places in which it is measured, the most frequent first.
    pub(super) fn chosen(&self) -> impl Iterator<Item = (&Operation, Vec<&Place>)> {
        self.places.iter().map(|(operation, places)| {
            let total: u64 = places.values().map(|place| place.count).sum();
            let mut places: Vec<&Place> = places.values().collect();
            places.sort_by_key(|place| std::cmp::Reverse(place.count));
            let mut covered = 0;
            let needed = places.iter().take_while(|place| {
                let is_needed = (covered as f64) < SHARE * total as f64;
                covered += place.count;
                is_needed
            });
            let needed = needed.count().clamp(1, MOST_PLACES);
            places.truncate(needed);
            (operation, places)
        })
    }
}
