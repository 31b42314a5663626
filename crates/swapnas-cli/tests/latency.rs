//! How long operations take, and searches that know it.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{error, stdout};

/// The smallest networks of a small space, which are run as few times as can be.
const SMALL: [&str; 9] =
    ["--space", "nb201", "--channels", "8", "--cells", "1", "--seconds", "0.0001", "--check"];

/// `latency` with the Python that tests use.
fn latency<'a>(python: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["latency", "--python", python, "--out", "times.csv"], more].concat()
}

/// With either runtime, a table is all that a search needs.
#[test]
fn a_search_is_limited_by_what_was_measured() {
    for runtime in ["onnxruntime", "torch"] {
        let Some(python) = swapnas_fixtures::python(&["numpy", runtime]) else { continue };
        let python = python.to_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let words = latency(python, &[&SMALL[..], &["3", "--on", runtime, "--json"]].concat());
        let object: Value = serde_json::from_str(&stdout(path, &words)).unwrap();
        assert!(object["runtime"].as_str().unwrap().starts_with(runtime), "{object}");
        let checks = object["checks"].as_array().unwrap();
        let is_time = |ms: &Value| ms.as_f64().is_some_and(|ms| ms > 0.0 && ms < 1e6);
        assert!(checks.len() == 3 && checks.iter().all(|check| is_time(&check["measured_ms"])), "{object}");
        assert!(checks.iter().all(|check| is_time(&check["predicted_ms"])), "{object}");
        let table = fs::read_to_string(path.join("times.csv")).unwrap();
        assert!(
            table.starts_with("op,input,ms\n") && table.contains("\nconv_3x3_s1_d1_g1_8,8x32x32,"),
            "{table}"
        );
        assert_eq!(object["operations"].as_array().unwrap().len(), table.lines().count() - 1);
        let found = searched(path, "1e6");
        let slowest = latencies(&found).fold(0.0, f64::max);
        assert!(slowest > 0.0, "{found}");
        // A part of that is a limit that others are within, and it is kept.
        let limit = 0.7 * slowest;
        let found = searched(path, &limit.to_string());
        assert!(latencies(&found).all(|ms| ms <= limit), "{limit}: {found}");
    }
}

fn searched(path: &Path, limit: &str) -> Value {
    let folder = format!("run-{limit}");
    let search = [
        "search",
        "--space",
        "nb201",
        "--final-channels",
        "8",
        "--final-cells",
        "1",
        "--channels",
        "4",
        "--cells",
        "1",
        "--metrics",
        "params",
        "--cycles",
        "20",
        "--latency-table",
        "times.csv",
        "--json",
        "--max-latency",
        limit,
        "--out",
        &folder,
    ];
    serde_json::from_str(&stdout(path, &search)).unwrap()
}

/// Milliseconds of the best architectures.
fn latencies(found: &Value) -> impl Iterator<Item = f64> {
    let best = found["best"].as_array().unwrap();
    best.iter().map(|best| best["final"]["latency_ms"].as_f64().unwrap())
}

#[test]
fn people_are_told_what_was_measured() {
    let Some(python) = swapnas_fixtures::python(&["numpy", "onnxruntime"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = stdout(path, &latency(python.to_str().unwrap(), &[&SMALL[..], &["2"]].concat()));
    let head = text.lines().next().unwrap();
    insta::assert_snapshot!(head, @"nb201: benchmark: 3 stages of 1 cell, 8, 16 and 32 channels, 3x32x32, 10 classes");
    let last = text.lines().last().unwrap();
    insta::assert_snapshot!(last, @"to search with it: swapnas search --space nb201 --final-channels 8 --final-cells 1 --latency-table times.csv --max-latency MS");
}

/// None of which leaves a table behind.
#[test]
fn what_cannot_be_measured_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let with = |more: &[&str]| error(path, &latency("none/python", &[&SMALL[..], &["1"], more].concat()));
    insta::assert_snapshot!(with(&[]), @"error: `none/python` does not start: No such file or directory (os error 2); name a Python with --python");
    insta::assert_snapshot!(with(&["--on", "tensorflow"]), @"error: invalid value 'tensorflow' for '--on <RUNTIME>': nothing that runs networks is called `tensorflow`; give onnxruntime or torch");
    let nowhere = error(path, &["latency", "--out", "none/times.csv"]);
    insta::assert_snapshot!(nowhere, @"error: cannot write none/times.csv: No such file or directory (os error 2)");
    if let Some(python) = swapnas_fixtures::python(&["numpy", "onnxruntime"]) {
        let python = python.to_str().unwrap();
        let many = error(path, &latency(python, &[&SMALL[..], &["1", "--threads", "1024"]].concat()));
        assert!(many.starts_with("error: 1024 threads are more than the "), "{many}");
    }
    assert!(!path.join("times.csv").exists());
}

/// A program that does as Python does where something is missing, ends, or talks.
#[test]
#[cfg(unix)]
fn a_python_without_the_runtime_and_one_that_ends_are_told_apart() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let says = |name: &str, script: &str| {
        let file = path.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        error(path, &latency(&format!("./{name}"), &[&SMALL[..], &["1"]].concat()))
    };
    insta::assert_snapshot!(says("bare", r#"echo '{"missing": "onnxruntime"}'"#), @"error: `./bare` has no onnxruntime; install it (`./bare -m pip install onnxruntime`), or name another Python with --python");
    insta::assert_snapshot!(says("dead", "echo 'Illegal instruction' >&2; exit 1"), @"error: `./dead` ended before all was measured: Illegal instruction");
    let refuses = r#"echo '{"ready": "onnxruntime 1"}'; read line; echo '{"ms": [2, 1]}'; read line; echo 'a warning'; echo '{"failed": [0, "no such kernel"]}'"#;
    insta::assert_snapshot!(says("refuses", refuses), @"error: add,16x16x16 cannot be measured with onnxruntime: no such kernel");
    assert!(!path.join("times.csv").exists());
}

/// Work that is stopped before the table is whole leaves none, and says so. (Ctrl-C is ignored in the background.)
#[test]
#[cfg(unix)]
fn what_is_stopped_leaves_no_table() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(
        path.join("slow"),
        "#!/bin/sh\necho '{\"ready\": \"onnxruntime 1\"}'\nread line\ntouch begun\nexec sleep 600\n",
    )
    .unwrap();
    fs::set_permissions(path.join("slow"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(latency("./slow", &[&SMALL[..], &["1"]].concat())).current_dir(path);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..600 {
        if path.join("begun").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let said = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(said.trim_end(), @"stopped before all operations were measured; nothing was written");
    assert!(output.stdout.is_empty() && !path.join("times.csv").exists());
}
