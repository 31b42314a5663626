use swapnas_graph::grad::{ParamSet, StatisticsOver};
use swapnas_graph::{Element, Init, Param};

use crate::definition::{Compute, Definition, Direction, Measure, Needs};
use crate::trial::{REGION_IMAGES, Sizes, Takes, Trial, product};
use crate::undefined::Failure;
use crate::{PatternSet, Undefined};

pub(super) static LINEAR_REGIONS: Definition = Definition {
    name: "linear-regions",
    summary: "number of linear regions that noise falls into, for a smallest network",
    formula: "number of different activation patterns of 1000 images of noise in the smallest network \
              that the space builds from the architecture: one channel, one cell a stage, images of \
              3x3, or the next larger numbers that it accepts",
    source: "Chen et al.: TE-NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass of a very small network",
    differences: "TE-NAS uses such a smallest network, as here. The copies in Zen-NAS and AZ-NAS use the \
              network itself and large images, where nearly every image has its own region, and sum \
              reciprocals of multiplicities, which may give 24.000002 for 24.",
    arguments: &[],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<LinearRegions>(),
};

struct LinearRegions;

impl Measure for LinearRegions {
    const NEEDS: Needs = Needs { smallest: true, ..Needs::NONE };

    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let Some(Ok(plan)) = &sizes.network.smallest else { return Takes::default() };
        let units = plan.graph().relu_units() as usize;
        let weights = plan.graph().params().iter().map(Param::len).fold(0, usize::saturating_add);
        let own = PatternSet::bytes(REGION_IMAGES, units).saturating_add(product([weights, sizes.number]));
        Takes { passes: sizes.passes(plan, REGION_IMAGES).forward(), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let network = trial.network;
        let plan = network.smallest.as_ref().expect("the metric needs it").as_ref().map_err(Clone::clone)?;
        let images = trial.shared.smallest.as_ref().expect("there are images where there is a network");
        let weights = ParamSet::load(plan.graph(), trial.drawn)?;
        let mut patterns = PatternSet::new(images.samples());
        trial.aside(plan, images, &weights, StatisticsOver::Batch, |pass| {
            pass.signs(&mut patterns);
            Ok(())
        })?;
        if patterns.is_empty() {
            return Err(Undefined::NoRelu.into());
        }
        Ok(patterns.distinct_samples() as f64)
    }
}
