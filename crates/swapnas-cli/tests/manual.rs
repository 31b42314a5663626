//! What shells and the manual are told.

mod support;

use support::stdout;

#[test]
fn shells_complete_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(folder.path(), &["completions", shell]);
        for word in ["correlate", "max-params", "bench"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

/// The script is one that the shell can read.
#[test]
#[cfg(unix)]
fn bash_reads_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("swapnas.bash");
    std::fs::write(&script, stdout(folder.path(), &["completions", "bash"])).unwrap();
    let Ok(output) = std::process::Command::new("bash").arg("-n").arg(&script).output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    assert!(stdout(folder.path(), &["man"]).starts_with(".ie"));
    stdout(folder.path(), &["man", "--out", "pages"]);
    let page = |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    assert!(page("swapnas.1").contains("swapnas\\-search(1)"), "{}", page("swapnas.1"));
    assert!(page("swapnas-search.1").contains("population"));
    assert!(page("swapnas-bench-create.1").contains("networks"));
}
