use swapnas_spaces::Arch;

use super::Algorithm;
use crate::{Archive, Candidates, SearchError};

/// Architectures asked for at once.
const BATCH: usize = 64;

/// Random search: architectures drawn uniformly.
#[derive(Clone, Debug)]
pub struct RandomSearch {
    left: usize,
    population: Vec<usize>,
}

impl RandomSearch {
    /// A search of so many architectures.
    pub fn new(architectures: usize) -> Self {
        RandomSearch { left: architectures, population: Vec::new() }
    }
}

impl Algorithm for RandomSearch {
    fn ask(&mut self, _archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        let count = self.left.min(BATCH);
        self.left -= count;
        (0..count).map(|_| candidates.sample()).collect()
    }

    fn tell(&mut self, _archive: &Archive, places: &[usize]) {
        self.population.extend(places);
    }

    fn population(&self) -> &[usize] {
        &self.population
    }
}
