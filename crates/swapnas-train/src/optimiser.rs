//! What is done with gradients.

use serde::{Deserialize, Serialize};
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Element, Graph, ParamId};

use crate::error::{SettingsError, within};

/// How weights follow gradients. Decay acts on all parameters, as in PyTorch where it is handed all of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimiser {
    /// Stochastic gradient descent with momentum: v = m v + g + d w, and w falls by r v, or by r (g + d w + m v) as
    /// Nesterov has it.
    Sgd {
        /// Learning rate r at its highest.
        rate: f64,
        /// m.
        momentum: f64,
        /// Whether the step is Nesterov's.
        nesterov: bool,
        /// d.
        weight_decay: f64,
    },
    /// Adam with decay apart from the gradient (Loshchilov and Hutter, ICLR 2019): w falls by r d w, and by r times
    /// the mean of gradients over the root of the mean of their squares, both freed of their start at 0.
    AdamW {
        /// Learning rate r at its highest.
        rate: f64,
        /// How long the mean of gradients remembers.
        beta1: f64,
        /// How long the mean of squares does.
        beta2: f64,
        /// What is added to the root.
        epsilon: f64,
        /// d.
        weight_decay: f64,
    },
}

impl Optimiser {
    /// SGD as NAS-Bench-201 uses it: rate 0.1, momentum 0.9 of Nesterov, decay 5e-4.
    pub const fn sgd() -> Self {
        Optimiser::Sgd { rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4 }
    }

    /// AdamW with PyTorch's numbers: rate 0.001, betas 0.9 and 0.999, epsilon 1e-8, decay 0.01.
    pub const fn adamw() -> Self {
        Optimiser::AdamW { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }

    /// The same with another rate.
    #[must_use]
    pub fn with_rate(mut self, new: f64) -> Self {
        let (Optimiser::Sgd { rate, .. } | Optimiser::AdamW { rate, .. }) = &mut self;
        *rate = new;
        self
    }

    /// The same with another decay.
    #[must_use]
    pub fn with_weight_decay(mut self, new: f64) -> Self {
        let (Optimiser::Sgd { weight_decay, .. } | Optimiser::AdamW { weight_decay, .. }) = &mut self;
        *weight_decay = new;
        self
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let share = [0.0, 1.0 - f64::EPSILON];
        let (rate, weight_decay) = match *self {
            Optimiser::Sgd { rate, momentum, weight_decay, .. } => {
                within("momentum", momentum, share)?;
                (rate, weight_decay)
            }
            Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay } => {
                within("beta1", beta1, share)?;
                within("beta2", beta2, share)?;
                within("epsilon", epsilon, [1e-30, 1.0])?;
                (rate, weight_decay)
            }
        };
        within("learning rate", rate, [0.0, 1000.0])?;
        within("weight decay", weight_decay, [0.0, 1000.0])
    }

    /// Numbers that are kept for every weight.
    pub(crate) const fn memories(&self) -> usize {
        match self {
            Optimiser::Sgd { .. } => 1,
            Optimiser::AdamW { .. } => 2,
        }
    }
}

/// An optimiser on its way.
#[derive(Clone, Debug)]
pub(crate) struct Descent<E> {
    optimiser: Optimiser,
    /// The parameters that the network reads; others stay as they are, as in PyTorch.
    read: Vec<ParamId>,
    /// What is remembered of earlier gradients.
    pub(crate) memories: Vec<ParamSet<E>>,
}

impl<E: Element> Descent<E> {
    pub(crate) fn new(optimiser: Optimiser, graph: &Graph) -> Self {
        let memories = (0..optimiser.memories()).map(|_| ParamSet::zeros(graph)).collect();
        Descent { optimiser, read: read(graph), memories }
    }

    /// Moves the weights by the gradients of step `step`, which counts from 0, with that share of the learning rate.
    pub(crate) fn step(
        &mut self,
        step: usize,
        share: f64,
        weights: &mut ParamSet<E>,
        gradients: &ParamSet<E>,
    ) {
        let of = E::from_f64;
        match (self.optimiser, &mut self.memories[..]) {
            (Optimiser::Sgd { rate, momentum, nesterov, weight_decay }, [velocity]) => {
                let (rate, momentum, decay) = (of(rate * share), of(momentum), of(weight_decay));
                for &id in &self.read {
                    let numbers = weights.get_mut(id).iter_mut().zip(gradients.get(id));
                    for ((w, &g), v) in numbers.zip(velocity.get_mut(id)) {
                        let g = g + decay * *w;
                        *v = momentum * *v + g;
                        let fall = if nesterov { g + momentum * *v } else { *v };
                        *w = *w - rate * fall;
                    }
                }
            }
            (Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay }, [mean, square]) => {
                let rate = rate * share;
                let begun = |beta: f64| 1.0 - libm::pow(beta, (step + 1) as f64);
                let (stay, fall) = (of(1.0 - rate * weight_decay), rate / begun(beta1));
                let root = begun(beta2).sqrt();
                for &id in &self.read {
                    let numbers = weights.get_mut(id).iter_mut().zip(gradients.get(id));
                    let memories = mean.get_mut(id).iter_mut().zip(square.get_mut(id));
                    for ((w, &g), (m, s)) in numbers.zip(memories) {
                        *m = *m + of(1.0 - beta1) * (g - *m);
                        *s = of(beta2) * *s + of(1.0 - beta2) * g * g;
                        let below = s.to_f64().sqrt() / root + epsilon;
                        *w = stay * *w - of(fall * m.to_f64() / below);
                    }
                }
            }
            _ => unreachable!("each optimiser has its own number of memories"),
        }
    }
}

/// The parameters of nodes on which the first output depends, each once.
fn read(graph: &Graph) -> Vec<ParamId> {
    let mut live = vec![false; graph.nodes().len()];
    if let Some(output) = graph.outputs().first() {
        live[output.index()] = true;
    }
    let mut read = Vec::new();
    for (value, node) in graph.values().collect::<Vec<_>>().into_iter().rev() {
        if live[value.index()] {
            node.inputs.iter().for_each(|input| live[input.index()] = true);
            read.extend(node.op.params());
        }
    }
    read.sort_unstable();
    read.dedup();
    read
}
