use rand::RngExt;
use swapnas_spaces::Arch;

use super::{Algorithm, at_least};
use crate::{Archive, Candidates, SearchError};

/// NSGA-II (Deb et al., IEEE Transactions on Evolutionary Computation 2002) for fitness against cost: the
/// archive's two objectives.
///
/// Each generation scores as many children as the population has: mutants of crossovers of winners of
/// binary tournaments. Of both together, those survive that are on the better fronts, and of the last
/// front those with the most room around them.
#[derive(Clone, Debug)]
pub struct Nsga2 {
    size: usize,
    generations: usize,
    population: Vec<usize>,
}

impl Nsga2 {
    /// An evolution of so many generations.
    ///
    /// # Errors
    /// If the population has less than two.
    pub fn new(size: usize, generations: usize) -> Result<Self, SearchError> {
        at_least("the population", size, 2, "give 2 or more")?;
        Ok(Nsga2 { size, generations, population: Vec::new() })
    }

    /// The winner of a binary tournament: survivors stand in the order of their fronts and room.
    fn winner(&self, candidates: &mut Candidates) -> usize {
        let mut draw = || candidates.rng().random_range(0..self.population.len());
        self.population[draw().min(draw())]
    }
}

impl Algorithm for Nsga2 {
    fn ask(&mut self, archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        if self.population.is_empty() {
            return (0..self.size).map(|_| candidates.sample()).collect();
        }
        if self.generations == 0 {
            return Ok(Vec::new());
        }
        self.generations -= 1;
        let mut children = Vec::with_capacity(self.size);
        for _ in 0..self.size {
            let parents = [self.winner(candidates), self.winner(candidates)];
            let [a, b] = parents.map(|place| &archive.entries()[place].arch);
            let child = candidates.crossover(a, b);
            children.push(candidates.mutate(&child)?);
        }
        Ok(children)
    }

    fn tell(&mut self, archive: &Archive, places: &[usize]) {
        let mut all = std::mem::take(&mut self.population);
        all.extend(places);
        all.sort_unstable();
        all.dedup();
        self.population = survivors(archive, all, self.size);
    }

    fn population(&self) -> &[usize] {
        &self.population
    }
}

/// The best `size`, by front and then by room.
fn survivors(archive: &Archive, mut rest: Vec<usize>, size: usize) -> Vec<usize> {
    let dominates = |a: usize, b: usize| {
        let (fitness, cost) = (archive.fitness(a) - archive.fitness(b), archive.cost(b) - archive.cost(a));
        fitness >= 0.0 && cost >= 0.0 && (fitness > 0.0 || cost > 0.0)
    };
    let mut survivors = Vec::with_capacity(size);
    // Those without a fitness are no part of any front.
    rest.retain(|place| archive.fitness(*place).is_finite());
    while survivors.len() < size && !rest.is_empty() {
        let (front, dominated): (Vec<usize>, Vec<usize>) =
            rest.iter().partition(|&&place| !rest.iter().any(|&other| dominates(other, place)));
        let mut front = by_room(archive, front);
        front.truncate(size - survivors.len());
        survivors.extend(front);
        rest = dominated;
    }
    survivors
}

/// A front in descending order of the crowding distance; the ends come first.
fn by_room(archive: &Archive, mut front: Vec<usize>) -> Vec<usize> {
    let axes: [&dyn Fn(usize) -> f64; 2] = [&|place| archive.fitness(place), &|place| archive.cost(place)];
    let mut room: Vec<(usize, f64)> = front.iter().map(|place| (*place, 0.0)).collect();
    for axis in axes {
        front.sort_by(|&a, &b| axis(a).total_cmp(&axis(b)).then(a.cmp(&b)));
        let span = axis(front[front.len() - 1]) - axis(front[0]);
        for (index, place) in front.iter().enumerate() {
            let distance = match (index.checked_sub(1), front.get(index + 1)) {
                (Some(before), Some(after)) if span > 0.0 => (axis(*after) - axis(front[before])) / span,
                (Some(_), Some(_)) => 0.0,
                _ => f64::INFINITY,
            };
            let known = room.iter_mut().find(|(other, _)| other == place);
            known.expect("both lists have the same places").1 += distance;
        }
    }
    room.sort_by(|(a, room_a), (b, room_b)| room_b.total_cmp(room_a).then(a.cmp(b)));
    room.into_iter().map(|(place, _)| place).collect()
}
