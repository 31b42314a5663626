//! Networks that share weights have, through one cache, the bits that they have alone.

use proptest::prelude::*;
use swapnas_graph::{Executor, Graph, Level, Plan, Shape, ValueCache, Want, Weights};

use crate::executor::{DOUBLE, Keep, Truth, all_values, outputs};
use crate::numbers::Numbers;
use crate::random::{Choice, network};

/// Networks that begin alike: their nodes have the same names, so that they share weights and values.
fn families() -> impl Strategy<Value = Vec<Graph>> {
    let nodes = |count| proptest::collection::vec((any::<usize>(), any::<Choice>()), count);
    let outputs = proptest::collection::vec(any::<usize>(), 0..2);
    let members = proptest::collection::vec((0..8_usize, nodes(0..5), outputs), 2..5);
    let sides = (1..=4_usize, 1..=6_usize, 1..=6_usize);
    (sides, nodes(3..8), members).prop_map(|((channels, height, width), stem, members)| {
        let member = |(kept, own, outputs): (usize, Vec<(usize, Choice)>, Vec<usize>)| {
            let nodes = [&stem[..kept.min(stem.len())], &own].concat();
            network(Shape::new(channels, height, width), &nodes, &outputs)
        };
        members.into_iter().map(member).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cache_changes_nothing(
        graphs in families(),
        samples in 1..=18_usize,
        kept in any::<[bool; 5]>(),
        bytes in prop_oneof![Just(0_usize), 0..40_000_usize, Just(1 << 30)],
    ) {
        let plans: Vec<Plan> = graphs
            .iter()
            .zip(kept)
            .map(|(graph, all)| {
                let values = if all { all_values(graph) } else { outputs(graph) };
                Plan::new(graph.clone(), &Want { signs: true, values })
            })
            .collect();
        let mut cache = ValueCache::<f64>::new(bytes);
        let (mut engine, mut alone) = (Executor::new(Level::best()), Executor::new(Level::best()));
        // Twice, as with another draw of weights.
        for _ in 0..2 {
            cache.clear();
            for plan in &plans {
                cache.expect(plan);
            }
            for (graph, plan) in graphs.iter().zip(&plans) {
                let numbers = Numbers::new(graph, samples);
                let (batch, tensors) = (numbers.batch(graph), numbers.tensors(graph));
                let (mut signs, mut signs_alone) = (Keep::default(), Keep::default());
                let weights = Weights::Loaded(&tensors);
                engine.run(plan, &batch, weights, Some(&mut cache), &mut signs).unwrap();
                alone.run(plan, &batch, weights, None, &mut signs_alone).unwrap();
                prop_assert!(signs.0 == signs_alone.0, "signs");
                for value in outputs(graph) {
                    let [found, expected] = [&engine, &alone].map(|of| of.value(plan, &batch, value).unwrap());
                    let bits = |numbers: Vec<f64>| numbers.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                    prop_assert_eq!(bits(found), bits(expected));
                }
                Truth::new("cached", graph, &numbers).check_signs("cached", &signs, DOUBLE);
            }
        }
    }
}
