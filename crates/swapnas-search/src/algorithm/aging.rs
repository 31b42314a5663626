use std::collections::VecDeque;

use swapnas_spaces::Arch;

use super::{Algorithm, at_least, tournament};
use crate::{Archive, Candidates, SearchError};

/// Aging evolution (Real et al., AAAI 2019): each cycle scores one mutant of the best of a sample; it
/// joins the population, and the oldest leaves.
#[derive(Clone, Debug)]
pub struct Aging {
    size: usize,
    sample: usize,
    cycles: usize,
    /// The oldest first.
    population: VecDeque<usize>,
}

impl Aging {
    /// An evolution of so many cycles.
    ///
    /// # Errors
    /// If the population has less than two, or there is nothing to draw.
    pub fn new(size: usize, sample: usize, cycles: usize) -> Result<Self, SearchError> {
        at_least("the population", size, 2, "give 2 or more")?;
        at_least("the sample", sample, 1, "give 1 or more")?;
        Ok(Aging { size, sample, cycles, population: VecDeque::new() })
    }
}

impl Algorithm for Aging {
    fn ask(&mut self, archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        if self.population.is_empty() {
            return (0..self.size).map(|_| candidates.sample()).collect();
        }
        if self.cycles == 0 {
            return Ok(Vec::new());
        }
        self.cycles -= 1;
        let drawn = tournament(self.population.make_contiguous(), self.sample, archive, candidates);
        Ok(vec![candidates.mutate(&archive.entries()[drawn[0]].arch)?])
    }

    fn tell(&mut self, _archive: &Archive, places: &[usize]) {
        let grown = !self.population.is_empty();
        self.population.extend(places);
        if grown {
            self.population.drain(..places.len());
        }
        self.population.make_contiguous();
    }

    fn population(&self) -> &[usize] {
        self.population.as_slices().0
    }
}
