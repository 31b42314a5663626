//! Moves in spaces where every gene is chosen freely.

use rand::{Rng, RngExt};

use crate::Arch;

/// For each gene, the number of its alleles: it takes the values below that.
pub(crate) struct Genes<'a>(pub(crate) &'a [u8]);

impl Genes<'_> {
    /// The number of architectures.
    pub(crate) fn size(&self) -> u128 {
        self.0.iter().map(|&alleles| u128::from(alleles)).product()
    }

    /// An architecture drawn uniformly.
    pub(crate) fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let genes: Vec<u8> = self.0.iter().map(|&alleles| rng.random_range(0..alleles)).collect();
        Arch::new(&genes)
    }

    /// All architectures with one other gene.
    pub(crate) fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let mut genes = arch.genes().to_vec();
        let mut neighbours = Vec::new();
        for (place, &alleles) in self.0.iter().enumerate() {
            let own = genes[place];
            for other in (0..alleles).filter(|&allele| allele != own) {
                genes[place] = other;
                neighbours.push(Arch::new(&genes));
            }
            genes[place] = own;
        }
        neighbours
    }

    /// An architecture with every gene from either parent.
    pub(crate) fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let either = |(&a, &b)| if rng.random() { a } else { b };
        let genes: Vec<u8> = a.genes().iter().zip(b.genes()).map(either).collect();
        Arch::new(&genes)
    }

    /// The architecture of that number, when all are counted with the last gene changing fastest.
    pub(crate) fn at(&self, mut number: usize) -> Arch {
        let mut genes = self.0.to_vec();
        for gene in genes.iter_mut().rev() {
            let alleles = usize::from(*gene);
            *gene = (number % alleles) as u8;
            number /= alleles;
        }
        Arch::new(&genes)
    }

    /// The number of an architecture, see [`at`](Self::at).
    pub(crate) fn number(&self, arch: &Arch) -> usize {
        let places = self.0.iter().zip(arch.genes());
        places.fold(0, |number, (&alleles, &gene)| number * usize::from(alleles) + usize::from(gene))
    }
}
