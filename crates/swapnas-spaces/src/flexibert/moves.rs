//! Moves among encoders of two layers and of four.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::{Encoder, FlexiBert, encoder};
use crate::{Arch, Architecture, Genes, Moves};

/// The genes of encoders of two layers, and of four.
static GENES: [Genes<'_>; 2] = [Genes(ALLELES.first_chunk::<9>().expect("more genes")), Genes(&ALLELES)];

/// The alleles of the hidden size, and of each of four layers.
static ALLELES: [u8; 17] = {
    let mut alleles = [encoder::HIDDEN.len() as u8; 17];
    let mut gene = 1;
    while gene < alleles.len() {
        alleles[gene] = encoder::ALLELES[(gene - 1) % 4];
        gene += 1;
    }
    alleles
};

impl Moves for FlexiBert {
    fn size(&self) -> u128 {
        GENES.iter().map(Genes::size).sum()
    }

    /// Uniform over architectures, of which one in 2,305 has two layers.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let [two, four] = &GENES;
        let deep = rng.random_range(0..two.size() + four.size()) >= two.size();
        GENES[usize::from(deep)].sample(rng)
    }

    /// Another hidden size, or in one layer another operation, number of heads, feed-forward dimension or number of
    /// feed-forward layers; of two layers, each again behind both; of four, the first two alone.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let encoder = Encoder::from(arch);
        let layers = encoder.layers();
        let other = match layers.len() {
            2 => [layers, layers].concat(),
            _ => layers[..2].to_vec(),
        };
        let other = Encoder::new(encoder.hidden(), &other).expect("two or four layers");
        let mut neighbours = GENES[usize::from(layers.len() == 4)].neighbours(arch);
        neighbours.push(other.arch());
        neighbours
    }

    /// As many layers as one of the parents has; what only the longer one has is its own.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (long, short) = if a.genes().len() >= b.genes().len() { (a, b) } else { (b, a) };
        let length = *[long.genes().len(), short.genes().len()].choose(rng).expect("there are two");
        let genes: Vec<u8> = long.genes()[..length]
            .iter()
            .enumerate()
            .map(|(place, own)| match short.genes().get(place) {
                Some(other) if rng.random() => *other,
                _ => *own,
            })
            .collect();
        Arch::new(&genes)
    }
}
