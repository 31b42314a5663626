//! Windows that lie in the padding, in part or wholly, see zeros there, whatever is pending on the image.
//!
//! A convolution or pool reads a normalised image through a ReLU. Both are applied when the window's rows are
//! loaded, and must not be applied to the padding; and every pixel has its sign captured once, though windows
//! may skip it or begin beyond it. Images are wide, so that bands are of few rows.

use swapnas_graph::grad::{Differentiator, Elements, GradientPlan, Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{
    AvgPool, Batch, Conv, Conv2d, Draw, Element, Executor, Graph, GraphBuilder, Init, Level, MaxPool, Node,
    Observer, Op, Padding, Plan, Relu, Shape, Signs, ValueId, Want, Weights, Window,
};

const SAMPLES: usize = 2;

/// What reads the image.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// A convolution to so many channels, in so many groups.
    Conv(usize, usize),
    /// A convolution of every channel, and one over the channels behind it.
    Separable,
    MaxPool,
    AvgPool {
        count_padding: bool,
    },
}

/// The network, and what the last reader returns.
fn network(image: Shape, reader: Reader, window: Window) -> (Graph, ValueId) {
    let mut b = GraphBuilder::new(image);
    let x = b.input();
    let x = b.batch_norm("norm", x, false).unwrap();
    let x = b.relu("relu", x).unwrap();
    let y = match reader {
        Reader::Conv(out, groups) => b.conv2d("conv", x, Conv { groups, ..Conv::new(out, window) }),
        Reader::Separable => b
            .conv2d("depthwise", x, Conv::depthwise(image.channels, window))
            .and_then(|y| b.conv2d("pointwise", y, Conv::new(3, Window::square(1)))),
        Reader::MaxPool => b.max_pool("pool", x, window),
        Reader::AvgPool { count_padding } => b.avg_pool("pool", x, window, count_padding),
    };
    let y = y.unwrap();
    (b.finish(&[y]), y)
}

/// Numbers `[channel][row][column]` of one sample.
type Image = Vec<f64>;

/// Where a window looks: for every output pixel and tap, the pixel of the image under it.
fn looks(window: &Window, image: Shape, out: Shape) -> impl Iterator<Item = (usize, usize, Option<usize>)> {
    let Window { kernel, stride, dilation, padding, .. } = *window;
    let (height, width) = (image.height as isize, image.width as isize);
    (0..out.pixels()).flat_map(move |pixel| {
        (0..kernel[0] * kernel[1]).map(move |tap| {
            let place = |axis: usize, output: usize, tap: usize, before: i32| {
                (output * stride[axis] + tap * dilation[axis]) as isize - before as isize
            };
            let row = place(0, pixel / out.width, tap / kernel[1], padding.top);
            let column = place(1, pixel % out.width, tap % kernel[1], padding.left);
            let inside = (0..height).contains(&row) && (0..width).contains(&column);
            (pixel, tap, inside.then_some((row * width + column) as usize))
        })
    })
}

/// What a node makes of an image, by a loop over all taps.
fn naive(graph: &Graph, node: &Node, image: Shape, x: &Image, weights: &ParamSet<f64>) -> Image {
    let out = node.shape;
    let (pixels, mut y) = (image.pixels(), vec![0.0; out.elements()]);
    match &node.op {
        Op::Conv2d(Conv2d { window, groups, weight, .. }) => {
            let inputs = graph.param(*weight).shape[1];
            let weights = weights.get(*weight);
            for (pixel, tap, place) in looks(window, image, out) {
                let Some(place) = place else { continue };
                for channel in 0..out.channels {
                    let first = channel / (out.channels / groups) * inputs;
                    for input in 0..inputs {
                        y[channel * out.pixels() + pixel] += x[(first + input) * pixels + place]
                            * weights[(channel * inputs + input) * window.taps() + tap];
                    }
                }
            }
        }
        Op::MaxPool(MaxPool { window }) => {
            y.fill(f64::NEG_INFINITY);
            for (pixel, _, place) in looks(window, image, out) {
                let Some(place) = place else { continue };
                for channel in 0..out.channels {
                    let y = &mut y[channel * out.pixels() + pixel];
                    *y = y.max(x[channel * pixels + place]);
                }
            }
        }
        Op::AvgPool(AvgPool { window, count_padding }) => {
            let mut counts = vec![0; out.pixels()];
            for (pixel, _, place) in looks(window, image, out) {
                counts[pixel] += usize::from(*count_padding || place.is_some());
                let Some(place) = place else { continue };
                for channel in 0..out.channels {
                    y[channel * out.pixels() + pixel] += x[channel * pixels + place];
                }
            }
            for (index, y) in y.iter_mut().enumerate() {
                *y /= counts[index % out.pixels()].max(1) as f64;
            }
        }
        op => panic!("no loop for {op:?}"),
    }
    y
}

/// Numbers that look random.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + i / 7 * 104_729) % 10_007) as f32 / 5003.5 - 1.0).collect()
}

/// The images after normalisation over the batch.
fn normalised(image: Shape, images: &[f32]) -> Vec<Image> {
    let mut normal = vec![vec![0.0; image.elements()]; SAMPLES];
    for channel in 0..image.channels {
        let place = |pixel: usize| channel * image.pixels() + pixel;
        let places = (0..SAMPLES).flat_map(|s| (0..image.pixels()).map(move |pixel| (s, place(pixel))));
        let at = |(sample, place): (usize, usize)| f64::from(images[sample * image.elements() + place]);
        let count = (SAMPLES * image.pixels()) as f64;
        let mean = places.clone().map(at).sum::<f64>() / count;
        let variance = places.clone().map(|p| (at(p) - mean).powi(2)).sum::<f64>() / count;
        for (sample, place) in places {
            normal[sample][place] = (at((sample, place)) - mean) / (variance + 1e-5).sqrt();
        }
    }
    normal
}

/// Takes the signs of the one ReLU, `[sample][unit]`.
#[derive(Default)]
struct Taken(Vec<Vec<bool>>);

impl Observer for Taken {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, _relu: &Relu, signs: Signs<'_>) {
        assert!(self.0.is_empty(), "there is one ReLU");
        for block in signs.blocks() {
            let of = |sample: u32| block.words.iter().map(move |word| word >> sample & 1 == 1).collect();
            self.0.extend((0..SAMPLES as u32).map(of));
        }
    }
}

fn draw() -> Weights<'static> {
    Weights::Drawn(Draw { init: Init::Gaussian, seed: 1, repeat: 0, network: None })
}

/// Holds executor and differentiator against the loops. Numbers agree to `tolerance`.
fn check<E: Element>(level: Level, image: Shape, reader: Reader, window: Window, tolerance: f64) {
    let about = || format!("{reader:?} {window:?} over {image} at {level}");
    let (graph, y) = network(image, reader, window);
    let images = numbers(SAMPLES * image.elements());
    let normal = normalised(image, &images);
    let exact = ParamSet::<f64>::load(&graph, draw()).unwrap();
    let relu = graph.relu_values()[0];
    // All nodes behind the ReLU, one after the other.
    let behind = relu.index() + 1..graph.nodes().len();
    let run = |x: Image| -> Image {
        let mut shape = image;
        let x = x.into_iter().map(|x| x.max(0.0)).collect();
        behind.clone().fold(x, |x, index| {
            let node = &graph.nodes()[index];
            let y = naive(&graph, node, shape, &x, &exact);
            shape = node.shape;
            y
        })
    };
    let near = |what: &str, found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{what} of {}", about());
        for (found, expected) in found.iter().zip(expected) {
            let ok = found == expected || (found - expected).abs() <= tolerance * (1.0 + expected.abs());
            assert!(ok, "{what} of {}: {found} instead of {expected}", about());
        }
    };

    let batch = Batch::<E>::from_nchw(SAMPLES, image, &images).unwrap();
    let plan = Plan::new(graph.clone(), &Want { signs: true, values: vec![y] });
    let (mut executor, mut signs) = (Executor::<E>::new(level), Taken::default());
    executor.run(&plan, &batch, draw(), None, &mut signs).unwrap();
    let expected: Vec<f64> = normal.iter().cloned().flat_map(run).collect();
    near("result", &executor.value(&plan, &batch, y).unwrap(), &expected);
    let check_signs = |taken: &Taken| {
        assert_eq!(taken.0.len(), SAMPLES);
        for (signs, normal) in taken.0.iter().zip(&normal) {
            let mut pairs = signs.iter().zip(normal).filter(|(_, x)| x.abs() > tolerance);
            assert!(signs.len() == normal.len() && pairs.all(|(sign, x)| *sign == (*x > 0.0)), "{}", about());
        }
    };
    check_signs(&signs);

    let weights = ParamSet::<E>::load(&graph, draw()).unwrap();
    let plan = GradientPlan::new(graph.clone(), &Want { signs: true, values: vec![y] });
    let mut engine = Differentiator::<E>::new(level);
    let pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch).unwrap();
    near("differentiator's result", &pass.value(y).unwrap(), &expected);
    let mut signs = Taken::default();
    pass.signs(&mut signs);
    check_signs(&signs);
    drop(pass);

    // Without statistics the network is linear but for ReLU and maximum, so that <gradient, x> is the loss.
    let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::None).unwrap();
    let loss: Vec<f64> = numbers(expected.len()).into_iter().map(f64::from).collect();
    let finite = pass.value(y).unwrap().iter().all(|y| y.is_finite());
    if !finite {
        return;
    }
    let plain: Vec<f64> = images
        .chunks_exact(image.elements())
        .flat_map(|x| run(x.iter().map(|x| f64::from(*x)).collect()))
        .collect();
    near("result without statistics", &pass.value(y).unwrap(), &plain);
    let total: f64 = plain.iter().zip(&loss).map(|(y, g)| y * g).sum();
    let wanted = Wanted { params: Elements::All, values: vec![graph.input()], products: Vec::new() };
    let found = pass.backward(Loss::Product { value: y, gradient: &loss }, &wanted).unwrap();
    let by_image: f64 = found.values[0].iter().zip(&images).map(|(g, x)| g * f64::from(*x)).sum();
    near("gradient of the image", &[by_image], &[total]);
    for (index, param) in graph.params().iter().enumerate() {
        let (of, gradient) = (weights.iter().nth(index).unwrap(), found.params.iter().nth(index).unwrap());
        let by_weight: f64 = of.iter().zip(gradient).map(|(w, g)| w.to_f64() * g.to_f64()).sum();
        near(&format!("gradient of {}", param.name), &[by_weight], &[total]);
    }
}

/// A wide image of few rows: a band has a few rows of it.
const WIDE: Shape = Shape::new(8, 7, 90);

#[test]
fn windows_of_all_kinds_see_zeros_in_the_padding() {
    for kernel in 1..=7 {
        for (stride, dilation) in (1..=4).flat_map(|stride| (1..=3).map(move |dilation| (stride, dilation))) {
            for padding in [0, kernel / 2, kernel, 2 * kernel] {
                let window = Window {
                    kernel: [kernel; 2],
                    stride: [stride; 2],
                    dilation: [dilation; 2],
                    padding: Padding::same(padding),
                };
                if window.output(WIDE.height, WIDE.width).is_none() {
                    continue;
                }
                // One reader for each window, so that all readers meet all windows in some dimension.
                let readers = [
                    Reader::Conv(2, 1),
                    Reader::Conv(4, 2),
                    Reader::Conv(8, 8),
                    Reader::Separable,
                    Reader::MaxPool,
                    Reader::AvgPool { count_padding: true },
                    Reader::AvgPool { count_padding: false },
                ];
                let reader = readers[(kernel + stride + dilation + padding / kernel.div_ceil(2)) % 7];
                check::<f64>(Level::best(), WIDE, reader, window, 1e-9);
            }
        }
    }
}

/// Windows that made a band begin below the image, or lie beside it.
#[test]
fn bands_beyond_the_image_are_zeros_at_every_level() {
    let window = |kernel: usize, stride: usize, padding: Padding| Window {
        kernel: [kernel; 2],
        stride: [stride; 2],
        dilation: [1, 1],
        padding,
    };
    let cut = Padding { top: -2, left: 9, bottom: 13, right: -3 };
    for level in Level::available() {
        for (image, reader, window) in [
            (Shape::new(16, 32, 32), Reader::Conv(2, 1), window(3, 4, Padding::same(8))),
            (Shape::new(3, 9, 9), Reader::Conv(2, 1), window(3, 1, Padding::same(40))),
            (Shape::new(12, 8, 64), Reader::Conv(12, 1), window(3, 1, Padding::same(5))),
            (Shape::new(8, 8, 64), Reader::Conv(4, 2), window(2, 3, cut)),
            (Shape::new(8, 8, 64), Reader::Conv(8, 8), window(4, 5, Padding::same(9))),
            (Shape::new(8, 8, 64), Reader::Separable, window(1, 2, cut)),
            (Shape::new(8, 8, 64), Reader::MaxPool, window(3, 4, Padding::same(7))),
            (Shape::new(8, 8, 64), Reader::AvgPool { count_padding: true }, window(1, 1, cut)),
            (Shape::new(8, 8, 64), Reader::AvgPool { count_padding: false }, window(2, 4, Padding::same(9))),
        ] {
            check::<f32>(level, image, reader, window, 2e-4);
        }
    }
}

/// A value that a convolution reads as well is stored with zeros around it.
#[test]
fn a_maximum_does_not_see_the_zeros_that_others_see() {
    let image = Shape::new(4, 6, 7);
    for kernel in [[3, 1], [1, 3], [3, 3]] {
        let [rows, columns] = kernel.map(|size| size as i32 / 2);
        let padding = Padding { top: rows, left: columns, bottom: rows, right: columns };
        let mut b = GraphBuilder::new(image);
        let input = b.input();
        let x = b.conv2d("conv", input, Conv::new(4, Window::square(1))).unwrap();
        let largest = b.max_pool("largest", x, Window { kernel, padding, ..Window::square(3) }).unwrap();
        let other = b.conv2d("other", x, Conv::new(2, Window::square(3))).unwrap();
        let graph = b.finish(&[largest, other]);
        let batch = Batch::<f64>::from_nchw(SAMPLES, image, &numbers(SAMPLES * image.elements())).unwrap();
        let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![x, largest] });
        let mut executor = Executor::<f64>::new(Level::best());
        executor.run(&plan, &batch, draw(), None, &mut ()).unwrap();
        let [x, found] = [x, largest].map(|value| executor.value(&plan, &batch, value).unwrap());
        let weights = ParamSet::<f64>::load(&graph, draw()).unwrap();
        let of = |x: &[f64]| naive(&graph, graph.node(largest), image, &x.to_vec(), &weights);
        let expected: Vec<f64> = x.chunks_exact(image.elements()).flat_map(of).collect();
        assert_eq!(found, expected, "{kernel:?}");
        assert!(expected.iter().any(|x| *x < 0.0));
    }
}
