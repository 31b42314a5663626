//! Exact counting of activation patterns.

mod sieve;

use swapnas_graph::{Block, Signs};

use sieve::Sieve;

/// Samples of one block: the width of a pattern that fits into one word.
pub(crate) const SAMPLES: usize = u16::BITS as usize;

/// The set of the sample-wise activation patterns of a network's ReLU units (Peng et al., ICLR 2024):
/// one bit for every sample of the batch, set if the sample makes the unit positive.
///
/// Counting is exact for any number of samples. Up to 16 samples, the set is one bit for each of the
/// 65,536 patterns that there can be; above, patterns are kept in bins by their hash, where repeated ones
/// are sifted out now and then.
#[derive(Clone, Debug)]
pub struct PatternSet {
    samples: usize,
    patterns: Patterns,
}

/// Whose patterns: a unit has a bit for every sample, a sample one for every unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Units,
    Samples,
}

/// How many different patterns a network has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub units: usize,
    /// If somebody asks for them.
    pub samples: Option<usize>,
}

impl Counts {
    pub(crate) fn of(&self, of: Of) -> usize {
        match of {
            Of::Units => self.units,
            Of::Samples => self.samples.expect("they are counted where a metric asks for them"),
        }
    }
}

#[derive(Clone, Debug)]
enum Patterns {
    /// Up to 16 samples: bit `p % 64` of word `p / 64` stands for pattern `p`.
    Dense(Box<[u64; DENSE_WORDS]>),
    /// More samples.
    Sparse(Box<Sieve>),
}

const DENSE_WORDS: usize = (1 << SAMPLES) / 64;

impl PatternSet {
    /// An empty set of patterns over `samples` samples.
    pub fn new(samples: usize) -> Self {
        let patterns = match samples {
            0..=SAMPLES => Patterns::Dense(Box::new([0; DENSE_WORDS])),
            _ => Patterns::Sparse(Box::new(Sieve::new(samples))),
        };
        PatternSet { samples, patterns }
    }

    /// Bytes that a set takes for the patterns of so many units, if all of them are distinct.
    pub(crate) fn bytes(samples: usize, units: usize) -> usize {
        match samples {
            0..=SAMPLES => DENSE_WORDS * size_of::<u64>(),
            _ => Sieve::bytes(samples, units),
        }
    }

    /// Number of samples of each pattern.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Whether adding one set to another is much faster than adding the units' signs again.
    pub(crate) fn is_dense(&self) -> bool {
        matches!(self.patterns, Patterns::Dense(_))
    }

    /// Empties the set but keeps its memory.
    pub fn clear(&mut self) {
        match &mut self.patterns {
            Patterns::Dense(bits) => bits.fill(0),
            Patterns::Sparse(sieve) => sieve.clear(),
        }
    }

    /// Adds the patterns of all units of a ReLU.
    ///
    /// # Panics
    /// If the signs are of another number of samples.
    pub fn add(&mut self, signs: Signs<'_>) {
        assert_eq!(signs.samples(), self.samples, "patterns are over the samples of one batch");
        match &mut self.patterns {
            Patterns::Dense(bits) => {
                for Block { words, mask } in signs.blocks() {
                    for word in words {
                        let pattern = usize::from(word & mask);
                        bits[pattern / 64] |= 1 << (pattern % 64);
                    }
                }
            }
            Patterns::Sparse(sieve) => sieve.add(signs),
        }
    }

    /// Adds all patterns of another set.
    ///
    /// # Panics
    /// If its patterns are over another number of samples.
    pub fn union(&mut self, other: &PatternSet) {
        assert_eq!(other.samples, self.samples, "patterns are over the samples of one batch");
        match (&mut self.patterns, &other.patterns) {
            (Patterns::Dense(bits), Patterns::Dense(others)) => {
                for (bits, others) in bits.iter_mut().zip(others.iter()) {
                    *bits |= others;
                }
            }
            (Patterns::Sparse(sieve), Patterns::Sparse(other)) => sieve.union(other),
            _ => unreachable!("the number of samples decides on the kind of set"),
        }
    }

    /// The number of distinct patterns: the SWAP-Score.
    pub fn len(&self) -> usize {
        match &self.patterns {
            Patterns::Dense(bits) => bits.iter().map(|word| word.count_ones() as usize).sum(),
            Patterns::Sparse(sieve) => sieve.len(),
        }
    }

    /// Counts the patterns of units, and those of samples if they are asked for.
    pub(crate) fn counts(&self, of_samples: bool) -> Counts {
        Counts { units: self.len(), samples: of_samples.then(|| self.distinct_samples()) }
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of samples that differ from each other in some unit: the standard activation
    /// patterns of the batch (as the paper calls them), which count how many linear regions the samples
    /// lie in.
    ///
    /// Units of equal patterns tell the same samples apart, so the set of patterns is all that is
    /// needed.
    pub fn distinct_samples(&self) -> usize {
        // The samples are divided into classes of those that no pattern has told apart so far.
        let mut classes = vec![0; self.samples];
        let mut count = usize::from(self.samples > 0);
        let mut refine = |bit: &dyn Fn(usize) -> bool| {
            let mut seen: Vec<(usize, bool)> = Vec::with_capacity(self.samples);
            for (sample, class) in classes.iter_mut().enumerate() {
                let key = (*class, bit(sample));
                *class = seen.iter().position(|k| *k == key).unwrap_or_else(|| {
                    seen.push(key);
                    seen.len() - 1
                });
            }
            count = seen.len();
            count == self.samples
        };
        match &self.patterns {
            Patterns::Dense(bits) => {
                let patterns = (0..1usize << SAMPLES).filter(|p| bits[p / 64] >> (p % 64) & 1 == 1);
                for pattern in patterns {
                    if refine(&|sample| pattern >> sample & 1 == 1) {
                        break;
                    }
                }
            }
            Patterns::Sparse(sieve) => {
                sieve.iter().any(|p| refine(&|sample| p[sample / 64] >> (sample % 64) & 1 == 1));
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// The signs of units, given as one bool for every unit and sample.
    fn words(matrix: &[Vec<bool>], samples: usize) -> Vec<u16> {
        let mut words = vec![0; samples.div_ceil(SAMPLES) * matrix.len()];
        for (unit, pattern) in matrix.iter().enumerate() {
            for (sample, &positive) in pattern.iter().enumerate() {
                words[sample / SAMPLES * matrix.len() + unit] |= u16::from(positive) << (sample % SAMPLES);
            }
            // Samples beyond the batch are noise that must not count.
            if !samples.is_multiple_of(SAMPLES) && unit.is_multiple_of(2) {
                words[samples / SAMPLES * matrix.len() + unit] |= u16::MAX << (samples % SAMPLES);
            }
        }
        words
    }

    /// A matrix of few distinct patterns and, now and then, few distinct samples.
    fn matrices() -> impl Strategy<Value = (usize, Vec<Vec<bool>>)> {
        let samples = prop_oneof![Just(1), Just(15), Just(16), Just(17), Just(64), Just(65), 1..200usize];
        samples.prop_flat_map(|samples| {
            let pattern = proptest::collection::vec(any::<bool>(), samples);
            let pool = proptest::collection::vec(pattern, 1..20);
            (pool, proptest::collection::vec(any::<prop::sample::Index>(), 1..60)).prop_map(
                move |(pool, picks)| (samples, picks.iter().map(|i| i.get(&pool).clone()).collect()),
            )
        })
    }

    proptest! {
        #[test]
        fn counts_are_those_of_a_set_of_columns_and_rows((samples, matrix) in matrices()) {
            let columns: HashSet<&Vec<bool>> = matrix.iter().collect();
            let rows: HashSet<Vec<bool>> = (0..samples).map(|s| matrix.iter().map(|c| c[s]).collect()).collect();
            let words = words(&matrix, samples);
            let mut set = PatternSet::new(samples);
            set.add(Signs::new(&words, matrix.len(), samples));
            prop_assert_eq!(set.samples(), samples);
            prop_assert!(!set.is_empty());
            prop_assert_eq!(set.len(), columns.len());
            prop_assert_eq!(set.distinct_samples(), rows.len());
            let counts = set.counts(true);
            prop_assert_eq!((counts.of(Of::Units), counts.of(Of::Samples)), (columns.len(), rows.len()));
        }

        #[test]
        fn union_is_adding_both((samples, matrix) in matrices(), cut in any::<prop::sample::Index>()) {
            let (a, b) = matrix.split_at(cut.index(matrix.len()));
            let mut whole = PatternSet::new(samples);
            whole.add(Signs::new(&words(&matrix, samples), matrix.len(), samples));
            let mut union = PatternSet::new(samples);
            for part in [a, b].into_iter().filter(|part| !part.is_empty()) {
                let mut set = PatternSet::new(samples);
                set.add(Signs::new(&words(part, samples), part.len(), samples));
                union.union(&set);
            }
            prop_assert_eq!(union.len(), whole.len());
            prop_assert_eq!(union.distinct_samples(), whole.distinct_samples());
            union.clear();
            prop_assert!(union.is_empty());
        }
    }

    /// No unit tells any samples apart.
    #[test]
    fn without_patterns_all_samples_are_alike() {
        for samples in [0, 1, 16, 17, 100] {
            let set = PatternSet::new(samples);
            assert!(set.is_empty());
            assert_eq!(set.distinct_samples(), samples.min(1));
        }
    }

    /// Numbers that differ in nearly all bits.
    fn scatter(seed: u64) -> u64 {
        (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn sets_take_as_much_memory_as_is_said() {
        for (samples, units) in [(16, 100), (64, 100), (64, 90_000), (64, 128_000), (128, 128_000)] {
            let blocks = samples / SAMPLES;
            let words: Vec<u16> = (0..blocks)
                .flat_map(|block| {
                    (0..units as u64).map(move |unit| (scatter(unit) >> (16 * (block % 4))) as u16)
                })
                .collect();
            let mut set = PatternSet::new(samples);
            set.add(Signs::new(&words, units, samples));
            assert_eq!(set.len(), units);
            assert_eq!(set.is_dense(), samples <= SAMPLES);
            let taken = match &set.patterns {
                Patterns::Dense(bits) => size_of_val(&**bits),
                Patterns::Sparse(sieve) => sieve.memory(),
            };
            assert_eq!(taken, PatternSet::bytes(samples, units), "{units} units, {samples} samples");
        }
    }

    /// So many patterns that bins overflow, of which most are met once or most are met again.
    #[test]
    fn large_sets_are_exact() {
        let units = 150_000;
        for (samples, distinct) in
            [(17_usize, 131_072), (64, 140_000), (64, 3_000), (100, 80_000), (150, 20_000)]
        {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(samples as u64 + distinct);
            let seeds: Vec<u64> = (0..units).map(|_| rng.next_u64() % distinct).collect();
            let blocks = samples.div_ceil(SAMPLES) as u64;
            let word = |block: u64, seed| (scatter(seed) >> (16 * (block % 4))) as u16;
            let words: Vec<u16> = (0..blocks).flat_map(|b| seeds.iter().map(move |s| word(b, *s))).collect();
            let mut set = PatternSet::new(samples);
            let mut expected = HashSet::new();
            for _ in 0..2 {
                let signs = Signs::new(&words, units, samples);
                set.add(signs);
                let masked: Vec<Vec<u16>> =
                    signs.blocks().map(|b| b.words.iter().map(|word| word & b.mask).collect()).collect();
                expected.extend((0..units).map(|u| masked.iter().map(|b| b[u]).collect::<Vec<u16>>()));
                assert!(expected.len() as u64 > distinct / 2);
                assert_eq!(set.len(), expected.len(), "{samples} samples");
            }
        }
    }
}
