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
    insta::assert_snapshot!(error(folder, &["merge", "2"]), @"error: 15 of 30 rows are missing, the first of them 1: a share was stopped, or is not among the files; score it again, or give it too");
}

/// Architectures with accuracies, one of them twice, and numbers that are known.
const TABLE: &str =
    "arch,accuracy,known\n4321,90,1\n15,80,\n777,70,3\n9000,85,2\n4321,91,4\n0,10,2\n15624,93,5\n";

/// What is printed but for how long it took: in JSON, what stands last, and in text, the last line.
fn without_times(text: &str) -> &str {
    let end = text.find(",\"seconds\":").unwrap_or_else(|| text.trim_end().rfind('\n').unwrap());
    &text[..end]
}

#[test]
fn correlations_of_shares_are_those_of_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("a.csv"), TABLE).unwrap();
    std::fs::write(folder.join("b.csv"), "arch,accuracy,known\n777,1,3\n8000,2,4\n").unwrap();
    // The regularised score is undefined for large networks, and with two images scores are saturated.
    let options = ["--space=nb201", "--channels=4", "--cells=1", "--size=8", "--batch=2", "--repeats=2"];
    let metrics = [
        "--metrics=rank(swap,snip),swap,ntk,swap-reg:mu=4:sigma=0.01",
        "--columns=known",
        "--seeds=2",
        "--seed=7",
    ];
    let asked = [&["correlate", "a.csv", "b.csv"], &options[..], &metrics].concat();
    for count in [1, 2, 9] {
        let mut files = vec!["--scored".to_owned()];
        for number in 1..=count {
            let shard = format!("--shard={number}/{count}");
            let rows = stdout(folder, &[&asked[..], &["--json", &shard]].concat());
            files.push(format!("{number}.jsonl"));
            std::fs::write(folder.join(&files[number]), rows).unwrap();
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        for more in [&["--json", "--compare"][..], &["--compare"]] {
            let whole = stdout(folder, &[&asked[..], more].concat());
            let together = stdout(folder, &[&asked[..], more, &files].concat());
            assert_eq!(without_times(&together), without_times(&whole), "{count} shares");
        }
    }
    let of_one = [&["correlate", "a.csv"], &options[..], &metrics].concat();
    let files = ["--scored=1.jsonl", "--scored=2.jsonl"];
    let rows = |number: &str| stdout(folder, &[&of_one[..], &["--json", "--shard", number]].concat());
    std::fs::write(folder.join("1.jsonl"), rows("1/2")).unwrap();
    std::fs::write(folder.join("2.jsonl"), rows("2/2")).unwrap();
    let whole = stdout(folder, &[&of_one[..], &["--out=whole.csv", "--plot=whole.svg"]].concat());
    assert!(whole.contains("saturated: ") && whole.contains("is too small for a number"), "{whole}");
    stdout(folder, &[&of_one[..], &files, &["--out=together.csv", "--plot=together.svg"]].concat());
    for end in ["csv", "svg"] {
        let read = |name: &str| std::fs::read(folder.join(format!("{name}.{end}"))).unwrap();
        assert!(read("together") == read("whole"), "{end}");
    }
    let first = [&of_one[..], &files[..1]].concat();
    let missing = error(folder, &first);
    let (before, _) = missing.split_once(" the first of them ").unwrap();
    insta::assert_snapshot!(before, @"error: 3 of 7 networks with seed 7 are missing,");
    let other = [&of_one[..], &files, &["--batch=3"]].concat();
    let other: Vec<&str> = other.into_iter().filter(|word| *word != "--batch=2").collect();
    insta::assert_snapshot!(error(folder, &other), @"error: 1.jsonl:1: `batch` is 2, and 3 is asked for; give the options with which the shares were scored");
    let known = ["correlate", "a.csv", "--columns=known"];
    insta::assert_snapshot!(error(folder, &[&known[..], &files].concat()), @"error: there is nothing to score, and so nothing to take from files; leave out --scored");
    insta::assert_snapshot!(error(folder, &[&known[..], &["--json", "--shard=1/2"]].concat()), @"error: there is nothing to score, and so nothing to share; leave out --shard");
    insta::assert_snapshot!(error(folder, &[&of_one[..], &["--scored=a.csv"]].concat()), @"error: a.csv:1: this is no row of a share: expected value at line 1 column 1; give files with what shares have printed");
    insta::assert_snapshot!(error(folder, &[&of_one[..], &["--scored=none"]].concat()), @"error: cannot read none: No such file or directory (os error 2)");
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
