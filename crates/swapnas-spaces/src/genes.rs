//! Moves in spaces where every gene is chosen freely.

use rand::{Rng, RngExt};

use crate::{Arch, Moves};

/// For each gene, the number of its alleles: it takes the values below that, whatever the others are.
///
/// Those of a space are its [`Moves`], if its architectures can be read from their genes.
#[derive(Clone, Copy, Debug)]
pub struct Genes<'a>(pub &'a [u8]);

/// Up to how many architectures can be gone through.
const FEW: u128 = 1 << 20;

impl Genes<'_> {
    /// The number of architectures.
    pub fn size(&self) -> u128 {
        self.0.iter().map(|&alleles| u128::from(alleles)).product()
    }

    /// An architecture drawn uniformly.
    pub fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let genes: Vec<u8> = self.0.iter().map(|&alleles| rng.random_range(0..alleles)).collect();
        Arch::new(&genes)
    }

    /// All architectures with one other gene.
    pub fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
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
    pub fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let either = |(&a, &b)| if rng.random() { a } else { b };
        let genes: Vec<u8> = a.genes().iter().zip(b.genes()).map(either).collect();
        Arch::new(&genes)
    }

    /// The architecture of that number, when all are counted with the last gene changing fastest.
    pub fn at(&self, mut number: usize) -> Arch {
        let mut genes = self.0.to_vec();
        for gene in genes.iter_mut().rev() {
            let alleles = usize::from(*gene);
            *gene = (number % alleles) as u8;
            number /= alleles;
        }
        Arch::new(&genes)
    }

    /// The number of an architecture, see [`at`](Self::at).
    pub fn number(&self, arch: &Arch) -> usize {
        let places = self.0.iter().zip(arch.genes());
        places.fold(0, |number, (&alleles, &gene)| number * usize::from(alleles) + usize::from(gene))
    }
}

impl Moves for Genes<'static> {
    fn size(&self) -> u128 {
        Genes::size(self)
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        Genes::sample(self, rng)
    }

    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        Genes::neighbours(self, arch)
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        Genes::crossover(self, a, b, rng)
    }

    /// With the last gene changing fastest.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        if Genes::size(self) > FEW {
            return None;
        }
        let genes = *self;
        Some(Box::new((0..Genes::size(self) as usize).map(move |number| genes.at(number))))
    }
}
