use nalgebra::DMatrix;
use swapnas_graph::{Element, Init, Observer, Relu, Signs};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::log_abs_determinant;
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static NWOT: Definition = Definition {
    name: "nwot",
    summary: "NASWOT: how differently the ReLUs react to the images",
    formula: "ln |det K|, K[i, j] being the number of ReLU units that are both positive or both not \
              for the samples i and j",
    source: "Mellor et al.: Neural Architecture Search without Training, ICML 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass, shared with the metrics that take gradients",
    differences: "Code that looks for the text 'ReLU' in the names of classes counts those within wrappers \
              such as ReLUConvBN twice. NASLib and AZ-NAS do not, as here. AZ-NAS uses noise for \
              images.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Nwot>(),
};

struct Nwot;

impl Measure for Nwot {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let units = sizes.network.graph.nodes().iter().map(|node| node.shape.elements()).max().unwrap_or(0);
        // A bit for every unit and image, as they are captured and as they are compared.
        let signs = product([units.div_ceil(8), sizes.batch.next_multiple_of(16), 2]);
        let pairs = product([sizes.batch, sizes.batch, size_of::<u64>() + 3 * size_of::<f64>()]);
        Takes { pass: true, own: signs.saturating_add(pairs), ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        trial.compared()?;
        let mut agreement = Agreement::new(trial.shared.first.images.samples());
        trial.pass()?.signs(&mut agreement);
        let kernel = agreement.kernel();
        if kernel.iter().all(|entry| *entry == 0.0) {
            return Err(Undefined::NoRelu.into());
        }
        match log_abs_determinant(kernel) {
            f64::NEG_INFINITY => Err(Undefined::Zero("the determinant of the kernel matrix").into()),
            logarithm => Ok(logarithm),
        }
    }
}

/// How many units say the same of two samples.
struct Agreement {
    samples: usize,
    units: u64,
    /// For each pair of samples, the units that tell them apart.
    apart: Vec<u64>,
    /// Bits of 64 units at a time, a word for each sample and 64 units.
    bits: Vec<Vec<u64>>,
}

impl Agreement {
    fn new(samples: usize) -> Self {
        Agreement { samples, units: 0, apart: vec![0; samples * samples], bits: vec![Vec::new(); samples] }
    }

    fn kernel(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.samples, self.samples, |i, j| {
            (self.units - self.apart[i.max(j) * self.samples + i.min(j)]) as f64
        })
    }
}

impl Observer for Agreement {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        let times = relu.modules as u64;
        self.units += times * signs.units() as u64;
        for (block, bits) in signs.blocks().zip(self.bits.chunks_mut(16)) {
            for (sample, bits) in bits.iter_mut().enumerate() {
                bits.clear();
                let words = block.words.chunks(64).map(|words| {
                    let of_unit = words.iter().enumerate();
                    of_unit.fold(0, |all, (unit, word)| all | u64::from(word >> sample & 1) << unit)
                });
                bits.extend(words);
            }
        }
        for i in 0..self.samples {
            for j in 0..i {
                let pairs = self.bits[i].iter().zip(&self.bits[j]);
                let apart: u64 = pairs.map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
                self.apart[i * self.samples + j] += times * apart;
            }
        }
    }
}
