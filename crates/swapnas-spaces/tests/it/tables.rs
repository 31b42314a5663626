//! Parameters and operations of the benchmarks' tables, to the digits given, in every row.

use swapnas_graph::Graph;
use swapnas_spaces::{NetworkConfig, Space, by_name};

use crate::reference;

/// The column of that name.
fn column(header: &csv::StringRecord, name: &str) -> usize {
    header.iter().position(|h| h == name).unwrap_or_else(|| panic!("a column {name}"))
}

/// A number that the table writes in millions, as the integer it stands for.
fn millions(text: &str) -> u64 {
    (text.parse::<f64>().unwrap() * 1e6).round() as u64
}

/// Holds every row of a table of NAS-Bench-Suite-Zero against the networks.
fn suite_zero(table: &str, rows: usize, space: &str, encoding: &str, classes: usize, side: usize) {
    let Some(records) = reference::table(table) else { return };
    let space = by_name(space).unwrap();
    let (header, records) = records.split_first().unwrap();
    assert_eq!(records.len(), rows);
    let (arch, params, flops) = (column(header, "arch"), column(header, "params"), column(header, "flops"));
    for record in records {
        let parsed = space.parse(&record[arch]).unwrap();
        assert_eq!(space.print_as(&parsed, encoding).unwrap(), record[arch]);
        let graph = build(space, &parsed, classes, side);
        assert_eq!(graph.parameter_count(), millions(&record[params]), "parameters of {}", &record[arch]);
        assert_eq!(graph.flops().total(), millions(&record[flops]), "operations of {}", &record[arch]);
    }
}

fn build(space: &dyn Space, arch: &swapnas_spaces::Arch, classes: usize, side: usize) -> Graph {
    let default = space.default_network();
    let mut input = default.input;
    (input.height, input.width) = (side, side);
    space.network(arch, &NetworkConfig { input, classes, ..default }).unwrap()
}

#[test]
fn fixtures_nasbench301() {
    suite_zero("nasbench301_cifar10_proxies.csv", 250, "nb301", "naslib", 10, 32);
}

#[test]
fn fixtures_darts() {
    let Some(records) = reference::table("DARTS_archs_CIFAR10.csv") else { return };
    let space = by_name("darts").unwrap();
    assert_eq!(records.len(), 1000);
    for record in &records {
        let arch = space.parse(&record[0]).unwrap();
        assert_eq!(space.print(&arch), record[0]);
        space.network(&arch, &space.default_network()).unwrap();
    }
}

#[test]
fn fixtures_nasbench201() {
    for (data, classes, side) in [("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)] {
        suite_zero(&format!("nasbench201_{data}_proxies.csv"), 245, "nb201", "naslib", classes, side);
    }
    suite_zero("nasbench201_cifar10_13proxies.csv", 500, "nb201", "naslib", 10, 32);
}

#[test]
fn fixtures_nasbench201_strings() {
    let Some(records) = reference::table("nasbench201_test_accuracy_sample.csv") else { return };
    let space = by_name("nb201").unwrap();
    assert_eq!(records.len(), 501);
    for record in &records[1..] {
        assert_eq!(space.print(&space.parse(&record[0]).unwrap()), record[0]);
    }
}

/// The table was made at 256x256 pixels and with NASLib's 63 classes for `class_scene`.
#[test]
fn fixtures_transnas_micro() {
    suite_zero("transnas_micro_proxies.csv", 500, "transnas-micro", "naslib", 63, 256);
}

/// This benchmark counts as operations the multiply-accumulates of convolutions and linear layers.
#[test]
fn fixtures_nasbench_macro() {
    let Some(records) = reference::table("nasbench_macro_cifar10.csv") else { return };
    let space = by_name("nbmacro").unwrap();
    let (header, records) = records.split_first().unwrap();
    assert_eq!(records.len(), 500);
    let (arch, params, flops) = (column(header, "arch"), column(header, "params"), column(header, "flops"));
    for record in records {
        let parsed = space.parse(&record[arch]).unwrap();
        assert_eq!(space.print(&parsed), record[arch]);
        let graph = space.network(&parsed, &space.default_network()).unwrap();
        assert_eq!(graph.parameter_count().to_string(), record[params], "parameters of {}", &record[arch]);
        assert_eq!(graph.macs().to_string(), record[flops], "operations of {}", &record[arch]);
    }
}

#[test]
fn fixtures_nasbench101() {
    suite_zero("nasbench101_cifar10_proxies.csv", 250, "nb101", "naslib", 10, 32);
}
