//! Moves among architectures of different depths, whose genes are as many as their blocks need.

use rand::{Rng, RngExt};

use super::Supernet;
use crate::Arch;
use crate::genes::Genes;

/// The depths that there are, each with the number of architectures that have it.
fn by_depth(supernet: Supernet) -> impl Iterator<Item = (usize, u128)> {
    let [fewest, most] = supernet.depths();
    (fewest..=most).map(move |depth| (depth, Genes(&supernet.alleles(depth)).size()))
}

pub(super) fn size(supernet: Supernet) -> u128 {
    by_depth(supernet).map(|(_, size)| size).sum()
}

/// Uniform over architectures: a depth is as probable as there are architectures that have it, so that most are of
/// the largest. (The authors draw the depth uniformly.)
pub(super) fn sample(supernet: Supernet, rng: &mut dyn Rng) -> Arch {
    let mut number = rng.random_range(0..size(supernet));
    for (depth, size) in by_depth(supernet) {
        match number.checked_sub(size) {
            Some(rest) => number = rest,
            None => return Genes(&supernet.alleles(depth)).sample(rng),
        }
    }
    unreachable!("the number is below the sum of all sizes")
}

/// Another embedding dimension; another MLP ratio or number of heads of one block; a block more or less at the end.
pub(super) fn neighbours(supernet: Supernet, arch: &Arch) -> Vec<Arch> {
    let genes = arch.genes();
    let depth = depth(arch);
    let [fewest, most] = supernet.depths();
    let mut neighbours = Genes(&supernet.alleles(depth)).neighbours(arch);
    if depth > fewest {
        neighbours.push(Arch::new(&genes[..genes.len() - 2]));
    }
    if depth < most {
        for ratio in 0..supernet.mlp_ratios().len() {
            let with = |heads| Arch::new(&[genes, &[ratio as u8, heads as u8]].concat());
            neighbours.extend((0..supernet.heads().len()).map(with));
        }
    }
    neighbours
}

/// Every gene comes from either parent; as many blocks as one of them has.
pub(super) fn crossover(supernet: Supernet, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
    let (long, short) = if a.genes().len() >= b.genes().len() { (a, b) } else { (b, a) };
    let common = short.genes().len();
    let child = Genes(&supernet.alleles(depth(short))).crossover(long, short, rng);
    if rng.random() { Arch::new(&[child.genes(), &long.genes()[common..]].concat()) } else { child }
}

/// The number of blocks.
fn depth(arch: &Arch) -> usize {
    arch.genes().len() / 2
}
