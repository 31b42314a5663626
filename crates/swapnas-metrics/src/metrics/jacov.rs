use swapnas_graph::{Element, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes, standardised, standardised_bytes};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static JACOV: Definition = Definition {
    name: "jacov",
    summary: "how differently the network reacts to the images",
    formula: "- sum over the eigenvalues v of the correlation matrix of the rows of J of ln(v + k) + 1 \
              / (v + k), with k = 1e-5 and J the gradient of the sum of all logits with respect to the \
              images, one row for each",
    source: "Mellor et al.: Neural Architecture Search without Training, first version, 2020; \
              Abdelfattah et al.: Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, shared with epe_nas",
    differences: "Implementations agree. One image by itself, or the same one again and again, has correlations that say \
              nothing of the network; here the metric is undefined.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Jacov>(),
};

/// Keeps logarithms and quotients finite.
const SMALL: f64 = 1e-5;

struct Jacov;

impl Measure for Jacov {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let rows = standardised_bytes(sizes.batch, sizes.pixels());
        let own = rows.saturating_add(gram_bytes(sizes.batch));
        Takes { pass: true, jacobian: true, own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        trial.compared()?;
        let jacobian = trial.jacobian()?;
        let pixels = trial.graph().shape(trial.graph().input()).elements();
        let rows: Option<Vec<_>> = standardised(jacobian.chunks_exact(pixels)).into_iter().collect();
        let rows = rows.ok_or(Undefined::Constant("the gradient of an image is the same for all pixels"))?;
        let values = eigenvalues(gram(&rows)).ok_or(Undefined::NotFinite(f64::NAN))?;
        Ok(-values.iter().map(|v| libm::log(v + SMALL) + 1.0 / (v + SMALL)).sum::<f64>())
    }
}
