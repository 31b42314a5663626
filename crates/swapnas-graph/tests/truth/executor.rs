//! The executor against the interpreter: values and signs.

use std::collections::HashMap;

use swapnas_graph::grad::StatisticsOver;
use swapnas_graph::{Element, Executor, Graph, Level, Observer, Plan, Relu, Signs, ValueId, Want, Weights};

use crate::cases::cases;
use crate::interpreter;
use crate::numbers::{Numbers, Tolerance, assert_close};

/// Rounding of single precision, enlarged by normalisations of nearly equal numbers.
pub(crate) const SINGLE: Tolerance = Tolerance { relative: 2e-5, least: 0.5 };
pub(crate) const DOUBLE: Tolerance = Tolerance { relative: 1e-12, least: 0.5 };

/// The signs of every ReLU that was shown.
#[derive(Default)]
pub(crate) struct Keep(pub(crate) HashMap<ValueId, Vec<Vec<bool>>>);

impl Observer for Keep {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        let mut units = vec![Vec::new(); signs.units()];
        for block in signs.blocks() {
            for (unit, word) in units.iter_mut().zip(block.words) {
                let bits = (0..16).filter(|bit| block.mask >> bit & 1 == 1);
                unit.extend(bits.map(|bit| word >> bit & 1 == 1));
            }
        }
        assert!(self.0.insert(relu.value, units).is_none(), "{relu:?} is shown twice");
    }
}

/// What the interpreter says of a network.
pub(crate) struct Truth<'a> {
    pub(crate) name: &'a str,
    pub(crate) graph: &'a Graph,
    pub(crate) numbers: &'a Numbers,
    pub(crate) values: Vec<Vec<f64>>,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(name: &'a str, graph: &'a Graph, numbers: &'a Numbers) -> Self {
        let (images, weights) = (numbers.images64(), numbers.weights64());
        let values = interpreter::forward(graph, numbers.samples, &images, &weights, StatisticsOver::Batch);
        Truth { name, graph, numbers, values }
    }

    /// Runs the executor for `want` and compares all that it gives. Returns the bits.
    pub(crate) fn check<E: Element>(&self, level: Level, want: &Want, tolerance: Tolerance) -> Vec<u64> {
        let Truth { name, graph, numbers, values } = self;
        let plan = Plan::new((*graph).clone(), want);
        let (mut executor, mut signs) = (Executor::<E>::new(level), Keep::default());
        let (batch, weights) = (numbers.batch(graph), numbers.tensors(graph));
        executor.run(&plan, &batch, Weights::Loaded(&weights), None, &mut signs).unwrap();
        let at = format!("{name}, {} samples, {level}", numbers.samples);
        let mut bits = Vec::new();
        for value in &want.values {
            let found = executor.value(&plan, &batch, *value).unwrap();
            assert_close(&format!("{at}, {value:?}"), &found, &values[value.index()], tolerance);
            bits.extend(found.iter().map(|x| x.to_bits()));
        }
        if want.signs {
            self.check_signs(&at, &signs, tolerance);
        }
        bits
    }

    /// Signs agree, but for numbers that rounding may bring to the other side of zero.
    pub(crate) fn check_signs(&self, at: &str, found: &Keep, tolerance: Tolerance) {
        let expected = interpreter::signs(self.graph, self.numbers.samples, &self.values);
        assert_eq!(found.0.len(), expected.len(), "{at}: ReLUs");
        for (relu, expected) in expected {
            let input = &self.values[self.graph.node(relu).inputs[0].index()];
            let largest = input.iter().fold(tolerance.least, |most, x| most.max(x.abs()));
            let units = expected.len();
            assert_eq!(found.0[&relu].len(), units, "{at}: units of {relu:?}");
            for (unit, (found, expected)) in found.0[&relu].iter().zip(expected).enumerate() {
                assert_eq!(found.len(), expected.len(), "{at}: samples of {relu:?}");
                for (sample, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let x = input[sample * units + unit];
                    let sure = x.abs() > tolerance.relative * largest;
                    assert!(!sure || *found == expected, "{at}: unit {unit} of {relu:?} is {x}");
                }
            }
        }
    }
}

/// A graph's outputs, each once.
pub(crate) fn outputs(graph: &Graph) -> Vec<ValueId> {
    let mut outputs = graph.outputs().to_vec();
    outputs.sort_unstable();
    outputs.dedup();
    outputs
}

/// All values of a graph.
pub(crate) fn all_values(graph: &Graph) -> Vec<ValueId> {
    let read = graph.nodes().iter().flat_map(|node| node.inputs.iter().copied());
    let mut values: Vec<ValueId> = read.chain(graph.outputs().iter().copied()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[test]
fn values_and_signs_are_those_of_the_interpreter_at_every_level() {
    for case in cases() {
        for samples in [1, 15, 16, 17, 33] {
            let numbers = Numbers::new(&case.graph, case.samples(samples));
            let truth = Truth::new(&case.name, &case.graph, &numbers);
            let want = Want { signs: true, values: outputs(&case.graph) };
            let single = truth.check::<f32>(Level::PORTABLE, &want, SINGLE);
            let double = truth.check::<f64>(Level::PORTABLE, &want, DOUBLE);
            for level in Level::available() {
                assert!(truth.check::<f32>(level, &want, SINGLE) == single, "{}, {level}", case.name);
                assert!(truth.check::<f64>(level, &want, DOUBLE) == double, "{}, {level}", case.name);
            }
        }
    }
}

/// What is wanted decides which steps are done together and what is written in place, and must not change
/// a number.
#[test]
fn any_value_can_be_wanted() {
    for case in cases() {
        let numbers = Numbers::new(&case.graph, case.samples(17));
        let truth = Truth::new(&case.name, &case.graph, &numbers);
        let values = all_values(&case.graph);
        let want = Want { signs: true, values: values.clone() };
        truth.check::<f64>(Level::best(), &want, DOUBLE);
        truth.check::<f64>(Level::best(), &Want { signs: true, values: Vec::new() }, DOUBLE);
        for value in values {
            for signs in [false, true] {
                truth.check::<f64>(Level::best(), &Want { signs, values: vec![value] }, DOUBLE);
            }
        }
    }
}
