//! What is particular to NAS-Bench-201.

use std::collections::{HashMap, HashSet};

use swapnas_spaces::nb201::{Cell, Operation};
use swapnas_spaces::{Arch, by_name};

/// The numbers that the authors' code asserts.
#[test]
fn indices_are_the_benchmarks() {
    let space = by_name("nb201").unwrap();
    for (index, string) in [
        (
            "0",
            "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        ),
        ("9", "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"),
        ("123", "|avg_pool_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"),
    ] {
        let arch = space.parse(index).unwrap();
        assert_eq!(space.print(&arch), string);
        assert_eq!(space.print_as(&arch, "index").unwrap(), index);
    }
}

#[test]
fn all_are_numbered_in_order() {
    let space = by_name("nb201").unwrap();
    for (index, arch) in space.all().unwrap().enumerate() {
        assert_eq!(space.print_as(&arch, "index").unwrap(), index.to_string());
    }
}

#[test]
fn canonical_forms_are_as_many_as_published() {
    let space = by_name("nb201").unwrap();
    let mut classes: HashMap<Arch, usize> = HashMap::new();
    for arch in space.all().unwrap() {
        *classes.entry(space.canonical(&arch)).or_default() += 1;
    }
    assert_eq!(classes.values().sum::<usize>(), 15_625);
    assert_eq!(classes.len(), 6_466);
    assert!(classes.keys().all(|arch| space.canonical(arch) == *arch));
}

/// What a cell computes, as the terms that make up its output, with zeros left out and sums of sums
/// as one sum.
fn function(cell: &Cell) -> Vec<String> {
    let mut nodes = vec![vec!["x".to_owned()], Vec::new(), Vec::new(), Vec::new()];
    for (op, &(source, target)) in cell.0.iter().zip(&Cell::EDGES) {
        let read = nodes[source].clone();
        match op {
            _ if read.is_empty() => {}
            Operation::None => {}
            Operation::SkipConnect => nodes[target].extend(read),
            op => nodes[target].push(format!("{}({})", op.name(), read.join(" + "))),
        }
        nodes[target].sort_unstable();
    }
    nodes.swap_remove(3)
}

#[test]
fn cells_of_a_class_compute_the_same() {
    let space = by_name("nb201").unwrap();
    let mut functions = HashSet::new();
    for arch in space.all().unwrap() {
        let of = |arch: &Arch| function(&Cell::from(arch));
        assert_eq!(of(&arch), of(&space.canonical(&arch)), "{}", space.print(&arch));
        functions.insert(of(&arch));
    }
    // There are fewer functions than classes, as the documentation says.
    assert_eq!(functions.len(), 4_930);
}
