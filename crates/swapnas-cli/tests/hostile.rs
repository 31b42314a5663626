//! Texts that would do things to a terminal, and texts that have no end, wherever a text is taken.

mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use support::{error, run, stdout};

/// What a terminal would obey, what turns the direction of others, what is not seen, and an end of a line.
const OBEYED: &str = "\x1b[2J\x1b]0;x\x07\r\x08\u{9b}1m\u{202e}\u{2066}\u{200b}\u{feff}\nerror: none";

fn texts() -> [String; 4] {
    [OBEYED.to_owned(), "x".repeat(70_000), "rank(".repeat(14_000), OBEYED.repeat(2000)]
}

/// No line of a message is longer, and no message has more in all.
const LONGEST: usize = 2500;

fn check(output: &Output, what: &dyn std::fmt::Debug) {
    for (stream, text) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
        let text = std::str::from_utf8(text).unwrap();
        let obeyed = |c: char| {
            c.is_control() && c != '\n'
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        let found = text.chars().filter(|c| obeyed(*c)).collect::<String>();
        assert!(found.is_empty(), "{what:?}: {stream} has {found:?}: {text:?}");
        assert!(!text.contains("\nerror: none"), "{what:?}: {text}");
        let longest = text.lines().map(str::len).max().unwrap_or(0);
        assert!(longest <= LONGEST, "{what:?}: {stream} has a line of {longest} bytes");
    }
    assert!(output.stderr.len() <= LONGEST, "{what:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code <= 2), "{what:?}: {:?}", output.status);
}

/// The options of a command that take a value.
fn options(folder: &Path, command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
    let help = stdout(folder, &words);
    let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split_once(" <"));
    options.map(|(name, _)| format!("--{name}")).collect()
}

#[test]
fn every_option_and_argument_takes_any_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("table.csv"), "4321,90\n1234,91\n").unwrap();
    let small = ["--space=nb201", "--channels=4", "--cells=1", "--size=8", "--batch=2", "--repeats=1"];
    let search = ["--population=2", "--sample=1", "--cycles=0", "--metrics=params"];
    let training = [
        "--space=nb201",
        "--channels=4",
        "--cells=1",
        "--size=8",
        "--epochs=1",
        "--batch=4",
        "--train-images=4",
        "--validation-images=2",
    ];
    let mut tried = 0;
    for (command, argument, always) in [
        ("score", Some("4321"), &small[..]),
        ("correlate", Some("table.csv"), &small),
        ("search", None, &[&small[..], &search].concat()),
        ("export", Some("4321"), &["--space=nb201", "--channels=4", "--cells=1", "--format=dot"]),
        ("train", Some("4321"), &training),
        ("bench create", None, &[&training[..], &["--networks=2", "--out=bench"]].concat()),
        ("bench report", Some("none"), &small),
        ("design", Some("none"), &[]),
        ("latency", None, &["--space=nb201", "--out=times.csv", "--python=none"]),
        ("completions", Some("bash"), &[]),
        ("man", None, &[]),
        ("spaces", Some("nb201"), &[]),
        ("metrics", Some("swap"), &[]),
    ] {
        for text in texts() {
            for option in options(path, command) {
                let others = always.iter().filter(|other| !other.starts_with(&format!("{option}=")));
                let with_text = format!("{option}={text}");
                let words = command.split(' ').chain(argument).chain(others.copied());
                let words: Vec<&str> = words.chain([&with_text[..]]).collect();
                check(&run(path, &words), &(command, &option));
                tried += 1;
            }
            for text in [&text, &format!("--{text}")] {
                let words: Vec<&str> = command.split(' ').chain([&text[..]]).collect();
                check(&run(path, &words), &command);
            }
        }
    }
    for text in texts() {
        check(&run(path, &[&text]), &"a command");
        for kind in ["spectral", "gaussian", "cifar10", "images", "images-skip-bad", "npy"] {
            check(
                &run(path, &["score", "4321", "--space=nb201", "--inputs", &format!("{kind}:{text}")]),
                &kind,
            );
        }
        let spaces = ["darts", "nb301", "nb101", "transnas-micro", "transnas-macro", "nbmacro", "mobilenet"];
        for space in spaces.into_iter().chain(["nats-sss", "autoformer-tiny", "flexibert"]) {
            for arch in
                [text.clone(), format!("{{\"{text}\": 1}}"), format!("[({text}"), format!("64-{text}")]
            {
                check(&run(path, &["score", &arch, "--space", space]), &space);
            }
        }
        for metrics in ["swap:", "swap-reg:mu=", "swap-reg:", "rank(swap,", "mean(", "swap,"] {
            check(&run(path, &["score", "4321", "--metrics", &format!("{metrics}{text}")]), &metrics);
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn metrics_that_are_written_with_line_breaks_are_shown_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("table.csv"), "4321,90\n1234,91\n").unwrap();
    let small = ["--space=nb201", "--channels=4", "--cells=1", "--batch=2", "--repeats=1"];
    let metrics = format!("rank(params,\u{85}\nmacs\r{})", ",macs".repeat(900));
    for command in [&["score", "4321"][..], &["correlate", "table.csv"]] {
        let output = run(path, &[command, &small, &["--metrics", &metrics]].concat());
        assert!(output.status.success());
        check(&output, &command);
    }
    let search = ["--population=2", "--sample=1", "--cycles=0", "--out=run", "--metrics", &metrics];
    check(&run(path, &[&["search"], &small[..], &search].concat()), &"search");
    let report = std::fs::read_to_string(path.join("run/report.html")).unwrap();
    assert!(!report.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn files_may_hold_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let small =
        ["--space=nb201", "--channels=4", "--cells=1", "--batch=2", "--repeats=1", "--metrics=params"];
    let file = |contents: &[u8]| std::fs::write(path.join("file"), contents).unwrap();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    for text in texts() {
        let cell = quoted(&text);
        for table in [
            format!("arch,{cell}\n4321,90\n"),
            format!("{cell},accuracy\n4321,90\n"),
            format!("arch,accuracy,{cell},{cell}\n4321,x\n{cell},90\n"),
            format!("arch,accuracy\n{cell},90\n4321,{cell}\n"),
            format!("{cell},{cell}\n{cell},{cell}\n"),
            json!([{ "arch": text, "acc": text, &text[..]: { &text[..]: text } }]).to_string(),
            json!({ &text[..]: { "acc": 90 }, "4321": { "acc": text } }).to_string(),
            json!([{ &text[..]: text, "acc": 90 }, text]).to_string(),
            format!("[{{\"arch\": {text}}}]"),
            text.clone(),
        ] {
            file(table.as_bytes());
            check(&run(path, &[&["correlate", "file"], &small[..]].concat()), &table.len());
            check(&run(path, &[&["correlate", "file", "--skip-bad"], &small[..]].concat()), &table.len());
            check(&run(path, &[&["score", "--archs", "file"], &small[..]].concat()), &table.len());
        }
        for table in
            [format!("op,input,{cell}\nrelu,1x1x1,{cell}\n"), format!("op,input,ms\n{cell},{cell},{cell}\n")]
        {
            file(table.as_bytes());
            let search = ["search", "--latency-table=file", "--max-latency=1", "--cycles=0"];
            check(&run(path, &[&search[..], &small].concat()), &"a latency table");
        }
        let tensor = json!({ "dtype": text, "shape": [1], "data_offsets": [0, 4] });
        let tensors = json!({ text.clone(): tensor }).to_string();
        file(&[&(tensors.len() as u64).to_le_bytes()[..], tensors.as_bytes(), &[0; 4]].concat());
        check(&run(path, &[&["score", "4321", "--tensors", "file"], &small[..]].concat()), &"tensors");
        file(format!("\u{93}NUMPY\u{1}\0{text}").as_bytes());
        check(&run(path, &["score", "4321", "--space=nb201", "--inputs=npy:file"]), &"an array");
        file(text.as_bytes());
        std::fs::copy(path.join("file"), path.join("file.onnx")).unwrap();
        check(&run(path, &["score", "file.onnx"]), &"an ONNX file");
    }
    let name = "\x1b[2J\u{202e}\u{9b}\n.";
    for (end, arguments) in [("csv", &["correlate"][..]), ("onnx", &["score"]), ("x", &["score", "--archs"])]
    {
        let name = format!("{name}{end}");
        std::fs::write(path.join(&name), "4321,x\n1234,90\n").unwrap();
        check(&run(path, &[arguments, &[&name], &small].concat()), &name);
    }
    let pictures = path.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    std::fs::write(pictures.join(format!("{name}png")), "text").unwrap();
    for inputs in ["images:pictures", "images-skip-bad:pictures"] {
        check(&run(path, &["score", "4321", "--space=nb201", "--batch=1", "--inputs", inputs]), &inputs);
    }
}

#[test]
fn the_operators_of_onnx_files_may_be_called_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let small = ["--space=nb201", "--channels=4", "--cells=1", "--input=16", "--out=whole.onnx"];
    stdout(path, &[&["export", "4321"], &small[..]].concat());
    let mut file = std::fs::read(path.join("whole.onnx")).unwrap();
    for place in 0..file.len() - 4 {
        if &file[place..place + 4] == b"Conv" {
            file[place..place + 4].copy_from_slice(b"\x1b[2J");
        }
    }
    let name = "\x1b[2J\u{202e}.onnx";
    std::fs::write(path.join(name), file).unwrap();
    check(&run(path, &["score", name]), &"an operator");
    assert!(error(path, &["score", name]).contains(r"\u{1b}[2J\u{202e}.onnx: node 1, \u{1b}[2J"));
    // A file that can be scored, in a table of its own.
    std::fs::copy(path.join("whole.onnx"), path.join(name)).unwrap();
    let output = run(path, &["score", name, "--metrics=params"]);
    assert!(output.status.success());
    check(&output, &"a name in a table");
}

#[test]
fn reasons_of_a_run_may_say_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let small = ["--space=nb201", "--channels=4", "--cells=1", "--batch=2", "--repeats=1"];
    let search = ["--population=2", "--sample=1", "--cycles=0", "--metrics=params,swap", "--out=run"];
    stdout(path, &[&["search"], &small[..], &search].concat());
    for text in texts() {
        let database = rusqlite::Connection::open(path.join("run/run.db")).unwrap();
        let change = "UPDATE scores SET mean = NULL, std = NULL, reason = ?1 WHERE metric = 'swap'";
        database.execute(change, [&text]).unwrap();
        database.close().unwrap();
        let output = run(path, &["search", "--resume", "run"]);
        assert_eq!(output.status.code(), Some(1));
        check(&output, &"a reason that was changed");
    }
    let database = rusqlite::Connection::open(path.join("run/run.db")).unwrap();
    for change in [
        "UPDATE evaluations SET arch = ?1 || arch WHERE id = 1",
        "UPDATE run SET configuration = replace(configuration, 'spectral', ?1)",
        "UPDATE run SET configuration = ?1",
    ] {
        database.execute(change, [OBEYED]).unwrap();
        check(&run(path, &["search", "--resume", "run"]), &change);
    }
}

#[test]
fn the_environment_is_not_trusted_either() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
    command.args(["score", "4321", "--space=nb201"]).env("SWAPNAS_SIMD", "\x1b[2J\u{202e}");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    check(&output, &"SWAPNAS_SIMD");
}

#[cfg(unix)]
#[test]
fn twenty_megabytes_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // The system ends whoever takes more than so many seconds of a processor.
    let limited = |arguments: &[&str]| {
        let shell = ["-c", r#"ulimit -t 4; exec "$0" "$@""#, env!("CARGO_BIN_EXE_swapnas")];
        Command::new("sh").args(shell).args(arguments).current_dir(path).output().unwrap()
    };
    for unit in ["x", "(", "9", "[", "{\"a\":", "\"", "(0,", "\x1b", "é", " "] {
        let text = unit.repeat(20_000_000 / unit.len());
        std::fs::write(path.join("arch"), format!("{text},90\n4321,91\n")).unwrap();
        std::fs::write(path.join("accuracy"), format!("4321,{text}\n1,91\n")).unwrap();
        std::fs::write(path.join("list"), &text).unwrap();
        for arguments in [
            &["correlate", "arch", "--space=nb201"][..],
            &["correlate", "accuracy", "--space=nb201"],
            &["score", "--archs=list", "--space=darts"],
            &["score", "--archs=list", "--space=nb101"],
            &["search", "--cycles=0", "--latency-table=arch"],
        ] {
            let output = limited(arguments);
            check(&output, &(unit, arguments));
            assert_eq!(output.status.code(), Some(1), "{unit:?}, {arguments:?}");
        }
    }
}

/// A name that is no Unicode.
#[cfg(unix)]
#[test]
fn names_of_files_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["correlate"][..], &["score", "--archs"], &["search", "--resume"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swapnas"));
        command.args(arguments).arg(OsStr::from_bytes(b"\xff\x1b.csv")).current_dir(&folder);
        check(&command.output().unwrap(), &arguments);
    }
}
