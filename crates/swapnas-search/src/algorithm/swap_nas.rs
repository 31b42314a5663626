use rand::RngExt;
use swapnas_spaces::Arch;

use super::{Algorithm, at_least, tournament};
use crate::{Archive, Candidates, SearchError};

/// The evolution of SWAP-NAS (Peng et al., ICLR 2024, appendix).
///
/// Of a random population, each cycle draws a sample. The parent is the best of it or, half of the time,
/// the crossover of its two best. Several mutants of the parent are scored; the best of them that is not
/// in the population yet joins it, and the worst of the population leaves. (Without that condition the best
/// architecture of a small space soon fills the whole population with copies of itself.)
#[derive(Clone, Debug)]
pub struct SwapNas {
    size: usize,
    sample: usize,
    mutations: usize,
    cycles: usize,
    population: Vec<usize>,
}

impl SwapNas {
    /// An evolution of so many cycles; `sample` is how many are drawn in each, `mutations` how many
    /// mutants of the parent are scored.
    ///
    /// # Errors
    /// If the population has less than two, or there is nothing to draw or mutate.
    pub fn new(size: usize, sample: usize, mutations: usize, cycles: usize) -> Result<Self, SearchError> {
        at_least("the population", size, 2, "give 2 or more")?;
        at_least("the sample", sample, 1, "give 1 or more")?;
        at_least("the number of mutations", mutations, 1, "give 1 or more")?;
        Ok(SwapNas { size, sample, mutations, cycles, population: Vec::new() })
    }
}

impl Algorithm for SwapNas {
    fn ask(&mut self, archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        if self.population.is_empty() {
            return (0..self.size).map(|_| candidates.sample()).collect();
        }
        if self.cycles == 0 {
            return Ok(Vec::new());
        }
        self.cycles -= 1;
        let drawn = tournament(&self.population, self.sample, archive, candidates);
        let arch = |place: usize| &archive.entries()[place].arch;
        let parent = match drawn[..] {
            [first, second, ..] if candidates.rng().random() => {
                candidates.crossover(arch(first), arch(second))
            }
            _ => arch(drawn[0]).clone(),
        };
        (0..self.mutations).map(|_| candidates.mutate(&parent)).collect()
    }

    fn tell(&mut self, archive: &Archive, places: &[usize]) {
        if self.population.is_empty() {
            self.population.extend(places);
            return;
        }
        let new = places.iter().copied().filter(|place| !self.population.contains(place));
        let Some(best) = new.min_by(|&a, &b| archive.best_first(a, b)) else { return };
        self.population.push(best);
        let population = &self.population;
        let worst = (0..population.len()).min_by(|&a, &b| archive.best_first(population[b], population[a]));
        if let Some(worst) = worst {
            self.population.remove(worst);
        }
    }

    fn population(&self) -> &[usize] {
        &self.population
    }
}
