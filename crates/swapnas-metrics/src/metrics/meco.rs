use std::sync::Arc;

use swapnas_graph::grad::{GradientPlan, StatisticsOver};
use swapnas_graph::{Element, Graph, Init, Module, ValueId, Want};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure, Needs};
use crate::spectrum::{eigenvalues, gram, gram_bytes, standardised, standardised_bytes};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static MECO: Definition = Definition {
    name: "meco",
    summary: "how little the channels of all feature maps depend on each other",
    formula: "sum over all modules, those made of others included, of the smallest eigenvalue of the \
              correlation matrix of the channels of what the module returns for one image of noise of \
              64x64; correlations with a constant channel count as 0",
    source: "Jiang et al.: MeCo, NeurIPS 2023",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass of one image, and the eigenvalues of a matrix for each module",
    differences: "Written from its public copies, which hook every module, containers included, and use \
              noise of 64x64 as here.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Meco>(),
};

struct Meco;

impl Measure for Meco {
    const NEEDS: Needs = Needs { response: true, ..Needs::NONE };

    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let Some(Ok(graph)) = &sizes.network.response else { return Takes::default() };
        let (values, plan) = hooked(graph);
        let passes = sizes.passes(&plan, 1);
        let of_value = |value: &ValueId| {
            let shape = graph.shape(*value);
            let rows = standardised_bytes(shape.channels, shape.pixels());
            passes.value(*value).saturating_add(rows).saturating_add(gram_bytes(shape.channels))
        };
        let own = values.iter().map(of_value).max().unwrap_or(0);
        Takes { passes: passes.forward(), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let graph = trial.network.response.as_ref().expect("the metric needs it");
        let graph = graph.as_ref().map_err(Clone::clone)?;
        let Some(image) = trial.shared.response.as_ref() else {
            return Err(Undefined::Texts("an image of noise").into());
        };
        let (values, plan) = hooked(graph);
        let weights = trial.weights;
        let smallest = trial.aside(&plan, image, weights, StatisticsOver::Batch, |pass| {
            let smallest = values.iter().map(|value| {
                let numbers = pass.value(*value).expect("the plan computes it");
                let value = smallest(&numbers, graph.shape(*value).pixels())?;
                Some(value)
            });
            smallest.collect::<Option<Vec<f64>>>().ok_or(Undefined::NotFinite(f64::NAN).into())
        })?;
        let of_module = |module: &Module| {
            smallest[values.binary_search(&module.output).expect("all outputs are among the values")]
        };
        Ok(graph.modules().iter().map(of_module).sum())
    }
}

/// What modules return, in order, and a plan that computes it.
fn hooked(graph: &Arc<Graph>) -> (Vec<ValueId>, GradientPlan) {
    let mut values: Vec<ValueId> = graph.modules().iter().map(|module| module.output).collect();
    values.sort_unstable();
    values.dedup();
    let plan = GradientPlan::new(graph.clone(), &Want { signs: false, values: values.clone() });
    (values, plan)
}

/// The smallest eigenvalue of the correlations of channels of so many pixels.
fn smallest(numbers: &[f64], pixels: usize) -> Option<f64> {
    let rows: Vec<Vec<f64>> =
        standardised(numbers.chunks_exact(pixels)).into_iter().map(Option::unwrap_or_default).collect();
    if rows.iter().any(Vec::is_empty) {
        // A row and a column of zeros: zero is an eigenvalue, and none of a correlation matrix is less.
        return Some(0.0);
    }
    Some(eigenvalues(gram(&rows))?[0])
}
