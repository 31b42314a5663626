//! A run of format 2, as the version that wrote it left it when it was killed within a step, and the history of the
//! search that it would have come to.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use rusqlite::Connection;
use swapnas_graph::Level;
use swapnas_search::{Ended, Search, SearchError};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format2").join(name)
}

/// A folder with the run.
fn run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(file("run.db"), folder.path().join("run.db")).unwrap();
    folder
}

/// Goes on with it, and returns its history as the old version wrote it.
fn finish(folder: &Path) -> Result<(usize, Vec<String>), SearchError> {
    let mut search = Search::resume(folder, Level::best())?;
    assert_eq!(search.run(&(), None)?, Ended::Complete);
    let (archive, space) = (search.archive(), search.candidates().space());
    let values = archive.values();
    let line = |(place, entry): (usize, &swapnas_search::Evaluated)| {
        let mut cells = vec![(place + 1).to_string(), search.step_of(place).to_string()];
        cells.push(space.print(&entry.arch));
        let value = |values: &Vec<Result<swapnas_metrics::Score, _>>| {
            values[place].as_ref().map_or(String::new(), |score| format!("{:?}", score.mean))
        };
        cells.extend(values.iter().map(value));
        let counts = [entry.scored.params, entry.scored.macs, entry.sizes.params, entry.sizes.macs];
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(format!("{:?}", entry.sizes.latency.unwrap()));
        cells.join(",")
    };
    Ok((search.evaluated(), archive.entries().iter().enumerate().map(line).collect()))
}

#[test]
fn it_ends_as_it_would_have() {
    let folder = run();
    let (evaluated, history) = finish(folder.path()).unwrap();
    assert_eq!(evaluated, 5, "seven evaluations are known");
    let expected = std::fs::read_to_string(file("history.csv")).unwrap();
    let expected: Vec<&str> = expected.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(history, expected);
    // From now on it has checksums.
    let database = Connection::open(folder.path().join("run.db")).unwrap();
    let format: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(format, 3);
    database.execute_batch("UPDATE scores SET mean = mean + 1 WHERE evaluation = 2").unwrap();
    drop(database);
    let error = finish(folder.path()).unwrap_err().to_string();
    assert!(error.contains("evaluation 2 is not what was written"), "{error}");
}

#[test]
fn values_that_cannot_be_are_refused() {
    let said = |sql: &str| {
        let folder = run();
        let path = folder.path().join("run.db");
        let database = Connection::open(&path).unwrap();
        database.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        drop(database);
        let written = std::fs::read(&path).unwrap();
        let error = finish(folder.path()).expect_err(sql).to_string();
        let (_, what) = error.split_once("run.db is damaged: ").unwrap_or_else(|| panic!("{sql}: {error}"));
        let (what, _) = what.split_once("; put back a copy of it").unwrap();
        // The search itself comes to its steps when the rows have been written anew.
        assert!(what.contains("should have") || std::fs::read(&path).unwrap() == written, "{sql}");
        what.to_owned()
    };
    let row = |set: &str| said(&format!("UPDATE evaluations SET {set} WHERE id = 3"));
    let score =
        |set: &str| said(&format!("UPDATE scores SET {set} WHERE evaluation = 3 AND metric = 'swap'"));
    assert_snapshot!(row("params = -1"), @"evaluation 3: params cannot be -1");
    assert_snapshot!(row("params = params + 1"), @"evaluation 3: params is 2117, but should be 2116");
    assert_snapshot!(row("macs = 0"), @"evaluation 3: macs is 0, but should be 17616");
    assert_snapshot!(row("units = 1"), @"evaluation 3: units is 1, but should be 544");
    assert_snapshot!(row("trained_params = 1"), @"evaluation 3: trained_params is 1, but should be 7974");
    assert_snapshot!(row("trained_macs = 1"), @"evaluation 3: trained_macs is 1, but should be 63392");
    assert_snapshot!(row("latency = 9e999"), @"evaluation 3: its latency cannot be inf");
    assert_snapshot!(row("latency = NULL"), @"evaluation 3: it has no latency");
    assert_snapshot!(row("latency = latency * 2"), @"evaluation 3: latency is 82.39999999999998, but should be 41.19999999999999");
    assert_snapshot!(row("saturation = 1.5"), @"evaluation 3: its saturation cannot be 1.5");
    assert_snapshot!(row("saturation = NULL"), @"evaluation 3: it has a saturation without a ceiling, or a ceiling without one");
    assert_snapshot!(row("ceiling = 'sky'"), @"evaluation 3: its ceiling cannot be `sky`");
    assert_snapshot!(row("arch = '4321'"), @"evaluation 3: its architecture is not written as searches write it");
    assert_snapshot!(row("arch = 'a cell'"), @"evaluation 3: column 1: expected `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object, found `a`");
    assert_snapshot!(score("mean = 1e999"), @"evaluation 3: its score swap cannot be inf with a deviation of 0");
    assert_snapshot!(score("mean = -1e999"), @"evaluation 3: its score swap cannot be -inf with a deviation of 0");
    assert_snapshot!(score("std = -1"), @"evaluation 3: its score swap cannot be 16 with a deviation of -1");
    assert_snapshot!(score("std = NULL"), @"evaluation 3: its score swap is neither a mean with a deviation nor a reason why there is none");
    assert_snapshot!(score("reason = 'none'"), @"evaluation 3: its score swap is neither a mean with a deviation nor a reason why there is none");
    assert_snapshot!(score("mean = NULL, std = NULL"), @"evaluation 3: its score swap is neither a mean with a deviation nor a reason why there is none");
    assert_snapshot!(score("metric = 'nwot'"), @"evaluation 3: it has no score swap, but one of `jacov`");
    assert_snapshot!(said("INSERT INTO scores VALUES (3, 'nwot', 1, 0, NULL)"), @"evaluation 3: it has a score `nwot`, for which the run does not ask");
    assert_snapshot!(said("DELETE FROM scores WHERE evaluation = 3; DELETE FROM evaluations WHERE id = 3"), @"evaluation 3 is missing");
    assert_snapshot!(said("UPDATE history SET evaluation = 2 WHERE place = 2"), @"place 2 of the history has evaluation 2, which came before");
    assert_snapshot!(said("UPDATE history SET evaluation = 99 WHERE place = 2"), @"place 2 of the history has evaluation 99, which is missing");
    assert_snapshot!(said("UPDATE history SET step = 3 WHERE place = 4"), @"place 4 of the history should have |none~0|+|none~0|none~1|+|none~0|none~1|none~2| in step 1");
    assert_snapshot!(said("UPDATE history SET step = -1 WHERE place = 0"), @"place 0 of the history cannot be of step -1");
    assert_snapshot!(said("DELETE FROM history WHERE place = 2"), @"place 2 of the history is missing");
}
