//! Runs the command in a folder.

use std::path::Path;
use std::process::{Command, Output};

/// In a folder of its own, so that messages name no path of this machine.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(arguments).current_dir(folder).env_remove("SWAPNAS_SIMD").output().unwrap()
}

pub(crate) fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a command that fails, which prints nothing else.
#[allow(dead_code)] // Not in every test does a command fail.
pub(crate) fn error(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let code = output.status.code();
    assert!(matches!(code, Some(1 | 2)), "{arguments:?} ends with {code:?}");
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    text.trim_end().trim_end_matches("\n\nFor more information, try '--help'.").to_owned()
}
