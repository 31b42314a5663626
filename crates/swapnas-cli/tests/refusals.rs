//! Lists of networks of which some cannot be scored.

mod support;

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use support::{error, run, stdout};

const SMALL: [&str; 4] = ["--space=nb201", "--channels=4", "--cells=1", "--repeats=1"];

/// Writes a network of NAS-Bench-201.
fn export(folder: &Path, arch: &str, input: &str, out: &str) {
    let small = ["--space=nb201", "--channels=4", "--cells=1"];
    stdout(folder, &[&["export", arch, "--input", input, "--out", out], &small[..]].concat());
}

/// What a command prints on standard output and on standard error, and how it ends.
fn said(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = run(folder, arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let lines: Vec<String> = text(output.stdout).lines().map(|line| line.trim_end().to_owned()).collect();
    (lines.join("\n"), text(output.stderr), output.status.code())
}

/// The rows of a table, below its header.
fn rows(text: &str, count: usize) -> String {
    let header = text.lines().position(|line| line.trim_start().starts_with("params")).unwrap();
    text.lines().skip(header + 1).take(count).collect::<Vec<_>>().join("\n")
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn files_that_cannot_be_scored_have_rows_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["a", "b"] {
        std::fs::create_dir(path.join(name)).unwrap();
    }
    export(path, "4321", "16", "a/model.onnx");
    export(path, "15624", "16", "b/model.onnx");
    std::fs::write(path.join("text.onnx"), "import torch\n").unwrap();
    let files = ["score", "a/model.onnx", "none.onnx", "text.onnx", "b/model.onnx", "--repeats=1"];
    let of = |more: &[&str]| said(path, &[&files[..], more].concat());

    let (table, summary, code) = of(&["--metrics=params,macs"]);
    assert!(
        table.starts_with("onnx: 2 of 4 networks\nnetwork of the file: 3x16x16, 10 classes\n"),
        "{table}"
    );
    assert_snapshot!(rows(&table, 4), @"
     1    5286  154784  a/model.onnx
     2       -       -  none.onnx: refused: it cannot be read: No such file or directory (os error 2)
     3       -       -  text.onnx: refused: this is no ONNX file, or not all of it: failed to decode Protobuf message: buffer underflow
     4    6462  191648  b/model.onnx
    ");
    assert_eq!((summary.as_str(), code), ("2 of 4 networks were refused\n", Some(0)));

    // The others are what they are without them, ranks included.
    let metrics = "--metrics=swap,rank(swap,params)";
    let (lines, summary, code) = of(&[metrics, "--json"]);
    let alone =
        objects(&stdout(path, &["score", "a/model.onnx", "b/model.onnx", "--repeats=1", metrics, "--json"]));
    let all = objects(&lines);
    assert_eq!((&all[0], &all[3]), (&alone[0], &alone[1]));
    let why = "it cannot be read: No such file or directory (os error 2)";
    let none = json!({ "mean": null, "std": null, "reason": why });
    assert_eq!((&all[1]["arch"], &all[1]["refused"]), (&json!("none.onnx"), &json!(why)));
    assert_eq!(all[1]["scores"], json!({ "swap": none, "rank(swap,params)": none }));
    assert_eq!([&all[1]["params"], &all[1]["macs"], &all[1]["units"]], [&Value::Null; 3]);
    assert!(all[2]["refused"].is_string() && all[0].get("refused").is_none());
    assert_eq!((summary.as_str(), code), ("2 of 4 networks were refused\n", Some(0)));

    // As it was, if that is asked for, and of a network alone.
    let strict = error(path, &[&files[..], &["--strict"]].concat());
    assert_snapshot!(strict, @"error: cannot read none.onnx: No such file or directory (os error 2)");
    assert_eq!(error(path, &["score", "none.onnx"]), strict);
    assert!(error(path, &["score", "a/model.onnx", "--input=1x8x8"]).contains("of 3 channels, not of 1"));
}

#[test]
fn where_all_are_refused_the_command_fails_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (table, summary, code) = said(path, &["score", "none.onnx", "nowhere.onnx", "--metrics=params"]);
    assert_snapshot!(table, @"
    onnx: 0 of 2 networks
    network of the file
    inputs spectral, batch 16, seed 0, f32
        params  network
     1       -  none.onnx: refused: it cannot be read: No such file or directory (os error 2)
     2       -  nowhere.onnx: refused: it cannot be read: No such file or directory (os error 2)
    ");
    assert_eq!((summary.as_str(), code), ("error: all 2 networks were refused\n", Some(1)));
    let (lines, _, code) = said(path, &["score", "nothing", "4321x", "--space=nb201", "--json"]);
    assert_eq!((objects(&lines).len(), code), (2, Some(1)));
    // What holds for all is no refusal.
    let settings = ["score", "1", "2", "--space=nb201", "--network=swap"];
    assert_snapshot!(error(path, &settings), @"error: the space nb201 has no network `swap`; it has benchmark");
    let inputs = ["score", "1", "2", "--space=nb201", "--inputs=cifar10:nowhere"];
    assert!(error(path, &inputs).contains("cannot read `nowhere`"));
}

#[test]
fn lines_of_a_file_keep_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("list.csv"), "arch,number\n4321,1\n,2\nnonsense,3\n1234,4\n").unwrap();
    let list = [&["score", "--archs=list.csv", "--metrics=params"], &SMALL[..]].concat();
    let of = |more: &[&str]| said(path, &[&list[..], more].concat());
    let (table, summary, code) = of(&[]);
    assert_snapshot!(rows(&table, 4), @"
     1    5286  |skip_connect~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|
     2       -  list.csv: refused: line 3: column 1 (`arch`) is empty; fill it in or remove the row
     3       -  nonsense: refused: line 4: column 1: expected `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object, found `nonsense`
     4    5286  |nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|
    ");
    assert_eq!((summary.as_str(), code), ("2 of 4 networks were refused\n", Some(0)));
    assert!(
        error(path, &[&list[..], &["--strict"]].concat())
            .starts_with("error: list.csv: 2 lines cannot be used\n")
    );

    // Refused ones are never among the best; of those that are not printed, the reason is told.
    let (best, told, _) = of(&["--top=1", "--json"]);
    assert_eq!(objects(&best).len(), 1);
    assert!(
        told.starts_with("list.csv: refused: line 3: ") && told.contains("\nnonsense: refused: line 4: "),
        "{told}"
    );
    assert!(told.ends_with("\n2 of 4 networks were refused\n"), "{told}");
    let (skipped, told, _) = of(&["--skip-bad"]);
    assert!(skipped.contains("\nskipped line 4: ") && told.is_empty(), "{skipped}{told}");
}

#[test]
#[cfg(unix)]
fn a_network_that_is_too_large_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), "15624", "16", "small.onnx");
    export(folder.path(), "15624", "1024", "large.onnx");
    for metrics in ["swap", "snip,params"] {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 500000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_swapnas"), "score"]);
        command.args(["small.onnx", "large.onnx", "small.onnx", "--repeats=1", "--threads=2", "--json"]);
        let output = command.args(["--metrics", metrics]).current_dir(&folder).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((told.as_str(), output.status.code()), ("1 of 3 networks was refused\n", Some(0)));
        let found = objects(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(found[0], found[2]);
        // They are of no size that could be set.
        let why = found[1]["refused"].as_str().unwrap();
        assert!(why.contains("GiB of memory") && why.ends_with("; lower --batch or --size"), "{why}");
    }
}
