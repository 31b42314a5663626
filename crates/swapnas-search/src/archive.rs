use std::cmp::Ordering;
use std::collections::HashMap;

use swapnas_metrics::{Column, Columns, Score, Scored, Undefined};
use swapnas_spaces::Arch;

use crate::Sizes;

/// An architecture that was evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The architecture, in canonical form.
    pub arch: Arch,
    /// What the scored network is like.
    pub scored: Scored,
    /// What the network that is to be trained is like.
    pub sizes: Sizes,
}

/// Everything that was evaluated, in the order in which it was asked for first.
///
/// Algorithms know architectures by their place in the archive and look their fitness up when they need
/// it: where the objective is made of ranks, it changes as the archive grows.
pub struct Archive {
    columns: Columns,
    entries: Vec<Evaluated>,
    places: HashMap<Arch, usize>,
    fitness: Vec<Option<f64>>,
    cost: fn(&Sizes) -> f64,
}

impl Archive {
    /// An empty archive. The first of the columns is the objective; `cost` is the second one, of which
    /// small values are good.
    pub fn new(columns: Columns, cost: fn(&Sizes) -> f64) -> Self {
        Archive { columns, entries: Vec::new(), places: HashMap::new(), fitness: Vec::new(), cost }
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The objective.
    pub fn objective(&self) -> &Column {
        self.columns.iter().next().expect("a list of columns is never empty")
    }

    /// All entries.
    pub fn entries(&self) -> &[Evaluated] {
        &self.entries
    }

    /// Where an architecture is, if it was evaluated.
    pub fn place(&self, arch: &Arch) -> Option<usize> {
        self.places.get(arch).copied()
    }

    /// The objective of an entry, larger being better; minus infinity if it is undefined, so that every
    /// other entry is better.
    pub fn fitness(&self, place: usize) -> f64 {
        self.fitness[place].unwrap_or(f64::NEG_INFINITY)
    }

    /// The second objective of an entry, smaller being better.
    pub fn cost(&self, place: usize) -> f64 {
        (self.cost)(&self.entries[place].sizes)
    }

    /// The order of two entries, the better one first: by fitness, then by cost, then by which was evaluated
    /// first.
    pub fn best_first(&self, a: usize, b: usize) -> Ordering {
        let by_fitness = self.fitness(b).total_cmp(&self.fitness(a));
        by_fitness.then(self.cost(a).total_cmp(&self.cost(b))).then(a.cmp(&b))
    }

    /// Whether the first of two entries is the better one.
    pub fn better(&self, a: usize, b: usize) -> bool {
        self.best_first(a, b).is_lt()
    }

    /// The places of all entries with a fitness, best first.
    pub fn ranking(&self) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.entries.len()).filter(|place| self.fitness[*place].is_some()).collect();
        places.sort_by(|&a, &b| self.best_first(a, b));
        places
    }

    /// The entries that no other entry beats in fitness without costing more, cheapest first.
    pub fn front(&self) -> Vec<usize> {
        let mut places = self.ranking();
        let mut cheapest = f64::INFINITY;
        places.retain(|&place| {
            let cost = self.cost(place);
            let on_front = cost < cheapest;
            cheapest = cheapest.min(cost);
            on_front
        });
        places.reverse();
        places
    }

    /// The values of all columns for all entries: `[column][entry]`.
    pub fn values(&self) -> Vec<Vec<Result<Score, Undefined>>> {
        let scored: Vec<&Scored> = self.entries.iter().map(|entry| &entry.scored).collect();
        self.columns.iter().map(|column| self.columns.values(column, &scored)).collect()
    }

    /// Adds entries and takes their fitness.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = Evaluated>) {
        let known = self.entries.len();
        for entry in entries {
            self.places.insert(entry.arch.clone(), self.entries.len());
            self.entries.push(entry);
        }
        let objective = self.objective();
        let direction = objective.direction();
        // Ranks depend on all entries, metrics on one.
        let from = if objective.is_aggregate() { 0 } else { known };
        let scored: Vec<&Scored> = self.entries[from..].iter().map(|entry| &entry.scored).collect();
        let values = self.columns.values(objective, &scored).into_iter();
        let fitness: Vec<Option<f64>> =
            values.map(|value| value.ok().map(|score| direction.ascending(score.mean))).collect();
        self.fitness.truncate(from);
        self.fitness.extend(fitness);
    }
}
