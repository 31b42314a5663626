//! The commands that are printed do what was done, whatever was typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use swapnas::export::NetworkOverrides;
use swapnas::options::{SCORING, SEARCH, Takes};
use swapnas::search::{Configuration, LatencyTable};
use swapnas::{command, spaces};

use crate::args::{Cli, Command, SearchArgs};

/// What may be typed after an option of `swapnas search`, or `None` if the run does not depend on it.
fn values(id: &str, folder: &Path) -> Option<BoxedStrategy<String>> {
    let takes = SCORING.iter().map(|row| (row.identifier(), row.takes));
    let takes = takes.chain(SEARCH.iter().map(|row| (row.identifier(), row.takes)));
    let takes = takes.into_iter().find(|(name, _)| name == id).map(|(_, takes)| takes);
    Some(match (id, takes) {
        ("space", None) => {
            let names: Vec<String> = spaces().iter().map(|space| space.name().to_owned()).collect();
            select(names).boxed()
        }
        ("metrics", _) => prop_oneof![
            select(&["swap", "params, swap", "rank(swap,params)", "logrank(swap , ntk),te-nas", "all"][..])
                .prop_map(str::to_owned),
            (1e-9..1e9f64, 1e-300..1e300f64)
                .prop_map(|(mu, sigma)| format!("swap-reg:mu={mu}:sigma={sigma}")),
        ]
        .boxed(),
        ("inputs", _) => prop_oneof![
            Just("gaussian".to_owned()),
            (0.0..10.0f64, 0.0..1.0f64)
                .prop_map(|(exponent, c)| format!("spectral:exponent={exponent}:correlation={c}")),
            ("(cifar10|images|npy)", odd_name()).prop_map(|(kind, path)| format!("{kind}:{path}")),
        ]
        .boxed(),
        ("latency_table", _) => {
            let path = folder.join("-given.csv").display().to_string();
            let row = ("[a-z_0-9\"' ]{1,8}", "[0-9x]{1,8}", 0.0..1e6f64);
            vec(row, 0..5)
                .prop_map(move |rows| {
                    let mut writer = String::from("op,input,ms\n");
                    for (op, input, ms) in rows {
                        writer.push_str(&format!("\"{}\",{input},{ms:?}\n", op.replace('"', "\"\"")));
                    }
                    std::fs::write(&path, writer).unwrap();
                    path.clone()
                })
                .boxed()
        }
        // Becomes a metric with arguments, of which there are above. By itself it takes hundreds of networks; see
        // below.
        ("target_params", _) => return None,
        // Becomes a part of the images, of which there are above.
        ("skip_bad", _) => return None,
        ("threads" | "budget_seconds" | "out" | "resume" | "top" | "json", _) => return None,
        (_, Some(Takes::Number { least, most })) => (least..=most).prop_map(|n| n.to_string()).boxed(),
        (_, Some(Takes::Count)) => {
            prop_oneof![(1u64..).prop_map(|n| n.to_string()), (1u64..5000).prop_map(|n| format!("{n}.5k"))]
                .boxed()
        }
        (_, Some(Takes::Positive)) => {
            prop_oneof![1e-300..1e12f64, 0.001..100.0f64].prop_map(|ms| ms.to_string()).boxed()
        }
        (_, Some(Takes::Size)) => prop_oneof![
            (1..=2048u32).prop_map(|side| side.to_string()),
            (1..=4u32, 1..=2048u32, 1..=2048u32).prop_map(|(c, h, w)| format!("{c}x{h}x{w}")),
        ]
        .boxed(),
        (_, Some(Takes::Name(names))) => select(names()).prop_map(str::to_owned).boxed(),
        (_, Some(Takes::Explained(names))) => select(names).prop_map(|(name, _)| name.to_owned()).boxed(),
        (other, _) => panic!("can --{other} be typed again? say what may stand after it"),
    })
}

/// Names with which shells could do something.
fn odd_name() -> impl Strategy<Value = String> {
    prop_oneof!["[-=~ '\"$`\\\\!*?{}()<>|&;#\n\t\u{1b}\u{202e}a-zé]{1,12}", "[^\u{0}]{1,12}"]
}

/// Some of the options of `swapnas search`, as they may be typed.
fn typed(folder: PathBuf) -> impl Strategy<Value = Vec<String>> {
    let command = Cli::command();
    let search = command.find_subcommand("search").expect("it is a command");
    let options = search.get_arguments().filter_map(|argument| {
        let values = values(argument.get_id().as_str(), &folder)?;
        let name = argument.get_long().expect("it is an option").to_owned();
        // `=`, since a value may begin as an option does.
        Some(option::of(values.prop_map(move |value| format!("--{name}={value}"))))
    });
    options.collect::<Vec<_>>().prop_map(|words| words.into_iter().flatten().collect())
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Command {
    let matches = crate::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{error}"));
    Cli::from_arg_matches(&matches).unwrap().command
}

fn search(words: impl IntoIterator<Item = OsString>) -> SearchArgs {
    match parse(words) {
        Command::Search(args) => args,
        _ => panic!("it is a search"),
    }
}

fn configuration(words: &[String]) -> Configuration {
    let typed = ["swapnas", "search"].into_iter().map(OsString::from);
    super::configuration(&search(typed.chain(words.iter().map(OsString::from)))).unwrap()
}

/// The words of a command as a shell passes them on.
#[cfg(unix)]
fn in_shell(shell: &str, command: &str) -> Vec<OsString> {
    use std::os::unix::ffi::OsStringExt;
    let script = format!("swapnas() {{ printf '%s\\0' swapnas \"$@\"; }}\n{command}");
    let output = std::process::Command::new(shell).arg("-c").arg(script).output().expect("there is a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let words = output.stdout.strip_suffix(b"\0").expect("words end so").split(|byte| *byte == 0);
    words.map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// A run's own table of latencies, in a folder whose name is nothing but trouble.
#[cfg(unix)]
fn table(folder: &Path, configuration: &Configuration) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let run = folder.join(OsString::from_vec(b"-it's a $HOME \"run\"\n\xff!".to_vec()));
    std::fs::create_dir_all(&run).unwrap();
    let path = run.join("latency.csv");
    if let Some(table) = &configuration.search.latency {
        std::fs::write(&path, table.to_csv().unwrap()).unwrap();
    }
    path
}

#[cfg(unix)]
#[test]
fn the_command_of_a_run_runs_it_again() {
    let folder = tempfile::tempdir().unwrap();
    // Each takes some shells.
    proptest!(ProptestConfig::with_cases(100), |(mut words in typed(folder.path().to_owned()))| {
        // Numbers that the algorithm would not look at are refused.
        let algorithm = search(
            ["swapnas", "search"].into_iter().chain(words.iter().map(String::as_str)).map(OsString::from)
        ).search.options.algorithm;
        words.retain(|word| {
            algorithm.check_numbers(|name| word.starts_with(&format!("--{name}="))).is_ok()
        });
        let configuration = configuration(&words);
        let printed = command::search(&configuration, Some(&table(folder.path(), &configuration)));
        prop_assert!(!printed.contains('\n'), "{}", printed);
        let again = in_shell("bash", &printed);
        if !printed.contains("$'") {
            prop_assert_eq!(&again, &in_shell("sh", &printed));
        }
        let again = super::configuration(&search(again)).unwrap();
        prop_assert_eq!(&again, &configuration, "{}", printed);

        // As it is kept with the run.
        let kept = serde_json::to_string(&configuration).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Configuration>(&kept).unwrap(), &configuration);

        // The network that is to be trained.
        let space = configuration.space().unwrap();
        let arch = swapnas::sample(space, 1, configuration.scoring.seed).remove(0);
        let trained = configuration.trained().unwrap();
        let printed = command::export(space, &space.print(&arch), &trained);
        let Command::Export(args) = parse(in_shell("sh", &printed)) else { panic!("it is an export") };
        let (channels, cells, classes, size) = (args.channels, args.cells, args.classes, args.input);
        let network = NetworkOverrides { preset: Some(args.network), channels, cells, classes, size }.network(args.space);
        prop_assert_eq!(network, trained, "{}", printed);
        prop_assert_eq!(space.print(&args.space.parse(&args.arch).unwrap()), space.print(&arch));
    });
}

#[test]
fn a_size_that_was_aimed_at_is_that_of_the_metric() {
    let typed =
        ["--space", "nb201", "--network", "benchmark", "--target-params", "0.7M", "--size", "1x16x24"];
    let configuration = configuration(&typed.map(str::to_owned));
    insta::assert_snapshot!(command::search(&configuration, None), @"swapnas search --space nb201 --metrics swap-reg:mu=700:sigma=125600 --inputs spectral --batch 16 --seed 0 --weights shared --precision f32 --network benchmark --size 1x16x24 --classes 10 --algorithm swap-nas --population 20 --sample 10 --cycles 200 --mutations 5 --second-objective params --final-size 1x16x24");
}

#[test]
fn latencies_are_kept_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latency.csv");
    proptest!(|(times in vec(prop_oneof![0.0..1.0f64, 1e-300..1e300f64], 1..50))| {
        let lines: String = times.iter().enumerate().map(|(n, ms)| format!("op{n},1x1x1,{ms:?}\n")).collect();
        std::fs::write(&path, format!("op,input,ms\n{lines}")).unwrap();
        let table = LatencyTable::read(&path).unwrap();
        let kept: LatencyTable = serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
        prop_assert_eq!(&kept, &table);
        std::fs::write(&path, table.to_csv().unwrap()).unwrap();
        prop_assert_eq!(&LatencyTable::read(&path).unwrap(), &table);
    });
}
