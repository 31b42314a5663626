//! Ctrl-C.
#![cfg(unix)]

use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn what_is_finished_before_ctrl_c_is_printed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(["score", "--space", "nb201", "--random", "100000", "--top", "100000", "--metrics", "swap"]);
    command.args([
        "--channels",
        "4",
        "--cells",
        "1",
        "--size",
        "16",
        "--repeats",
        "8",
        "--threads",
        "2",
        "--json",
    ]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let (lines, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(130), "{error}");
    let done = lines.lines().count();
    assert!(error.contains(&format!("stopped: {done} of 100000 architectures are scored")), "{error}");
    assert!(done > 0, "nothing was finished in five seconds");
}
