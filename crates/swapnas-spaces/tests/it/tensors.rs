//! Names and shapes of parameters are those of the PyTorch networks.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};
use swapnas_spaces::{NetworkConfig, Preset, by_name};

use crate::reference;

/// Asserts that the graph has the parameters of the file, which may also hold the `input`.
fn same_parameters(graph: &Graph, folder: &str, case: &Value) {
    let path =
        swapnas_fixtures::fixtures(&format!("{folder}/{}", text(case, "file"))).expect("listed files exist");
    let bytes = std::fs::read(path).expect("readable");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let stored: BTreeMap<String, Vec<usize>> = tensors
        .iter()
        .filter(|(name, _)| *name != "input")
        .map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec()))
        .collect();
    let built: BTreeMap<String, Vec<usize>> =
        graph.params().iter().map(|p| (p.name.clone(), p.shape.clone())).collect();
    assert_eq!(built.len(), graph.params().len(), "names are unique");
    assert_eq!(built, stored, "{}", text(case, "name"));
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} in {case}"))
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_else(|| panic!("a number, not {value}"))
}

#[test]
fn fixtures_metrics_nb201() {
    let Some(index) = reference::fixture("metrics_nb201/index.json") else { return };
    let space = by_name("nb201").unwrap();
    let cases = index["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let arch = space.parse(text(case, "arch")).unwrap();
        let c = &case["config"];
        let input = Shape::new(3, number(&c["height"]), number(&c["width"]));
        let config = NetworkConfig {
            channels: Some(number(&c["C"])),
            cells: Some(number(&c["N"])),
            ..NetworkConfig::new(Preset::Benchmark, input, number(&c["num_classes"]))
        };
        let graph = space.network(&arch, &config).unwrap();
        same_parameters(&graph, "metrics_nb201", case);
        assert_eq!(graph.parameter_count(), number(&case["params"]) as u64);
        assert_eq!(graph.flops().total(), number(&case["flops_naslib"]) as u64);
        assert_eq!(graph.flops().conv, number(&case["macs_conv"]) as u64);
        assert_eq!(graph.flops().linear, number(&case["macs_linear"]) as u64);
        same_relus(&graph, &case["relu_f64"]);
        if let Some(modules) = case["meco_modules_f64"].as_array() {
            let called: Vec<&str> = modules.iter().map(|module| module[0].as_str().unwrap()).collect();
            let built: Vec<&str> = graph.modules().iter().map(|module| module.name.as_str()).collect();
            assert_eq!(built, called);
        }
    }
}

/// Asserts that the ReLUs have the names and units listed, in this order.
fn same_relus(graph: &Graph, listed: &Value) {
    let relus: Vec<_> = graph.relus().map(|m| (m.name.as_str(), graph.shape(m.output).elements())).collect();
    let listed = listed.as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|relu| (text(relu, "module"), number(&relu["units"]))).collect();
    assert_eq!(relus, listed);
}

#[test]
fn fixtures_swap_darts() {
    let Some(index) = reference::fixture("swap_darts/index.json") else { return };
    let space = by_name("darts").unwrap();
    let cases = index["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 30);
    for case in cases {
        let arch = space.parse(text(case, "genotype")).unwrap();
        assert_eq!(space.print(&arch), text(case, "genotype"));
        let c = &case["config"];
        let input = Shape::new(number(&c["in_channels"]), number(&c["height"]), number(&c["width"]));
        let config = NetworkConfig {
            channels: Some(number(&c["C"])),
            cells: Some(number(&c["layers"])),
            ..NetworkConfig::new(Preset::Swap, input, number(&c["num_classes"]))
        };
        let graph = space.network(&arch, &config).unwrap();
        same_parameters(&graph, "swap_darts", case);
        let expected = &case["expected"];
        assert_eq!(graph.relu_units(), number(&expected["relu_units"]) as u64);
        assert_eq!(graph.parameter_count(), number(&expected["params"]) as u64);
        same_relus(&graph, &expected["relu_f64"]);
    }
}
