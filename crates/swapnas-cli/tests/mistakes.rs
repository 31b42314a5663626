//! What users are told who ask for what cannot be, and that nothing they do ends in a panic.

mod support;

use std::process::{Command, Stdio};

use insta::assert_snapshot;

use support::{error, run, stdout};

const CELL: &str = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|";

#[test]
fn numbers_out_of_range_are_refused_as_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| error(folder.path(), &[&["search"], arguments].concat());
    assert_snapshot!(error(&["--population", "-5"]), @"error: invalid value '-5' for '--population <N>': give a number from 1 to 1000000");
    assert_snapshot!(error(&["--budget-seconds", "-1"]), @"error: invalid value '-1' for '--budget-seconds <S>': give a number greater than 0");
    assert_snapshot!(error(&["--budget-seconds", "NaN"]), @"error: invalid value 'NaN' for '--budget-seconds <S>': give a number greater than 0");
    assert_snapshot!(error(&["--max-params", "-3"]), @"error: invalid value '-3' for '--max-params <N>': give a count such as 3300000, 3.3M or 600k");
    assert_snapshot!(error(&["--seed", "-1"]), @"error: invalid value '-1' for '--seed <N>': give a number from 0 to 18446744073709551615");
    assert_snapshot!(error(&["--min-params", "5M", "--max-params", "1M"]), @"error: no network has 5000000 parameters or more and 1000000 or fewer; give limits with room between them");
    assert_snapshot!(error(&["--algorithm", "random", "--sample", "3"]), @"error: --sample means nothing to --algorithm random; leave it out");
    assert_snapshot!(error(&["--algorithm", "exhaustive", "--cycles", "3"]), @"error: --cycles means nothing to --algorithm exhaustive; leave it out");
}

#[test]
fn folders_that_cannot_be_used_are_told_from_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("empty")).unwrap();
    std::fs::write(path.join("file"), "").unwrap();
    std::fs::create_dir(path.join("odd")).unwrap();
    std::fs::write(path.join("odd/run.db"), "no database, but long enough to be looked at".repeat(100))
        .unwrap();
    let resume = |name: &str| error(path, &["search", "--resume", name]);
    assert_snapshot!(resume("none"), @"error: none holds no run: there is no such folder");
    assert_snapshot!(resume("empty"), @"error: empty holds no run: there is no run.db in it");
    assert_snapshot!(resume("file"), @"error: file holds no run: it is no folder");
    assert_snapshot!(resume("odd"), @"error: the database odd/run.db: this is no database");
    let out = |name: &str| error(path, &["search", "--cycles", "1", "--out", name]);
    assert_snapshot!(out("odd"), @"error: odd already holds a run; give another folder, or continue it with --resume");
    assert_snapshot!(out("file"), @"error: cannot write the run in file: not a directory");
    assert_eq!(std::fs::read(path.join("file")).unwrap(), b"");
}

#[test]
fn causes_are_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| error(folder.path(), arguments);
    assert_snapshot!(error(&["correlate", "none.csv"]), @"error: cannot read none.csv: No such file or directory (os error 2)");
    assert_snapshot!(error(&["score", "--archs", "."]), @"error: . is a folder; give a file, or the folder of NATS-Bench, which has files such as 000000.pickle.pbz2");
    let export = ["export", CELL, "--space", "nb201", "--format", "svg", "--out"];
    assert_snapshot!(error(&[&export[..], &["none/cell.svg"]].concat()), @"error: cannot write none/cell.svg: No such file or directory (os error 2)");
    assert_snapshot!(error(&[&export[..], &["."]].concat()), @"error: cannot write .: is a directory");
    assert_snapshot!(error(&[&export[..], &["cell.json"]].concat()), @"error: cell.json is the name of another format than svg: leave out --format, or change the name");
    if cfg!(target_os = "linux") {
        assert_snapshot!(error(&[&export[..], &["/dev/full"]].concat()), @"error: cannot write /dev/full: No space left on device (os error 28)");
    }
}

#[test]
fn files_are_checked_before_anything_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("table.csv"), format!("{CELL},90\n{CELL},91\n")).unwrap();
    let error = |arguments: &[&str]| {
        error(folder.path(), &[&["correlate", "table.csv", "--space", "nb201"], arguments].concat())
    };
    assert_snapshot!(error(&["--out", "."]), @"error: cannot write .: is a directory");
    assert_snapshot!(error(&["--plot", "none/plot.svg"]), @"error: cannot write none/plot.svg: No such file or directory (os error 2)");
    assert_snapshot!(error(&["--limit", "1"]), @"error: table.csv has 1 usable row; a correlation takes two");
}

#[test]
fn values_in_messages_are_short_and_plain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let error = |bytes: &[u8]| {
        std::fs::write(path.join("table.csv"), bytes).unwrap();
        error(path, &["correlate", "table.csv", "--space", "nb201"])
    };
    let utf16: Vec<u8> = "\u{feff}a,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_snapshot!(error(&utf16), @"error: table.csv is in UTF-16; save it in UTF-8");
    assert_snapshot!(error(format!("{CELL},9\0\x1b[1m\n").as_bytes()), @r#"
error: nothing is scored; mend these, or leave them out with --skip-bad: table.csv: 1 line cannot be used
  line 1: column 2: `9\0\u{1b}[1m` is not a number; write it as in 94.3
"#);
    assert_snapshot!(error(format!("{CELL},{}\n", "8_".repeat(200)).as_bytes()), @"
error: nothing is scored; mend these, or leave them out with --skip-bad: table.csv: 1 line cannot be used
  line 1: column 2: `8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_…(280 more)…8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_8_` is not a number; write it as in 94.3
");
    let long = "(".repeat(100_000);
    assert!(self::error(path, &["score", &long]).len() < 500);
}

#[test]
fn what_takes_more_memory_than_there_is_is_not_begun() {
    // Where the system gives away memory that it does not have, nobody can know.
    let overcommits = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
    if !overcommits.is_ok_and(|mode| mode.trim() != "1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let huge = ["score", "--random", "1", "--repeats", "1", "--size", "2048"];
    let network = error(folder.path(), &[&huge[..], &["--channels", "2048", "--cells", "256"]].concat());
    assert!(
        network.contains("the values and weights of a network take")
            && network.contains("GiB of memory, but the system gives no more than"),
        "{network}"
    );
    let images = error(folder.path(), &[&huge[..], &["--batch", "4096"]].concat());
    assert!(images.contains("the images take 384."), "{images}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_takes_more_memory_than_there_is_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let limited = |arguments: &[&str]| {
        let shell = ["-c", r#"ulimit -v 3000000; exec "$0" "$@""#, env!("CARGO_BIN_EXE_swapnas")];
        let export = ["export", "4321", "--space", "nb201"];
        let mut command = Command::new("sh");
        command.args(shell).args(export).args(arguments).current_dir(&folder);
        // Every thread has addresses of its own, which count.
        command.env("RAYON_NUM_THREADS", "2").output().unwrap()
    };
    let refused = |size: &[&str]| {
        let output = limited(&[size, &["--format", "onnx"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        let (needed, available) = said.split_once(", but the system gives no more than 2.").unwrap();
        assert!(available.ends_with(" GiB; lower --channels, --cells or --input\n"), "{said}");
        needed.to_owned()
    };
    // Many weights, and large values.
    let weights = ["--channels", "1024"];
    assert_snapshot!(refused(&weights), @"error: weights and values of the network take 3.1 GiB of memory");
    let values = ["--channels", "96", "--input", "512"];
    assert!(refused(&values).starts_with("error: weights and values of the network take "));
    assert!(limited(&[&weights[..], &["--format", "torch"]].concat()).status.success());
}

#[test]
fn nobody_need_read_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["metrics", "--json"][..],
        &["export", CELL, "--space", "nb201", "--format", "torch"],
        &["search", "--repeats", "1", "--size", "8", "--cycles", "1", "--top", "1000"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
        command.args(arguments).current_dir(&folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn the_command_for_the_network_can_be_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (space, network) in [
        // Encodings with either kind of quotes, and with bars.
        ("nb101", &["--channels", "8", "--cells", "1", "--final-channels", "16"][..]),
        ("darts", &["--size", "16", "--final-channels", "8", "--final-cells", "2", "--classes", "7"]),
        ("nb201", &["--channels", "4", "--cells", "1"]),
    ] {
        let search = ["search", "--space", space, "--metrics", "params", "--cycles", "1", "--out", space];
        let text = stdout(path, &[&search[..], network].concat());
        let (_, typed) = text.split_once("the network in PyTorch: swapnas ").unwrap();
        let typed = typed.lines().next().unwrap();
        let shell = format!("\"{}\" {typed}", env!("CARGO_BIN_EXE_swapnas"));
        let output = Command::new("sh").args(["-c", &shell]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let best = std::fs::read_to_string(path.join(space).join("best.json")).unwrap();
        let best: serde_json::Value = serde_json::from_str(&best).unwrap();
        let size = format!("# {} parameters", best["best"][0]["final"]["params"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains(&size), "{typed}");
    }
}

#[test]
fn a_search_warns_of_scores_that_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let small = ["search", "--metrics", "swap", "--batch", "2", "--repeats", "1", "--size", "8"];
    let text = stdout(path, &[&small[..], &["--cycles", "1", "--out", "run"]].concat());
    assert!(text.contains("saturated: 25 of 25 networks"), "{text}");
    let report = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    assert!(report.contains("saturated: 25 of 25 networks"));
    assert!(stdout(path, &["search", "--resume", "run"]).contains("saturated: 25 of 25 networks"));
    let target =
        run(path, &["search", "--target-params", "100M", "--repeats", "1", "--size", "8", "--cycles", "1"]);
    let said = String::from_utf8_lossy(&target.stderr).into_owned();
    assert!(
        said.contains("of 200 random networks to be trained, none has about 100000000 parameters"),
        "{said}"
    );
}

#[test]
fn other_separators_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("semicolons.csv"), "arch;accuracy\n4321;90.5\n").unwrap();
    std::fs::write(path.join("tabs.tsv"), "arch\taccuracy\n4321\t90.5\n").unwrap();
    let said = |arguments: &[&str]| {
        let output = run(path, arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let semicolons = said(&["correlate", "semicolons.csv", "--space", "nb201"]);
    insta::assert_snapshot!(semicolons, @"error: semicolons.csv seems to be separated by semicolons; save it with commas");
    let tabs = said(&["score", "--archs", "tabs.tsv", "--space", "nb201"]);
    insta::assert_snapshot!(tabs, @"error: tabs.tsv seems to be separated by tabs; save it with commas");
}
