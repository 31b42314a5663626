//! Runs the tests in Python, which are in this folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The Python to test with: the one that `SWAPNAS_PYTHON` names, or the usual one if it is new enough.
fn python() -> Option<String> {
    if let Ok(python) = std::env::var("SWAPNAS_PYTHON") {
        return Some(python);
    }
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 9))";
    ["python3", "python"].into_iter().map(str::to_owned).find(|python| {
        Command::new(python).args(["-c", new_enough]).status().is_ok_and(|status| status.success())
    })
}

/// Builds the library that Python loads, and says where it is.
fn library() -> PathBuf {
    let build = Command::new(env!("CARGO"))
        .args(["build", "--lib", "--message-format=json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let messages = String::from_utf8(build.stdout).expect("messages are text");
    let files = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "_swapnas")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let mut libraries = files.filter_map(|file| file.as_str().map(PathBuf::from));
    let ends = |file: &PathBuf| file.extension().is_some_and(|end| end == std::env::consts::DLL_EXTENSION);
    libraries.rfind(ends).expect("the library is built")
}

#[test]
fn tests_in_python_pass() {
    let Some(python) = python() else {
        eprintln!("not run: there is no Python of version 3.9 or later; SWAPNAS_PYTHON may name one");
        return;
    };
    let folder = tempfile::tempdir().expect("there is room");
    let package = folder.path().join("swapnas");
    std::fs::create_dir(&package).expect("the folder is new");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/swapnas");
    for file in std::fs::read_dir(source).expect("the package is there") {
        let file = file.expect("the folder can be read");
        if file.path().is_file() {
            std::fs::copy(file.path(), package.join(file.file_name())).expect("there is room");
        }
    }
    let name = if cfg!(windows) { "_swapnas.pyd" } else { "_swapnas.abi3.so" };
    std::fs::copy(library(), package.join(name)).expect("there is room");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let status = Command::new(&python)
        .args(["-B", "-W", "error", "-m", "unittest", "discover", "-s"])
        .arg(tests)
        .env("PYTHONPATH", folder.path())
        .current_dir(folder.path())
        .status()
        .unwrap_or_else(|error| panic!("{python} does not start: {error}"));
    assert!(status.success(), "a test in Python failed: see above");
}
