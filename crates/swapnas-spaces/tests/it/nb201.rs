//! What is particular to NAS-Bench-201.

use std::collections::{HashMap, HashSet};

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

/// Equal functions of one class have networks of equal shape: as many multiplications that matter.
#[test]
fn dead_edges_do_not_matter() {
    let space = by_name("nb201").unwrap();
    let canonical = |text| space.print(&space.canonical(&space.parse(text).unwrap()));
    let same: HashSet<String> = [
        // The only convolution, reached directly or through skips.
        "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
        "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
        // Node 1 is zero, so that the pool of it is, too.
        "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|",
    ]
    .map(canonical)
    .into();
    assert_eq!(same.len(), 1, "{same:#?}");
    assert!(!same.contains(&canonical("|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|")));
}
