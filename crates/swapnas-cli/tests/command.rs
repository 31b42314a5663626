//! The command as its users type it.

use assert_cmd::Command;
use swapnas::Named;

const GENOTYPE: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('none', 0), ('none', 1), \
    ('none', 0), ('none', 1), ('none', 0), ('none', 1)], normal_concat=[2, 3, 4, 5], \
    reduce=[('sep_conv_3x3', 0), ('max_pool_3x3', 1), ('dil_conv_5x5', 2), ('avg_pool_3x3', 1), \
    ('skip_connect', 0), ('none', 1), ('sep_conv_5x5', 3), ('none', 1)], reduce_concat=[2, 3, 4, 5])";

fn swapnas(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("swapnas").unwrap();
    command.args(args).env_remove("SWAPNAS_SIMD");
    command
}

fn stdout(command: &mut Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

fn stderr_of_failure(command: &mut Command) -> String {
    String::from_utf8(command.assert().failure().get_output().stderr.clone()).unwrap()
}

/// A table of sampled architectures, their "accuracies" being their parameters.
fn table(folder: &std::path::Path, bad_line: Option<&str>) -> String {
    let lines = stdout(&mut swapnas(&["score", "--random", "30", "--top", "30", "--repeats", "1", "--json"]));
    let mut csv = String::new();
    for line in lines.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        csv.push_str(&format!("\"{}\",{}\n", object["arch"].as_str().unwrap(), object["params"]));
    }
    csv.extend(bad_line);
    let path = folder.join("table.csv");
    std::fs::write(&path, csv).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn score_prints_one_object_a_line() {
    let text =
        stdout(&mut swapnas(&["score", GENOTYPE, "--repeats", "2", "--metrics", "swap,params", "--json"]));
    let object: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(object["arch"], GENOTYPE);
    assert_eq!(object["scores"]["params"]["mean"].as_f64(), object["params"].as_f64());
    assert!(object["scores"]["swap"]["mean"].as_f64().unwrap() > 100.0);
    assert!(object["scores"]["swap"]["std"].as_f64().unwrap() > 0.0);
    assert!(object["units"].as_u64().unwrap() > 10_000);
}

#[test]
fn random_architectures_are_ranked_best_first() {
    let text = stdout(&mut swapnas(&["score", "--random", "30", "--repeats", "1", "--json"]));
    let scores: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|object| object["scores"]["swap-plus"]["mean"].as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 10);
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[test]
fn results_do_not_depend_on_threads_levels_or_company() {
    let args = ["score", "--random", "12", "--top", "12", "--repeats", "3", "--json"];
    let expected = stdout(&mut swapnas(&args));
    for threads in ["1", "2", "4"] {
        assert_eq!(stdout(swapnas(&args).args(["--threads", threads])), expected, "{threads} threads");
    }
    for level in swapnas::Level::available() {
        assert_eq!(stdout(swapnas(&args).env("SWAPNAS_SIMD", level.to_string())), expected, "{level}");
    }
    // The first of the sampled ones alone.
    let alone = stdout(&mut swapnas(&["score", "--random", "1", "--repeats", "3", "--json"]));
    assert!(expected.contains(alone.trim()), "company changes a score");
}

#[test]
fn correlate_reports_and_writes_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), None);
    let (out, plot) = (folder.path().join("scores.csv"), folder.path().join("plot.svg"));
    let text = stdout(swapnas(&["correlate", &table, "--repeats", "2", "--json"]).args([
        "--out",
        out.to_str().unwrap(),
        "--plot",
        plot.to_str().unwrap(),
    ]));
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["n"], 30);
    assert_eq!(object["failed"], serde_json::json!([]));
    // The accuracies are the parameter counts themselves.
    assert_eq!(object["metrics"]["params"]["spearman"], 1.0);
    assert!(object["metrics"]["params"]["spearman_given_params"].is_null());
    let swap = &object["metrics"]["swap"];
    let bounds: Vec<f64> =
        swap["spearman_ci95"].as_array().unwrap().iter().map(|b| b.as_f64().unwrap()).collect();
    let rho = swap["spearman"].as_f64().unwrap();
    assert!(bounds[0] <= rho && rho <= bounds[1]);
    let seconds = |what: &str| object["seconds"][what].as_f64().unwrap();
    assert!(seconds("total") >= seconds("scoring") && seconds("scoring") > 0.0);
    assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), 31);
    assert!(std::fs::read_to_string(plot).unwrap().contains("rho"));
}

#[test]
fn a_bad_line_stops_the_run_unless_it_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), Some("Genotype(normal=[('sep_conv_9x9', 0)]),90\n"));
    let error = stderr_of_failure(&mut swapnas(&["correlate", &table, "--repeats", "1"]));
    assert!(error.contains("--skip-bad") && error.contains("line 31:"), "{error}");
    let text = stdout(&mut swapnas(&["correlate", &table, "--repeats", "1", "--skip-bad", "--json"]));
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&object["n"], &object["failed"][0]["line"]), (&30.into(), &31.into()));
}

#[test]
fn export_writes_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let arch = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|";
    let size = ["--channels", "4", "--cells", "1", "--classes", "7", "--input", "16"];
    let export = || {
        let mut command = swapnas(&["export", arch, "--space", "nb201"]);
        command.args(size);
        command
    };
    for (name, beginning) in [
        ("network.py", "# The network of an architecture of the space nb201."),
        ("network.json", "{"),
        ("cell.dot", "digraph {"),
        ("cell.svg", "<svg "),
    ] {
        let path = folder.path().join(name);
        let format = swapnas::export::Format::of(&path).unwrap();
        assert_eq!(stdout(export().arg("--out").arg(&path)), "");
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.starts_with(beginning), "{written}");
        assert_eq!(stdout(export().args(["--format", format.name()])), written);
        if name == "network.json" {
            let object: serde_json::Value = serde_json::from_str(&written).unwrap();
            let network = "benchmark: 3 stages of 1 cell, 4, 8 and 16 channels, 3x16x16, 7 classes";
            assert_eq!(object["network"]["description"], network);
        }
    }
    // A pipe takes what a terminal does not.
    let onnx = folder.path().join("network.onnx");
    stdout(export().args(["--seed", "1", "--out"]).arg(&onnx));
    let piped = export().args(["--format", "onnx", "--seed", "1"]).assert().success();
    assert!(piped.get_output().stdout == std::fs::read(onnx).unwrap());
    let scoring = ["export", GENOTYPE, "--network", "swap", "--format", "json", "--input", "1x20x28"];
    let scoring = stdout(&mut swapnas(&scoring));
    assert!(scoring.contains("swap: no stem, 3 channels, 1 cell, 1x20x28, 10 classes"), "{scoring}");
}

#[test]
fn mistakes_of_exports_are_explained() {
    let error = |args: &[&str]| stderr_of_failure(swapnas(&["export", GENOTYPE]).args(args));
    assert!(error(&[]).contains("give --format (torch, onnx, json, dot, svg)"));
    assert!(error(&["--out", "cell.gif"]).contains("the name of cell.gif says no format"));
    assert!(error(&["--format", "gif"]).contains("no format is called `gif`"));
    assert!(
        error(&["--format", "svg", "--out", "no/folder/cell.svg"])
            .contains("cannot write no/folder/cell.svg")
    );
    assert!(error(&["--format", "torch", "--input", "3x32"]).contains("3x32x32"));
    assert!(error(&["--format", "torch", "--input", "0"]).contains("rows of pixels"));
    assert!(error(&["--format", "torch", "--space", "nb201"]).contains("cannot read the architecture"));
}

#[test]
fn mistakes_are_explained() {
    let error = |args: &[&str]| stderr_of_failure(&mut swapnas(args));
    assert!(error(&["score"]).contains("give architectures, ONNX files, --archs FILE or --random N"));
    assert!(error(&["score", "--space", "nb202"]).contains("nb201"));
    assert!(error(&["score", GENOTYPE, "--metrics", "swop"]).contains("did you mean swap?"));
    assert!(error(&["score", GENOTYPE, "--tensors", "no.safetensors"]).contains("no.safetensors"));
    assert!(error(&["correlate", "no.csv"]).contains("no.csv"));
    assert!(error(&["correlate", "no.csv", "--plot", "plot.gif"]).contains(".svg, .pdf or .png"));
    let level = stderr_of_failure(swapnas(&["score", GENOTYPE]).env("SWAPNAS_SIMD", "sse9"));
    assert!(level.contains("sse9"), "{level}");
}

#[test]
fn aggregates_stand_wherever_metrics_can() {
    let space = ["--space", "nb201", "--channels", "4", "--cells", "1", "--batch", "8"];
    let args = ["score", "--random", "6", "--metrics", "rank(snip,params),te-nas,snip", "--json"];
    let text = stdout(swapnas(&args).args(space));
    let means: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|object| object["scores"]["rank(snip,params)"]["mean"].as_f64().unwrap())
        .collect();
    assert_eq!(means.len(), 6);
    assert!(means.is_sorted_by(|a, b| a >= b) && means.iter().all(|rank| (1.0..=6.0).contains(rank)));
    let error = stderr_of_failure(&mut swapnas(&["score", "--metrics", "mean(swap)"]));
    assert!(error.contains("write rank(...)"), "{error}");
}

#[test]
fn double_precision_agrees_with_single() {
    let of = |precision: &str| -> serde_json::Value {
        let args = ["score", GENOTYPE, "--metrics", "snip,swap", "--repeats", "1", "--json", "--precision"];
        serde_json::from_str(&stdout(swapnas(&args).arg(precision))).unwrap()
    };
    let [single, double] = ["f32", "f64"].map(|p| of(p)["scores"]["snip"]["mean"].as_f64().unwrap());
    assert!(single != double && (single / double - 1.0).abs() < 1e-3, "{single} {double}");
}

#[test]
fn every_space_and_metric_is_listed_and_explained() {
    for (command, names) in [
        ("spaces", swapnas::spaces().iter().map(|space| space.name()).collect::<Vec<_>>()),
        (
            "metrics",
            swapnas::metrics().iter().map(|of| of.name).chain(Named::ALL.map(|of| of.name)).collect(),
        ),
    ] {
        let list = stdout(&mut swapnas(&[command]));
        assert!(list.lines().count() >= names.len());
        for name in names {
            assert!(list.lines().any(|line| line.starts_with(name)), "{name} in {list}");
            assert!(stdout(&mut swapnas(&[command, name])).starts_with(&format!("{name}:")));
            let object: serde_json::Value =
                serde_json::from_str(&stdout(&mut swapnas(&[command, name, "--json"]))).unwrap();
            assert_eq!(object["name"], name);
        }
    }
}
