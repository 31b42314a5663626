//! Search algorithms.

mod aging;
mod exhaustive;
mod nsga2;
mod random;
mod swap_nas;

use std::fmt;
use std::str::FromStr;

use rand::seq::index;
use serde::{Deserialize, Serialize};
use swapnas_graph::option::{CYCLES, MUTATIONS, OptionName, POPULATION, SAMPLE};
use swapnas_graph::plain;
use swapnas_spaces::Arch;

pub use aging::Aging;
pub use exhaustive::Exhaustive;
pub use nsga2::Nsga2;
pub use random::RandomSearch;
pub use swap_nas::SwapNas;

use crate::{Archive, Candidates, SearchError};

/// Decides what is evaluated next.
///
/// What it asks for depends on the candidates' seed and on what it was told, and on nothing else; [`contract::check`]
/// says whether it does. [`Search::with`](crate::Search::with) runs whatever implements this.
///
/// [`contract::check`]: crate::contract::check
pub trait Algorithm: Send {
    /// Architectures to be evaluated; none at the end of the search.
    ///
    /// # Errors
    /// If no architectures are within the limits.
    fn ask(&mut self, archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError>;

    /// The places in the archive of the architectures that were asked for, in the same order.
    fn tell(&mut self, archive: &Archive, places: &[usize]);

    /// The architectures that it works on at the moment, by their places in the archive.
    fn population(&self) -> &[usize];
}

/// Which algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlgorithmKind {
    /// [`SwapNas`].
    #[default]
    SwapNas,
    /// [`Aging`].
    Aging,
    /// [`RandomSearch`].
    Random,
    /// [`Exhaustive`].
    Exhaustive,
    /// [`Nsga2`].
    Nsga2,
    /// One that [`Search::with`](crate::Search::with) was given, which nobody else can make.
    Own,
}

impl AlgorithmKind {
    /// All that can be asked for.
    pub const ALL: [AlgorithmKind; 5] = [
        AlgorithmKind::SwapNas,
        AlgorithmKind::Aging,
        AlgorithmKind::Random,
        AlgorithmKind::Exhaustive,
        AlgorithmKind::Nsga2,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            AlgorithmKind::SwapNas => "swap-nas",
            AlgorithmKind::Aging => "aging",
            AlgorithmKind::Random => "random",
            AlgorithmKind::Exhaustive => "exhaustive",
            AlgorithmKind::Nsga2 => "nsga2",
            AlgorithmKind::Own => "own",
        }
    }

    /// Whether an option of a search, by its name, means anything to it.
    pub fn reads(self, name: &str) -> bool {
        let has = |kind: Self| kind.numbers().iter().any(|number| number.name() == name);
        has(self) || !has(AlgorithmKind::SwapNas)
    }

    /// Refuses numbers that are `given` and that the algorithm would not look at.
    ///
    /// # Errors
    /// If there are any.
    pub fn check_numbers(self, given: impl Fn(&str) -> bool) -> Result<(), SearchError> {
        let all = AlgorithmKind::SwapNas.numbers().iter();
        match all.copied().find(|number| !self.reads(number.name()) && given(number.name())) {
            Some(option) => Err(SearchError::Unread { option, algorithm: self }),
            None => Ok(()),
        }
    }

    /// The numbers that it goes by.
    pub const fn numbers(self) -> &'static [OptionName] {
        match self {
            AlgorithmKind::SwapNas | AlgorithmKind::Aging => &[POPULATION, SAMPLE, CYCLES, MUTATIONS],
            AlgorithmKind::Random | AlgorithmKind::Nsga2 => &[POPULATION, CYCLES, MUTATIONS],
            AlgorithmKind::Exhaustive | AlgorithmKind::Own => &[],
        }
    }
}

impl fmt::Display for AlgorithmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no algorithm is called `{}`; there are {list}", plain(.0), list = AlgorithmKind::ALL.map(AlgorithmKind::name).join(", "))]
pub struct UnknownAlgorithm(pub String);

impl FromStr for AlgorithmKind {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let found = AlgorithmKind::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

/// Some of a population, drawn without replacement, best first.
fn tournament(
    population: &[usize],
    size: usize,
    archive: &Archive,
    candidates: &mut Candidates,
) -> Vec<usize> {
    let drawn = index::sample(candidates.rng(), population.len(), size.min(population.len()));
    let mut drawn: Vec<usize> = drawn.into_iter().map(|index| population[index]).collect();
    drawn.sort_by(|&a, &b| archive.best_first(a, b));
    drawn
}

fn at_least(
    what: &'static str,
    value: usize,
    least: usize,
    allowed: &'static str,
) -> Result<(), SearchError> {
    if value >= least { Ok(()) } else { Err(SearchError::Parameter { what, value, allowed }) }
}
