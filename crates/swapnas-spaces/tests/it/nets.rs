//! Parameters and operations of the benchmarks' own networks, exactly.

use serde_json::{Map, Value, json};
use swapnas_graph::{Graph, Shape};
use swapnas_spaces::nb101::Cell;
use swapnas_spaces::{Architecture, NetworkConfig, Preset, by_name};

use crate::reference;

/// The cases of one space, or nothing if the fixtures are not there.
fn cases(space: &str, number: usize) -> Vec<Value> {
    let Some(mut index) = reference::fixture("nets/index.json") else { return Vec::new() };
    let Value::Array(cases) = index[space].take() else { panic!("cases of {space}") };
    assert_eq!(cases.len(), number);
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} in {case}"))
}

/// Operations by kind as the fixtures write them: kinds that do not occur are left out.
fn by_kind(graph: &Graph) -> Value {
    let flops = graph.flops();
    let kinds = [
        ("conv", flops.conv),
        ("linear", flops.linear),
        ("batchnorm", flops.batch_norm),
        ("relu", flops.relu),
        ("avgpool", flops.avg_pool),
        ("maxpool", flops.max_pool),
        ("global_avgpool", flops.global_avg_pool),
    ];
    let occurring = kinds.into_iter().filter(|&(_, number)| number > 0);
    Value::Object(occurring.map(|(kind, number)| (kind.to_owned(), json!(number))).collect::<Map<_, _>>())
}

#[track_caller]
fn same_counts(graph: &Graph, case: &Value) {
    assert_eq!(json!(graph.parameter_count()), case["params"], "parameters");
    assert_eq!(by_kind(graph), case["flops_by_kind"]);
    assert_eq!(json!(graph.flops().total()), case["flops"], "operations");
    assert_eq!(graph.macs(), graph.flops().conv + graph.flops().linear);
}

#[test]
fn fixtures_nasbench301() {
    let space = by_name("nb301").unwrap();
    for case in cases("nasbench301", 60) {
        let arch = space.parse(text(&case, "arch")).unwrap();
        assert_eq!(space.print_as(&arch, "naslib").unwrap(), text(&case, "arch"));
        same_counts(&space.network(&arch, &space.default_network()).unwrap(), &case);
    }
}

#[test]
fn fixtures_nasbench201() {
    let space = by_name("nb201").unwrap();
    for case in cases("nasbench201", 60) {
        let arch = space.parse(text(&case, "arch")).unwrap();
        assert_eq!(space.print_as(&arch, "naslib").unwrap(), text(&case, "arch"));
        assert_eq!(space.print(&arch), text(&case, "arch_str"));
        for data in case["datasets"].as_object().unwrap().values() {
            let [channels, height, width] = [1, 2, 3].map(|i| data["input"][i].as_u64().unwrap() as usize);
            let classes = data["classes"].as_u64().unwrap() as usize;
            let input = Shape::new(channels, height, width);
            let config = NetworkConfig::new(Preset::Benchmark, input, classes);
            same_counts(&space.network(&arch, &config).unwrap(), data);
        }
    }
}

/// The counts of TransNAS-Bench-101, for one space of it.
fn transnas(fixture: &str, space: &str) {
    let space = by_name(space).unwrap();
    for case in cases(fixture, 20) {
        let arch = space.parse(text(&case, "arch")).unwrap();
        assert_eq!(space.print(&arch), text(&case, "arch"));
        let classes = case["classes"].as_u64().unwrap() as usize;
        for side in [64, 224] {
            let config = NetworkConfig::new(Preset::Benchmark, Shape::new(3, side, side), classes);
            let graph = space.network(&arch, &config).unwrap();
            let [logits, features] = graph.outputs() else { panic!("two outputs") };
            assert_eq!(graph.shape(*logits), Shape::new(classes, 1, 1));
            assert_eq!(json!(graph.shape(*features).channels), case["out_channels"]);
            let head: u64 =
                graph.params().iter().filter(|p| p.name.starts_with("head.")).map(|p| p.len() as u64).sum();
            assert_eq!(json!(graph.parameter_count()), case["params"], "parameters");
            assert_eq!(json!(graph.parameter_count() - head), case["encoder_params"]);
            assert_eq!(json!(graph.macs()), case["macs"][side.to_string()]);
            assert_eq!(by_kind(&graph), case["flops_by_kind"][side.to_string()]);
        }
    }
}

#[test]
fn fixtures_transnas101_micro() {
    transnas("transnas101_micro", "transnas-micro");
}

#[test]
fn fixtures_transnas101_macro() {
    transnas("transnas101_macro", "transnas-macro");
}

#[test]
fn fixtures_nasbench101() {
    let space = by_name("nb101").unwrap();
    for case in cases("nasbench101", 60) {
        let arch = space.parse(text(&case, "arch")).unwrap();
        assert_eq!(space.print_as(&arch, "naslib").unwrap(), text(&case, "arch"));
        let pruned = Cell::from(&arch).pruned().arch();
        let expected = json!({ "matrix": case["pruned_matrix"], "ops": case["pruned_ops"] });
        assert_eq!(space.to_json(&pruned), expected);
        for arch in [arch, pruned] {
            same_counts(&space.network(&arch, &space.default_network()).unwrap(), &case);
        }
    }
}
