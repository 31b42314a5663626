//! PyTorch's numbers for a network with every operation, for transposed convolutions, and for convolutions with far more padding than they
//! need: see `tests/reference/make.py`, which made them.

use std::collections::BTreeMap;

use serde::Deserialize;
use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, StatisticsOver, Wanted};
use swapnas_graph::{
    Activation, Conv, Element, Epsilon, Executor, Graph, Level, Padding, ParamId, Plan, Shape, Want, Weights,
    Window,
};

use crate::cases::{Case, case};
use crate::differentiator::params;
use crate::numbers::{Numbers, Tolerance, assert_close, noise, param_set};

#[derive(Deserialize)]
struct Reference {
    images: Vec<f32>,
    labels: Vec<usize>,
    logits: Vec<f64>,
    loss: f64,
    images_gradient: Vec<f64>,
    params: BTreeMap<String, Param>,
}

#[derive(Deserialize)]
struct Param {
    shape: Vec<usize>,
    numbers: Vec<f32>,
    gradient: Vec<f64>,
    /// Of the Hessian times the gradient, the norm and the product with the parameter.
    hessian: [f64; 2],
    /// Of every sample as a batch of its own, the norm of the gradient.
    sample_norms: Vec<f64>,
}

/// The network of the script, by the names that it has there.
fn network() -> Case {
    case("PyTorch's", Shape::new(4, 9, 8), |b, x| {
        let half = Window::square(3).stride(2);
        let x = b.conv2d("stem", x, Conv::new(6, Window::square(3)).with_bias())?;
        let x = b.batch_norm("stem_norm", x, true)?;
        let x = b.relu("relu", x)?;
        let window = Window::square(3).dilation(2).stride(2);
        let dilated = b.conv2d("dilated", x, Conv { groups: 2, ..Conv::new(6, window) })?;
        let epsilon = Epsilon::new(0.01).expect("a number");
        let dilated = b.batch_norm_with("dilated_norm", dilated, true, epsilon)?;
        let dilated = b.act("silu", dilated, Activation::Silu)?;
        let window = Window { stride: [3, 4], ..Window::square(3).padding(Padding::same(4)) };
        let padded = b.conv2d("padded", x, Conv::new(4, window).with_bias())?;
        let padded = b.batch_norm("padded_norm", padded, true)?;
        let padded = b.act("relu6", padded, Activation::Relu6)?;
        let separable = b.conv2d("depthwise", x, Conv::depthwise(6, half))?;
        let separable = b.conv2d("pointwise", separable, Conv::new(6, Window::square(1)).with_bias())?;
        let separable = b.act("gelu", separable, Activation::Gelu)?;
        let max = b.max_pool("max", x, half)?;
        let mean = b.avg_pool("mean", x, half, false)?;
        let counted = b.avg_pool("counted", x, half, true)?;
        let joined = b.concat(&[max, dilated, mean, padded, counted, separable])?;
        let y = b.conv2d("join", joined, Conv::new(12, Window::square(1)))?;
        let y = b.batch_norm("join_norm", y, true)?;
        let y = b.act("hard_swish", y, Activation::HardSwish)?;
        let z = b.conv2d("square", y, Conv::new(12, Window::square(3)))?;
        let z = b.batch_norm("square_norm", z, false)?;
        let z = b.relu("square_relu", z)?;
        let y = b.add(&[y, z])?;
        let gate = b.mean(y)?;
        let gate = b.linear("squeeze", gate, 3, true)?;
        let gate = b.relu("squeeze_relu", gate)?;
        let gate = b.linear("excite", gate, 12, true)?;
        let gate = b.act("sigmoid", gate, Activation::Sigmoid)?;
        let y = b.mul(y, gate)?;
        let hard = b.act("hard_sigmoid", z, Activation::HardSigmoid)?;
        let y = b.mul(y, hard)?;
        let part = b.slice(y, 3, 8)?;
        let means = b.mean(part)?;
        Ok([b.linear("classifier", means, 5, true)?])
    })
}

/// The one of transposed convolutions.
fn transposed() -> Case {
    case("PyTorch's transposed convolutions", Shape::new(4, 9, 8), |b, x| {
        let x = b.conv2d("down", x, Conv::new(6, Window::square(3).stride(2)).with_bias())?;
        let x = b.act("gelu", x, Activation::Gelu)?;
        let window = Window { kernel: [4, 4], ..Window::square(3).stride(2) };
        let x = b.conv_transpose("up", x, Conv::new(4, window).with_bias())?;
        let x = b.batch_norm("up_norm", x, true)?;
        let x = b.act("silu", x, Activation::Silu)?;
        let window = Window {
            stride: [2, 1],
            dilation: [1, 2],
            // The output padding is a row less at the bottom.
            ..Window::square(3).padding(Padding { top: 1, left: 2, bottom: 0, right: 2 })
        };
        let x = b.conv_transpose("grouped", x, Conv { groups: 2, ..Conv::new(6, window) })?;
        let window = Window { kernel: [1, 3], stride: [1, 3], ..Window::square(1) };
        let x = b.conv_transpose("depthwise", x, Conv::depthwise(6, window).with_bias())?;
        let x = b.act("last", x, Activation::Silu)?;
        let means = b.mean(x)?;
        Ok([b.linear("classifier", means, 5, true)?])
    })
}

/// The file has eight digits of gradients.
const DOUBLE: Tolerance = Tolerance { relative: 1e-7, least: 1e-3 };
const SINGLE: Tolerance = Tolerance { relative: 2e-4, least: 1e-2 };

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

fn check<E: Element>(graph: &Graph, reference: &Reference, level: Level, tolerance: Tolerance) {
    let Reference { images, labels, .. } = reference;
    let weights = graph.params().iter().map(|param| reference.params[&param.name].numbers.clone()).collect();
    let numbers = Numbers { samples: labels.len(), images: images.clone(), weights };
    let batch = numbers.batch::<E>(graph);
    let output = graph.outputs()[0];

    let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![output] });
    let mut executor = Executor::<E>::new(level);
    executor.run(&plan, &batch, Weights::Loaded(&numbers.tensors(graph)), None, &mut ()).unwrap();
    let logits = executor.value(&plan, &batch, output).unwrap();
    assert_close("logits of the executor", &logits, &reference.logits, tolerance);

    let weights = param_set::<E>(graph, &numbers.weights);
    let plan = GradientPlan::new(graph.clone(), &Want::default());
    let mut engine = Differentiator::<E>::new(level);
    let loss = Loss::CrossEntropy(labels);
    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    assert_close("logits", &pass.value(output).unwrap(), &reference.logits, tolerance);
    let wanted = Wanted { values: vec![graph.input()], ..Wanted::params() };
    let found = pass.backward(loss, &wanted).unwrap();
    assert_close("the loss", &[found.loss], &[reference.loss], tolerance);
    assert_close("the images' gradient", &found.values[0], &reference.images_gradient, tolerance);
    let second = pass.hessian_product(loss, &found.params).unwrap();
    let of = |id: ParamId| (&graph.param(id).name, &reference.params[&graph.param(id).name]);
    for id in params(graph) {
        let (name, expected) = of(id);
        let gradient: Vec<f64> = found.params.get(id).iter().map(|x| x.to_f64()).collect();
        assert_close(&format!("gradient of {name}"), &gradient, &expected.gradient, tolerance);
        let second = second.get(id).iter().map(|x| x.to_f64());
        let product = second.clone().zip(&expected.numbers).map(|(h, w)| h * f64::from(*w)).sum();
        assert_close(&format!("Hessian of {name}"), &[norm(second), product], &expected.hessian, tolerance);
    }
    drop(pass);

    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Sample).unwrap();
    pass.backward_by_sample(loss, &Wanted::params(), |id, gradients| {
        let (name, expected) = of(id);
        let samples = labels.len();
        // The loss is the mean over the batch.
        let of_sample = |sample| {
            let elements = 0..gradients.elements();
            samples as f64 * norm(elements.map(|element| gradients.get(sample, element).to_f64()))
        };
        let norms: Vec<f64> = (0..samples).map(of_sample).collect();
        assert_close(&format!("gradients of {name} by sample"), &norms, &expected.sample_norms, tolerance);
    })
    .unwrap();
}

#[test]
fn a_network_of_every_operation_has_pytorchs_numbers() {
    check_all(network(), include_str!("../reference/operators.json"));
}

#[test]
fn transposed_convolutions_have_pytorchs_numbers() {
    check_all(transposed(), include_str!("../reference/transposed.json"));
}

fn check_all(Case { graph, .. }: Case, reference: &str) {
    let reference: Reference = serde_json::from_str(reference).unwrap();
    assert_eq!(graph.params().len(), reference.params.len());
    for param in graph.params() {
        assert_eq!(param.shape, reference.params[&param.name].shape, "{}", param.name);
    }
    for level in Level::available() {
        check::<f64>(&graph, &reference, level, DOUBLE);
        check::<f32>(&graph, &reference, level, SINGLE);
    }
}

/// A 3x3 convolution of what BatchNorm and ReLU make of images.
#[derive(Deserialize)]
struct Padded {
    image: [usize; 3],
    /// Samples, channels, rows, columns.
    output: [usize; 4],
    stride: usize,
    padding: usize,
    /// The first row and column of the output whose windows see the image, and how many do; the others are zero.
    first: [usize; 2],
    size: [usize; 2],
    /// `[sample][channel][row][column]` of those.
    seen: Vec<f64>,
    /// Of the output times noise, with respect to images and parameters: the norm, and the product with noise.
    gradients: BTreeMap<String, [f64; 2]>,
}

impl Padded {
    fn network(&self) -> Case {
        let [channels, height, width] = self.image;
        let window = Window::square(3).stride(self.stride).padding(Padding::same(self.padding));
        case(format!("padding {}", self.padding), Shape::new(channels, height, width), |b, x| {
            let x = b.batch_norm("norm", x, true)?;
            let x = b.relu("relu", x)?;
            Ok([b.conv2d("conv", x, Conv::new(self.output[1], window))?])
        })
    }

    /// All numbers of the output.
    fn values(&self) -> Vec<f64> {
        let [samples, channels, height, width] = self.output;
        let ([first_row, first_column], [rows, columns]) = (self.first, self.size);
        let mut values = vec![0.0; samples * channels * height * width];
        for (index, seen) in self.seen.chunks_exact(columns).enumerate() {
            let row = index / rows * height + first_row + index % rows;
            values[row * width + first_column..][..columns].copy_from_slice(seen);
        }
        values
    }

    fn check<E: Element>(&self, level: Level, tolerance: Tolerance) {
        let Case { name, graph } = self.network();
        let (numbers, expected) = (Numbers::new(&graph, self.output[0]), self.values());
        let (batch, output) = (numbers.batch::<E>(&graph), graph.outputs()[0]);
        let about = |what: &str| format!("{what}, {name}, {level}");
        let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![output] });
        let mut executor = Executor::<E>::new(level);
        executor.run(&plan, &batch, Weights::Loaded(&numbers.tensors(&graph)), None, &mut ()).unwrap();
        let found = executor.value(&plan, &batch, output).unwrap();
        assert_close(&about("the executor"), &found, &expected, tolerance);

        let weights = param_set::<E>(&graph, &numbers.weights);
        let plan = GradientPlan::new(graph.clone(), &Want::default());
        let mut engine = Differentiator::<E>::new(level);
        let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
        assert_close(&about("the differentiator"), &pass.value(output).unwrap(), &expected, tolerance);
        let gradient: Vec<f64> = noise(expected.len(), 5).into_iter().map(f64::from).collect();
        let loss = Loss::Product { value: output, gradient: &gradient };
        let wanted = Wanted { values: vec![graph.input()], ..Wanted::params() };
        let found = pass.backward(loss, &wanted).unwrap();
        let check = |of: &str, gradient: &[f64]| {
            let product = gradient.iter().zip(noise(gradient.len(), 6)).map(|(g, x)| g * f64::from(x)).sum();
            let sums = [norm(gradient.iter().copied()), product];
            assert_close(&about(of), &sums, &self.gradients[of], tolerance);
        };
        check("images", &found.values[0]);
        for (param, gradient) in graph.params().iter().zip(found.params.iter()) {
            check(&param.name, &gradient.iter().map(|g| g.to_f64()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn padding_far_beyond_the_kernel_has_pytorchs_numbers() {
    let cases: Vec<Padded> = serde_json::from_str(include_str!("../reference/padding.json")).unwrap();
    for case in cases {
        for level in Level::available() {
            case.check::<f64>(level, DOUBLE);
            case.check::<f32>(level, SINGLE);
        }
    }
}
