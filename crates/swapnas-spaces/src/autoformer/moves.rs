//! Moves among architectures of different depths, whose genes are as many as their blocks need.

use rand::{Rng, RngExt};

use super::Supernet;
use crate::{Arch, Genes, Moves};

/// The depths that there are, each with the number of architectures that have it.
fn by_depth(supernet: Supernet) -> impl Iterator<Item = (usize, u128)> {
    let [fewest, most] = supernet.depths();
    (fewest..=most).map(move |depth| (depth, Genes(&supernet.alleles(depth)).size()))
}

impl Moves for Supernet {
    fn size(&self) -> u128 {
        by_depth(*self).map(|(_, size)| size).sum()
    }

    /// Uniform over architectures: a depth is as probable as there are architectures that have it, so that most are
    /// of the largest. (The authors draw the depth uniformly.)
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let mut number = rng.random_range(0..self.size());
        for (depth, size) in by_depth(*self) {
            match number.checked_sub(size) {
                Some(rest) => number = rest,
                None => return Genes(&self.alleles(depth)).sample(rng),
            }
        }
        unreachable!("the number is below the sum of all sizes")
    }

    /// Another embedding dimension, another MLP ratio or number of heads of one block, or one block more or less at
    /// the end.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let (genes, depth) = (arch.genes(), depth(arch));
        let [fewest, most] = self.depths();
        let mut neighbours = Genes(&self.alleles(depth)).neighbours(arch);
        if depth > fewest {
            neighbours.push(Arch::new(&genes[..genes.len() - 2]));
        }
        if depth < most {
            for ratio in 0..self.mlp_ratios().len() {
                let with = |heads| Arch::new(&[genes, &[ratio as u8, heads as u8]].concat());
                neighbours.extend((0..self.heads().len()).map(with));
            }
        }
        neighbours
    }

    /// Every gene comes from either parent; as many blocks as one of them has.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (long, short) = if a.genes().len() >= b.genes().len() { (a, b) } else { (b, a) };
        let common = short.genes().len();
        let child = Genes(&self.alleles(depth(short))).crossover(long, short, rng);
        if rng.random() { Arch::new(&[child.genes(), &long.genes()[common..]].concat()) } else { child }
    }
}

/// The number of blocks.
fn depth(arch: &Arch) -> usize {
    arch.genes().len() / 2
}
