//! Signals that ask a process to end: what is finished by then is kept and reported.

// Where the system tells which signals a process watches for.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const SIGNALS: [(&str, i32); 3] = [("HUP", 1), ("INT", 2), ("TERM", 15)];

/// Work for hours.
const SEARCH: &[&str] = &[
    "search",
    "--space",
    "nb201",
    "--channels",
    "4",
    "--cells",
    "1",
    "--size",
    "8",
    "--repeats",
    "1",
    "--metrics",
    "swap",
    "--algorithm",
    "random",
    "--cycles",
    "100000000",
    "--threads",
    "1",
    "--out",
    "run",
];
const LARGE: &[&str] = &["--space", "nb201", "--batch", "64", "--repeats", "4", "--threads", "1"];

fn command(folder: &Path, arguments: &[&[&str]]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(arguments.concat()).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if is_there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited two minutes for {what}");
}

/// Whether a process watches for a signal; that of the end of the terminal comes last.
fn watches(child: &Child, number: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (number - 1) & 1 == 1
}

fn send(child: &Child, signal: &str) {
    let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

/// Sends a signal once the process watches for it, and something is there.
fn stop(child: Child, signal: (&str, i32), is_there: impl Fn() -> bool) -> Output {
    wait_for("a watch for signals", || watches(&child, 1));
    stop_watching(child, signal, is_there)
}

/// The same of a process that is known to watch.
fn stop_watching(child: Child, (name, number): (&str, i32), is_there: impl Fn() -> bool) -> Output {
    wait_for("something to save", is_there);
    send(&child, name);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(128 + number),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Whether evaluations have been written.
fn has_evaluations(folder: &Path) -> bool {
    folder.join("run/run.db-wal").metadata().is_ok_and(|file| file.len() > 20_000)
}

#[test]
fn a_search_is_saved_and_reported() {
    for signal in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let output = stop(command(path, &[SEARCH]).spawn().unwrap(), signal, || has_evaluations(path));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "stopped; go on with --resume run\n");
        let best = std::fs::read_to_string(path.join("run/best.json")).unwrap();
        let best: serde_json::Value = serde_json::from_str(&best).unwrap();
        assert!(best["complete"] == false && best["evaluations"].as_u64() > Some(0), "{best}");
        let report = std::fs::read_to_string(path.join("run/report.html")).unwrap();
        assert!(report.contains("The search was stopped before it was complete."));
        let resume = ["search", "--resume", "run", "--budget-seconds", "0.001"];
        assert!(command(path, &[&resume]).output().unwrap().status.success());
    }
}

#[test]
fn scores_are_printed() {
    for signal in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let child = command(folder.path(), &[&["score", "--random", "20000"], LARGE]).spawn().unwrap();
        let output = stop(child, signal, || true);
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("stopped: "));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("nb201: "));
    }
}

#[test]
fn correlations_are_printed() {
    for signal in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let table: String = (0..15_625).map(|index| format!("{index},{}\n", index % 97)).collect();
        std::fs::write(folder.path().join("table.csv"), table).unwrap();
        let files = ["correlate", "table.csv", "--out", "scores.csv", "--plot", "plot.svg"];
        let child = command(folder.path(), &[&files, LARGE]).spawn().unwrap();
        let output = stop(child, signal, || true);
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("stopped: "));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("nb201: "));
        assert!(folder.path().join("scores.csv").exists());
    }
}

#[test]
fn seeds_that_are_complete_count() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("table.csv"), "4321,90\n1234,91\n99,89\n").unwrap();
    let small = ["--space", "nb201", "--metrics", "swap", "--channels", "2", "--size", "8", "--json"];
    let seeds = ["correlate", "table.csv", "--seeds", "10000", "--repeats", "8"];
    let child = command(folder.path(), &[&seeds, &small]).spawn().unwrap();
    let output = stop(child, SIGNALS[2], || true);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("stopped: "));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seeds = told["seeds"].as_u64().unwrap();
    assert!(seeds < 10_000, "{seeds} seeds");
    if let Some(n) = told["metrics"]["swap"]["spearman_over_seeds"]["n"].as_u64() {
        assert!(n <= seeds.max(1), "{n} numbers of {seeds} seeds");
    }
}

#[test]
fn a_terminal_that_is_gone_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let nowhere = || File::options().write(true).open("/dev/full").unwrap();
    let child = command(path, &[SEARCH]).stdout(nowhere()).stderr(nowhere()).spawn().unwrap();
    stop(child, ("HUP", 1), || has_evaluations(path));
    assert!(path.join("run/report.html").exists());
}

#[test]
fn what_runs_under_nohup_goes_on_without_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_swapnas")]).args(SEARCH);
    let child = shell.current_dir(path).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("a watch for signals", || watches(&child, 15));
    assert!(!watches(&child, 1));
    send(&child, "HUP");
    stop_watching(child, ("TERM", 15), || has_evaluations(path));
}
