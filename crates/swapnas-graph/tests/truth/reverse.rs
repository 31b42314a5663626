//! Gradients by the chain rule, node by node from the last to the first, on what the interpreter computed.
//!
//! With dual numbers for weights, a gradient comes out with its derivative along their direction, which is
//! a Hessian-vector product: no second derivative is written down anywhere.

use swapnas_graph::grad::StatisticsOver;
use swapnas_graph::{BatchNorm, Graph, MaxPool, Op, ParamId, ValueId};

use crate::dual::Dual;
use crate::interpreter::{
    Factor, Number, Term, activate, largest, mean, of_sample, other_factor, populations, sums,
};
use crate::tensors;

/// The gradient of a number that is computed from a value, which has the given `gradient` there.
pub(crate) struct Gradients<T> {
    /// With respect to every value.
    pub(crate) values: Vec<Vec<T>>,
    /// With respect to every parameter, `[param][sample][element]`: what flows through the numbers of each
    /// sample.
    pub(crate) params: Vec<Vec<Vec<T>>>,
}

impl<T: Number> Gradients<T> {
    /// With respect to a parameter, over the batch.
    pub(crate) fn param(&self, param: usize) -> Vec<T> {
        let of_samples = &self.params[param];
        let total = |element| of_samples.iter().fold(T::of(0.0), |sum, sample| sum + sample[element]);
        (0..of_samples[0].len()).map(total).collect()
    }
}

pub(crate) fn backward<T: Number>(
    graph: &Graph,
    samples: usize,
    values: &[Vec<T>],
    weights: &[Vec<T>],
    statistics: StatisticsOver,
    (of, gradient): (ValueId, Vec<T>),
) -> Gradients<T> {
    let zeros = |numbers: &Vec<T>| vec![T::of(0.0); numbers.len()];
    let mut grads: Vec<Vec<T>> = values.iter().map(zeros).collect();
    let mut params: Vec<Vec<Vec<T>>> = weights.iter().map(|numbers| vec![zeros(numbers); samples]).collect();
    grads[of.index()] = gradient;
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        // The inputs of a node come before it.
        let (before, from) = grads.split_at_mut(index);
        let g = &from[0];
        let inputs: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        let input = |which: usize| inputs[which];
        let mut add = |which: usize, place: usize, x: T| {
            let to = &mut before[input(which)][place];
            *to = *to + x;
        };
        match &node.op {
            Op::Input => {}
            Op::Conv2d(_)
            | Op::Linear(_)
            | Op::AvgPool(_)
            | Op::GlobalAvgPool
            | Op::Add
            | Op::Concat
            | Op::Slice(_)
            | Op::Zero => sums(graph, node, samples, |sample, out, term| match term {
                Term::Product { input: which, place, factor: Factor::Constant(c) } => {
                    add(which, place, T::of(c) * g[out]);
                }
                Term::Product { input: which, place, factor: Factor::Weight(id, element) } => {
                    add(which, place, weights[id.index()][element] * g[out]);
                    let to = &mut params[id.index()][sample][element];
                    *to = *to + values[input(which)][place] * g[out];
                }
                Term::Bias(id, element) => {
                    let to = &mut params[id.index()][sample][element];
                    *to = *to + g[out];
                }
            }),
            Op::MaxPool(MaxPool { window }) => {
                let image = graph.shape(node.inputs[0]);
                let places = largest(window, image, node, &values[input(0)]);
                for (g, place) in g.iter().zip(places) {
                    if let Some(place) = place {
                        add(0, place, *g);
                    }
                }
            }
            Op::Mul => {
                let by = graph.shape(node.inputs[1]);
                for (out, g) in g.iter().enumerate() {
                    let other = other_factor(node.shape, by, out);
                    add(0, out, *g * values[input(1)][other]);
                    add(1, other, *g * values[input(0)][out]);
                }
            }
            Op::Tensor(op) => {
                let read: Vec<&Vec<T>> = inputs.iter().map(|input| &values[*input]).collect();
                let lens: Vec<(ParamId, usize)> =
                    node.op.params().map(|id| (id, weights[id.index()].len())).collect();
                let weight = |id: ParamId, element: usize| weights[id.index()][element];
                for (sample, g) in g.chunks(node.shape.elements()).enumerate() {
                    let read = of_sample(&read, samples, sample);
                    let to_input =
                        |which: usize, place: usize, x: T| add(which, sample * read[which].len() + place, x);
                    let to_param = |id: ParamId, element: usize, x: T| {
                        let to = &mut params[id.index()][sample][element];
                        *to = *to + x;
                    };
                    tensors::backward(op, node, &read, weight, g, &lens, to_input, to_param);
                }
            }
            Op::Act(act) => {
                for (place, x) in values[input(0)].iter().enumerate() {
                    let slope = activate(*act, Dual::new(*x, T::of(1.0))).tangent;
                    add(0, place, g[place] * slope);
                }
            }
            Op::BatchNorm(_) if statistics == StatisticsOver::None => {
                for (place, g) in g.iter().enumerate() {
                    add(0, place, *g);
                }
            }
            Op::BatchNorm(BatchNorm { affine, epsilon }) => {
                for (channel, places) in populations(samples, node.shape, statistics) {
                    // Forward again: x -> apart -> variance -> deviation -> normal = apart / deviation.
                    let count = T::of(places.len() as f64);
                    let x = |place: usize| values[input(0)][place];
                    let centre = mean(places.iter().map(|place| x(*place)));
                    let apart: Vec<T> = places.iter().map(|place| x(*place) - centre).collect();
                    let variance = mean(apart.iter().map(|apart| *apart * *apart));
                    let deviation = (variance + T::of(epsilon.number())).sqrt();
                    // And back: each line is the derivative of one of these by one of the others.
                    let mut to_normal: Vec<T> = places.iter().map(|place| g[*place]).collect();
                    if let Some((weight, bias)) = affine {
                        for (i, place) in places.iter().enumerate() {
                            let sample = place / node.shape.elements();
                            let to_weight = &mut params[weight.index()][sample][channel];
                            *to_weight = *to_weight + g[*place] * apart[i] / deviation;
                            let to_bias = &mut params[bias.index()][sample][channel];
                            *to_bias = *to_bias + g[*place];
                            to_normal[i] = g[*place] * weights[weight.index()][channel];
                        }
                    }
                    let mut to_deviation = T::of(0.0);
                    for (to_normal, apart) in to_normal.iter().zip(&apart) {
                        to_deviation = to_deviation - *to_normal * *apart / (deviation * deviation);
                    }
                    let to_variance = to_deviation / (T::of(2.0) * deviation);
                    let mut to_centre = T::of(0.0);
                    for (i, place) in places.iter().enumerate() {
                        let to_apart = to_normal[i] / deviation + to_variance * T::of(2.0) * apart[i] / count;
                        add(0, *place, to_apart);
                        to_centre = to_centre - to_apart;
                    }
                    for place in places {
                        add(0, place, to_centre / count);
                    }
                }
            }
        }
    }
    Gradients { values: grads, params }
}

/// The mean over the batch of the cross entropy between the softmax of a value and the labels, and its
/// gradient.
pub(crate) fn cross_entropy<T: Number>(numbers: &[T], labels: &[usize]) -> (f64, Vec<T>) {
    let classes = numbers.len() / labels.len();
    let (mut loss, mut gradient) = (0.0, Vec::new());
    for (logits, label) in numbers.chunks(classes).zip(labels) {
        // Any number can be taken from all logits; with the largest, none is too large for the exponential function.
        let largest = T::of(logits.iter().map(|x| x.real()).fold(f64::NEG_INFINITY, f64::max));
        let sum = logits.iter().fold(T::of(0.0), |sum, x| sum + (*x - largest).exp());
        loss += sum.real().ln() - (logits[*label] - largest).real();
        for (class, x) in logits.iter().enumerate() {
            let hit = T::of(f64::from(u8::from(class == *label)));
            gradient.push(((*x - largest).exp() / sum - hit) / T::of(labels.len() as f64));
        }
    }
    (loss / labels.len() as f64, gradient)
}
