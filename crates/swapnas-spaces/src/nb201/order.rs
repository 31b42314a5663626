//! The order in which the benchmark numbers its architectures.
//!
//! Its authors listed all cells with the last edge changing fastest, then shuffled the list with
//! Python's `random` module, seeded with 88 (`generate_meta_info` in the AutoDL-Projects
//! repository). The numbers of three cells are asserted there, and in the tests here.

use std::sync::LazyLock;

use rand_mt::Mt;

/// The number of architectures.
pub(super) const COUNT: usize = 15_625;

/// Ranks by index, and indices by rank. A rank is a place in the list before it was shuffled.
static ORDER: LazyLock<(Vec<u16>, Vec<u16>)> = LazyLock::new(|| {
    let mut ranks: Vec<u16> = (0..COUNT as u16).collect();
    let mut random = Mt::new_with_key([88]);
    for last in (1..COUNT).rev() {
        ranks.swap(last, below(&mut random, last as u32 + 1));
    }
    let mut indices = vec![0; COUNT];
    for (index, &rank) in ranks.iter().enumerate() {
        indices[usize::from(rank)] = index as u16;
    }
    (ranks, indices)
});

/// A number below `end` as Python draws it: as many bits as `end` has, until they are below it.
fn below(random: &mut Mt, end: u32) -> usize {
    loop {
        let drawn = random.next_u32() >> end.leading_zeros();
        if drawn < end {
            return drawn as usize;
        }
    }
}

/// The rank of an index.
pub(super) fn rank(index: usize) -> usize {
    ORDER.0[index].into()
}

/// The index of a rank.
pub(super) fn index(rank: usize) -> usize {
    ORDER.1[rank].into()
}
