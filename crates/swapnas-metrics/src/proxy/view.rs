use swapnas_graph::grad::{GradError, Loss, StatisticsOver, Wanted};
use swapnas_graph::{Element, Graph, Observer, ParamId, Relu, Signs, ValueId};

use super::ProxyError;
use crate::check_memory;
use crate::trial::{Layers, Trial};
use crate::undefined::Failure;

/// What a metric of one's own sees of a network with one set of weights.
///
/// Passes are made when something is asked for that takes them, and are kept for what is asked for next. Batch
/// normalisations have the statistics of the batch, and the loss is the mean cross entropy over the batch. All numbers
/// are those that the engine has computed, in double precision whatever it computes in.
pub struct NetworkView<'v> {
    trial: &'v mut dyn Readable,
}

impl<'v> NetworkView<'v> {
    pub(super) fn new(trial: &'v mut dyn Readable) -> Self {
        NetworkView { trial }
    }

    /// The network: its operations, parameters and modules.
    pub fn graph(&self) -> &Graph {
        self.trial.graph()
    }

    /// The class of each image of the batch, counted from 0; drawn at random where images have none.
    pub fn labels(&self) -> &[usize] {
        self.trial.labels()
    }

    /// Number of images.
    pub fn samples(&self) -> usize {
        self.labels().len()
    }

    /// The weights of the convolutions and linear layers in order of execution, each with what its layer returns.
    /// Most metrics look at these alone: neither biases nor normalisations count.
    pub fn layers(&self) -> Vec<(ParamId, ValueId)> {
        self.trial.layers().iter().map(|layer| (layer.weight, layer.output)).collect()
    }

    /// The numbers of a parameter, in the order of its shape.
    pub fn weight(&self, param: ParamId) -> Vec<f64> {
        self.trial.weight(param)
    }

    /// The gradient of the loss with respect to a parameter, in the order of its shape; one backward pass for all of
    /// them.
    ///
    /// # Errors
    /// If the network has one class only, so that there is nothing to lose, or numbers are not finite.
    pub fn gradient(&mut self, param: ParamId) -> Result<Vec<f64>, ProxyError> {
        Ok(self.trial.gradient(param)?)
    }

    /// What a node of the graph returns, `[sample][channel][row][column]`: of the
    /// [input](swapnas_graph::Graph::input) the images, of the first [output](swapnas_graph::Graph::outputs) the
    /// logits.
    ///
    /// # Errors
    /// If numbers are not finite.
    pub fn value(&mut self, value: ValueId) -> Result<Vec<f64>, ProxyError> {
        Ok(self.trial.value(value)?)
    }

    /// The gradient of the loss with respect to what a node returns, `[sample][channel][row][column]`; a backward
    /// pass for each.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn value_gradient(&mut self, value: ValueId) -> Result<Vec<f64>, ProxyError> {
        Ok(self.trial.value_gradient(value)?)
    }

    /// The gradient of the sum of all logits over the batch with respect to the images,
    /// `[sample][channel][row][column]`.
    ///
    /// # Errors
    /// If numbers are not finite.
    pub fn jacobian(&mut self) -> Result<Vec<f64>, ProxyError> {
        Ok(self.trial.jacobian()?)
    }

    /// Of every parameter the gradients of single samples, `[sample][element]`: of the cross entropy of each sample in
    /// a batch of its own, whose statistics batch normalisations then have. One forward and one backward pass
    /// for all samples and parameters.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and a [`MemoryError`](crate::MemoryError) if there is not as much memory.
    pub fn sample_gradients(&mut self) -> Result<Vec<Vec<f64>>, ProxyError> {
        Ok(self.trial.sample_gradients()?)
    }

    /// Shows the signs of all ReLUs to an observer, each distinct one once.
    ///
    /// # Errors
    /// If numbers are not finite.
    pub fn signs(&mut self, observer: &mut dyn Observer) -> Result<(), ProxyError> {
        Ok(self.trial.signs(observer)?)
    }
}

/// What can be read of a trial, in whatever precision it is.
pub(crate) trait Readable {
    fn graph(&self) -> &Graph;
    fn labels(&self) -> &[usize];
    fn layers(&self) -> &Layers;
    fn weight(&self, param: ParamId) -> Vec<f64>;
    fn gradient(&mut self, param: ParamId) -> Result<Vec<f64>, Failure>;
    fn value(&mut self, value: ValueId) -> Result<Vec<f64>, Failure>;
    fn value_gradient(&mut self, value: ValueId) -> Result<Vec<f64>, Failure>;
    fn jacobian(&mut self) -> Result<Vec<f64>, Failure>;
    fn sample_gradients(&mut self) -> Result<Vec<Vec<f64>>, Failure>;
    fn signs(&mut self, observer: &mut dyn Observer) -> Result<(), Failure>;
}

impl<E: Element> Readable for Trial<'_, E> {
    fn graph(&self) -> &Graph {
        Trial::graph(self)
    }

    fn labels(&self) -> &[usize] {
        &self.shared.first.labels
    }

    fn layers(&self) -> &Layers {
        Trial::layers(self)
    }

    fn weight(&self, param: ParamId) -> Vec<f64> {
        double(self.weights.get(param))
    }

    fn gradient(&mut self, param: ParamId) -> Result<Vec<f64>, Failure> {
        Ok(double(self.gradients()?.params.get(param)))
    }

    fn value(&mut self, value: ValueId) -> Result<Vec<f64>, Failure> {
        self.pass()?.value(value).ok_or_else(|| GradError::NotKept { value }.into())
    }

    fn value_gradient(&mut self, value: ValueId) -> Result<Vec<f64>, Failure> {
        self.check_classes()?;
        let loss = Loss::CrossEntropy(&self.shared.first.labels);
        Ok(self.pass()?.backward(loss, &Wanted::value(value))?.values.remove(0))
    }

    fn jacobian(&mut self) -> Result<Vec<f64>, Failure> {
        Ok(Trial::jacobian(self)?.to_vec())
    }

    fn sample_gradients(&mut self) -> Result<Vec<Vec<f64>>, Failure> {
        self.check_classes()?;
        let (shared, graph) = (self.shared, Trial::graph(self));
        let samples = shared.first.images.samples();
        let (plan, images, weights) = (&self.network.plan, &shared.first.images, self.weights);
        let lengths = || graph.params().iter().map(|param| param.len().saturating_mul(samples));
        // Most metrics do not ask for them, so they are not looked for with everything else.
        let footprint = plan.footprint(samples, size_of::<E>(), rayon::current_num_threads());
        let passes = footprint.forward().saturating_add(footprint.back(None, &Wanted::params(), true));
        let numbers = lengths().fold(0, usize::saturating_add).saturating_mul(size_of::<f64>());
        check_memory("the gradients of single samples", passes.saturating_add(numbers))
            .map_err(|error| Failure::Proxy(error.into()))?;
        // What the loss does not depend on is not visited.
        let mut all: Vec<Vec<f64>> = lengths().map(|length| vec![0.0; length]).collect();
        self.aside(plan, images, weights, StatisticsOver::Sample, |pass| {
            let loss = Loss::CrossEntropy(&shared.first.labels);
            pass.backward_by_sample(loss, &Wanted::params(), |id, gradients| {
                let elements = gradients.elements();
                for (index, number) in all[id.index()].iter_mut().enumerate() {
                    // Each sample has a part of the mean.
                    *number = gradients.get(index / elements, index % elements).to_f64() * samples as f64;
                }
            })?;
            Ok(())
        })?;
        Ok(all)
    }

    fn signs(&mut self, observer: &mut dyn Observer) -> Result<(), Failure> {
        self.pass()?.signs(&mut Through(observer));
        Ok(())
    }
}

fn double<E: Element>(numbers: &[E]) -> Vec<f64> {
    numbers.iter().map(|number| number.to_f64()).collect()
}

/// Hands on what it sees.
struct Through<'o>(&'o mut dyn Observer);

impl Observer for Through<'_> {
    fn wants(&mut self, relu: &Relu) -> bool {
        self.0.wants(relu)
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        self.0.observe(relu, signs);
    }
}
