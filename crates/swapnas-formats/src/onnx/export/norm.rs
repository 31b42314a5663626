//! Normalisations of single samples.

use swapnas_graph::tensor::Normalise;
use swapnas_graph::{Node, ParamId, ValueId};

use super::File;
use super::chain::Chain;
use super::message::{float, int, ints};
use crate::arrangement::sizes;
use crate::facts::{has_weights_along, is_over_channels};

impl File<'_> {
    pub(super) fn normalise(&mut self, value: ValueId, norm: &Normalise, output: String) {
        let graph = self.graph;
        let node = graph.node(value);
        let [weight, bias] = [norm.weight, norm.bias].map(|id| id.map(|id| self.param(id)));
        if is_over_channels(graph, node) {
            let from = self.in_form(node.inputs[0], self.form(value));
            return self.along_last(norm, from, [weight, bias], output);
        }
        // Lines become rows, and what they are made of their last dimension.
        let from = self.image(node.inputs[0]);
        let mut chain = Chain::of(sizes(node.shape));
        chain.reshape([norm.axis.outer, norm.axis.len, norm.axis.inner]);
        let mut back = Chain::of([norm.axis.outer, norm.axis.inner, norm.axis.len]);
        if norm.axis.inner > 1 {
            chain.transpose(&[0, 2, 1]);
            back.transpose(&[0, 2, 1]);
        } else {
            chain.reshape([norm.axis.outer, norm.axis.len]);
            back = Chain::of([norm.axis.outer, norm.axis.len]);
        }
        let lines = self.fresh(format!("{output}.lines"));
        let lines = self.run(chain, from, lines);
        let normalised = self.fresh(format!("{output}.normalised"));
        if has_weights_along(graph, norm) {
            self.along_last(norm, lines, [weight, bias], normalised.clone());
            back.reshape(sizes(node.shape));
            return self.finish(back, normalised, output);
        }
        self.along_last(norm, lines, [None, None], normalised.clone());
        for (op, id) in [("Mul", norm.weight), ("Add", norm.bias)] {
            if let Some(id) = id {
                self.each(&mut back, op, id, norm.alike, node);
            }
        }
        back.reshape(sizes(node.shape));
        self.finish(back, normalised, output);
    }

    /// A sum or product with a parameter, of which so many elements in a row are given the same number.
    fn each(&mut self, chain: &mut Chain, op: &'static str, id: ParamId, alike: usize, node: &Node) {
        let (count, elements) = (self.graph.param(id).len(), node.shape.elements());
        let param = self.param(id);
        let numbers = self.fresh(format!("{param}.each"));
        if elements.is_multiple_of(count * alike) {
            chain.reshape([elements / (count * alike), count, alike]);
            let sizes = self.integers(&[count as i64, 1]);
            self.push("Reshape", vec![param, sizes], numbers.clone(), Vec::new());
        } else {
            chain.reshape([elements]);
            let places: Vec<i64> = (0..elements).map(|place| (place / alike % count) as i64).collect();
            let places = self.table(&[elements], &places);
            self.push("Gather", vec![param, places], numbers.clone(), Vec::new());
        }
        chain.push(op, vec![numbers], Vec::new());
    }

    /// Normalises the last dimension, with a weight and a bias for each of its elements.
    fn along_last(&mut self, norm: &Normalise, x: String, params: [Option<String>; 2], output: String) {
        let [weight, bias] = params;
        let epsilon = norm.epsilon.number() as f32;
        if norm.centred {
            // There has to be a weight.
            let weight = weight.unwrap_or_else(|| self.filled(1.0, norm.axis.len));
            let inputs = [x, weight].into_iter().chain(bias).collect();
            let attributes = vec![int("axis", -1), float("epsilon", epsilon)];
            return self.push("LayerNormalization", inputs, output, attributes);
        }
        let [square, mean, shifted, root] =
            ["square", "mean", "shifted", "root"].map(|part| self.fresh(format!("{output}.{part}")));
        let epsilon = self.number(epsilon);
        self.push("Mul", vec![x.clone(), x.clone()], square.clone(), Vec::new());
        self.push("ReduceMean", vec![square], mean.clone(), vec![ints("axes", vec![-1])]);
        self.push("Add", vec![mean, epsilon], shifted.clone(), Vec::new());
        self.push("Sqrt", vec![shifted], root.clone(), Vec::new());
        let mut chain = Chain::of([]);
        chain.push("Div", vec![root], Vec::new());
        for (op, param) in [("Mul", weight), ("Add", bias)] {
            if let Some(param) = param {
                chain.push(op, vec![param], Vec::new());
            }
        }
        self.run(chain, x, output);
    }
}
