//! A set of patterns of any width.

use std::sync::OnceLock;

use swapnas_graph::{Block, Signs};

/// Samples in a word of a pattern.
const WORD: usize = u64::BITS as usize;

/// Blocks of 16 samples whose signs make up a word.
const BLOCKS: usize = WORD / u16::BITS as usize;

/// Units whose patterns are put together at once.
const UNITS: usize = 256;

/// Bins, by the first bits of the hash.
const BINS: usize = 256;

/// Patterns that a bin has room for in an empty sieve.
const ROOM: usize = 256;

/// Patterns of one or several words, divided into bins by their hash.
///
/// A hash table of the patterns of a large network is larger than the caches, and nearly every look
/// into it is a miss. So patterns are only thrown into bins at first, which writes memory in order;
/// repeated ones are sifted out of a bin when it is full, or when it is time to count, with a table
/// for one bin that stays in the cache.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    /// Words of a pattern.
    width: usize,
    /// Patterns that a bin has room for.
    room: usize,
    /// Bin after bin.
    words: Vec<u64>,
    /// How many patterns there are in each bin.
    filled: [usize; BINS],
    /// The number of distinct patterns, once it has been asked for.
    count: OnceLock<usize>,
}

impl Sieve {
    pub(super) fn new(samples: usize) -> Self {
        let width = samples.div_ceil(WORD);
        let words = vec![0; BINS * ROOM * width];
        Sieve { width, room: ROOM, words, filled: [0; BINS], count: OnceLock::new() }
    }

    /// Bytes for the distinct patterns of so many units, which nearly fill all bins alike.
    pub(super) fn bytes(samples: usize, units: usize) -> usize {
        let fullest = units / BINS + units / BINS / 8;
        let room = fullest.max(ROOM).checked_next_power_of_two().unwrap_or(usize::MAX);
        let width = samples.div_ceil(WORD);
        [BINS, room, width, size_of::<u64>()].into_iter().fold(1, usize::saturating_mul)
    }

    /// Bytes that the patterns take now.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.words)
    }

    pub(super) fn clear(&mut self) {
        self.filled = [0; BINS];
        self.count.take();
    }

    /// How many distinct patterns there are.
    pub(super) fn len(&self) -> usize {
        *self.count.get_or_init(|| {
            let (mut copy, mut table) = (Vec::new(), Vec::new());
            self.bins().fold(0, |count, bin| {
                copy.clear();
                copy.extend_from_slice(bin);
                count + sift(self.width, &mut copy, &mut table)
            })
        })
    }

    /// All patterns, some perhaps repeated: bit `s % 64` of word `s / 64` is that of sample s.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u64]> {
        self.bins().flat_map(|bin| bin.chunks_exact(self.width))
    }

    /// Adds the pattern of every unit.
    pub(super) fn add(&mut self, signs: Signs<'_>) {
        self.count.take();
        // With the width a constant, the loops over the words of a pattern go away.
        match self.width {
            1 => self.add_units(1, signs),
            2 => self.add_units(2, signs),
            width => self.add_units(width, signs),
        }
    }

    /// Adds all patterns of a sieve of the same width.
    pub(super) fn union(&mut self, other: &Sieve) {
        self.count.take();
        for pattern in other.iter() {
            self.throw(self.width, pattern);
        }
    }

    fn bins(&self) -> impl Iterator<Item = &[u64]> {
        let bins = self.words.chunks_exact(self.room * self.width).zip(&self.filled);
        bins.map(|(bin, filled)| &bin[..filled * self.width])
    }

    #[inline(always)]
    fn add_units(&mut self, width: usize, signs: Signs<'_>) {
        let blocks: Vec<Block<'_>> = signs.blocks().collect();
        let mut batch = vec![0; UNITS * width];
        for first in (0..signs.units()).step_by(UNITS) {
            let units = first..(first + UNITS).min(signs.units());
            let batch = &mut batch[..units.len() * width];
            batch.fill(0);
            for (index, block) in blocks.iter().enumerate() {
                let (word, shift) = (index / BLOCKS, index % BLOCKS * u16::BITS as usize);
                for (pattern, bits) in batch.chunks_exact_mut(width).zip(&block.words[units.clone()]) {
                    pattern[word] |= u64::from(bits & block.mask) << shift;
                }
            }
            // Neighbouring units often have the same pattern.
            let mut last = None;
            for pattern in batch.chunks_exact(width) {
                if !last.replace(pattern).is_some_and(|last| equal(last, pattern)) {
                    self.throw(width, pattern);
                }
            }
        }
    }

    /// Puts a pattern into its bin.
    #[inline(always)]
    fn throw(&mut self, width: usize, pattern: &[u64]) {
        let bin = (hash(pattern) >> (u64::BITS - BINS.trailing_zeros())) as usize;
        if self.filled[bin] == self.room {
            self.settle();
        }
        let place = (bin * self.room + self.filled[bin]) * width;
        self.words[place..place + width].copy_from_slice(pattern);
        self.filled[bin] += 1;
    }

    /// Leaves every pattern but once in its bin, and makes larger bins if that has not made room.
    #[cold]
    fn settle(&mut self) {
        let (width, room) = (self.width, self.room);
        let mut table = Vec::new();
        for (bin, filled) in self.words.chunks_exact_mut(room * width).zip(&mut self.filled) {
            *filled = sift(width, &mut bin[..*filled * width], &mut table);
        }
        if self.filled.iter().any(|filled| 2 * filled > room) {
            self.words.resize(2 * self.words.len(), 0);
            for (bin, filled) in self.filled.iter().enumerate().rev() {
                let first = bin * room * width;
                self.words.copy_within(first..first + filled * width, 2 * first);
            }
            self.room = 2 * room;
        }
    }
}

/// Moves the first of each distinct pattern of a bin to the front, and returns how many these are.
fn sift(width: usize, bin: &mut [u64], table: &mut Vec<u32>) -> usize {
    match width {
        1 => sift_by(1, bin, table),
        2 => sift_by(2, bin, table),
        width => sift_by(width, bin, table),
    }
}

/// `table` becomes a hash table with open addressing: 0 is a free place, n the n-th distinct pattern.
#[inline(always)]
fn sift_by(width: usize, bin: &mut [u64], table: &mut Vec<u32>) -> usize {
    let patterns = bin.len() / width;
    let places = (2 * patterns).next_power_of_two();
    table.clear();
    table.resize(places, 0);
    let mut count = 0;
    for index in 0..patterns {
        let (kept, rest) = bin.split_at_mut(index * width);
        let pattern = &rest[..width];
        // The first bits of the hash are the same for the whole bin.
        let mut place = hash(pattern) as usize & (places - 1);
        let known = loop {
            match table[place] {
                0 => break false,
                n if equal(&kept[(n as usize - 1) * width..][..width], pattern) => break true,
                _ => place = (place + 1) & (places - 1),
            }
        };
        if !known {
            bin.copy_within(index * width..(index + 1) * width, count * width);
            count += 1;
            table[place] = count as u32;
        }
    }
    count
}

/// Whether two patterns are the same, without a call where their width is a constant.
#[inline(always)]
fn equal(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// Patterns are nearly random bits already: a multiplication for each word, by 2^64 / the golden ratio
/// made odd, spreads them (Knuth, TAOCP 3, section 6.4). Nobody chooses patterns to make them collide.
#[inline(always)]
fn hash(pattern: &[u64]) -> u64 {
    const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15;
    pattern.iter().fold(0, |hash, word| {
        let product = u128::from(hash ^ word) * FACTOR;
        product as u64 ^ (product >> 64) as u64
    })
}
