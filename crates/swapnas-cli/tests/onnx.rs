//! ONNX files as users score them.

mod support;

use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use support::{error, stdout};

/// Writes networks of NAS-Bench-201 as 0.onnx, 1.onnx, and so on.
fn files(folder: &Path, architectures: &[&str]) {
    for (number, arch) in architectures.iter().enumerate() {
        let small = ["--channels", "4", "--cells", "1", "--input", "16"];
        let out = format!("{number}.onnx");
        stdout(folder, &[&["export", arch, "--space", "nb201", "--out", &out], &small[..]].concat());
    }
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn files_are_scored_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    files(path, &["4321", "15624"]);
    std::fs::write(path.join("list.txt"), "1.onnx\n0.onnx\n").unwrap();
    let text = stdout(path, &["score", "0.onnx", "1.onnx", "--repeats", "2"]);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines[..5],
        [
            "onnx: 2 networks",
            "network of the file: 3x16x16, 10 classes",
            "inputs spectral, batch 16, seed 0, f32",
            "2 x kaiming-normal shared weights: swap-plus",
            "2 x gaussian shared weights: swap"
        ]
    );
    assert!(lines[6].ends_with("0.onnx") && lines[7].ends_with("1.onnx"), "{text}");

    let json = ["--repeats", "2", "--metrics", "swap,params,macs,synflow", "--json"];
    let typed = objects(&stdout(path, &[&["score", "0.onnx", "1.onnx"], &json[..]].concat()));
    let listed = objects(&stdout(path, &[&["score", "--archs", "list.txt"], &json[..]].concat()));
    assert_eq!([&typed[0], &typed[1]], [&listed[1], &listed[0]]);
    assert_eq!(typed[0]["input"], serde_json::json!([3, 16, 16]));
    assert_eq!(typed[0]["classes"], 10);
    let described = stdout(
        path,
        &[
            "export",
            "4321",
            "--space",
            "nb201",
            "--channels",
            "4",
            "--cells",
            "1",
            "--input",
            "16",
            "--format",
            "json",
        ],
    );
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(typed[0]["params"], described["params"]);
    assert_eq!(typed[0]["macs"], described["macs"]);
    let threads = [&["score", "0.onnx", "1.onnx", "--threads", "3"], &json[..]].concat();
    assert_eq!(objects(&stdout(path, &threads)), typed);
}

#[test]
fn images_may_have_another_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    files(path, &["4321"]);
    let of = |size: &[&str]| {
        let text = stdout(path, &[&["score", "0.onnx", "--metrics", "units", "--json"], size].concat());
        objects(&text)[0]["input"].clone()
    };
    assert_eq!(of(&["--input", "3x8x12"]), serde_json::json!([3, 8, 12]));
    assert_eq!(of(&["--size", "20"]), serde_json::json!([3, 20, 20]));
    assert_snapshot!(error(path, &["score", "0.onnx", "--input", "1x8x8"]), @"error: 0.onnx: the network takes images of 3 channels, not of 1");
    assert_snapshot!(error(path, &["score", "0.onnx", "--input", "3x8"]), @"error: invalid value '3x8' for '--size <SHAPE>': give channels, height and width as in 3x32x32, or one number for height and width");
    assert_snapshot!(error(path, &["score", "0.onnx", "--input", "0"]), @"error: invalid value '0' for '--size <SHAPE>': give numbers from 1 to 2048");
}

#[test]
fn tables_may_name_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    files(path, &["4321", "15624", "1462"]);
    std::fs::write(path.join("table.csv"), "arch,accuracy\n0.onnx,90\n1.onnx,85\n2.onnx,93\n").unwrap();
    let arguments = [
        "correlate",
        "table.csv",
        "--metrics",
        "swap,params",
        "--repeats",
        "1",
        "--out",
        "scores.csv",
        "--json",
    ];
    let object: Value = serde_json::from_str(&stdout(path, &arguments)).unwrap();
    assert_eq!((&object["space"], &object["n"]), (&Value::from("onnx"), &Value::from(3)));
    assert!(object["metrics"]["swap"]["spearman"].is_number());
    let scores = std::fs::read_to_string(path.join("scores.csv")).unwrap();
    assert!(scores.contains("2.onnx,93"), "{scores}");
    std::fs::write(path.join("table.csv"), "arch,accuracy\n0.onnx,90\nnone.onnx,85\n2.onnx,93\n").unwrap();
    assert_snapshot!(error(path, &arguments[..4]), @"
error: nothing is scored; mend these, or leave them out with --skip-bad: table.csv: 1 line cannot be used
  line 3: cannot read none.onnx: No such file or directory (os error 2)
");
}

#[test]
fn what_cannot_be_scored_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    files(path, &["4321"]);
    std::fs::write(path.join("text.onnx"), "import torch\n").unwrap();
    let file = std::fs::read(path.join("0.onnx")).unwrap();
    std::fs::write(path.join("half.onnx"), &file[..file.len() / 2]).unwrap();
    let error = |arguments: &[&str]| error(path, &[&["score"], arguments].concat());
    assert_snapshot!(error(&["none.onnx"]), @"error: cannot read none.onnx: No such file or directory (os error 2)");
    assert_snapshot!(error(&["text.onnx"]), @"error: text.onnx: this is no ONNX file, or not all of it: failed to decode Protobuf message: buffer underflow");
    assert!(error(&["half.onnx"]).starts_with("error: half.onnx: this is no ONNX file, or not all of it: "));
    assert_snapshot!(error(&["0.onnx", "--channels", "8"]), @"error: --channels means nothing to ONNX files, whose networks are scored as they are; leave it out");
    assert_snapshot!(error(&["0.onnx", "--space", "nb201"]), @"error: --space means nothing to ONNX files, whose networks are scored as they are; leave it out");
    assert_snapshot!(error(&["0.onnx", "--space", "onnx"]), @"error: invalid value 'onnx' for '--space <SPACE>': ONNX files need no space: `swapnas score model.onnx`");
    assert_snapshot!(error(&["0.onnx", "--random", "2"]), @"error: 0.onnx is an ONNX file, but there are architectures of a space as well; score them by themselves");
    // Options have the names that are typed.
    let transformer =
        ["export", "h128:SDP/2/512x1:DCT/4/1024x3", "--space", "flexibert", "--out", "texts.onnx"];
    stdout(path, &transformer);
    assert_snapshot!(error(&["texts.onnx", "--size", "3x8x8"]), @"error: texts.onnx: the network takes texts, not images; give the number of their tokens, as in --size 128");
    assert!(error(&["none.onnx", "--metrics", "swop"]).contains("did you mean swap?"));
    assert_snapshot!(error(&[]), @"error: there is nothing to score: give architectures, ONNX files, --archs FILE or --random N");
}
