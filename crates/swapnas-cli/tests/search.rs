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

#[test]
#[cfg(unix)]
fn the_command_of_a_run_comes_to_the_same() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("it's a \"run\"\nof $HOME");
    let small =
        ["--space", "nb201", "--channels", "2", "--cells", "1", "--size", "1x16x24", "--final-channels", "2"];
    let metrics = ["--metrics", "rank(swap,params), swap-reg:mu=0.5", "--repeats", "1", "--cycles", "3"];
    let begin = |folder: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
        command.arg("search").args(small).args(metrics).args(more).arg("--out").arg(folder).output().unwrap()
    };
    // A table of all operations, by what is said of those that it lacks.
    let table = temporary.path().join("times.csv");
    let mut lines = "op,input,ms\n".to_owned();
    for round in 0.. {
        std::fs::write(&table, &lines).unwrap();
        let given = ["--latency-table", table.to_str().unwrap(), "--max-latency", "1e6"];
        let output = begin(&folder, &given);
        if output.status.success() {
            break;
        }
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("lacks these operations") && round < 20, "{error}");
        for (place, line) in error.lines().skip(1).enumerate() {
            lines.push_str(&format!("{line},{:?}\n", 0.1 * (place + 1) as f64));
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
    std::fs::remove_file(table).unwrap();
    let best: serde_json::Value = serde_json::from_str(&read(&folder, "best.json")).unwrap();
    let again = temporary.path().join("again");
    let shell = format!(
        "swapnas() {{ '{}' \"$@\" --out '{}'; }}\n{}",
        env!("CARGO_BIN_EXE_swapnas"),
        again.display(),
        best["command"].as_str().unwrap()
    );
    let output = Command::new("bash").args(["-c", &shell]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["history.csv", "latency.csv"] {
        assert_eq!(read(&again, name), read(&folder, name), "{name}");
    }
}
