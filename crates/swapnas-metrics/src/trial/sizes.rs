use swapnas_graph::grad::{Footprint, GradientPlan, Wanted};
use swapnas_graph::{Param, Shape, ValueId};

use super::Network;

/// Of what a trial is: what metrics say by it how much memory they take, in bytes.
pub(crate) struct Sizes<'a> {
    pub network: &'a Network,
    /// Number of images.
    pub batch: usize,
    /// Bytes of a number.
    pub number: usize,
    /// How many threads do the work of a pass.
    pub threads: usize,
}

/// What a metric reads of a [`Trial`](super::Trial), which others read as well, and the bytes that it takes besides,
/// while it is computed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Takes {
    /// The forward pass over the batch.
    pub pass: bool,
    /// The gradients of the cross entropy.
    pub gradients: bool,
    /// The gradient with respect to the images.
    pub jacobian: bool,
    /// The gradients of absolute weights.
    pub flow: bool,
    /// Other passes in the precision of the trial.
    pub passes: usize,
    /// Passes in double precision.
    pub double: usize,
    /// Everything else.
    pub own: usize,
}

impl Takes {
    /// The gradients of the cross entropy and nothing else.
    pub(crate) const GRADIENTS: Takes =
        Takes { pass: true, gradients: true, jacobian: false, flow: false, passes: 0, double: 0, own: 0 };

    /// What one metric takes after the other.
    pub(crate) fn and(self, other: Takes) -> Takes {
        Takes {
            pass: self.pass | other.pass,
            gradients: self.gradients | other.gradients,
            jacobian: self.jacobian | other.jacobian,
            flow: self.flow | other.flow,
            passes: self.passes.max(other.passes),
            double: self.double.max(other.double),
            own: self.own.max(other.own),
        }
    }
}

impl<'a> Sizes<'a> {
    /// Passes over a plan with so many images.
    pub(crate) fn passes<'t>(&self, plan: &'t GradientPlan, images: usize) -> Footprint<'t> {
        plan.footprint(images, self.number, self.threads)
    }

    /// Passes over the batch.
    pub(crate) fn batch(&self) -> Footprint<'a> {
        self.passes(&self.network.plan, self.batch)
    }

    /// Passes over so many images in double precision.
    pub(crate) fn in_double(&self, images: usize) -> Footprint<'a> {
        self.network.plan.footprint(images, size_of::<f64>(), self.threads)
    }

    /// Numbers of an image.
    pub(crate) fn pixels(&self) -> usize {
        self.shape(self.network.graph.input()).elements()
    }

    pub(crate) fn shape(&self, value: ValueId) -> Shape {
        self.network.graph.shape(value)
    }

    /// Parameters.
    pub(crate) fn params(&self) -> usize {
        self.network.graph.params().iter().map(Param::len).fold(0, usize::saturating_add)
    }

    /// The weights of a network and everything that metrics take of memory.
    pub(crate) fn total(&self, takes: Takes) -> usize {
        let (batch, params) = (self.batch(), self.params());
        let mut passes = takes.passes;
        let mut double = takes.double;
        // As they are drawn, and as they are used.
        let mut held = vec![product([params, self.number + size_of::<f32>()])];
        if takes.pass {
            held.push(batch.forward());
        }
        if takes.gradients {
            let products: Vec<ValueId> = self.network.layers.iter().map(|layer| layer.output).collect();
            let channels =
                products.iter().map(|value| self.shape(*value).channels).fold(0, usize::saturating_add);
            held.push(product([params, self.number]));
            held.push(product([channels, self.batch, size_of::<f64>()]));
            passes = passes.max(batch.back(None, &Wanted { products, ..Wanted::params() }, false));
        }
        if takes.jacobian {
            held.push(product([self.batch, self.pixels(), size_of::<f64>()]));
            passes = passes.max(batch.back(None, &Wanted::value(self.network.graph.input()), false));
        }
        if takes.flow {
            let (single, exact) = (self.passes(&self.network.plan, 1), self.in_double(1));
            let back =
                |of: Footprint<'_>| of.forward().saturating_add(of.back(None, &Wanted::params(), false));
            held.push(product([params, self.number + 3 * size_of::<f64>()]));
            passes = passes.max(back(single));
            // Where single precision overflows.
            double = double.max(back(exact));
        }
        held.into_iter().chain([passes, double, takes.own]).fold(0, usize::saturating_add)
    }
}

/// The product, or the largest number.
pub(crate) fn product<const N: usize>(factors: [usize; N]) -> usize {
    factors.into_iter().fold(1, usize::saturating_mul)
}
