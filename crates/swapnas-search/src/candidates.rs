use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_graph::Key;
use swapnas_spaces::{Arch, NetworkConfig, Space};

use crate::{LatencyTable, Limits, SearchError, Sizes};

/// How many architectures are drawn before the limits are taken for impossible.
const TRIES: usize = 10_000;

/// How many moves are tried before an architecture is drawn at random instead.
const MOVES: usize = 100;

/// Draws architectures whose networks, as they are to be trained, are within limits; always in canonical
/// form.
#[derive(Clone)]
pub struct Candidates {
    space: &'static dyn Space,
    network: NetworkConfig,
    limits: Limits,
    table: Option<LatencyTable>,
    rng: Xoshiro256PlusPlus,
}

impl Candidates {
    /// Candidates of a space. `network` is the one that is to be trained.
    ///
    /// # Errors
    /// If latency is limited and there is no table, or if the limits contradict each other or make no sense.
    pub fn new(
        space: &'static dyn Space,
        network: NetworkConfig,
        limits: Limits,
        table: Option<LatencyTable>,
        seed: u64,
    ) -> Result<Self, SearchError> {
        if limits.max_latency.is_some() && table.is_none() {
            return Err(SearchError::NoLatencyTable);
        }
        if limits.max_latency.is_some_and(|most| !(most > 0.0 && most < 1e12)) {
            return Err(SearchError::Asked("the most milliseconds are a number greater than 0".to_owned()));
        }
        if let (Some(least), Some(most)) = (limits.min_params, limits.max_params)
            && least > most
        {
            return Err(SearchError::NoRoom { least, most });
        }
        let rng = Xoshiro256PlusPlus::seed_from_u64(Key::of(("search", seed)).0);
        Ok(Candidates { space, network, limits, table, rng })
    }

    /// The space.
    pub fn space(&self) -> &'static dyn Space {
        self.space
    }

    /// The network that is to be trained.
    pub fn network(&self) -> &NetworkConfig {
        &self.network
    }

    /// Whether latencies are known.
    pub(crate) fn has_latencies(&self) -> bool {
        self.table.is_some()
    }

    /// Random numbers for what algorithms choose.
    pub fn rng(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.rng
    }

    /// The sizes of the network that is to be trained.
    ///
    /// # Errors
    /// If it cannot be built, or the latency table lacks an operation.
    pub fn sizes(&self, arch: &Arch) -> Result<Sizes, SearchError> {
        Sizes::of(&self.space.network(arch, &self.network)?, self.table.as_ref())
    }

    /// Whether the network that is to be trained is within the limits.
    ///
    /// # Errors
    /// As for [`sizes`](Self::sizes).
    pub fn allows(&self, arch: &Arch) -> Result<bool, SearchError> {
        Ok(self.limits.is_empty() || self.limits.allow(&self.sizes(arch)?))
    }

    /// An architecture drawn uniformly from those within the limits.
    ///
    /// # Errors
    /// If none is found.
    pub fn sample(&mut self) -> Result<Arch, SearchError> {
        let mut last = None;
        for _ in 0..TRIES {
            let arch = self.space.sample(&mut self.rng);
            let arch = self.space.canonical(&arch);
            if self.allows(&arch)? {
                return Ok(arch);
            }
            last = Some(arch);
        }
        let last = last.expect("something was drawn");
        Err(SearchError::Limits {
            tries: TRIES,
            limits: self.limits.to_string(),
            last: self.sizes(&last)?.to_string(),
        })
    }

    /// An architecture that differs from this one in a gene; a random one if no such is within the limits.
    ///
    /// # Errors
    /// If none is found.
    pub fn mutate(&mut self, arch: &Arch) -> Result<Arch, SearchError> {
        for _ in 0..MOVES {
            let mutant = self.space.mutate(arch, &mut self.rng);
            let mutant = self.space.canonical(&mutant);
            if mutant != *arch && self.allows(&mutant)? {
                return Ok(mutant);
            }
        }
        self.sample()
    }

    /// An architecture with every gene from one of two others, whatever its size.
    pub fn crossover(&mut self, a: &Arch, b: &Arch) -> Arch {
        let child = self.space.crossover(a, b, &mut self.rng);
        self.space.canonical(&child)
    }
}
