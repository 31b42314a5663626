//! The differentiator against the chain rule on the interpreter's numbers: values, gradients of weights,
//! values and samples, Hessian-vector products.

use swapnas_graph::grad::{Differentiator, Elements, GradientPlan, Loss, StatisticsOver, Wanted};
use swapnas_graph::{Element, Graph, Level, Op, ParamId, ParamKind, ValueId, Want};

use crate::cases::cases;
use crate::dual::Dual;
use crate::executor::{all_values, outputs};
use crate::interpreter::{self, Number};
use crate::numbers::{Numbers, Tolerance, assert_close, direction, noise, param_set};
use crate::reverse::{self, Gradients};

pub(crate) const ALL: [StatisticsOver; 3] =
    [StatisticsOver::Batch, StatisticsOver::Sample, StatisticsOver::None];

pub(crate) const DOUBLE: Tolerance = Tolerance { relative: 1e-9, least: 0.1 };
/// Gradients through several normalisations lose some digits.
const SINGLE: Tolerance = Tolerance { relative: 1e-3, least: 1e-2 };

/// The parameters that a graph reads.
pub(crate) fn params(graph: &Graph) -> Vec<ParamId> {
    let mut ids: Vec<ParamId> = graph.nodes().iter().flat_map(|node| node.op.params()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn doubles<E: Element>(numbers: &[E]) -> Vec<f64> {
    numbers.iter().map(|x| x.to_f64()).collect()
}

/// For each sample and channel the sum over the pixels of a value times its gradient.
fn products(graph: &Graph, value: ValueId, numbers: &[f64], gradient: &[f64]) -> Vec<f64> {
    let pixels = graph.shape(value).pixels();
    let images = numbers.chunks(pixels).zip(gradient.chunks(pixels));
    images.map(|(x, g)| x.iter().zip(g).map(|(x, g)| x * g).sum()).collect()
}

/// What the interpreter says.
pub(crate) struct Truth<'a> {
    name: &'a str,
    graph: &'a Graph,
    numbers: &'a Numbers,
    statistics: StatisticsOver,
    labels: Vec<usize>,
    values: Vec<Vec<f64>>,
    /// Of the cross entropy of the first output, and its gradients.
    loss: f64,
    gradients: Gradients<f64>,
    /// The Hessian of the same times [`direction`], by parameter.
    hessian: Vec<Vec<f64>>,
    direction: Vec<Vec<f32>>,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(
        name: &'a str,
        graph: &'a Graph,
        numbers: &'a Numbers,
        statistics: StatisticsOver,
    ) -> Self {
        let (samples, images, weights) = (numbers.samples, numbers.images64(), numbers.weights64());
        let (labels, output) = (numbers.labels(graph), graph.outputs()[0]);
        let values = interpreter::forward(graph, samples, &images, &weights, statistics);
        let (loss, gradient) = reverse::cross_entropy(&values[output.index()], &labels);
        let of = (output, gradient);
        let gradients = reverse::backward(graph, samples, &values, &weights, statistics, of);

        let direction = direction(graph, 300);
        let dual = |(weights, along): (&Vec<f64>, &Vec<f32>)| {
            weights.iter().zip(along).map(|(w, d)| Dual::new(*w, f64::from(*d))).collect()
        };
        let moving: Vec<Vec<Dual<f64>>> = weights.iter().zip(&direction).map(dual).collect();
        let images: Vec<Dual<f64>> = images.iter().map(|x| Dual::of(*x)).collect();
        let moved = interpreter::forward(graph, samples, &images, &moving, statistics);
        let of = (output, reverse::cross_entropy(&moved[output.index()], &labels).1);
        let moved = reverse::backward(graph, samples, &moved, &moving, statistics, of);
        let hessian =
            (0..weights.len()).map(|p| moved.param(p).iter().map(|x| x.tangent).collect()).collect();
        Truth { name, graph, numbers, statistics, labels, values, loss, gradients, hessian, direction }
    }

    /// Whether rounding brings no unit of an activation to the other side of a kink: none is near to one, but
    /// for those that are just there, and none is there by normalising numbers that are all the same.
    pub(crate) fn is_smooth(&self, distance: f64) -> bool {
        let normalisations = self.graph.nodes().iter().filter(|node| matches!(node.op, Op::BatchNorm(_)));
        for node in normalisations {
            let x = &self.values[node.inputs[0].index()];
            for (_, places) in interpreter::populations(self.numbers.samples, node.shape, self.statistics) {
                let spread = places.iter().map(|place| (x[*place] - x[places[0]]).abs()).fold(0.0, f64::max);
                if spread < distance && places.iter().any(|place| x[*place] != 0.0) {
                    return false;
                }
            }
        }
        self.graph.nodes().iter().filter(|node| matches!(node.op, Op::Act(_))).all(|node| {
            let near = |x: f64, kink: f64| x != kink && (x - kink).abs() < distance;
            let input = &self.values[node.inputs[0].index()];
            input.iter().all(|x| ![-3.0, 0.0, 3.0, 6.0].iter().any(|kink| near(*x, *kink)))
        })
    }

    /// Makes every kind of pass and compares all that it gives.
    pub(crate) fn check<E: Element>(&self, level: Level, tolerance: Tolerance) {
        let Truth { name, graph, numbers, statistics, labels, values, .. } = self;
        let at = format!("{name}, {} samples, {statistics:?}, {level}", numbers.samples);
        let (batch, weights) = (numbers.batch::<E>(graph), param_set::<E>(graph, &numbers.weights));
        let mut engine = Differentiator::<E>::new(level);
        let loss = Loss::CrossEntropy(labels);

        // With what is computed anyway.
        let plan = GradientPlan::new((*graph).clone(), &Want::default());
        let mut pass = engine.forward(&plan, &batch, &weights, *statistics).unwrap();
        for value in outputs(graph) {
            let found = pass.value(value).unwrap();
            assert_close(&format!("{at}, {value:?}"), &found, &values[value.index()], tolerance);
        }
        let wanted = Wanted { params: Elements::All, values: vec![graph.input()], products: Vec::new() };
        let mut seen = Vec::new();
        let found = pass.backward_by_sample(loss, &wanted, |id, by_sample| {
            seen.push(id);
            for (sample, expected) in self.gradients.params[id.index()].iter().enumerate() {
                let found: Vec<f64> = (0..by_sample.elements())
                    .map(|element| by_sample.get(sample, element).to_f64())
                    .collect();
                let what = format!("{at}, gradient of {}, sample {sample}", graph.param(id).name);
                assert_close(&what, &found, expected, tolerance);
            }
        });
        self.check_gradients(&at, &found.unwrap(), &wanted, tolerance);
        for id in params(graph) {
            let silent = self.gradients.params[id.index()].iter().flatten().all(|g| *g == 0.0);
            assert!(silent || seen.contains(&id), "{at}: no gradients of {}", graph.param(id).name);
        }
        let along = param_set::<E>(graph, &self.direction);
        let found = pass.hessian_product(loss, &along).unwrap();
        let mut form = 0.0;
        for id in params(graph) {
            let param = graph.param(id);
            let what = format!("{at}, Hessian product of {}", param.name);
            let expected = &self.hessian[id.index()];
            // Where a normalisation leaves none of them, there are larger terms that cancel.
            let of_sums = Tolerance { least: DOUBLE.least, ..tolerance };
            assert_close(&what, &doubles(found.get(id)), expected, of_sums);
            if matches!(param.kind, ParamKind::ConvWeight | ParamKind::LinearWeight) {
                let weights = &numbers.weights[id.index()];
                form += weights.iter().zip(expected).map(|(w, h)| f64::from(*w) * h).sum::<f64>();
            }
        }
        let found = pass.hessian_form(loss, &along).unwrap();
        assert_close(&format!("{at}, Hessian form"), &[found], &[form], tolerance);
        drop(pass);

        // With every value kept.
        let kept = all_values(graph);
        let plan = GradientPlan::new((*graph).clone(), &Want { signs: false, values: kept.clone() });
        let mut pass = engine.forward(&plan, &batch, &weights, *statistics).unwrap();
        for value in &kept {
            let found = pass.value(*value).unwrap();
            assert_close(&format!("{at}, kept {value:?}"), &found, &values[value.index()], tolerance);
        }
        let wanted = Wanted { params: Elements::All, values: kept.clone(), products: kept };
        let found = pass.backward(loss, &wanted).unwrap();
        self.check_gradients(&format!("{at}, with values kept"), &found, &wanted, tolerance);
    }

    fn check_gradients<E: Element>(
        &self,
        at: &str,
        found: &swapnas_graph::grad::Gradients<E>,
        wanted: &Wanted,
        tolerance: Tolerance,
    ) {
        assert_close(&format!("{at}, loss"), &[found.loss], &[self.loss], tolerance);
        for id in params(self.graph) {
            let what = format!("{at}, gradient of {}", self.graph.param(id).name);
            let expected = self.gradients.param(id.index());
            assert_close(&what, &doubles(found.params.get(id)), &expected, tolerance);
        }
        for (value, found) in wanted.values.iter().zip(&found.values) {
            let what = format!("{at}, gradient of {value:?}");
            assert_close(&what, found, &self.gradients.values[value.index()], tolerance);
        }
        for (value, found) in wanted.products.iter().zip(&found.products) {
            let (numbers, gradient) = (&self.values[value.index()], &self.gradients.values[value.index()]);
            let expected = products(self.graph, *value, numbers, gradient);
            assert_close(&format!("{at}, products of {value:?}"), found, &expected, tolerance);
        }
    }
}

#[test]
fn gradients_are_those_of_the_chain_rule_at_every_level() {
    for case in cases() {
        for (samples, statistics) in
            [(17, StatisticsOver::Batch), (3, StatisticsOver::Batch), (2, StatisticsOver::Sample)]
        {
            let numbers = Numbers::new(&case.graph, case.samples(samples));
            let truth = Truth::new(&case.name, &case.graph, &numbers, statistics);
            if samples == 17 {
                truth.check::<f64>(Level::best(), DOUBLE);
                // Single precision has the same bits at other levels, as is tested elsewhere.
                truth.check::<f32>(Level::best(), SINGLE);
            } else {
                for level in Level::available() {
                    truth.check::<f64>(level, DOUBLE);
                }
            }
        }
    }
}

#[test]
fn gradients_are_right_for_batches_of_any_size() {
    for case in cases() {
        for (samples, statistics) in [
            (1, StatisticsOver::Batch),
            (15, StatisticsOver::None),
            (16, StatisticsOver::Sample),
            (33, StatisticsOver::Batch),
        ] {
            let numbers = Numbers::new(&case.graph, case.samples(samples));
            let truth = Truth::new(&case.name, &case.graph, &numbers, statistics);
            truth.check::<f64>(Level::best(), DOUBLE);
        }
    }
}

/// Sums over all, over one sample, and products of any value with given numbers.
#[test]
fn other_losses_have_the_gradients_of_the_chain_rule() {
    for case in cases() {
        let (graph, samples) = (&case.graph, case.samples(2));
        let numbers = Numbers::new(graph, samples);
        let (images, weights) = (numbers.images64(), numbers.weights64());
        let batch = numbers.batch::<f64>(graph);
        let param_set = param_set::<f64>(graph, &numbers.weights);
        for statistics in [StatisticsOver::Batch, StatisticsOver::Sample] {
            let values = interpreter::forward(graph, samples, &images, &weights, statistics);
            let plan = GradientPlan::new(graph.clone(), &Want { signs: false, values: all_values(graph) });
            let mut engine = Differentiator::<f64>::new(Level::best());
            let mut pass = engine.forward(&plan, &batch, &param_set, statistics).unwrap();
            let mut check = |what: &str, loss: Loss<'_>, value: ValueId, gradient: Vec<f64>| {
                let what = format!("{}, {statistics:?}, {what} of {value:?}", case.name);
                let wanted = Wanted { values: vec![graph.input()], ..Wanted::params() };
                let found = pass.backward(loss, &wanted).unwrap();
                let numbers = &values[value.index()];
                let expected = numbers.iter().zip(&gradient).map(|(x, g)| x * g).sum();
                assert_close(&what, &[found.loss], &[expected], DOUBLE);
                let of = (value, gradient);
                let expected = reverse::backward(graph, samples, &values, &weights, statistics, of);
                assert_close(&what, &found.values[0], &expected.values[0], DOUBLE);
                for id in params(graph) {
                    assert_close(&what, found.params.get(id), &expected.param(id.index()), DOUBLE);
                }
            };
            let (first, elements) = (graph.outputs()[0], graph.shape(graph.outputs()[0]).elements());
            let ones = vec![1.0; samples * elements];
            check("the sum", Loss::Sum, first, ones.clone());
            let of_sample = |place: usize| if place / elements == 1 { 1.0 } else { 0.0 };
            check("the sum of sample 1", Loss::SumOf(1), first, (0..ones.len()).map(of_sample).collect());
            for value in all_values(graph) {
                let gradient: Vec<f64> =
                    noise(values[value.index()].len(), 5).into_iter().map(f64::from).collect();
                let loss = Loss::Product { value, gradient: &gradient };
                check("the product", loss, value, gradient.clone());
            }
        }
    }
}
