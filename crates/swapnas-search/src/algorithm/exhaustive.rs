use std::collections::HashSet;

use swapnas_spaces::{Arch, Space};

use super::Algorithm;
use crate::{Archive, Candidates, SearchError};

/// Architectures asked for at once.
const BATCH: usize = 256;

/// Every architecture of a space, each function once.
pub struct Exhaustive {
    left: Box<dyn Iterator<Item = Arch> + Send>,
    seen: HashSet<Arch>,
    population: Vec<usize>,
}

impl Exhaustive {
    /// All architectures of a space.
    ///
    /// # Errors
    /// If there are too many.
    pub fn new(space: &'static dyn Space) -> Result<Self, SearchError> {
        let left = space.all().ok_or(SearchError::TooLarge(space.name()))?;
        Ok(Exhaustive { left, seen: HashSet::new(), population: Vec::new() })
    }
}

impl Algorithm for Exhaustive {
    fn ask(&mut self, _archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        let mut asked = Vec::with_capacity(BATCH);
        while asked.len() < BATCH {
            let Some(arch) = self.left.next() else { break };
            let arch = candidates.space().canonical(&arch);
            if self.seen.insert(arch.clone()) && candidates.allows(&arch)? {
                asked.push(arch);
            }
        }
        Ok(asked)
    }

    fn tell(&mut self, _archive: &Archive, places: &[usize]) {
        self.population.extend(places);
    }

    fn population(&self) -> &[usize] {
        &self.population
    }
}
