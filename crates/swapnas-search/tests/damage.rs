//! Databases that were changed after they were written: refused with a message, or of no consequence.

use std::path::Path;
use std::sync::Mutex;

use insta::assert_snapshot;
use rayon::prelude::*;
use rusqlite::Connection;
use swapnas_graph::{Level, Shape};
use swapnas_metrics::Progress;
use swapnas_metrics::inputs::InputSpec;
use swapnas_search::{Configuration, Ended, ScoringOptions, Search, SearchError, SearchOptions};
use swapnas_spaces::{NetworkConfig, by_name};

/// A search of a few small networks, some without a score.
fn configuration() -> Configuration {
    let space = by_name("nb201").unwrap();
    let scored = NetworkConfig { channels: Some(1), cells: Some(1), ..space.default_network() };
    let scored = NetworkConfig { input: Shape::new(1, 4, 4), classes: 2, ..scored };
    Configuration {
        space: "nb201".to_owned(),
        one_cell: false,
        scoring: ScoringOptions {
            metrics: Some("swap,swap-reg:mu=0.1:sigma=1e-4".to_owned()),
            inputs: InputSpec::Gaussian,
            batch: 2,
            repeats: Some(2),
            seed: 1,
            network: (&scored).into(),
            ..ScoringOptions::default()
        },
        proxies: Default::default(),
        search: SearchOptions {
            population: 3,
            sample: 2,
            cycles: 3,
            mutations: 2,
            trained: (&scored).into(),
            ..SearchOptions::default()
        },
    }
}

/// What a search has found: all of it, and what the algorithm works on in the end.
fn found(search: &Search) -> Vec<String> {
    let (archive, space) = (search.archive(), search.candidates().space());
    let line = |(place, entry): (usize, &swapnas_search::Evaluated)| {
        let scores: Vec<String> = (entry.scored.scores.iter())
            .map(|score| match score {
                Ok(score) => format!("{:?} {:?}", score.mean, score.std),
                Err(reason) => reason.to_string(),
            })
            .collect();
        let saturation = entry.scored.saturation;
        format!(
            "{} {} {scores:?} {saturation:?} {:?}",
            search.step_of(place),
            space.print(&entry.arch),
            entry.sizes
        )
    };
    let lines = archive.entries().iter().enumerate().map(line);
    lines.chain([format!("{:?}", search.population())]).collect()
}

/// Goes on with a run to its end.
fn finish(folder: &Path) -> Result<Vec<String>, SearchError> {
    let mut search = Search::resume(folder, Level::best())?;
    assert_eq!(search.run(&(), None)?, Ended::Complete);
    Ok(found(&search))
}

/// Stops after so many evaluations.
struct StopAfter(Mutex<f64>);

impl Progress for StopAfter {
    fn advance(&self, networks: f64) {
        *self.0.lock().unwrap() -= networks;
    }

    fn stopped(&self) -> bool {
        *self.0.lock().unwrap() < 0.5
    }
}

/// What a whole search finds, and the files of one that was cut: as a process leaves them that is killed, or that
/// closes the database in the end. Pages are as small as there are.
struct Cut {
    whole: Vec<String>,
    killed: [Vec<u8>; 2],
    closed: Vec<u8>,
}

const NAMES: [&str; 2] = ["run.db", "run.db-wal"];

fn cut() -> Cut {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut search = Search::create(&path, configuration(), Level::best()).unwrap();
    assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
    let whole = found(&search);
    let path = folder.path().join("cut");
    drop(Search::create(&path, configuration(), Level::best()).unwrap());
    let database = Connection::open(path.join("run.db")).unwrap();
    let small = "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL";
    database.execute_batch(small).unwrap();
    drop(database);
    let mut search = Search::resume(&path, Level::best()).unwrap();
    let stop = StopAfter(Mutex::new(6.0));
    assert_eq!(search.run(&stop, None).unwrap(), Ended::Stopped);
    assert!((4..whole.len() - 2).contains(&search.evaluated()), "{}", search.evaluated());
    let read = |name: &str| std::fs::read(path.join(name)).unwrap();
    let killed = NAMES.map(read);
    drop(search);
    assert!(!path.join(NAMES[1]).exists());
    Cut { whole, killed, closed: read(NAMES[0]) }
}

/// Changes one byte after the other, or every so many, and continues each time: what comes out is the whole search, or an error that
/// says what is wrong. Returns how many of the changes were refused.
fn change_bytes(files: &[(&str, &[u8])], changed: usize, step: usize, whole: &[String]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let refused = (0..files[changed].1.len()).into_par_iter().step_by(step).map(|place| {
        // All bits of a byte, or one of them.
        let mask = if place % 2 == 0 { 0xff } else { 1 << (place / 2 % 8) };
        let path = folder.path().join(place.to_string());
        std::fs::create_dir(&path).unwrap();
        for (index, (name, contents)) in files.iter().enumerate() {
            let mut contents = contents.to_vec();
            if index == changed {
                contents[place] ^= mask;
            }
            std::fs::write(path.join(name), contents).unwrap();
        }
        let ended = finish(&path);
        std::fs::remove_dir_all(&path).unwrap();
        match ended {
            Ok(found) => {
                assert_eq!(found, whole, "byte {place} of {}, mask {mask:02x}", files[changed].0);
                0
            }
            Err(error) => {
                assert!(error.to_string().contains("run.db"), "byte {place}, mask {mask:02x}: {error}");
                1
            }
        }
    });
    refused.sum()
}

#[test]
fn no_byte_of_a_database_can_be_changed_unnoticed() {
    let Cut { whole, killed: [database, log], closed } = cut();
    let refused = change_bytes(&[(NAMES[0], &closed)], 0, 1, &whole);
    // The others are of no consequence: free space, and what SQLite keeps for itself.
    assert!(refused > closed.len() / 3, "{refused} of {}", closed.len());
    // A log with an error is one that ends there: what was written behind is evaluated again.
    let files = [(NAMES[0], &*database), (NAMES[1], &*log)];
    change_bytes(&files, 1, 5, &whole);
}

#[test]
fn a_log_that_was_cut_anywhere_is_a_run_that_was_cut_earlier() {
    let Cut { whole, killed: [database, log], .. } = cut();
    let folder = tempfile::tempdir().unwrap();
    (0..log.len() + 1).into_par_iter().step_by(61).for_each(|length| {
        let path = folder.path().join(length.to_string());
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join(NAMES[0]), &database).unwrap();
        std::fs::write(path.join(NAMES[1]), &log[..length]).unwrap();
        assert_eq!(finish(&path).unwrap(), whole, "{length} bytes");
    });
}

/// What is said of a database with which somebody did this.
fn said(database: &[u8], sql: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAMES[0]);
    std::fs::write(&path, database).unwrap();
    let database = Connection::open(&path).unwrap();
    database.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    drop(database);
    let error = finish(folder.path()).expect_err(sql).to_string();
    let (_, what) = error.split_once("run.db is damaged: ").unwrap_or_else(|| panic!("{sql}: {error}"));
    what.split_once("; put back a copy of it").unwrap().0.to_owned()
}

#[test]
fn rows_that_were_changed_are_named() {
    let closed = cut().closed;
    let said = |sql: &str| said(&closed, sql);
    // Whatever it is, a checksum notices it.
    for sql in [
        "UPDATE evaluations SET params = -1 WHERE id = 2",
        "UPDATE evaluations SET macs = macs + 1 WHERE id = 2",
        "UPDATE evaluations SET latency = 1 WHERE id = 2",
        "UPDATE evaluations SET saturation = NULL WHERE id = 2",
        "UPDATE evaluations SET ceiling = 'none' WHERE id = 2",
        "UPDATE evaluations SET checksum = checksum + 1 WHERE id = 2",
        "UPDATE scores SET mean = 1e999 WHERE evaluation = 2",
        "UPDATE scores SET mean = NULL WHERE evaluation = 2",
        "UPDATE scores SET std = 1 WHERE evaluation = 2",
        "UPDATE scores SET reason = 'none' WHERE evaluation = 2",
        "UPDATE scores SET metric = 'nwot' WHERE evaluation = 2 AND metric = 'swap'",
        "INSERT INTO scores VALUES (2, 'nwot', 1, 0, NULL)",
        "DELETE FROM scores WHERE evaluation = 2 AND metric = 'swap'",
        "DELETE FROM scores WHERE evaluation = 2",
        // Two rows with each other's numbers.
        "UPDATE evaluations SET id = 1000 WHERE id = 1; UPDATE evaluations SET id = 1 WHERE id = 2; \
         UPDATE evaluations SET id = 2 WHERE id = 1000",
    ] {
        let said = said(sql);
        let named = ["evaluation 1 is not what", "evaluation 2 is not what"];
        assert!(named.iter().any(|name| said.starts_with(name)), "{sql}: {said}");
    }
    let long = "UPDATE evaluations SET params = 'many' WHERE id = 2";
    assert_snapshot!(said(long), @"evaluation 2: Invalid column type Text at index: 2, name: params");
    assert_snapshot!(said("UPDATE scores SET mean = 'large' WHERE evaluation = 2"), @"a score of evaluation 2: Invalid column type Text at index: 2, name: mean");
    assert_snapshot!(said("INSERT INTO scores VALUES (77, 'swap', 1, 0, NULL)"), @"evaluation 77 is missing, which has a score swap");
    let remove = "DELETE FROM scores WHERE evaluation = 2; DELETE FROM evaluations WHERE id = 2";
    assert_snapshot!(said(remove), @"evaluation 2 is missing");
    // The last one is only missing where the history has it.
    let last = "(SELECT max(id) FROM evaluations WHERE id IN (SELECT evaluation FROM history))";
    let after =
        format!("DELETE FROM scores WHERE evaluation >= {last}; DELETE FROM evaluations WHERE id >= {last}");
    let said_of_last = said(&after);
    assert!(said_of_last.contains("which is missing"), "{said_of_last}");
    assert_snapshot!(said("DELETE FROM history WHERE place = 1"), @"place 1 of the history is missing");
    assert_snapshot!(said("UPDATE history SET step = 7 WHERE place = 1"), @"place 1 of the history is not what was written (its checksum is another)");
    assert_snapshot!(said("UPDATE history SET evaluation = 1 WHERE place = 1"), @"place 1 of the history is not what was written (its checksum is another)");
    assert_snapshot!(said("DELETE FROM run"), @"its settings are missing");
    assert_snapshot!(said("INSERT INTO run SELECT * FROM run"), @"its settings are missing");
    assert_snapshot!(said("UPDATE run SET configuration = replace(configuration, '\"seed\":1', '\"seed\":2')"), @"its settings are not those that were written");
    assert_snapshot!(said("UPDATE run SET version = '9'"), @"its settings are not those that were written");
    assert_snapshot!(said("ALTER TABLE history RENAME COLUMN step TO cycle"), @"its table history is another");
    assert_snapshot!(said("DROP TABLE scores"), @"its table scores is another");
}

#[test]
fn steps_that_are_missing_are_noticed() {
    let closed = cut().closed;
    // No process begins a step before it has written the one before.
    let without = said(&closed, "DELETE FROM history WHERE step > 0");
    let parts = without.contains("is of no step of the search");
    assert!(parts, "{without}");
    let half = said(&closed, "DELETE FROM history WHERE place = 2");
    assert!(half.contains("place 2 of the history"), "{half}");
}

#[test]
fn rows_of_another_run_are_not_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut other = configuration();
    other.scoring.seed = 2;
    let mut search = Search::create(&path, other, Level::best()).unwrap();
    search.run(&(), None).unwrap();
    drop(search);
    let other = path.join(NAMES[0]);
    let attach = format!("ATTACH '{}' AS other; ", other.display());
    let take = "DELETE FROM scores; DELETE FROM history; DELETE FROM evaluations; \
                INSERT INTO evaluations SELECT * FROM other.evaluations; INSERT INTO scores SELECT * FROM other.scores";
    assert_snapshot!(said(&cut().closed, &(attach + take)), @"evaluation 1 is not what was written (its checksum is another)");
}
