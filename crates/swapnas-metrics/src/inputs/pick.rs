//! Which images of a larger set make the batch.

use std::collections::HashMap;

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::key;

/// Draws `count` different numbers below `available`, which is at least `count`.
///
/// A Fisher-Yates shuffle that stops after `count` steps and remembers only the places it has touched,
/// so a draw of fewer numbers is the beginning of a draw of more, and large sets cost nothing.
pub(super) fn pick(kind: &str, available: u64, count: usize, seed: u64) -> Vec<u64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(key(kind, seed).0);
    let mut moved = HashMap::new();
    (0..count as u64)
        .map(|place| {
            let chosen = rng.random_range(place..available);
            let displaced = moved.get(&place).copied().unwrap_or(place);
            moved.insert(chosen, displaced).unwrap_or(chosen)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn picks_are_different_numbers_in_range(available in 1_u64..200, share in 0.0..=1.0, seed: u64) {
            let count = (available as f64 * share) as usize;
            let picks = pick("test", available, count, seed);
            let mut sorted = picks.clone();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(sorted.len(), count);
            prop_assert!(sorted.iter().all(|&p| p < available));
        }

        #[test]
        fn a_short_draw_begins_a_long_one(available in 10_u64..1000, seed: u64) {
            prop_assert_eq!(&pick("test", available, 10, seed)[..4], pick("test", available, 4, seed));
        }
    }

    #[test]
    fn every_number_is_equally_likely_in_every_place() {
        let mut seen = [[0_u32; 5]; 3];
        for seed in 0..5000 {
            for (place, number) in pick("test", 5, 3, seed).into_iter().enumerate() {
                seen[place][number as usize] += 1;
            }
        }
        // 1000 expected, standard deviation 28.
        assert!(seen.iter().flatten().all(|n| n.abs_diff(1000) < 140), "{seen:?}");
    }

    #[test]
    fn the_largest_sets_take_no_memory() {
        assert_eq!(pick("test", u64::MAX, 3, 0).len(), 3);
    }
}
