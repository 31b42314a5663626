//! `swapnas train`, `swapnas bench` and the table that comes with the program.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{error, run, stdout};

const ARCH: &str = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|";

/// A training of less than a second.
const SMALL: [&str; 7] = [
    "--channels=4",
    "--cells=1",
    "--size=8",
    "--epochs=2",
    "--batch=16",
    "--train-images=64",
    "--validation-images=32",
];

fn train(path: &Path, more: &[&str]) -> String {
    let words = [&["train", ARCH, "--space=nb201"], &SMALL[..], more].concat();
    stdout(path, &words)
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// The instructions that are asked for are taken, so those that there are not are an error.
#[test]
fn instructions_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let train = ["train", ARCH, "--space=nb201"];
    let create = ["bench", "create", "--space=nb201", "--networks=4", "--out=mine"];
    for words in [&train[..], &create[..]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
        command.args(words).args(SMALL).current_dir(folder.path()).env("SWAPNAS_SIMD", "abacus");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("'abacus'"), "{said}");
    }
}

#[test]
fn a_training_says_what_each_epoch_came_to() {
    let folder = tempfile::tempdir().unwrap();
    let text = train(folder.path(), &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert_eq!(lines[3], "epoch    loss  train %  validation loss  validation %  seconds");
    let lines = train(folder.path(), &["--json"]);
    let lines: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["epochs"], Value::Array(lines[..2].to_vec()));
    assert_eq!(lines[2]["accuracy"], lines[1]["accuracy"]);
    assert_eq!(lines[2]["settings"]["augmentation"]["crop"], 1);
}

#[test]
fn a_checkpoint_goes_on_and_files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let files = ["--checkpoint=c", "--out=w.safetensors", "--onnx=w.onnx", "--json"];
    let first = train(path, &files);
    let again = train(path, &files);
    assert_eq!(first, again);
    assert_eq!(first, train(path, &["--json"]), "threads and files do not matter");
    // What was trained is a network like any other.
    let of_file = json(&stdout(path, &["score", "w.onnx", "--metrics=swap", "--json"]));
    assert_eq!(of_file["params"], json(first.lines().last().unwrap())["params"]);
    assert!(path.join("w.safetensors").metadata().unwrap().len() > 4 * of_file["params"].as_u64().unwrap());
    let other = error(
        path,
        &[&["train", ARCH, "--space=nb201"], &SMALL[..], &["--checkpoint=c", "--seed=1"]].concat(),
    );
    assert!(other.contains("c is of another data set"), "{other}");
}

/// Starts a command, kills it once a file is as large as that, and returns whether it was still at work.
fn killed(path: &Path, words: &[&str], file: &str, size: u64) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    let mut child =
        command.args(words).current_dir(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_there = || path.join(file).metadata().is_ok_and(|file| file.len() >= size);
    while !is_there() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

#[test]
fn what_is_killed_goes_on_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let long: Vec<&str> = SMALL.iter().copied().filter(|word| !word.starts_with("--epochs")).collect();
    let long = [&["train", ARCH, "--space=nb201", "--epochs=60", "--json"], &long[..]].concat();
    let with_file = [&long[..], &["--checkpoint=c"]].concat();
    assert!(killed(path, &with_file, "c", 1));
    assert_eq!(stdout(path, &with_file), stdout(path, &long));

    fn create(out: &str) -> Vec<&str> {
        [&["bench", "create", "--networks=40", "--threads=1", out], &SMALL[..]].concat()
    }
    assert!(killed(path, &create("--out=parts"), "parts/networks.jsonl", 1));
    let accuracies = |text: String| -> Vec<String> {
        text.lines()
            .map(|line| line.rsplitn(4, ',').skip(3).chain(line.rsplitn(3, ',').take(2)).collect())
            .collect()
    };
    let table = |out: &str, folder: &str| {
        stdout(path, &create(out));
        accuracies(std::fs::read_to_string(path.join(folder).join("table.csv")).unwrap())
    };
    assert_eq!(table("--out=parts", "parts"), table("--out=whole", "whole"));
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let refused =
        |more: &[&str]| error(path, &[&["train", ARCH, "--space=nb201"], &SMALL[..], more].concat());
    insta::assert_snapshot!(refused(&["--inputs=gaussian"]), @"error: nothing says of which classes gaussian are: train with shapes, cifar10:PATH, or images:DIR with a folder for each class");
    let few = ["train", ARCH, "--space=nb201", "--size=8", "--channels=4", "--cells=1", "--train-images=10"];
    insta::assert_snapshot!(error(path, &few), @"error: a batch takes 64 images, but there are 10 to train with: take a smaller batch, or more images");
    let text = "h256:SDP/4/1024x1:DSC9/2/512x3";
    let words = ["train", text, "--space=flexibert"];
    insta::assert_snapshot!(error(path, &words), @"error: the network reads texts, and only networks of images can be trained: there are no labelled texts");
}

#[test]
fn a_benchmark_is_made_gone_on_with_and_reported_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let create =
        [&["bench", "create", "--out=b", "--space=nb201", "--networks=12", "--seeds=2"], &SMALL[..]].concat();
    let text = stdout(path, &create);
    assert!(text.starts_with("b/table.csv: 12 networks, accuracies from "), "{text}");
    assert!(text.contains("2 trainings each: accuracies vary by "), "{text}");
    let table = std::fs::read_to_string(path.join("b/table.csv")).unwrap();
    assert_eq!(table.lines().count(), 13);
    // All of it is there: nothing is trained again, so even the seconds are the same.
    assert_eq!(stdout(path, &create), text);
    assert_eq!(std::fs::read_to_string(path.join("b/table.csv")).unwrap(), table);
    let other = error(path, &[&create[..], &["--rate=0.2"]].concat());
    insta::assert_snapshot!(other, @"error: b has another benchmark, with rate 0.1 and not 0.2: give the options that it was begun with, or another folder");

    let report = ["bench", "report", "b", "--metrics=swap,params,jacov", "--repeats=1"];
    let text = stdout(path, &report);
    assert!(text.starts_with("nb201: 12 networks trained on shapes for 2 epochs\n"), "{text}");
    assert!(text.contains("orders the networks best: Spearman's rho is "), "{text}");
    let object = json(&stdout(path, &[&report[..], &["--json", "--out=r.html", "--plot=r.svg"]].concat()));
    assert_eq!(object["networks"].as_array().unwrap().len(), 12);
    assert_eq!(object["metrics"]["params"]["n"], 12);
    assert_eq!(object["settings"]["inputs"], "shapes");
    let page = std::fs::read_to_string(path.join("r.html")).unwrap();
    assert!(
        page.contains("<h1>nb201: 12 networks trained on shapes for 2 epochs</h1>") && page.contains("<svg")
    );
    assert!(path.join("r.svg").exists());
    // The table is one like any other.
    let correlated =
        stdout(path, &["correlate", "b/table.csv", "--space=nb201", "--metrics=params", "--columns=epoch_1"]);
    assert!(correlated.contains("epoch_1"), "{correlated}");
    let none = error(path, &["bench", "report", "nowhere"]);
    insta::assert_snapshot!(none, @"error: nowhere has no benchmark: `swapnas bench create --out nowhere` makes one");
}

#[test]
fn without_a_table_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = stdout(path, &["correlate", "--metrics=swap", "--repeats=1", "--plot=figure.svg"]);
    assert!(text.starts_with("nb201: 100 architectures of the built-in table\n"), "{text}");
    assert!(text.contains("a synthetic task") && text.contains("figure: figure.svg"), "{text}");
    assert!(path.join("figure.svg").exists());
    let few =
        json(&stdout(path, &["correlate", "--limit=20", "--metrics=params", "--columns=seed_0", "--json"]));
    assert_eq!(few["table"], "the built-in table");
    assert!(!run(path, &["correlate", "--space=darts"]).status.success());
}
