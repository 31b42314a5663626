//! What is particular to NAS-Bench-Macro.

use std::collections::HashSet;

use swapnas_graph::ModuleKind;
use swapnas_spaces::{Arch, by_name};

/// Stages of 3 and 3 x 7 kinds each: the first block, then any sequence of up to two others.
#[test]
fn different_functions_are_counted() {
    let space = by_name("nbmacro").unwrap();
    let classes: HashSet<Arch> = space.all().unwrap().map(|arch| space.canonical(&arch)).collect();
    assert_eq!(classes.len(), 3 * 3 * (3 * 7) * (3 * 7));
}

/// Architectures that compute the same have the same layers with the same weights.
#[test]
fn equal_functions_have_equal_networks() {
    let space = by_name("nbmacro").unwrap();
    for arch in space.all().unwrap().step_by(5) {
        let layers = |arch: &Arch| {
            let graph = space.network(arch, &space.default_network()).unwrap();
            let calls = graph.modules().iter().filter(|module| module.kind != ModuleKind::Container);
            let calls: Vec<_> =
                calls.map(|m| (m.kind, graph.shape(m.input), graph.shape(m.output))).collect();
            (calls, graph.params().iter().map(|param| param.key).collect::<Vec<_>>())
        };
        assert_eq!(layers(&arch), layers(&space.canonical(&arch)), "{}", space.print(&arch));
    }
}
