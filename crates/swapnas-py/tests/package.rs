//! Runs the tests in Python, which are in this folder.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that Python loads: cargo has built it for this test, and puts it beside it.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let name = format!("{DLL_PREFIX}_swapnas{DLL_SUFFIX}");
    let library = test.with_file_name(&name);
    assert!(library.exists(), "there is no {}", library.display());
    library
}

#[test]
fn tests_in_python_pass() {
    let Some(python) = swapnas_fixtures::python(&[]) else { return };
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
        .unwrap_or_else(|error| panic!("{} does not start: {error}", python.display()));
    assert!(status.success(), "a test in Python failed: see above");
}
