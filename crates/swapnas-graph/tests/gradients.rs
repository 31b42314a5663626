//! Gradients and Hessian-vector products against differences, for every operation on small odd shapes.

use swapnas_graph::grad::{
    Differentiator, Elements, GradError, Gradients, Loss, ParamSet, Statistics, Tape, Wanted,
};
use swapnas_graph::{
    Activation, Batch, Conv, Draw, Element, Graph, GraphBuilder, GraphError, Init, Level, Op, Padding,
    ParamKind, RunError, Shape, ValueId, Want, Weights, Window,
};

/// A network, and the number of samples it is run on.
struct Case {
    name: &'static str,
    graph: Graph,
    samples: usize,
}

type Built = Result<ValueId, GraphError>;

fn case(
    name: &'static str,
    samples: usize,
    input: Shape,
    build: impl FnOnce(&mut GraphBuilder, ValueId) -> Built,
) -> Case {
    let mut b = GraphBuilder::new(input);
    let x = b.input();
    let y = build(&mut b, x).unwrap();
    Case { name, samples, graph: b.finish(&[y]) }
}

fn window(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2], padding: Padding) -> Window {
    Window { kernel, stride, dilation, padding }
}

/// One case for every operation and every way of it that there is.
fn cases() -> Vec<Case> {
    let image = Shape::new(3, 5, 7);
    let pad = Padding::same;
    let odd = Padding { top: 2, left: -1, bottom: 0, right: 1 };
    let windows = [
        ("3x3", Window::square(3)),
        ("3x3, stride 2", Window::square(3).stride(2)),
        ("1x1, stride 2", Window::square(1).stride(2)),
        ("2x2, stride 3", window([2, 2], [3, 3], [1, 1], pad(0))),
        ("1x5 on rows", window([1, 5], [1, 2], [1, 1], pad(2))),
        ("dilated by 2, stride 2", window([3, 3], [2, 2], [2, 2], pad(2))),
        ("dilated by 3, stride 2", window([3, 2], [2, 1], [3, 3], pad(4))),
        ("dilated beyond the image", window([3, 3], [1, 1], [8, 8], pad(8))),
        ("uneven and negative padding", window([3, 3], [1, 1], [1, 1], odd)),
        (
            "negative padding, stride 2",
            Window::square(1).stride(2).padding(Padding { top: -1, left: -1, bottom: 1, right: 1 }),
        ),
    ];
    let mut cases = Vec::new();
    for (name, window) in windows {
        cases.push(case(name, 17, image, |b, x| {
            let x = b.conv2d("dense", x, Conv::new(6, window).with_bias())?;
            let x = b.relu("relu", x)?;
            b.conv2d("point", x, Conv::new(2, Window::square(1)))
        }));
        cases.push(case(name, 15, Shape::new(4, 5, 7), |b, x| {
            let x = b.conv2d("first", x, Conv::new(4, Window::square(1)))?;
            let y = b.conv2d("groups", x, Conv { groups: 2, ..Conv::new(6, window) })?;
            let z = b.conv2d("depthwise", x, Conv::depthwise(4, window))?;
            let y = b.concat(&[y, z])?;
            b.conv2d("last", y, Conv { groups: 2, ..Conv::new(2, Window::square(1)) }.with_bias())
        }));
    }
    for (name, affine) in [("batch norm", false), ("affine batch norm", true)] {
        cases.push(case(name, 17, image, |b, x| {
            let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
            let x = b.batch_norm("b", x, affine)?;
            let x = b.relu("c", x)?;
            let y = b.conv2d("d", x, Conv::new(4, Window::square(3)))?;
            let y = b.batch_norm("e", y, affine)?;
            let y = b.add(&[x, y])?;
            let y = b.batch_norm("f", y, affine)?;
            b.conv2d("g", y, Conv::new(2, Window::square(1)))
        }));
    }
    cases.push(case("normalised input, normalised activation", 15, image, |b, x| {
        let x = b.batch_norm("a", x, true)?;
        let x = b.act("b", x, Activation::Silu)?;
        let x = b.batch_norm("c", x, true)?;
        let y = b.batch_norm("d", x, false)?;
        let y = b.act("e", y, Activation::Gelu)?;
        b.conv2d("f", y, Conv::new(3, Window::square(3)))
    }));
    for (name, act) in [
        ("ReLU", Activation::Relu),
        ("ReLU6", Activation::Relu6),
        ("SiLU", Activation::Silu),
        ("GELU", Activation::Gelu),
        ("hard-swish", Activation::HardSwish),
        ("sigmoid", Activation::Sigmoid),
        ("hard-sigmoid", Activation::HardSigmoid),
    ] {
        cases.push(case(name, 15, image, |b, x| {
            let x = b.conv2d("a", x, Conv::new(5, Window::square(3)).with_bias())?;
            let y = b.act("b", x, act)?;
            let z = b.conv2d("c", y, Conv::new(5, Window::square(3)))?;
            let z = b.batch_norm("d", z, true)?;
            let z = b.act("e", z, act)?;
            // An activation of an activation, and one that is returned.
            let z = b.act("f", z, Activation::Silu)?;
            let z = b.add(&[y, z])?;
            b.act("g", z, act)
        }));
    }
    for (name, window) in [
        ("pools 3x3", Window::square(3)),
        ("pools 3x3, stride 2", Window::square(3).stride(2)),
        ("pools 2x2, stride 2", window([2, 2], [2, 2], [1, 1], pad(0))),
        (
            "pools, uneven padding",
            window([3, 2], [1, 2], [1, 1], Padding { top: 1, left: 0, bottom: 2, right: 1 }),
        ),
    ] {
        cases.push(case(name, 17, image, |b, x| {
            let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
            let x = b.act("b", x, Activation::Silu)?;
            let max = b.max_pool("c", x, window)?;
            let mean = b.avg_pool("d", x, window, false)?;
            let padded = b.avg_pool("e", x, window, true)?;
            let y = b.concat(&[max, mean, padded])?;
            b.conv2d("f", y, Conv::new(2, Window::square(1)))
        }));
    }
    cases.push(case("products, squeeze and excitation", 15, image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(4, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.act("c", x, Activation::Silu)?;
        let gate = b.global_avg_pool("d", x)?;
        let gate = b.linear("e", gate, 2, true)?;
        let gate = b.relu("f", gate)?;
        let gate = b.linear("g", gate, 4, true)?;
        let gate = b.act("h", gate, Activation::HardSwish)?;
        let y = b.mul(x, gate)?;
        let y = b.mul(y, x)?;
        b.mul(y, y)
    }));
    cases.push(case("sums, parts and zeros", 17, image, |b, x| {
        let x = b.conv2d("a", x, Conv::new(6, Window::square(3)))?;
        let zero = b.zero(Shape::new(2, 5, 7));
        let first = b.slice(x, 0, 2)?;
        let middle = b.slice(x, 1, 4)?;
        let y = b.concat(&[first, zero, middle])?;
        let y = b.add(&[y, y, y])?;
        let y = b.batch_norm("b", y, true)?;
        let dead = b.conv2d("dead", zero, Conv::new(2, Window::square(3)))?;
        let dead = b.batch_norm("dead norm", dead, true)?;
        let y = b.concat(&[y, dead])?;
        b.linear("c", y, 2, true)
    }));
    cases.push(case("a single pixel", 40, Shape::new(1, 1, 1), |b, x| {
        let x = b.conv2d("a", x, Conv::new(1, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.relu("c", x)?;
        let x = b.conv2d("d", x, Conv::new(3, Window::square(3).stride(2)))?;
        let x = b.avg_pool("e", x, Window::square(3), false)?;
        b.linear("f", x, 2, true)
    }));
    cases.push(case("a single sample", 1, Shape::new(2, 9, 6), |b, x| {
        let x = b.conv2d("a", x, Conv::new(5, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let y = b.relu("c", x)?;
        let y = b.conv2d("d", y, Conv::new(7, Window::square(3).stride(2)))?;
        let y = b.batch_norm("e", y, true)?;
        let y = b.relu("f", y)?;
        let y = b.global_avg_pool("g", y)?;
        b.linear("h", y, 3, true)
    }));
    cases
}

/// Numbers between -1 and 1 with 20 bits after the point, so that single precision holds them, and
/// them with a [`STEP`] added, exactly.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 43) as f64 / f64::from(1 << 20) - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The step of differences.
const STEP: f64 = 1.0 / (1 << 17) as f64;

fn batch<E: Element>(case: &Case, numbers: &[f64]) -> Batch<E> {
    let numbers: Vec<f32> = numbers.iter().map(|x| *x as f32).collect();
    Batch::from_nchw(case.samples, case.graph.shape(case.graph.input()), &numbers).unwrap()
}

/// Weights near PyTorch's default, with normalisations and biases that are not 1 and 0.
fn weights<E: Element>(graph: &Graph) -> ParamSet<E> {
    let draw = Draw { init: Init::PyTorch, seed: 3, repeat: 0, network: None };
    let mut weights = ParamSet::load(graph, Weights::Drawn(draw)).unwrap();
    let change = direction::<E>(graph, 7);
    for id in ids(graph) {
        for (w, d) in weights.get_mut(id).iter_mut().zip(change.get(id)) {
            *w = *w + *d * E::from_f64(0.2);
        }
    }
    weights
}

fn ids(graph: &Graph) -> Vec<swapnas_graph::ParamId> {
    let mut ids: Vec<_> = graph.nodes().iter().flat_map(|node| node.op.params()).collect();
    ids.sort_unstable();
    ids
}

fn direction<E: Element>(graph: &Graph, seed: u64) -> ParamSet<E> {
    let mut direction = ParamSet::zeros(graph);
    for id in ids(graph) {
        let numbers = direction.get_mut(id);
        for (x, noise) in numbers.iter_mut().zip(noise(graph.param(id).len(), seed + id.index() as u64)) {
            *x = E::from_f64(noise);
        }
    }
    direction
}

fn moved(weights: &ParamSet<f64>, along: &ParamSet<f64>, graph: &Graph, step: f64) -> ParamSet<f64> {
    let mut moved = weights.clone();
    for id in ids(graph) {
        for (w, d) in moved.get_mut(id).iter_mut().zip(along.get(id)) {
            *w += step * d;
        }
    }
    moved
}

/// Runs forward and backward: the loss is a cross entropy over the elements of the output.
fn run<E: Element>(
    case: &Case,
    level: Level,
    parallel: bool,
    batch: &Batch<E>,
    weights: &ParamSet<E>,
    statistics: Statistics,
) -> Gradients<E> {
    let tape = Tape::new(case.graph.clone(), &Want::default());
    let mut engine = Differentiator::new(level).parallel(parallel);
    let mut pass = engine.forward(&tape, batch, weights, statistics).unwrap();
    let output = case.graph.outputs()[0];
    let kept = !matches!(case.graph.node(output).op, Op::Act(_));
    let products = if kept { vec![output] } else { Vec::new() };
    let wanted = Wanted { params: Elements::All, values: vec![case.graph.input()], products };
    pass.backward(Loss::CrossEntropy(&labels(case)), &wanted).unwrap()
}

fn labels(case: &Case) -> Vec<usize> {
    let classes = case.graph.shape(case.graph.outputs()[0]).elements();
    (0..case.samples).map(|sample| sample * 5 % classes).collect()
}

fn images(case: &Case) -> Vec<f64> {
    noise(case.samples * case.graph.shape(case.graph.input()).elements(), 11)
}

fn dot<E: Element>(a: &ParamSet<E>, b: &ParamSet<E>) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

#[track_caller]
fn assert_close(name: &str, what: &str, found: f64, expected: f64, tolerance: f64) {
    let scale = expected.abs().max(1e-3);
    assert!((found - expected).abs() <= tolerance * scale, "{name}: {what} is {found}, not {expected}");
}

const ALL: [Statistics; 3] = [Statistics::Batch, Statistics::Sample, Statistics::None];

#[test]
fn gradients_are_those_of_central_differences() {
    for case in cases() {
        let (images, weights) = (images(&case), weights::<f64>(&case.graph));
        for statistics in ALL {
            let at = |images: &[f64], weights: &ParamSet<f64>| {
                run(&case, Level::best(), false, &batch(&case, images), weights, statistics)
            };
            let gradients = at(&images, &weights);
            for seed in [100, 200] {
                let along = direction(&case.graph, seed);
                let loss = |step| at(&images, &moved(&weights, &along, &case.graph, step)).loss;
                let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                assert_close(case.name, "slope of weights", dot(&gradients.params, &along), slope, 1e-6);
            }
            // Single pixels: a corner, and some others of other samples.
            for place in [0, images.len() / 3, images.len() - 1] {
                let loss = |step| {
                    let mut images = images.clone();
                    images[place] += step;
                    at(&images, &weights).loss
                };
                let slope = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
                assert_close(case.name, "slope of a pixel", gradients.values[0][place], slope, 1e-5);
            }
        }
    }
}

#[test]
fn single_weights_have_the_gradients_of_central_differences() {
    for case in cases() {
        let (images, weights) = (images(&case), weights::<f64>(&case.graph));
        let at = |weights: &ParamSet<f64>| {
            run(&case, Level::best(), false, &batch(&case, &images), weights, Statistics::Batch)
        };
        let gradients = at(&weights).params;
        for id in ids(&case.graph) {
            let len = case.graph.param(id).len();
            for element in [0, len / 2, len - 1] {
                let loss = |step: f64| {
                    let mut weights = weights.clone();
                    weights.get_mut(id)[element] += step;
                    at(&weights).loss
                };
                let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                let name = &case.graph.param(id).name;
                assert_close(case.name, name, gradients.get(id)[element], slope, 1e-6);
            }
        }
    }
}

#[test]
fn hessian_products_are_differences_of_gradients() {
    for case in cases() {
        let batch = batch::<f64>(&case, &images(&case));
        let (weights, along) = (weights::<f64>(&case.graph), direction(&case.graph, 300));
        let labels = labels(&case);
        for statistics in ALL {
            let tape = Tape::new(case.graph.clone(), &Want::default());
            let mut engine = Differentiator::new(Level::best());
            let mut pass = engine.forward(&tape, &batch, &weights, statistics).unwrap();
            let product = pass.hessian_product(Loss::CrossEntropy(&labels), &along).unwrap();
            let form = pass.hessian_form(Loss::CrossEntropy(&labels), &along).unwrap();
            let layers = ids(&case.graph).into_iter().filter(|id| {
                matches!(case.graph.param(*id).kind, ParamKind::ConvWeight | ParamKind::LinearWeight)
            });
            let products = layers.flat_map(|id| weights.get(id).iter().zip(product.get(id)));
            let expected = products.map(|(w, h)| w * h).sum();
            assert_close(case.name, "form", form, expected, 1e-10);
            let gradient = |step| {
                let weights = moved(&weights, &along, &case.graph, step);
                run(&case, Level::best(), false, &batch, &weights, statistics).params
            };
            // A small step, since no ReLU may pass its kink on the way.
            let (after, before) = (gradient(1e-6), gradient(-1e-6));
            for id in ids(&case.graph) {
                let differences = after.get(id).iter().zip(before.get(id)).map(|(a, b)| (a - b) / 2e-6);
                for (found, expected) in product.get(id).iter().zip(differences) {
                    assert_close(case.name, &case.graph.param(id).name, *found, expected, 1e-5);
                }
            }
        }
    }
}

#[test]
fn gradients_of_samples_sum_up_to_that_of_the_batch() {
    for case in cases() {
        let batch = batch::<f64>(&case, &images(&case));
        let weights = weights::<f64>(&case.graph);
        for statistics in ALL {
            let expected = run(&case, Level::best(), false, &batch, &weights, statistics).params;
            let tape = Tape::new(case.graph.clone(), &Want::default());
            let mut engine = Differentiator::new(Level::best());
            let mut pass = engine.forward(&tape, &batch, &weights, statistics).unwrap();
            let labels = labels(&case);
            let mut visited = 0;
            let by_sample =
                pass.backward_by_sample(Loss::CrossEntropy(&labels), &Wanted::params(), |id, gradients| {
                    visited += 1;
                    assert_eq!(gradients.samples(), case.samples);
                    for (element, expected) in expected.get(id).iter().enumerate() {
                        let sum = (0..case.samples).map(|sample| gradients.get(sample, element)).sum();
                        assert_close(case.name, &case.graph.param(id).name, sum, *expected, 1e-10);
                    }
                });
            assert!(visited > 0);
            for (found, expected) in by_sample.unwrap().params.iter().zip(expected.iter()) {
                for (found, expected) in found.iter().zip(expected) {
                    assert_close(case.name, "sum", *found, *expected, 1e-10);
                }
            }
        }
    }
}

/// With statistics of each sample, a sample's gradient is that of a batch which has nothing else.
#[test]
fn statistics_of_samples_are_those_of_batches_of_one() {
    for case in cases() {
        let (images, weights) = (images(&case), weights::<f64>(&case.graph));
        let batch = batch::<f64>(&case, &images);
        let tape = Tape::new(case.graph.clone(), &Want::default());
        let mut engine = Differentiator::new(Level::best());
        let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Sample).unwrap();
        let mut found = vec![ParamSet::<f64>::zeros(&case.graph); case.samples];
        let labels = labels(&case);
        pass.backward_by_sample(Loss::CrossEntropy(&labels), &Wanted::params(), |id, gradients| {
            for (sample, found) in found.iter_mut().enumerate() {
                for (element, x) in found.get_mut(id).iter_mut().enumerate() {
                    *x = gradients.get(sample, element);
                }
            }
        })
        .unwrap();
        drop(pass);
        let size = images.len() / case.samples;
        for sample in [0, case.samples / 2, case.samples - 1] {
            let numbers: Vec<f32> = images[sample * size..][..size].iter().map(|x| *x as f32).collect();
            let alone = Batch::from_nchw(1, batch.shape(), &numbers).unwrap();
            let mut pass = engine.forward(&tape, &alone, &weights, Statistics::Batch).unwrap();
            let loss = Loss::CrossEntropy(&labels[sample..=sample]);
            let expected = pass.backward(loss, &Wanted::params()).unwrap().params;
            for id in ids(&case.graph) {
                for (found, expected) in found[sample].get(id).iter().zip(expected.get(id)) {
                    let found = found * case.samples as f64;
                    assert_close(case.name, &case.graph.param(id).name, found, *expected, 1e-9);
                }
            }
        }
    }
}

/// The first elements alone have the gradients that they have among all.
#[test]
fn first_elements_have_the_gradients_of_all() {
    for case in cases() {
        let batch = batch::<f32>(&case, &images(&case));
        let weights = weights::<f32>(&case.graph);
        let tape = Tape::new(case.graph.clone(), &Want::default());
        let mut engine = Differentiator::new(Level::best());
        let labels = labels(&case);
        for statistics in ALL {
            let mut pass = engine.forward(&tape, &batch, &weights, statistics).unwrap();
            let mut firsts = |params: Elements| {
                let (mut firsts, mut counts) = (Vec::new(), Vec::new());
                let wanted = Wanted { params, ..Wanted::default() };
                let loss = Loss::CrossEntropy(&labels);
                let found = pass.backward_by_sample(loss, &wanted, |id, gradients| {
                    counts.push(gradients.elements());
                    firsts.extend((0..case.samples).map(|sample| (id, gradients.get(sample, 0))));
                });
                (firsts, counts, found.unwrap().params)
            };
            let (all, counts, batch) = firsts(Elements::All);
            let (first, ones, first_batch) = firsts(Elements::First);
            assert_eq!(first, all, "{}", case.name);
            assert_eq!(ones, vec![1; counts.len()], "{}", case.name);
            for (found, expected) in first_batch.iter().zip(batch.iter()) {
                assert_eq!(found[0], expected[0], "{}", case.name);
                assert!(found[1..].iter().all(|x| *x == 0.0), "{}", case.name);
            }
        }
    }
}

/// Everything that a forward pass, a backward pass and a Hessian product give, as bits.
fn everything(case: &Case, level: Level, parallel: bool) -> Vec<u64> {
    let batch = batch::<f32>(case, &images(case));
    let (weights, along) = (weights::<f32>(&case.graph), direction(&case.graph, 300));
    let tape = Tape::new(case.graph.clone(), &Want::default());
    let mut engine = Differentiator::new(level).parallel(parallel);
    let labels = labels(case);
    let loss = Loss::CrossEntropy(&labels);
    let mut bits = Vec::new();
    for statistics in ALL {
        let gradients = run(case, level, parallel, &batch, &weights, statistics);
        bits.push(gradients.loss.to_bits());
        let numbers = gradients.values.iter().chain(&gradients.products).flatten();
        bits.extend(numbers.map(|x| x.to_bits()));
        bits.extend(gradients.params.iter().flatten().map(|x| u64::from(x.to_bits())));
        let mut pass = engine.forward(&tape, &batch, &weights, statistics).unwrap();
        let product = pass.hessian_product(loss, &along).unwrap();
        bits.extend(product.iter().flatten().map(|x| u64::from(x.to_bits())));
        bits.push(pass.hessian_form(loss, &along).unwrap().to_bits());
        pass.backward_by_sample(loss, &Wanted::params(), |_, gradients| {
            let lanes = gradients.blocks().flatten().flat_map(|lane| lane.0);
            bits.extend(lanes.map(|x| u64::from(x.to_bits())));
        })
        .unwrap();
    }
    bits
}

#[test]
fn bits_are_the_same_at_every_level_and_on_any_number_of_threads() {
    let mut all = cases();
    // Several bands to an image.
    all.push(case("large", 20, Shape::new(3, 40, 40), |b, x| {
        let x = b.conv2d("a", x, Conv::new(16, Window::square(3)))?;
        let x = b.batch_norm("b", x, true)?;
        let x = b.relu("c", x)?;
        let x = b.conv2d("d", x, Conv::new(24, Window::square(3).stride(2)))?;
        let x = b.batch_norm("e", x, true)?;
        let x = b.relu("f", x)?;
        let x = b.global_avg_pool("g", x)?;
        b.linear("h", x, 10, true)
    }));
    for case in all {
        let expected = everything(&case, Level::PORTABLE, false);
        for level in Level::available() {
            assert!(everything(&case, level, false) == expected, "{} at level {level}", case.name);
        }
        assert!(everything(&case, Level::best(), true) == expected, "{} on several threads", case.name);
    }
}

/// The same memory is used for one network after another, large or small.
#[test]
fn what_was_run_before_does_not_matter() {
    let cases = cases();
    let mut engine = Differentiator::<f32>::new(Level::best());
    for case in cases.iter().chain(cases.iter().rev()) {
        let batch = batch(case, &images(case));
        let weights = weights(&case.graph);
        let tape = Tape::new(case.graph.clone(), &Want::default());
        let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Batch).unwrap();
        let found = pass.backward(Loss::CrossEntropy(&labels(case)), &Wanted::params()).unwrap();
        let expected = run(case, Level::best(), false, &batch, &weights, Statistics::Batch);
        assert_eq!(found.params, expected.params, "{}", case.name);
    }
}

#[test]
fn a_loss_can_be_taken_of_any_kept_value() {
    let mut b = GraphBuilder::new(Shape::new(2, 4, 4));
    let x = b.input();
    let y = b.conv2d("a", x, Conv::new(3, Window::square(3))).unwrap();
    let y = b.batch_norm("b", y, true).unwrap();
    let y = b.relu("c", y).unwrap();
    let z = b.conv2d("d", y, Conv::new(2, Window::square(3))).unwrap();
    let case = Case { name: "kept", graph: b.finish(&[z]), samples: 3 };
    let tape = Tape::new(case.graph.clone(), &Want { signs: false, values: vec![y] });
    let (batch, weights) = (batch::<f64>(&case, &images(&case)), weights::<f64>(&case.graph));
    let mut engine = Differentiator::new(Level::best());
    let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Batch).unwrap();
    // The gradient of the sum of the outputs with respect to y, put in for y, gives that of x.
    let whole = pass.backward(Loss::Sum, &Wanted { values: vec![y, x], ..Wanted::default() }).unwrap();
    let loss = Loss::Product { value: y, gradient: &whole.values[0] };
    let part = pass.backward(loss, &Wanted::value(x)).unwrap();
    for (found, expected) in part.values[0].iter().zip(&whole.values[1]) {
        assert_close("kept", "gradient", *found, *expected, 1e-12);
    }
    let numbers = pass.value(y).unwrap();
    let product: f64 = numbers.iter().zip(&whole.values[0]).map(|(y, g)| y * g).sum();
    assert_close("kept", "loss", part.loss, product, 1e-12);
    // All samples together are the sum over each.
    let sums: f64 = (0..3).map(|i| pass.backward(Loss::SumOf(i), &Wanted::default()).unwrap().loss).sum();
    assert_close("kept", "sum", sums, whole.loss, 1e-12);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let case = cases().into_iter().find(|case| case.name == "a single sample").unwrap();
    let tape = Tape::new(case.graph.clone(), &Want::default());
    let (batch, weights) = (batch::<f64>(&case, &images(&case)), weights::<f64>(&case.graph));
    let mut engine = Differentiator::new(Level::best());
    let small = Batch::from_nchw(1, Shape::new(2, 3, 3), &[0.0; 18]).unwrap();
    let wrong = engine.forward(&tape, &small, &weights, Statistics::Batch);
    assert!(matches!(wrong.err(), Some(RunError::InputShape { .. })));
    let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Batch).unwrap();
    let mut error = |loss, wanted| pass.backward(loss, &wanted).unwrap_err().to_string();
    let message = error(Loss::CrossEntropy(&[0, 1]), Wanted::params());
    assert_eq!(message, "the batch has 1 samples, but there are 2 labels; give one label per sample");
    let message = error(Loss::CrossEntropy(&[3]), Wanted::params());
    assert_eq!(message, "label 3 of sample 0 names none of the 3 classes, which count from 0");
    let message = error(Loss::SumOf(1), Wanted::params());
    assert_eq!(message, "the batch has 1 samples, counted from 0, so there is no sample 1");
    let relu = case.graph.relu_values()[0];
    let kept = error(Loss::Sum, Wanted::value(relu));
    assert!(kept.starts_with("value 3 is not kept by the tape"), "{kept}");
    let wrong = Loss::Product { value: relu, gradient: &[0.0] };
    assert!(matches!(pass.backward(wrong, &Wanted::params()), Err(GradError::GradientSize { .. })));
}

#[test]
fn of_nothing_there_is_no_gradient() {
    let run = |samples: usize, shape: Shape| -> Result<f64, GradError> {
        let mut b = GraphBuilder::new(shape);
        let y = b.relu("relu", b.input()).unwrap();
        let tape = Tape::new(b.finish(&[y]), &Want::default());
        let batch = Batch::<f64>::from_nchw(samples, shape, &vec![1.0; samples * shape.elements()]).unwrap();
        let weights = weights::<f64>(tape.graph());
        let mut engine = Differentiator::new(Level::best());
        let mut pass = engine.forward(&tape, &batch, &weights, Statistics::Batch)?;
        Ok(pass.backward(Loss::Sum, &Wanted::params())?.loss)
    };
    assert_eq!(run(2, Shape::new(3, 1, 4)).unwrap(), 24.0);
    assert!(matches!(run(0, Shape::new(3, 1, 4)), Err(GradError::Run(RunError::NoSamples))));
    for shape in [Shape::new(3, 0, 4), Shape::new(0, 1, 4)] {
        assert!(matches!(run(2, shape), Err(GradError::NoElements { shape: of }) if of == shape));
    }
    let message = run(2, Shape::new(3, 0, 4)).unwrap_err().to_string();
    assert_eq!(
        message,
        "the loss is of a value of shape 3x0x4, which has no elements; give images with pixels"
    );
}
