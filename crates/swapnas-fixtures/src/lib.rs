//! Where tests find what is not in the repository: reference data, and a Python with the packages they need; and the
//! numbers that references are made of.
//!
//! What is not there is said, and the test that asked for it passes without having tested anything. Where the
//! variable `CI` is `true`, it fails instead.
//!
//! ```
//! let numbers = swapnas_fixtures::noise(3, 1);
//! assert_eq!(numbers, swapnas_fixtures::noise(4, 1)[..3]);
//! assert!(numbers.iter().all(|number| number.abs() <= 1.0));
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Numbers from -1 to 1 with 20 bits after the point, so that single precision holds them: SplitMix64 (Steele, Lea,
/// Flood 2014), which scripts in Python have as well, so that images and weights need not be stored.
pub fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 43) as f32 / (1 << 20) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A file or folder of the outputs of reference implementations: in the folder that `SWAPNAS_FIXTURES` names, or
/// `../shared/fixtures` beside the repository.
///
/// # Panics
/// If it is not there and `CI` is `true`.
pub fn fixtures(name: &str) -> Option<PathBuf> {
    find("SWAPNAS_FIXTURES", "fixtures", name)
}

/// A file of the benchmarks' tables and images: in the folder that `SWAPNAS_DATA` names, or `../shared/data`
/// beside the repository.
///
/// # Panics
/// If it is not there and `CI` is `true`.
pub fn data(name: &str) -> Option<PathBuf> {
    find("SWAPNAS_DATA", "data", name)
}

fn find(variable: &str, folder: &str, name: &str) -> Option<PathBuf> {
    // A relative path is meant as seen from the repository, where cargo is called.
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let root = std::env::var_os(variable).map_or_else(|| Path::new("../shared").join(folder), PathBuf::from);
    let path = repository.join(root).join(name);
    if path.exists() {
        return Some(path);
    }
    missing(&format!("{} is not there; {variable} may name another folder", path.display()));
    None
}

/// A Python of version 3.9 or later that can import the modules: the one that `SWAPNAS_PYTHON` names, or else
/// `python3` or `python`.
///
/// # Panics
/// If there is none and `CI` is `true`, or if `SWAPNAS_PYTHON` names something else than a Python.
pub fn python(modules: &[&str]) -> Option<OsString> {
    let given = std::env::var_os("SWAPNAS_PYTHON");
    let candidates =
        given.clone().map_or_else(|| vec!["python3".into(), "python".into()], |given| vec![given]);
    let imports: String = modules.iter().map(|module| format!("import {module}\n")).collect();
    let script = format!("import sys\nassert sys.version_info >= (3, 9)\n{imports}");
    let fits = |python: &OsString| match Command::new(python).args(["-c", &script]).output() {
        Ok(output) => output.status.success(),
        Err(error) if given.is_some() => {
            panic!("SWAPNAS_PYTHON, {}, does not start: {error}", python.display())
        }
        Err(_) => false,
    };
    let found = candidates.into_iter().find(fits);
    if found.is_none() {
        let with = if modules.is_empty() { String::new() } else { format!(" with {}", modules.join(", ")) };
        missing(&format!("there is no Python of version 3.9 or later{with}; SWAPNAS_PYTHON may name one"));
    }
    found
}

fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what}");
    eprintln!("skipped: {what}");
}
