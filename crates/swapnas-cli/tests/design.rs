//! From a folder of pictures to a network that is trained.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;
use support::{error, run, stdout};
use swapnas::latency::Operations;
use swapnas::{NetworkConfig, Shape};

/// Pictures of two kinds of stripes and of squares, of odd sizes around 40 pixels.
fn pictures(folder: &Path, count: usize, is_grey: bool) {
    for (class, name) in ["across", "down", "square"].into_iter().enumerate() {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        for index in 0..count {
            let (width, height) = (33 + 7 * index as u32 % 23, 37 + 5 * index as u32 % 19);
            let level = |x: u32, y: u32| -> u8 {
                let (dark, bright) = (20 + 5 * index as u8, 230 - 3 * index as u8);
                let is_bright = match class {
                    0 => ((y + index as u32) / 3).is_multiple_of(2),
                    1 => ((x + index as u32) / 3).is_multiple_of(2),
                    _ => (8..24).contains(&x) && (8..24).contains(&y),
                };
                if is_bright { bright } else { dark }
            };
            let path = folder.join(format!("{index}.{}", if index % 2 == 0 { "png" } else { "jpg" }));
            if is_grey {
                GrayImage::from_fn(width, height, |x, y| Luma([level(x, y)])).save(path).unwrap();
            } else {
                let colour = |x, y| Rgb([level(x, y), 255 - level(x, y), 90]);
                RgbImage::from_fn(width, height, colour).save(path).unwrap();
            }
        }
    }
}

const SHORT: [&str; 4] = ["--cycles", "1", "--threads", "2"];

fn design<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["design", "pictures"], words, &SHORT].concat()
}

/// Without the seconds, which differ.
fn without_seconds(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("report.html")).collect()
}

#[test]
fn a_network_is_designed_for_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(&path.join("pictures"), 8, false);
    let words = design(&["--out", "found", "--max-params", "300k", "--max-macs", "30M"]);
    let text = stdout(path, &words);
    let head: Vec<&str> = text.lines().take(5).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    pictures: 24 pictures of 3 classes (across, down, square), 8 each; a tenth of them will be held out to validate on
    shorter sides from 33 to 52 pixels, median 43
    images of 3x32x32: 32 is the largest usual size that half of the pictures reach, whose shorter sides have a median of 43 pixels; pictures have colours
    space darts, whose networks keep small images as large as they are
    network benchmark: stem 24, 8 channels, 5 cells, 3x32x32, 3 classes: the largest of which 100 of 100 random architectures are within the limits (at most 300000 parameters, at most 30000000 multiply-accumulates)
    ");
    for name in ["network.py", "network.onnx", "train.py", "report.html", "best.json", "history.csv"] {
        assert!(path.join("found").join(name).exists(), "{name}");
    }
    let module = fs::read_to_string(path.join("found/network.py")).unwrap();
    assert!(module.contains("nn.Linear") && module.contains("torch.randn(2, 3, 32, 32)"), "{module}");
    // Whoever asks once more gets the same, which is there already.
    assert_eq!(without_seconds(&stdout(path, &words)), without_seconds(&text));
    let other = run(path, &design(&["--out", "found", "--max-params", "200k"]));
    let other = String::from_utf8(other.stderr).unwrap();
    insta::assert_snapshot!(other.trim_end(), @"error: found has another design; give the same pictures and options as then, or another folder");
    let object = stdout(path, &[&words[..], &["--json"]].concat());
    let object: Value = serde_json::from_str(&object).unwrap();
    let best = &object["best"][0]["final"];
    assert!(best["params"].as_u64().unwrap() <= 300_000 && best["macs"].as_u64().unwrap() <= 30_000_000);
    assert_eq!(object["design"]["size"], serde_json::json!([3, 32, 32]));
    assert_eq!(object["design"]["pictures"]["train_pictures"], serde_json::json!([8, 8, 8]));
    // The command in it does the same search.
    assert!(object["command"].as_str().unwrap().contains("--inputs images:"), "{object}");
}

#[test]
fn parts_grey_pictures_and_a_space_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(&path.join("pictures/train"), 4, true);
    pictures(&path.join("pictures/val"), 2, true);
    let object =
        stdout(path, &design(&["--space", "nb201", "--size", "16", "--max-params", "60k", "--json"]));
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["design"]["size"], serde_json::json!([1, 16, 16]));
    assert_eq!(object["design"]["pictures"]["validation_pictures"], 6);
    let script = fs::read_to_string(path.join("swapnas-design/train.py")).unwrap();
    assert!(script.contains("CHANNELS, SIDE = 1, 16\n") && script.contains("pictures/val\"\n"), "{script}");
}

#[test]
fn what_cannot_be_designed_for_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(&path.join("pictures"), 2, false);
    insta::assert_snapshot!(error(path, &design(&["--max-params", "1k"])), @"error: nothing is within the limits (at most 1000 parameters): darts has networks from 27931 parameters and 5550464 multiply-accumulates, mobilenet has networks from 65015 parameters and 433712 multiply-accumulates, nb201 has networks from 18507 parameters and 2056288 multiply-accumulates; loosen the limits, or take smaller images with --size");
    insta::assert_snapshot!(error(path, &design(&["--size", "64", "--max-macs", "3M"])), @"error: nothing is within the limits (at most 3000000 multiply-accumulates): darts has networks from 27931 parameters and 22200704 multiply-accumulates, mobilenet has networks from 65015 parameters and 1731968 multiply-accumulates (--space mobilenet would do), nb201 has networks from 18507 parameters and 8224864 multiply-accumulates; loosen the limits, or take smaller images with --size");
    insta::assert_snapshot!(error(path, &design(&["--space", "flexibert"])), @"error: flexibert has networks of texts, and these are pictures");
    insta::assert_snapshot!(error(path, &["design", "none"]), @"error: cannot read `none`: No such file or directory (os error 2); check the path and its permissions");
    fs::write(path.join("pictures/across/broken.png"), "text").unwrap();
    insta::assert_snapshot!(error(path, &design(&[])), @r"
    error: 1 file in `pictures` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
      `pictures/across/broken.png`: it cannot be decoded: The image format could not be determined
    ");
    let output = run(path, &design(&["--skip-bad", "--max-params", "200k"]));
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("left out: 1 file that cannot be used\n  `pictures/across/broken.png`"), "{said}");
}

/// The largest network that a table of latencies knows is taken; of one that it does not know it is said how to measure it.
#[test]
fn latency_is_limited_by_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(&path.join("pictures"), 6, false);
    let limited = ["--space", "nb201", "--size", "16", "--max-latency", "5ms"];
    insta::assert_snapshot!(error(path, &design(&limited)), @"error: nobody knows how long a network of nb201 takes, benchmark: 3 stages of 5 cells, 16, 32 and 64 channels, 3x16x16, 3 classes: measure its operations, and give the table of latencies, as in `swapnas latency --space nb201 --channels 16 --cells 5 --size 3x16x16 --classes 3 --out latency.csv`");
    let limited = [&limited[..], &["--latency-table", "latency.csv"]].concat();
    write_latencies(&path.join("latency.csv"), 8);
    let text = stdout(path, &design(&limited));
    let head: Vec<&str> = text.lines().skip(3).take(2).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    larger networks were left out, since the latency table lacks their operations
    network benchmark: 3 stages of 1 cell, 8, 16 and 32 channels, 3x16x16, 3 classes: the largest of which 47 of 100 random architectures are within the limits (at most 5 ms)
    ");
    // No network takes less than a tenth of a millisecond, and the smaller one is not known.
    write_latencies(&path.join("latency.csv"), 16);
    let limited = limited.into_iter().map(|word| if word == "5ms" { "0.1" } else { word });
    let limited: Vec<&str> = limited.chain(["--out", "other"]).collect();
    insta::assert_snapshot!(error(path, &design(&limited)), @"error: nobody knows how long a network of nb201 takes, benchmark: 3 stages of 1 cell, 8, 16 and 32 channels, 3x16x16, 3 classes: measure its operations, and give the table of latencies, as in `swapnas latency --space nb201 --channels 8 --cells 1 --size 3x16x16 --classes 3 --out latency.csv`");
}

/// A tenth of a millisecond for each operation of networks of so many channels.
fn write_latencies(file: &Path, channels: usize) {
    let space = swapnas::spaces::by_name("nb201").unwrap();
    let network = NetworkConfig {
        channels: Some(channels),
        cells: Some(1),
        input: Shape::new(3, 16, 16),
        classes: 3,
        ..space.final_network()
    };
    let mut table = "op,input,ms\n".to_owned();
    for operation in Operations::of(space, &network, 0).unwrap().iter() {
        table += &format!("{operation},0.1\n");
    }
    fs::write(file, table).unwrap();
}

/// For some steps, by the program that was written, which goes on where it was.
#[test]
fn what_was_designed_is_trained_by_pytorch() {
    let Some(python) = swapnas_fixtures::python(&["torch", "torchvision"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(&path.join("pictures"), 20, false);
    stdout(path, &design(&["--out", "found", "--space", "nb201", "--size", "16", "--max-params", "50k"]));
    let train = |epochs: &str| {
        let output = Command::new(&python)
            .args(["train.py", "--epochs", epochs, "--batch", "16", "--workers", "0", "--rate", "0.02"])
            .current_dir(path.join("found"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let first = train("3");
    assert_eq!(first.lines().count(), 4, "{first}");
    assert!(first.starts_with("epoch 1: loss ") && first.contains("\naccuracy "), "{first}");
    let more = train("5");
    assert!(more.starts_with("epoch 4: loss ") && more.lines().count() == 3, "{more}");
}
