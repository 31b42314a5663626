//! Benchmarks in a folder: begun, stopped, gone on with, opened.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use swapnas_graph::Level;
use swapnas_metrics::Progress;
use swapnas_spaces::by_name;
use swapnas_train::benchmark::{self, Benchmark, BenchmarkError, Plan};
use swapnas_train::{Optimiser, Settings};

fn plan() -> Plan {
    let settings = Settings { epochs: 2, batch: 16, ..Settings::default() };
    Plan {
        networks: 4,
        seeds: 2,
        channels: Some(4),
        cells: Some(1),
        input: [3, 8, 8],
        train: 48,
        validation: 20,
        settings,
        ..Plan::new(by_name("nb201").unwrap())
    }
}

/// Stops after so many trainings.
struct Stops {
    left: AtomicUsize,
}

impl Progress for Stops {
    fn advance(&self, networks: f64) {
        if networks > 0.0 {
            let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }
    }

    fn stopped(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

fn create(folder: &Path, plan: &Plan) -> Result<Benchmark, BenchmarkError> {
    benchmark::create(folder, plan, Level::best(), &())
}

/// All rows but for the seconds.
fn rows(made: &Benchmark) -> Vec<benchmark::Row> {
    made.rows().into_iter().map(|row| benchmark::Row { seconds: 0.0, ..row }).collect()
}

#[test]
fn what_is_stopped_goes_on_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let expected = create(&whole, &plan()).unwrap();
    assert_eq!((expected.networks(), expected.rows().len()), (4, 4));
    let mut done = 0;
    for stop in 1.. {
        let stops = Stops { left: AtomicUsize::new(2) };
        let made = benchmark::create(&parts, &plan(), Level::best(), &stops).unwrap();
        let lines = fs::read_to_string(parts.join("networks.jsonl")).unwrap().lines().count();
        assert!(lines > done, "{lines} after stop {stop}");
        done = lines;
        // As if the process had been killed while it was writing.
        let mut text = fs::read(parts.join("networks.jsonl")).unwrap();
        text.extend_from_slice(br#"{"arch":"|nor"#);
        fs::write(parts.join("networks.jsonl"), text).unwrap();
        if made.networks() == 4 {
            break;
        }
    }
    assert_eq!(done, 8);
    assert_eq!(rows(&benchmark::open(&parts).unwrap()), rows(&expected));
    let table = fs::read_to_string(expected.table()).unwrap();
    let header = table.lines().next().unwrap();
    assert_eq!(header, "arch,accuracy,params,macs,seconds,epoch_1,epoch_2,seed_0,seed_1");
    assert_eq!(table.lines().count(), 5);
}

#[test]
fn networks_that_diverge_are_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut wild = plan();
    wild.settings.optimiser = Optimiser::sgd().with_rate(1000.0);
    wild.settings.epochs = 30;
    wild.seeds = 1;
    let made = create(folder.path(), &wild).unwrap();
    assert_eq!(made.networks(), 4);
    assert!(made.failed().count() > 0 && made.rows().len() == 4 - made.failed().count());
    assert!(made.failed().all(|(_, why)| why.contains("take a smaller learning rate")));
}

#[test]
fn folders_with_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shown =
        |error: BenchmarkError| error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(shown(benchmark::open(folder.path()).unwrap_err()), @"FOLDER has no benchmark");
    let small = Plan { networks: 2, seeds: 1, ..plan() };
    create(folder.path(), &small).unwrap();
    let mut other = small.clone();
    other.settings.epochs = 3;
    insta::assert_snapshot!(shown(create(folder.path(), &other).unwrap_err()), @"FOLDER has another benchmark, with epochs 2 and not 3: give the options that it was begun with, or another folder");
    let journal = folder.path().join("networks.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    for (from, to) in [(r#""seed":0"#, r#""seed":7"#), (r#""accuracy":"#, r#""accuracy":100"#), ("{", "{{")] {
        fs::write(&journal, text.replacen(from, to, 1)).unwrap();
        let error = shown(benchmark::open(folder.path()).unwrap_err());
        assert!(error.starts_with("FOLDER/networks.jsonl, line 1: "), "{error}");
    }
    let twice = text.lines().next().unwrap().to_owned() + "\n" + &text;
    fs::write(&journal, twice).unwrap();
    insta::assert_snapshot!(shown(benchmark::open(folder.path()).unwrap_err()), @"FOLDER/networks.jsonl, line 2: the network was trained with this seed before; remove the line to have this network trained anew");
    fs::write(folder.path().join("plan.json"), "{}").unwrap();
    assert!(matches!(benchmark::open(folder.path()), Err(BenchmarkError::Damaged { .. })));
}
