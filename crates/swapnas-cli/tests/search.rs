//! `swapnas search`, whole and killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn search(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    let small = ["search", "--size", "16", "--repeats", "4", "--cycles", "60", "--threads", "1", "--json"];
    command.args(small).arg("--out").arg(folder).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn resume(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(["search", "--json", "--threads", "2", "--resume"]).arg(folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_killed_search_is_resumed_and_ends_the_same() {
    let temporary = tempfile::tempdir().unwrap();
    let [whole, cut] = ["whole", "cut"].map(|name| temporary.path().join(name));
    let output = search(&whole, &[]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["complete"], true);
    assert_eq!(object["population"].as_array().unwrap().len(), 20);
    // At moments that are spread over the search, whatever the machine.
    for round in 0u64..12 {
        let mut command = if cut.join("run.db").exists() { resume(&cut) } else { search(&cut, &[]) };
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(7 + 23 * round));
        // It may be through already.
        let _ = child.kill();
        child.wait().unwrap();
    }
    let mut command = if cut.join("run.db").exists() { resume(&cut) } else { search(&cut, &[]) };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["history.csv", "best.json", "report.html"] {
        assert_eq!(read(&cut, name), read(&whole, name), "{name}");
    }
}

#[test]
fn time_and_settings_are_kept() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("run");
    let output = search(&folder, &["--budget-seconds", "0.05"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["complete"], false);
    assert!(read(&folder, "report.html").contains("The time was up"));
    let output = resume(&folder).args(["--seed", "3"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("leave out --seed"), "{error}");
    let output = search(&folder, &[]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("already holds a run"), "{error}");
    let output = resume(&folder).output().unwrap();
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["complete"], true);
}

#[test]
fn a_latency_table_that_lacks_operations_says_which() {
    let temporary = tempfile::tempdir().unwrap();
    let table = temporary.path().join("latency.csv");
    std::fs::write(&table, "op,input,ms\nrelu,96x32x32,0.1\n").unwrap();
    let folder = temporary.path().join("run");
    let table = table.display().to_string();
    let output = search(&folder, &["--latency-table", &table, "--max-latency", "5"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("conv_3x3_s1_d1_g1_108,3x16x16"), "{error}");
}
