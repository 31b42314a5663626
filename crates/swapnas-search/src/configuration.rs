use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swapnas_graph::{Level, Shape, plain};
use swapnas_metrics::{Columns, Proxies, Scorer, Settings, Sharing};
use swapnas_spaces::{NetworkConfig, Space, by_name};

use crate::algorithm::{Aging, Algorithm, Exhaustive, Nsga2, RandomSearch, SwapNas};
use crate::{AlgorithmKind, Candidates, LatencyTable, Limits, SearchError, Sizes};

/// Everything that the result of a search depends on. It is kept with the run, so that the run can be
/// resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The space by name.
    pub space: String,
    /// Whether all cells of an architecture are alike, see [`Space::one_cell`].
    pub one_cell: bool,
    /// The network that is scored.
    pub scored: Network,
    /// The network that is to be trained.
    pub trained: Network,
    /// The objective and further metrics, as [`Columns`] are written.
    pub metrics: String,
    /// Metrics of one's own, which `metrics` may name. They are functions and are not kept with a run.
    #[serde(skip)]
    pub proxies: Proxies,
    /// The images, as [`InputSpec`](swapnas_metrics::inputs::InputSpec) is written.
    pub inputs: String,
    /// Number of images.
    pub batch: usize,
    /// Sets of weights, or each metric's own number.
    pub repeats: Option<u32>,
    /// Seed of everything.
    pub seed: u64,
    /// How weights are drawn, or each metric's own way.
    pub init: Option<String>,
    /// Whether every network draws its own weights.
    pub independent: bool,
    /// Precision, as [`Precision`](swapnas_metrics::Precision) is written.
    pub precision: String,
    /// Which algorithm.
    pub algorithm: AlgorithmKind,
    /// How many architectures it works on.
    pub population: usize,
    /// How many of them are drawn in a cycle.
    pub sample: usize,
    /// How many cycles there are.
    pub cycles: usize,
    /// How many mutants are scored in a cycle.
    pub mutations: usize,
    /// Limits of the network that is to be trained.
    pub limits: Limits,
    /// How long operations take.
    pub latency: Option<LatencyTable>,
    /// What else counts besides the objective.
    pub second: SecondObjective,
}

/// A network, as in [`NetworkConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Which network, by name.
    pub preset: String,
    /// Channels of the first stage, or the preset's own.
    pub channels: Option<usize>,
    /// Cells, or the preset's own.
    pub cells: Option<usize>,
    /// Channels, height and width of the images.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
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

impl From<&NetworkConfig> for Network {
    fn from(config: &NetworkConfig) -> Self {
        let Shape { channels, height, width } = config.input;
        Network {
            preset: config.preset.to_string(),
            channels: config.channels,
            cells: config.cells,
            input: [channels, height, width],
            classes: config.classes,
        }
    }
}

impl Network {
    fn config(&self) -> Result<NetworkConfig, SearchError> {
        let [channels, height, width] = self.input;
        Ok(NetworkConfig {
            preset: read(&self.preset)?,
            channels: self.channels,
            cells: self.cells,
            input: Shape::new(channels, height, width),
            classes: self.classes,
        })
    }
}

fn read<T: FromStr>(text: &str) -> Result<T, SearchError>
where
    T::Err: fmt::Display,
{
    text.parse().map_err(|error: T::Err| SearchError::Settings(error.to_string()))
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
        self.scored.config()
    }

    /// The network that is to be trained.
    ///
    /// # Errors
    /// If there is no such network.
    pub fn trained(&self) -> Result<NetworkConfig, SearchError> {
        self.trained.config()
    }

    /// The objective and the other metrics.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn columns(&self) -> Result<Columns, SearchError> {
        let columns = Columns::parse(&self.metrics, &self.proxies);
        // New runs hold what fits their space; where nothing is said, it is a run of an earlier version.
        Ok(columns.map_err(|error| SearchError::Settings(error.to_string()))?.as_released())
    }

    /// The same, where the metrics say everything: with mu and sigma of `swap-reg` that fit the space.
    pub(crate) fn fitted(self, space: &dyn Space) -> Result<Self, SearchError> {
        let columns = Columns::parse(&self.metrics, &self.proxies)
            .map_err(|error| SearchError::Settings(error.to_string()))?;
        let fitted = columns.fitted(space, &self.scored()?);
        let metrics = fitted.map_err(|error| SearchError::Settings(error.to_string()))?.to_string();
        Ok(Configuration { metrics, ..self })
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
        Candidates::new(space, self.trained()?, self.limits, self.latency.clone(), self.seed)
    }

    /// How networks are scored; `level` does not change results.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn settings(&self, level: Level) -> Result<Settings, SearchError> {
        Ok(Settings {
            metrics: self.columns()?.metrics().to_vec(),
            inputs: read(&self.inputs)?,
            batch: self.batch,
            repeats: self.repeats,
            seed: self.seed,
            init: self.init.as_deref().map(read).transpose()?,
            sharing: if self.independent { Sharing::Independent } else { Sharing::Shared },
            level,
            precision: read(&self.precision)?,
        })
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
        let Configuration { population, sample, cycles, mutations, .. } = *self;
        Ok(match self.algorithm {
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

    /// The numbers that the algorithm goes by, with their names.
    pub fn numbers(&self) -> Vec<(&'static str, usize)> {
        let number = |name: &str| match name {
            "population" => self.population,
            "sample" => self.sample,
            "cycles" => self.cycles,
            _ => self.mutations,
        };
        self.algorithm.numbers().iter().map(|&name| (name, number(name))).collect()
    }

    /// How many architectures are asked for in all, or `None` where only the space or the algorithm knows.
    pub fn evaluations(&self) -> Option<usize> {
        match self.algorithm {
            AlgorithmKind::Exhaustive | AlgorithmKind::Own => None,
            _ => Some(self.population.saturating_add(self.mutants())),
        }
    }

    /// How many mutants are asked for in all. There is no telling what numbers a run holds.
    fn mutants(&self) -> usize {
        self.cycles.saturating_mul(self.mutations)
    }
}
