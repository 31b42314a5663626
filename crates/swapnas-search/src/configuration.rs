use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swapnas_graph::{Level, plain};
use swapnas_metrics::{Columns, Proxies, Scorer, Settings};
use swapnas_spaces::{NetworkConfig, Space, by_name};

use crate::algorithm::{Aging, Algorithm, Exhaustive, Nsga2, RandomSearch, SwapNas};
use crate::{AlgorithmKind, Candidates, NetworkOptions, ScoringOptions, SearchError, SearchOptions, Sizes};

/// Everything that the result of a search depends on. It is kept with the run, so that the run can be
/// resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The space by name.
    pub space: String,
    /// Whether all cells of an architecture are alike, see [`Space::one_cell`].
    pub one_cell: bool,
    /// How architectures are scored. Metrics and the network are said in full.
    #[serde(flatten)]
    pub scoring: ScoringOptions,
    /// Metrics of one's own, which those of `scoring` may name. They are functions and are not kept with a run.
    #[serde(skip)]
    pub proxies: Proxies,
    /// How they are searched. The network that is to be trained is said in full.
    #[serde(flatten)]
    pub search: SearchOptions,
}

/// What small values are good of besides a good score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondObjective {
    /// Parameters of the network that is to be trained.
    #[default]
    Params,
    /// Its multiply-accumulates.
    Macs,
    /// Its latency.
    Latency,
}

/// The name of no second objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no second objective; give params, macs or latency", plain(.0))]
pub struct UnknownSecondObjective(pub String);

impl SecondObjective {
    /// Reads it off the sizes of a network.
    pub fn cost(self) -> fn(&Sizes) -> f64 {
        match self {
            SecondObjective::Params => |sizes| sizes.params as f64,
            SecondObjective::Macs => |sizes| sizes.macs as f64,
            SecondObjective::Latency => |sizes| sizes.latency.unwrap_or(f64::INFINITY),
        }
    }
}

impl fmt::Display for SecondObjective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecondObjective::Params => "params",
            SecondObjective::Macs => "macs",
            SecondObjective::Latency => "latency",
        })
    }
}

impl FromStr for SecondObjective {
    type Err = UnknownSecondObjective;

    fn from_str(name: &str) -> Result<Self, UnknownSecondObjective> {
        let all = [SecondObjective::Params, SecondObjective::Macs, SecondObjective::Latency];
        let found = all.into_iter().find(|second| second.to_string() == name);
        found.ok_or_else(|| UnknownSecondObjective(name.to_owned()))
    }
}

impl Configuration {
    /// The space that is searched.
    ///
    /// # Errors
    /// If there is no such space.
    pub fn space(&self) -> Result<&'static dyn Space, SearchError> {
        let space = by_name(&self.space).map_err(|error| SearchError::Settings(error.to_string()))?;
        Ok(self.part_of(space))
    }

    /// What is searched of a space.
    pub(crate) fn part_of(&self, space: &'static dyn Space) -> &'static dyn Space {
        space.one_cell().filter(|_| self.one_cell).unwrap_or(space)
    }

    /// The network that is scored.
    ///
    /// # Errors
    /// If there is no such network.
    pub fn scored(&self) -> Result<NetworkConfig, SearchError> {
        said(&self.scoring.network)
    }

    /// The network that is to be trained.
    ///
    /// # Errors
    /// If there is no such network.
    pub fn trained(&self) -> Result<NetworkConfig, SearchError> {
        said(&self.search.trained)
    }

    /// The objective and the other metrics, as [`Columns`] are written.
    pub fn metrics(&self) -> &str {
        self.scoring.metrics.as_deref().unwrap_or_default()
    }

    /// The objective and the other metrics.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn columns(&self) -> Result<Columns, SearchError> {
        let columns = Columns::parse(self.metrics(), &self.proxies);
        // New runs hold what fits their space; where nothing is said, it is a run of an earlier version.
        Ok(columns.map_err(|error| SearchError::Settings(error.to_string()))?.as_released())
    }

    /// The same, where the metrics say everything: with mu and sigma of `swap-reg` that fit the space.
    pub(crate) fn fitted(mut self, space: &dyn Space) -> Result<Self, SearchError> {
        let columns = Columns::parse(self.metrics(), &self.proxies)
            .map_err(|error| SearchError::Settings(error.to_string()))?;
        let fitted = columns.fitted(space, &self.scored()?);
        let metrics = fitted.map_err(|error| SearchError::Settings(error.to_string()))?.to_string();
        self.scoring.metrics = Some(metrics);
        Ok(self)
    }

    /// What draws the architectures that may be evaluated.
    ///
    /// # Errors
    /// If there is no such space or network, or the limits make no sense.
    pub fn candidates(&self) -> Result<Candidates, SearchError> {
        self.candidates_of(self.space()?)
    }

    /// The same of a space that need not have the name of one.
    pub(crate) fn candidates_of(&self, space: &'static dyn Space) -> Result<Candidates, SearchError> {
        Candidates::new(
            space,
            self.trained()?,
            self.search.limits,
            self.search.latency.clone(),
            self.scoring.seed,
        )
    }

    /// How networks are scored; `level` does not change results.
    ///
    /// # Errors
    /// If the metrics cannot be read.
    pub fn settings(&self, level: Level) -> Result<Settings, SearchError> {
        Ok(self.scoring.settings(&self.columns()?, level))
    }

    /// What scores networks.
    ///
    /// # Errors
    /// If there is no such space or network, or networks cannot be scored so.
    pub fn scorer(&self, level: Level) -> Result<Scorer, SearchError> {
        self.scorer_of(self.space()?, level)
    }

    /// The same of a space that need not have the name of one.
    pub(crate) fn scorer_of(&self, space: &'static dyn Space, level: Level) -> Result<Scorer, SearchError> {
        Ok(Scorer::new(space, self.scored()?, self.settings(level)?)?)
    }

    /// The algorithm, about to begin.
    ///
    /// # Errors
    /// If it cannot work with the numbers given, or is one that only its own program can make.
    pub fn algorithm(&self) -> Result<Box<dyn Algorithm>, SearchError> {
        let SearchOptions { algorithm, population, sample, cycles, mutations, .. } = self.search;
        Ok(match algorithm {
            AlgorithmKind::SwapNas => Box::new(SwapNas::new(population, sample, mutations, cycles)?),
            AlgorithmKind::Aging => Box::new(Aging::new(population, sample, self.mutants())?),
            AlgorithmKind::Random => Box::new(RandomSearch::new(population.saturating_add(self.mutants()))),
            AlgorithmKind::Exhaustive => Box::new(Exhaustive::new(self.space()?)?),
            AlgorithmKind::Own => return Err(SearchError::OwnAlgorithm),
            AlgorithmKind::Nsga2 => {
                Box::new(Nsga2::new(population, self.mutants().div_ceil(population.max(1)))?)
            }
        })
    }

    /// How many architectures are asked for in all, or `None` where only the space or the algorithm knows.
    pub fn evaluations(&self) -> Option<usize> {
        match self.search.algorithm {
            AlgorithmKind::Exhaustive | AlgorithmKind::Own => None,
            _ => Some(self.search.population.saturating_add(self.mutants())),
        }
    }

    /// How many mutants are asked for in all. There is no telling what numbers a run holds.
    fn mutants(&self) -> usize {
        self.search.cycles.saturating_mul(self.search.mutations)
    }
}

/// A network of which everything is said.
fn said(network: &NetworkOptions) -> Result<NetworkConfig, SearchError> {
    network.said().ok_or_else(|| SearchError::Settings("the network is not said in full".to_owned()))
}
