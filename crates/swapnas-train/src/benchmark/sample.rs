//! Which architectures of a space are trained.

use std::collections::HashSet;

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::Key;
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

/// Of how many architectures one is taken.
const POOL: usize = 10;

/// How many draws in a row may give nothing new.
const PATIENCE: usize = 1000;

/// Draws architectures of all sizes: ten times as many are drawn uniformly and put in the order of their parameters, and
/// one is taken from each stretch of that order. No two of them compute the same. In a space with fewer architectures,
/// there are fewer.
pub(super) fn stratified(
    space: &dyn Space,
    config: &NetworkConfig,
    count: usize,
    seed: u64,
) -> Result<Vec<Arch>, NetworkError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(Key::of("benchmark").with(seed).0);
    let mut known = HashSet::new();
    let mut pool = Vec::new();
    let mut in_vain = 0;
    while pool.len() < count * POOL && in_vain < PATIENCE {
        let arch = space.canonical(&space.sample(&mut rng));
        if !known.insert(space.print(&arch)) {
            in_vain += 1;
            continue;
        }
        in_vain = 0;
        pool.push((space.network(&arch, config)?.parameter_count(), arch));
    }
    // The sort is stable, so the order of equal sizes is that of the draws.
    pool.sort_by_key(|(params, _)| *params);
    let count = count.min(pool.len());
    let taken = |stratum: usize| {
        let [first, end] = [stratum, stratum + 1].map(|edge| edge * pool.len() / count);
        pool[rng.random_range(first..end)].1.clone()
    };
    Ok((0..count).map(taken).collect())
}

#[cfg(test)]
mod tests {
    use swapnas_spaces::by_name;

    use super::*;

    #[test]
    fn samples_are_of_all_sizes_and_each_is_another() {
        let space = by_name("nb201").unwrap();
        let config = space.scored_network();
        let params = |arch: &Arch| space.network(arch, &config).unwrap().parameter_count();
        let sample = stratified(space, &config, 30, 0).unwrap();
        let sizes: Vec<u64> = sample.iter().map(params).collect();
        assert!(sizes.is_sorted());
        let texts: HashSet<String> = sample.iter().map(|arch| space.print(arch)).collect();
        assert_eq!(texts.len(), 30);
        assert_eq!(sample, stratified(space, &config, 30, 0).unwrap());
        assert_ne!(sample, stratified(space, &config, 30, 1).unwrap());
    }
}
