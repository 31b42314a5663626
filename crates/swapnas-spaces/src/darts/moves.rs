//! Moves among genotypes, of two cells or of one.

use rand::seq::{IndexedRandom, index};
use rand::{Rng, RngExt};

use super::{Cell, Edge, Genotype, Operation};
use crate::{Arch, Architecture, Moves};

/// Moves that change normal and reduction cell apart from each other.
pub(super) struct Both;

/// Moves among genotypes whose normal cell is the reduction cell as well, as in the table of 1000 architectures
/// that was published with SWAP. The scored network of the SWAP code has a single cell, which is a reduction
/// cell, so nothing that is changed in the normal cell would change its score.
pub(super) struct Alike;

/// Node j chooses two of its j + 2 inputs and one of seven operations for each.
const CELLS: u128 = (3 * 6 * 10) * 49u128.pow(4);

impl Moves for Both {
    fn size(&self) -> u128 {
        CELLS * CELLS
    }

    /// As NAS-Bench-301 samples: no `none`, two distinct inputs a node. The inputs are in ascending
    /// order, so that the architecture is canonical.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let mut cell = || {
            let mut edges = [Edge { op: Operation::None, input: 0 }; 8];
            for (node, pair) in edges.chunks_exact_mut(2).enumerate() {
                let mut inputs = index::sample_array::<_, 2>(rng, node + 2).expect("two inputs or more");
                inputs.sort_unstable();
                for (edge, input) in pair.iter_mut().zip(inputs) {
                    let op = *Operation::SAMPLED.choose(rng).expect("there are seven");
                    *edge = Edge { op, input };
                }
            }
            Cell::new(edges, &[2, 3, 4, 5]).expect("inputs are earlier states")
        };
        let (normal, reduce) = (cell(), cell());
        Genotype { normal, reduce }.arch()
    }

    /// Another operation, other than `none`, or another input of one edge. An input is not changed
    /// to that of the node's other edge.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let Genotype { normal, reduce } = &arch.into();
        let of_normal = normal.neighbours().map(|normal| Genotype { normal, reduce: reduce.clone() }.arch());
        let of_reduce = reduce.neighbours().map(|reduce| Genotype { normal: normal.clone(), reduce }.arch());
        of_normal.chain(of_reduce).collect()
    }

    /// The two edges of a node stay together, since apart they could come to read the same input.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (a, b) = (Genotype::from(a), Genotype::from(b));
        let mut cross = |a: &Cell, b: &Cell| {
            let mut edges = *a.edges();
            for (pair, other) in edges.chunks_exact_mut(2).zip(b.edges().chunks_exact(2)) {
                if rng.random() {
                    pair.copy_from_slice(other);
                }
            }
            let concat = if rng.random() { a.concat() } else { b.concat() };
            Cell::new(edges, concat).expect("nodes of valid cells in their places")
        };
        let (normal, reduce) = (cross(&a.normal, &b.normal), cross(&a.reduce, &b.reduce));
        Genotype { normal, reduce }.arch()
    }
}

impl Moves for Alike {
    fn size(&self) -> u128 {
        CELLS
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        alike(&Both.sample(rng))
    }

    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        Genotype::from(arch).reduce.neighbours().map(of_one).collect()
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        alike(&Both.crossover(a, b, rng))
    }
}

/// The reduction cell in both places.
fn alike(arch: &Arch) -> Arch {
    of_one(Genotype::from(arch).reduce)
}

/// The same cell in both places.
fn of_one(cell: Cell) -> Arch {
    Genotype { normal: cell.clone(), reduce: cell }.arch()
}
