use swapnas_formats::{onnx, torch};
use swapnas_search::{Candidates, LatencyTable, Limits, Operation};
use swapnas_spaces::{NetworkConfig, Space, spaces};

use super::piece::Surroundings;
use super::{Check, Measured, Operations};
use crate::{Scoring, Searching, sample};

/// The network that a search looks at the latency of, with a few cells where a space has them.
fn small(space: &'static dyn Space) -> NetworkConfig {
    let searching = Searching::new(Scoring::new(space));
    let network = searching.final_network();
    match network.cells {
        None if ["darts", "nb201", "nb301"].contains(&space.name()) => {
            NetworkConfig { cells: Some(3), ..network }
        }
        _ => network,
    }
}

/// All spaces, but those that differ in sizes alone.
fn all() -> impl Iterator<Item = &'static dyn Space> {
    let larger = ["autoformer-small", "autoformer-base"];
    spaces().iter().copied().filter(move |space| !larger.contains(&space.name()))
}

fn table(operations: &Operations) -> LatencyTable {
    let mut table = LatencyTable::default();
    for operation in operations.iter() {
        table.insert(operation, 1.0).unwrap();
    }
    table
}

/// Whatever a search comes by has a latency: what is drawn, and what becomes of it by steps.
#[test]
fn a_table_is_whole_for_every_network_of_a_space() {
    for space in all() {
        let network = small(space);
        let operations = Operations::of(space, &network, 0).unwrap();
        assert!(!operations.is_empty() && operations.measurements() >= operations.len());
        let limits = Limits { max_latency: Some(1e9), ..Limits::default() };
        let mut candidates = Candidates::new(space, network, limits, Some(table(&operations)), 1).unwrap();
        for _ in 0..10 {
            let mut arch = candidates.sample().unwrap_or_else(|error| panic!("{}: {error}", space.name()));
            for _ in 0..10 {
                arch = candidates.mutate(&arch).unwrap_or_else(|error| panic!("{}: {error}", space.name()));
            }
        }
    }
}

#[test]
fn a_table_is_read_as_it_was_measured() {
    let mut table = LatencyTable::default();
    let operation = |op: &str| Operation { op: op.to_owned(), input: "8x32x32".to_owned() };
    table.insert(&operation("relu"), 0.1 + 0.2).unwrap();
    table.insert(&operation("add"), 1e-9).unwrap();
    let csv = table.to_csv().unwrap();
    assert_eq!(LatencyTable::read_from("times.csv".as_ref(), &csv[..]).unwrap(), table);
    assert_eq!(table.len(), 2);
    let error = table.insert(&operation("relu"), -1.0).unwrap_err();
    insta::assert_snapshot!(error, @"relu,8x32x32: -1 are no milliseconds");
}

/// Every operation is in its piece once more than without it, and both can be written for either runtime.
#[test]
fn every_operation_makes_networks_that_can_be_written() {
    for space in all() {
        let network = small(space);
        for arch in sample(space, 2, 0) {
            let graph = space.network(&arch, &network).unwrap();
            let surroundings = Surroundings::of(&graph);
            for (value, node) in graph.values() {
                let Some(operation) = Operation::of(&graph, node) else { continue };
                let what = format!("{}: {operation}", space.name());
                let piece = surroundings.piece(value).unwrap_or_else(|error| panic!("{what}: {error}"));
                let Some(piece) = piece else { continue };
                let count = |graph: &swapnas_graph::Graph| {
                    let same = |node| Operation::of(graph, node).as_ref() == Some(&operation);
                    graph.nodes().iter().filter(|node| same(node)).count()
                };
                assert!(count(&piece.with) > count(&piece.without) || space.vocabulary().is_some(), "{what}");
                for graph in [&piece.with, &piece.without] {
                    onnx::check(graph).unwrap_or_else(|error| panic!("{what}: {error}"));
                    torch::module(graph, "").unwrap_or_else(|error| panic!("{what}: {error}"));
                }
            }
        }
    }
}

#[test]
fn what_a_table_predicts_is_compared_with_what_was_measured() {
    let arch = sample(spaces()[0], 1, 0).remove(0);
    let check = |measured, predicted| Check { arch: arch.clone(), measured, predicted };
    let measured =
        |checks| Measured { table: LatencyTable::default(), scale: 1.0, runtime: "none".to_owned(), checks };
    let none = measured(Vec::new());
    assert_eq!((none.median_error(), none.spearman()), (None, None));
    let three = measured(vec![check(1.0, 1.5), check(2.0, 1.9), check(4.0, 4.0)]);
    assert!((three.median_error().unwrap() - 0.05).abs() < 1e-9);
    assert_eq!(three.spearman(), Some(1.0));
    let two = measured(vec![check(2.0, 1.0), check(1.0, 1.0)]);
    assert_eq!(two.median_error(), Some(0.25));
}
