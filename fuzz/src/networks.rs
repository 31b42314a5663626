//! What holds of every network.

use std::collections::HashSet;

use swapnas_graph::Graph;

/// The most of anything that a small input may stand for.
const MOST_NODES: usize = 1 << 18;

/// Parts fit together, names are unique, and counts can be taken.
pub(crate) fn sound(graph: &Graph) {
    assert!(graph.nodes().len() <= MOST_NODES);
    assert!(!graph.outputs().is_empty());
    for (place, node) in graph.nodes().iter().enumerate() {
        assert!(node.inputs.iter().all(|input| input.index() < place), "a value is read before it is there");
        assert!(node.shape.elements() > 0, "{:?} of nothing", node.op);
    }
    let names: HashSet<&str> = graph.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names.len(), graph.params().len(), "two parameters of one name");
    let counted =
        graph.params().iter().map(|param| param.shape.iter().product::<usize>() as u64).sum::<u64>();
    assert_eq!(graph.parameter_count(), counted);
    let _ = (graph.macs(), graph.flops(), graph.key());
}
