//! Lists that several machines score, a share each.

mod support;

use std::path::Path;

use support::{error, stdout};

/// A list in which architectures are twice, and a line is none.
const LIST: &str = "arch\n4321\n15\nnothing\n4321\n777\n9000\n15\n";

fn score(folder: &Path, more: &[&str]) -> String {
    let mut arguments = vec!["score", "--space", "nb201", "--archs", "list.csv", "--json"];
    arguments.extend(["--metrics", "swap,params,swap-reg", "--repeats", "2"]);
    arguments.extend(more);
    stdout(folder, &arguments)
}

#[test]
fn shares_put_together_are_what_one_machine_prints() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), LIST).unwrap();
    let whole = score(folder, &[]);
    assert_eq!(whole.lines().count(), 7);
    // The last of nine shares has none of the seven.
    for count in [1, 3, 9] {
        let files: Vec<String> = (1..=count).map(|number| format!("{number}.jsonl")).collect();
        for (number, file) in files.iter().enumerate() {
            let shard = format!("{}/{count}", number + 1);
            std::fs::write(folder.join(file), score(folder, &["--shard", &shard])).unwrap();
        }
        let mut arguments = vec!["merge"];
        arguments.extend(files.iter().rev().map(String::as_str));
        assert_eq!(stdout(folder, &arguments), whole, "{count} shares");
    }
}

#[test]
fn samples_are_shared_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sample = ["score", "--space", "nb201", "--random", "30", "--metrics", "params", "--json"];
    for number in ["1", "2"] {
        let shard = format!("{number}/2");
        let rows = stdout(folder, &[&sample[..], &["--shard", &shard]].concat());
        std::fs::write(folder.join(number), rows).unwrap();
    }
    assert_eq!(stdout(folder, &["merge", "1", "2"]).lines().count(), 30);
    insta::assert_snapshot!(error(folder, &["merge", "2"]), @"error: 15 of 30 rows are missing, the first of them 1: a share was stopped, or is not among the files");
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let score = ["score", "--space", "nb201", "--random", "3", "--json", "--shard"];
    insta::assert_snapshot!(error(folder, &[&score[..], &["4/3"]].concat()), @"error: invalid value '4/3' for '--shard <I/N>': give a share as 2/8, the second of eight");
    let ranks = [&score[..], &["1/2", "--metrics", "rank(swap,params)"]].concat();
    insta::assert_snapshot!(error(folder, &ranks), @"error: rank(swap,params) ranks all networks, of which a share has only some: leave it out, and rank what `swapnas merge` prints");
    insta::assert_snapshot!(error(folder, &["score", "15", "--space", "nb201", "--shard", "1/2"]), @r"
    error: the following required arguments were not provided:
      --json

    Usage: swapnas score --json --space <SPACE> --shard <I/N> <ARCH>...
    ");
    insta::assert_snapshot!(error(folder, &["merge", "nowhere.jsonl"]), @"error: cannot read nowhere.jsonl: No such file or directory (os error 2)");
}
