//! Windows of every size, stride, dilation and padding, by themselves and behind what is pending.
//!
//! A band of rows is read through its window in many ways: what lies in the padding, what is skipped between
//! strides, what is shared by two bands. Where padding is larger than the kernel, whole windows lie outside.
//! All sizes are gone through, so that no formula for the first or last row is right by luck.

use rayon::prelude::*;
use swapnas_graph::grad::{Differentiator, GradientPlan, Loss, StatisticsOver, Wanted};
use swapnas_graph::{Conv, GraphBuilder, GraphError, Level, Padding, Shape, ValueId, Want, Window};

use crate::cases::{Case, case};
use crate::differentiator::{self, params};
use crate::executor::{DOUBLE, SINGLE, Truth};
use crate::numbers::{Numbers, assert_close, noise, param_set};
use crate::reverse;

/// Channels that three ways of grouping divide.
const IMAGE: Shape = Shape::new(4, 9, 7);
const SAMPLES: usize = 3;

/// What reads the image through a window.
type Reader = fn(&mut GraphBuilder, ValueId, Window) -> Result<ValueId, GraphError>;

const CONVOLUTIONS: [(&str, Reader); 5] = [
    ("dense", |b, x, window| b.conv2d("layer", x, Conv::new(3, window))),
    ("two groups", |b, x, window| b.conv2d("layer", x, Conv { groups: 2, ..Conv::new(6, window) })),
    ("depthwise", |b, x, window| b.conv2d("layer", x, Conv::depthwise(4, window))),
    ("separable", |b, x, window| {
        let y = b.conv2d("layer", x, Conv::depthwise(4, window))?;
        b.conv2d("pointwise", y, Conv::new(3, Window::square(1)))
    }),
    ("siblings", |b, x, window| {
        let (y, z) =
            (b.conv2d("layer", x, Conv::new(2, window))?, b.conv2d("other", x, Conv::new(2, window))?);
        let (y, z) = (b.relu("relu a", y)?, b.relu("relu b", z)?);
        b.add(&[y, z])
    }),
];

const POOLS: [(&str, Reader); 3] = [
    ("max pool", |b, x, window| b.max_pool("pool", x, window)),
    ("average pool", |b, x, window| b.avg_pool("pool", x, window, false)),
    ("average pool that counts padding", |b, x, window| b.avg_pool("pool", x, window, true)),
];

/// Every kernel up to 7x7 with every stride up to 4, dilation up to 3 and padding up to twice the kernel that
/// give an output. A kernel of 1x1 has no dilation.
fn windows() -> Vec<Window> {
    let mut windows = Vec::new();
    for kernel in 1..=7 {
        for dilation in 1..=if kernel == 1 { 1 } else { 3 } {
            for stride in 1..=4 {
                for padding in 0..=2 * kernel {
                    let padding = Padding::same(padding);
                    windows.push(Window {
                        kernel: [kernel; 2],
                        stride: [stride; 2],
                        dilation: [dilation; 2],
                        padding,
                    });
                }
            }
        }
    }
    windows.retain(|window| window.output(IMAGE.height, IMAGE.width).is_some());
    windows
}

/// A reader of the plain image, and one of what a normalisation and a ReLU make of it as it is read.
fn plain_and_pending(image: Shape, name: &str, window: Window, reader: Reader) -> [Case; 2] {
    [false, true].map(|pending| {
        let name = format!("{name}{}, {window:?}", if pending { " behind BatchNorm and ReLU" } else { "" });
        case(name, image, |b, x| {
            let x = if pending {
                let x = b.batch_norm("norm", x, true)?;
                b.relu("relu", x)?
            } else {
                x
            };
            Ok([reader(b, x, window)?])
        })
    })
}

/// The executor at every level, then the differentiator.
fn check(case: &Case, samples: usize) {
    let Case { name, graph } = case;
    let numbers = Numbers::new(graph, samples);
    let truth = Truth::new(name, graph, &numbers);
    let output = graph.outputs()[0];
    let want = Want { signs: true, values: vec![output] };
    truth.check::<f64>(Level::best(), &want, DOUBLE);
    let single = truth.check::<f32>(Level::PORTABLE, &want, SINGLE);
    for level in Level::available().into_iter().filter(|level| *level != Level::PORTABLE) {
        assert!(truth.check::<f32>(level, &want, SINGLE) == single, "{name}, {level}");
    }
    check_gradients(case, &numbers, &truth.values);
}

/// Of the product of the output with given numbers, for the image and for the weights of every sample.
fn check_gradients(Case { name, graph }: &Case, numbers: &Numbers, values: &[Vec<f64>]) {
    let output = graph.outputs()[0];
    let values_there = &values[output.index()];
    if values_there.iter().any(|y| y.is_infinite()) {
        return; // A maximum over nothing: there is no loss to take a gradient of.
    }
    let gradient: Vec<f64> = noise(values_there.len(), 5).into_iter().map(f64::from).collect();
    let of = (output, gradient.clone());
    let expected =
        reverse::backward(graph, numbers.samples, values, &numbers.weights64(), StatisticsOver::Batch, of);
    let plan = GradientPlan::new(graph.clone(), &Want::default());
    let (batch, weights) = (numbers.batch::<f64>(graph), param_set::<f64>(graph, &numbers.weights));
    let mut engine = Differentiator::<f64>::new(Level::best());
    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    let wanted = Wanted { values: vec![graph.input()], ..Wanted::params() };
    let loss = Loss::Product { value: output, gradient: &gradient };
    let tolerance = differentiator::DOUBLE;
    let found = pass.backward_by_sample(loss, &wanted, |id, by_sample| {
        for (sample, expected) in expected.params[id.index()].iter().enumerate() {
            let elements = 0..by_sample.elements();
            let found: Vec<f64> = elements.map(|element| by_sample.get(sample, element)).collect();
            assert_close(&format!("{name}, weights of sample {sample}"), &found, expected, tolerance);
        }
    });
    let found = found.unwrap();
    let image = &expected.values[graph.input().index()];
    assert_close(&format!("{name}, gradient of the image"), &found.values[0], image, tolerance);
    for id in params(graph) {
        let what = format!("{name}, gradient of {}", graph.param(id).name);
        assert_close(&what, found.params.get(id), &expected.param(id.index()), tolerance);
    }
}

fn sweep(readers: &[(&str, Reader)]) {
    windows().into_par_iter().for_each(|window| {
        for (name, reader) in readers {
            for case in plain_and_pending(IMAGE, name, window, *reader) {
                check(&case, SAMPLES);
            }
        }
    });
}

#[test]
fn convolutions_with_any_window_are_the_interpreters() {
    sweep(&CONVOLUTIONS);
}

#[test]
fn pools_with_any_window_are_the_interpreters() {
    sweep(&POOLS);
}

/// Every kernel, stride, dilation and padding, with the output padding that goes with it.
#[test]
fn transposed_convolutions_with_any_window_are_the_interpreters() {
    let image = Shape::new(4, 3, 2);
    let mut windows = Vec::new();
    for kernel in 1..=4 {
        for dilation in 1..=if kernel == 1 { 1 } else { 2 } {
            for stride in 1..=3 {
                for before in 0..=kernel as i32 {
                    for after in 1 - stride.max(dilation) as i32..=kernel as i32 {
                        let padding = Padding { top: before, left: before, bottom: after, right: after };
                        let [kernel, stride, dilation] = [kernel, stride, dilation].map(|side| [side; 2]);
                        windows.push(Window { kernel, stride, dilation, padding });
                    }
                }
            }
        }
    }
    windows.retain(|window| window.transposed_output(image.height, image.width).is_some());
    let readers: [(&str, Reader); 3] = [
        ("dense", |b, x, window| b.conv_transpose("layer", x, Conv::new(3, window))),
        ("two groups", |b, x, window| {
            b.conv_transpose("layer", x, Conv { groups: 2, ..Conv::new(6, window) })
        }),
        ("depthwise", |b, x, window| b.conv_transpose("layer", x, Conv::depthwise(4, window).with_bias())),
    ];
    windows.into_par_iter().for_each(|window| {
        for (name, reader) in readers {
            for case in plain_and_pending(image, &format!("transposed, {name}"), window, reader) {
                check(&case, SAMPLES);
            }
        }
    });
}

/// Enough channels for Winograd's algorithm, which takes windows of stride 1 in tiles.
#[test]
fn winograds_algorithm_takes_any_padding() {
    let reader: Reader = |b, x, window| b.conv2d("layer", x, Conv::new(12, window));
    (0..=12).into_par_iter().for_each(|padding| {
        let window = Window::square(3).padding(Padding::same(padding));
        if window.output(IMAGE.height, IMAGE.width).is_some() {
            for case in plain_and_pending(IMAGE.with_channels(12), "3x3", window, reader) {
                check(&case, SAMPLES);
            }
        }
    });
}

/// Padding for which bands once began below the image.
#[test]
fn padding_far_beyond_the_kernel_is_zeros() {
    let strided = Window::square(3).stride(4).padding(Padding::same(8));
    let to_16: Reader = |b, x, window| b.conv2d("layer", x, Conv::new(16, window));
    for case in plain_and_pending(Shape::new(16, 32, 32), "16 to 16 channels", strided, to_16) {
        check(&case, SAMPLES);
    }
    let wide = Window::square(3).padding(Padding::same(100));
    let winograd: (&str, Reader) =
        ("many channels", |b, x, window| b.conv2d("layer", x, Conv::new(12, window)));
    for (name, reader) in CONVOLUTIONS.into_iter().chain(POOLS).chain([winograd]) {
        let image = IMAGE.with_channels(if name == winograd.0 { 12 } else { IMAGE.channels });
        for case in plain_and_pending(image, name, wide, reader) {
            check(&case, 1);
        }
    }
}
