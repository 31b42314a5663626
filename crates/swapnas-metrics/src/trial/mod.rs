//! One network with one set of weights, and the passes that metrics read.

mod attention;
mod layers;
mod network;
mod shared_inputs;
mod sizes;

use std::rc::Rc;

use swapnas_graph::grad::{
    Differentiator, Elements, GradientPlan, Gradients, Loss, ParamSet, Pass, StatisticsOver, Wanted,
};
use swapnas_graph::{Batch, Element, Graph, Level, Weights};

pub(crate) use attention::Attention;
pub(crate) use layers::{Layer, Layers, blocks};
pub(crate) use network::{Network, SmallestNetwork};
pub(crate) use shared_inputs::{Labelled, REGION_IMAGES, RESPONSE_SIDE, SharedInputs, Source};
#[cfg(test)]
pub(crate) use shared_inputs::{PERTURBATION, Signs};
pub(crate) use sizes::{Sizes, Takes, product};

use crate::Undefined;
use crate::undefined::Failure;

/// What makes the passes of one trial after the other, keeping its memory.
pub(crate) struct Engines<E: Element> {
    engine: Differentiator<E>,
    double: Differentiator<f64>,
}

impl<E: Element> Engines<E> {
    /// With `parallel`, each step is divided over the threads.
    pub(crate) fn new(level: Level, parallel: bool) -> Self {
        Engines {
            engine: Differentiator::new(level).parallel(parallel),
            double: Differentiator::new(level).parallel(parallel),
        }
    }
}

/// One network with one set of weights: what metrics are computed from.
///
/// Passes are made when the first metric asks for them, and are kept for the others.
pub(crate) struct Trial<'a, E: Element> {
    pub network: &'a Network,
    pub shared: &'a SharedInputs<E>,
    pub weights: &'a ParamSet<E>,
    /// Where the weights come from.
    pub drawn: Weights<'a>,
    /// Makes all passes. The pass over the batch takes it, and lends it to others.
    engine: Option<&'a mut Differentiator<E>>,
    pass: Option<Pass<'a, E>>,
    /// Why there is no pass over the batch, if one was tried: then there is no engine either.
    failed: Option<Undefined>,
    /// For what takes double precision.
    double: &'a mut Differentiator<f64>,
    gradients: Option<Rc<Gradients<E>>>,
    jacobian: Option<Rc<Vec<f64>>>,
    /// The entropies of the features of the blocks, see `az-expressivity`.
    pub entropies: Option<Rc<Vec<f64>>>,
    /// Absolute weights and their gradients without normalisation, see `synflow`.
    pub flow: Option<Rc<Flow>>,
}

/// Absolute weights, and the gradients of the sum of the logits for an image of ones.
pub(crate) struct Flow {
    pub weights: ParamSet<f64>,
    pub gradients: ParamSet<f64>,
}

const EITHER: &str = "there is either the engine or the pass that has it";

impl<'a, E: Element> Trial<'a, E> {
    /// A network of which nothing is known yet.
    pub(crate) fn new(
        network: &'a Network,
        shared: &'a SharedInputs<E>,
        weights: &'a ParamSet<E>,
        drawn: Weights<'a>,
        engines: &'a mut Engines<E>,
    ) -> Self {
        let Engines { engine, double } = engines;
        Trial {
            network,
            shared,
            weights,
            drawn,
            engine: Some(engine),
            double,
            pass: None,
            failed: None,
            gradients: None,
            jacobian: None,
            entropies: None,
            flow: None,
        }
    }

    pub(crate) fn graph(&self) -> &'a Graph {
        &self.network.graph
    }

    pub(crate) fn layers(&self) -> &'a Layers {
        &self.network.layers
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.graph().shape(self.graph().outputs()[0]).elements()
    }

    /// For each image of the batch the first one that is the same, for metrics that compare images with each other.
    ///
    /// # Errors
    /// If there are no two images that differ.
    pub(crate) fn compared(&self) -> Result<Vec<usize>, Undefined> {
        let twins = self.shared.first.images.twins();
        match twins.as_slice() {
            [_] => Err(Undefined::OneImage),
            same if same.iter().all(|twin| *twin == 0) => Err(Undefined::SameImages),
            _ => Ok(twins),
        }
    }

    /// Makes sure that the cross entropy depends on anything.
    ///
    /// # Errors
    /// If there is one class only.
    pub(crate) fn check_classes(&self) -> Result<(), Undefined> {
        if self.classes() == 1 { Err(Undefined::OneClass) } else { Ok(()) }
    }

    /// The forward pass over the batch, with statistics of the batch.
    pub(crate) fn pass(&mut self) -> Result<&mut Pass<'a, E>, Failure> {
        if let Some(engine) = self.engine.take() {
            let images = &self.shared.first.images;
            let pass = engine.forward(&self.network.plan, images, self.weights, StatisticsOver::Batch);
            match pass.map_err(Failure::from) {
                Ok(pass) => self.pass = Some(pass),
                Err(failure) => {
                    if let Failure::Undefined(reason) = &failure {
                        self.failed = Some(reason.clone());
                    }
                    return Err(failure);
                }
            }
        }
        match &self.failed {
            Some(reason) => Err(reason.clone().into()),
            None => Ok(self.pass.as_mut().expect(EITHER)),
        }
    }

    /// The gradients of the cross entropy over the batch, and of what each layer returns the products
    /// with its gradient.
    pub(crate) fn gradients(&mut self) -> Result<Rc<Gradients<E>>, Failure> {
        if let Some(gradients) = &self.gradients {
            return Ok(gradients.clone());
        }
        self.check_classes()?;
        let products = self.layers().iter().map(|layer| layer.output).collect();
        let wanted = Wanted { params: Elements::All, values: Vec::new(), products };
        let loss = Loss::CrossEntropy(&self.shared.first.labels);
        let gradients = Rc::new(self.pass()?.backward(loss, &wanted)?);
        Ok(self.gradients.insert(gradients).clone())
    }

    /// The gradient of the sum of all logits with respect to the images, `[sample][pixel]`.
    pub(crate) fn jacobian(&mut self) -> Result<Rc<Vec<f64>>, Failure> {
        if let Some(jacobian) = &self.jacobian {
            return Ok(jacobian.clone());
        }
        if self.graph().vocabulary().is_some() {
            return Err(Undefined::Texts("gradients by images").into());
        }
        let wanted = Wanted::value(self.graph().input());
        let jacobian = Rc::new(self.pass()?.backward(Loss::Sum, &wanted)?.values.remove(0));
        Ok(self.jacobian.insert(jacobian).clone())
    }

    /// What `read` makes of a pass of its own over other images, or with other statistics.
    pub(crate) fn aside<T>(
        &mut self,
        plan: &GradientPlan,
        images: &Batch<E>,
        weights: &ParamSet<E>,
        statistics: StatisticsOver,
        read: impl FnOnce(&mut Pass<'_, E>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let engine = match (&mut self.pass, &mut self.engine, &self.failed) {
            (Some(pass), ..) => pass.engine(),
            (None, Some(engine), _) => engine,
            (None, None, reason) => return Err(reason.clone().expect(EITHER).into()),
        };
        read(&mut engine.forward(plan, images, weights, statistics)?)
    }

    /// The same in double precision, whatever the precision of the trial, through the scored network.
    pub(crate) fn in_double<T>(
        &mut self,
        images: &Batch<f64>,
        weights: &ParamSet<f64>,
        statistics: StatisticsOver,
        read: impl FnOnce(&mut Pass<'_, f64>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        read(&mut self.double.forward(&self.network.plan, images, weights, statistics)?)
    }
}
