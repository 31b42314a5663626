//! The command where there is little memory: it does what it is asked for, or says that it cannot.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use swapnas::{Columns, Metric};

/// Runs the command with so many MiB of addresses.
fn run(folder: &Path, megabytes: usize, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {}; exec \"$0\" \"$@\"", megabytes << 10)]);
    command.arg(env!("CARGO_BIN_EXE_swapnas")).args(arguments).current_dir(folder).output().unwrap()
}

/// Whether there was enough; that there was not is an error that says so.
fn enough(folder: &Path, megabytes: usize, arguments: &[&str]) -> bool {
    let output = run(folder, megabytes, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => true,
        Some(1) if error.contains("memory") && error.contains("lower --") => false,
        code => panic!("{megabytes} MiB, {arguments:?}: ended with {code:?}: {error}"),
    }
}

#[test]
fn every_metric_runs_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let columns: Columns = "all".parse().unwrap();
    let names: Vec<String> = columns.metrics().iter().map(Metric::to_string).collect();
    let few =
        ["score", "--space", "nb201", "--random", "1", "--cells", "1", "--repeats", "1", "--threads", "2"];
    for (megabytes, size, batch) in
        [(800, "32", "8"), (350, "96", "16"), (500, "128", "16"), (500, "32", "200")]
    {
        let mut counts = [0; 2];
        for name in names.iter().map(String::as_str).chain(["all", "ntk:images=4096"]) {
            let more = ["--metrics", name, "--size", size, "--batch", batch];
            let ran = enough(folder.path(), megabytes, &[&few[..], &more].concat());
            counts[usize::from(ran)] += 1;
        }
        // What reads the graph alone needs nothing.
        assert!(counts[1] >= 6, "{counts:?} of {megabytes} MiB at {size}, {batch} images");
        if size == "32" && batch == "8" {
            assert_eq!(counts[0], 0, "what is small is refused");
        }
    }
}

#[test]
fn precision_repeats_and_images_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let run =
        |arguments: &[&str]| enough(folder.path(), 400, &[&["score", "--random", "1"], arguments].concat());
    for arguments in [
        &["--size", "2048", "--batch", "2"][..],
        &["--size", "1000", "--batch", "100", "--metrics", "params"],
        &["--metrics", "swap", "--batch", "4096", "--repeats", "1"],
        &["--metrics", "snip", "--precision", "f64", "--batch", "512", "--repeats", "1"],
        &["--metrics", "swap", "--channels", "2000", "--repeats", "1"],
        &["--metrics", "l2_norm", "--channels", "2000", "--repeats", "1"],
    ] {
        assert!(!run(arguments), "{arguments:?}");
    }
    // Threads reserve addresses, more or fewer from run to run.
    let many =
        ["score", "--random", "1", "--size", "32", "--metrics", "swap", "--repeats", "8", "--threads", "8"];
    assert!(enough(folder.path(), 1500, &many), "eight threads need no more than that");
}

#[test]
fn an_export_is_written_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let arch =
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|";
    let export = |channels: &str, format: &str| {
        let arguments = ["export", arch, "--space", "nb201", "--channels", channels, "--format", format];
        enough(folder.path(), 400, &[&arguments[..], &["--out", "network"]].concat())
    };
    assert!(export("16", "onnx") && export("64", "torch"));
    let written = ["32", "48", "64", "80", "96"].map(|channels| export(channels, "onnx"));
    assert!(written[0] && !written[4] && written.is_sorted_by(|a, b| a >= b), "{written:?}");
}
