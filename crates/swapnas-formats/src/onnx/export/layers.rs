//! Layers of images, and of the channels of each pixel.

use swapnas_graph::tensor::ConvTranspose;
use swapnas_graph::{
    Activation, AvgPool, BatchNorm, Conv2d, Linear, MaxPool, OnnxInput, Op, Padding, ParamId, Shape, Slice,
    ValueId,
};

use super::form::Form;
use super::message::{float, int, ints, windowed};
use super::{File, cuts};
use crate::arrangement::sizes;
use crate::onnx::{Contents, leaves_the_image};

impl File<'_> {
    pub(super) fn add(&mut self, value: ValueId, op: &Op, contents: &Contents<'_>) {
        let graph = self.graph;
        let node = graph.node(value);
        let (form, output) = (self.form(value), self.name(value));
        match op {
            Op::Input => {}
            Op::Linear(Linear { weight, bias }) => self.linear(value, *weight, *bias, output),
            Op::Act(act) => {
                let input = self.in_form(node.inputs[0], form);
                self.activation(*act, &input, &output);
            }
            Op::Add | Op::Mul | Op::Concat | Op::Slice(_) => {
                let inputs = node.inputs.iter().map(|&input| self.in_form(input, form)).collect();
                self.of_channels(value, op, inputs, output);
            }
            Op::Zero => self.zeros(output, node.shape),
            Op::Tensor(op) => self.tensor(value, op),
            Op::Conv2d(_) | Op::BatchNorm(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalAvgPool => {
                let input = self.image(node.inputs[0]);
                self.of_image(value, op, input, output, contents);
            }
        }
    }

    /// What is done to values of any form.
    fn of_channels(&mut self, value: ValueId, op: &Op, mut inputs: Vec<String>, output: String) {
        let node = self.graph.node(value);
        let axis = if self.form(value) == Form::Pixels { 3 } else { 1 };
        match op {
            Op::Add if inputs.len() > 2 => self.push("Sum", inputs, output, Vec::new()),
            Op::Add => self.push("Add", inputs, output, Vec::new()),
            Op::Mul => self.push("Mul", inputs, output, Vec::new()),
            Op::Slice(Slice { start }) => {
                for bound in [*start as i64, (start + node.shape.channels) as i64, axis] {
                    inputs.push(self.integers(&[bound]));
                }
                self.push("Slice", inputs, output, Vec::new());
            }
            _ => {
                for (name, input) in inputs.iter_mut().zip(&node.inputs) {
                    *name = self.for_each_sample(name.clone(), *input, value);
                }
                self.push("Concat", inputs, output, vec![int("axis", axis)]);
            }
        }
    }

    /// Layers that read images.
    fn of_image(&mut self, value: ValueId, op: &Op, input: String, output: String, contents: &Contents<'_>) {
        let node = self.graph.node(value);
        match op {
            Op::Conv2d(Conv2d { window, groups, weight, bias }) => {
                let mut window = *window;
                let mut inputs = vec![input, self.param(*weight)];
                if cuts(&window.padding) {
                    inputs[0] = self.pad(&inputs[0], &output, window.padding);
                    window.padding = Padding::default();
                }
                inputs.extend(bias.map(|bias| self.param(bias)));
                let mut attributes = windowed(&window, true);
                attributes.push(int("group", *groups as i64));
                self.push("Conv", inputs, output, attributes);
            }
            Op::BatchNorm(BatchNorm { affine, epsilon }) => {
                let channels = node.shape.channels;
                let (weight, bias) = match affine {
                    Some((weight, bias)) => (self.param(*weight), self.param(*bias)),
                    None => (self.filled(1.0, channels), self.filled(0.0, channels)),
                };
                let statistics = contents.statistics.of(value);
                let of = |f: fn(&(f64, f64)) -> f64, default: f32| match statistics {
                    Some(statistics) => statistics.iter().map(|s| f(s) as f32).collect(),
                    None => vec![default; channels],
                };
                let (mean, variance) = (of(|s| s.0, 0.0), of(|s| s.1, 1.0));
                let names =
                    ["running_mean", "running_var"].map(|name| self.fresh(format!("{output}.{name}")));
                self.add_floats(names[0].clone(), &[channels], &mean);
                self.add_floats(names[1].clone(), &[channels], &variance);
                let inputs = [input, weight, bias].into_iter().chain(names).collect();
                let epsilon = float("epsilon", epsilon.number() as f32);
                self.push("BatchNormalization", inputs, output, vec![epsilon]);
            }
            Op::MaxPool(MaxPool { window }) => {
                self.push("MaxPool", vec![input], output, windowed(window, true))
            }
            Op::AvgPool(AvgPool { window, count_padding }) => {
                let (mut input, mut window) = (input, *window);
                if *count_padding && (cuts(&window.padding) || leaves_the_image(&window)) {
                    input = self.pad(&input, &output, window.padding);
                    window.padding = Padding::default();
                }
                let mut attributes = windowed(&window, false);
                attributes.push(int("count_include_pad", i64::from(*count_padding)));
                self.push("AveragePool", vec![input], output, attributes);
            }
            _ => self.push("GlobalAveragePool", vec![input], output, Vec::new()),
        }
    }

    pub(super) fn conv_transpose(&mut self, of: &ConvTranspose, input: ValueId, output: String) {
        let mut window = of.window;
        // Where less than nothing is cut away, the result has more.
        let Padding { bottom, right, .. } = of.window.padding;
        window.padding.bottom = bottom.max(0);
        window.padding.right = right.max(0);
        let mut attributes = windowed(&window, true);
        attributes.push(int("group", of.groups as i64));
        if bottom.min(right) < 0 {
            attributes
                .push(ints("output_padding", [bottom, right].map(|more| i64::from(-more.min(0))).to_vec()));
        }
        let params = [Some(of.weight), of.bias].into_iter().flatten();
        let inputs = std::iter::once(self.image(input)).chain(params.map(|id| self.param(id))).collect();
        self.push("ConvTranspose", inputs, output, attributes);
    }

    fn linear(&mut self, value: ValueId, weight: ParamId, bias: Option<ParamId>, output: String) {
        let form = self.form(value);
        let input = self.in_form(self.graph.node(value).inputs[0], form);
        let bias = bias.map(|bias| self.param(bias));
        if form == Form::Flat {
            let inputs = [input, self.param(weight)].into_iter().chain(bias).collect();
            return self.push("Gemm", inputs, output, vec![int("transB", 1)]);
        }
        let weight = self.transposed(weight);
        let Some(bias) = bias else {
            return self.push("MatMul", vec![input, weight], output, Vec::new());
        };
        let product = self.fresh(format!("{output}.product"));
        self.push("MatMul", vec![input, weight], product.clone(), Vec::new());
        self.push("Add", vec![product, bias], output, Vec::new());
    }

    fn activation(&mut self, act: Activation, x: &str, output: &str) {
        let mut parts: Vec<(&str, String)> = Vec::new();
        let nodes = act.onnx();
        for (index, node) in nodes.iter().enumerate() {
            let inputs = node.inputs.iter().map(|input| match input {
                OnnxInput::X => x.to_owned(),
                OnnxInput::Number(number) => self.number(*number as f32),
                OnnxInput::Part(part) => {
                    let (_, name) = parts.iter().find(|(known, _)| known == part).expect("a part before it");
                    name.clone()
                }
            });
            let inputs = inputs.collect();
            let is_last = index + 1 == nodes.len();
            let result =
                if is_last { output.to_owned() } else { self.fresh(format!("{output}.{}", node.part)) };
            let attributes =
                node.attributes.iter().map(|(name, number)| float(name, *number as f32)).collect();
            self.push(node.operator, inputs, result.clone(), attributes);
            parts.push((node.part, result));
        }
    }

    /// Pads with zeros, or cuts away, in a node of its own.
    fn pad(&mut self, input: &str, output: &str, padding: Padding) -> String {
        let Padding { top, left, bottom, right } = padding;
        let pads = self.integers(&[0, 0, top, left, 0, 0, bottom, right].map(i64::from));
        let padded = self.fresh(format!("{output}.padded"));
        self.push("Pad", vec![input.to_owned(), pads], padded.clone(), Vec::new());
        padded
    }

    /// Zeros for as many samples as there are.
    fn zeros(&mut self, output: String, shape: Shape) {
        let dims = self.dims_of_all(&output, &sizes(shape));
        self.push("ConstantOfShape", vec![dims], output, Vec::new());
    }
}
