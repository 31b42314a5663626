use swapnas_lanes::Element;

use crate::{Graph, ParamId, RunError, Weights};

/// Numbers for every parameter of a graph: its weights, a gradient, or a direction in the space of
/// weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSet<E = f32> {
    numbers: Vec<Vec<E>>,
}

impl<E: Element> ParamSet<E> {
    /// Zeros.
    pub fn zeros(graph: &Graph) -> Self {
        ParamSet { numbers: graph.params().iter().map(|param| vec![E::ZERO; param.len()]).collect() }
    }

    /// The weights of a network.
    ///
    /// # Errors
    /// If weights are missing or have another shape.
    pub fn load(graph: &Graph, weights: Weights<'_>) -> Result<Self, RunError> {
        let mut drawn = Vec::new();
        let mut numbers = Vec::with_capacity(graph.params().len());
        for param in graph.params() {
            let param = match weights {
                Weights::Drawn(draw) => {
                    drawn.clear();
                    draw.fill(param, &mut drawn);
                    drawn.as_slice()
                }
                Weights::Loaded(tensors) => tensors.param(param)?,
            };
            numbers.push(param.iter().map(|&x| E::from_f64(x.into())).collect());
        }
        Ok(ParamSet { numbers })
    }

    /// The numbers of a parameter in the order of its elements.
    pub fn get(&self, id: ParamId) -> &[E] {
        &self.numbers[id.index()]
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: ParamId) -> &mut [E] {
        &mut self.numbers[id.index()]
    }

    /// The parameters one after the other, in the order of [`Graph::params`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[E]> {
        self.numbers.iter().map(Vec::as_slice)
    }

    /// The same in double precision.
    pub fn to_double(&self) -> ParamSet<f64> {
        let double = |numbers: &Vec<E>| numbers.iter().map(|x| x.to_f64()).collect();
        ParamSet { numbers: self.numbers.iter().map(double).collect() }
    }

    /// The same with `f` applied to every number.
    #[must_use]
    pub fn map(mut self, f: impl Fn(E) -> E) -> Self {
        for number in self.numbers.iter_mut().flatten() {
            *number = f(*number);
        }
        self
    }
}
