//! Exact counting of activation patterns.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use swapnas_graph::{Block, Signs};

/// Samples of one block: the width of a pattern that fits into one word.
const SAMPLES: usize = u16::BITS as usize;

/// The set of the sample-wise activation patterns of a network's ReLU units (Peng et al., ICLR 2024):
/// one bit for every sample of the batch, set if the sample makes the unit positive.
///
/// Counting is exact for any number of samples. Up to 16 samples, the set is one bit for each of the
/// 65,536 patterns that there can be; above, patterns are kept in a hash table.
#[derive(Clone, Debug)]
pub struct PatternSet {
    samples: usize,
    patterns: Patterns,
}

#[derive(Clone, Debug)]
enum Patterns {
    /// Up to 16 samples: bit `p % 64` of word `p / 64` stands for pattern `p`.
    Dense(Box<[u64; DENSE_WORDS]>),
    /// Up to 64 samples.
    Narrow(HashSet<u64, BuildHasherDefault<Mix>>),
    /// Up to 128 samples.
    Wide(HashSet<u128, BuildHasherDefault<Mix>>),
    /// Any number of samples.
    Any(HashSet<Box<[u16]>>),
}

const DENSE_WORDS: usize = (1 << SAMPLES) / 64;

impl PatternSet {
    /// An empty set of patterns over `samples` samples.
    pub fn new(samples: usize) -> Self {
        let patterns = match samples {
            0..=SAMPLES => Patterns::Dense(Box::new([0; DENSE_WORDS])),
            17..=64 => Patterns::Narrow(HashSet::default()),
            65..=128 => Patterns::Wide(HashSet::default()),
            _ => Patterns::Any(HashSet::new()),
        };
        PatternSet { samples, patterns }
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
            Patterns::Narrow(set) => set.clear(),
            Patterns::Wide(set) => set.clear(),
            Patterns::Any(set) => set.clear(),
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
            Patterns::Narrow(set) => insert(set, signs, |high, low| high << SAMPLES | u64::from(low)),
            Patterns::Wide(set) => insert(set, signs, |high, low| high << SAMPLES | u128::from(low)),
            Patterns::Any(set) => {
                let blocks: Vec<Block<'_>> = signs.blocks().collect();
                let mut pattern = vec![0; blocks.len()];
                for unit in 0..signs.units() {
                    for (word, block) in pattern.iter_mut().zip(&blocks) {
                        *word = block.words[unit] & block.mask;
                    }
                    if !set.contains(pattern.as_slice()) {
                        set.insert(pattern.as_slice().into());
                    }
                }
            }
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
            (Patterns::Narrow(set), Patterns::Narrow(others)) => set.extend(others),
            (Patterns::Wide(set), Patterns::Wide(others)) => set.extend(others),
            (Patterns::Any(set), Patterns::Any(others)) => set.extend(others.iter().cloned()),
            _ => unreachable!("the number of samples decides on the kind of set"),
        }
    }

    /// The number of distinct patterns: the SWAP-Score.
    pub fn len(&self) -> usize {
        match &self.patterns {
            Patterns::Dense(bits) => bits.iter().map(|word| word.count_ones() as usize).sum(),
            Patterns::Narrow(set) => set.len(),
            Patterns::Wide(set) => set.len(),
            Patterns::Any(set) => set.len(),
        }
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
            Patterns::Narrow(set) => {
                set.iter().any(|pattern| refine(&|sample| pattern >> sample & 1 == 1));
            }
            Patterns::Wide(set) => {
                set.iter().any(|pattern| refine(&|sample| pattern >> sample & 1 == 1));
            }
            Patterns::Any(set) => {
                set.iter().any(|p| refine(&|sample| p[sample / SAMPLES] >> (sample % SAMPLES) & 1 == 1));
            }
        }
        count
    }
}

/// Inserts the pattern of every unit, put together from the words of its blocks, the last one first.
fn insert<P: Copy + Default + Eq + Hash>(
    set: &mut HashSet<P, BuildHasherDefault<Mix>>,
    signs: Signs<'_>,
    join: impl Fn(P, u16) -> P,
) {
    let blocks: Vec<Block<'_>> = signs.blocks().collect();
    // Neighbouring units often have the same pattern; the table need not be asked again.
    let mut last = None;
    for unit in 0..signs.units() {
        let words = blocks.iter().rev().map(|block| block.words[unit] & block.mask);
        let pattern = words.fold(P::default(), &join);
        if last.replace(pattern) != Some(pattern) {
            set.insert(pattern);
        }
    }
}

/// Hashes patterns, which are nearly random bits already: a multiplication spreads them. Nobody
/// chooses patterns to make them collide.
#[derive(Clone, Debug, Default)]
struct Mix(u64);

impl Mix {
    /// 2^64 / the golden ratio, made odd, as in Fibonacci hashing (Knuth, TAOCP 3, section 6.4).
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(Self::FACTOR);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn write_u128(&mut self, words: u128) {
        self.write_u64(words as u64);
        self.write_u64((words >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

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
            prop_assert_eq!(set.len(), columns.len());
            prop_assert_eq!(set.distinct_samples(), rows.len());
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
}
