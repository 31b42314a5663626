//! Databases of searches.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

use arbitrary::Unstructured;
use rusqlite::{Connection, MAIN_DB, params, types::Value};
use swapnas::command;
use swapnas_metrics::{Ceiling, Metric, Saturation, Score, Scored, Undefined};
use swapnas_search::{Configuration, Evaluated, SearchError, Sizes, Store};
use swapnas_spaces::{Arch, Space};

use crate::{seeds, told};

/// The bytes of `run.db`.
pub(crate) fn file(input: &[u8]) {
    match Store::from_bytes(input) {
        Ok((mut store, configuration)) => {
            check(&configuration);
            loaded(&mut store, &configuration);
        }
        Err(error) => {
            told(&error);
        }
    }
}

/// Settings are written and read the same again, and can be asked everything.
fn check(configuration: &Configuration) {
    thread_local! {
        static LAST: RefCell<Option<Configuration>> = const { RefCell::new(None) };
    }
    // Most inputs have those of the one before, which there is no need to ask again.
    if LAST.replace(Some(configuration.clone())).as_ref() == Some(configuration) {
        return;
    }
    let json = serde_json::to_string(configuration).expect("settings can be written");
    let again: Configuration = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!(&again, configuration);
    assert!(!command::search(configuration, None).is_empty());
    let _ = configuration.evaluations();
    if let Err(error) = configuration.algorithm() {
        told(&error);
    }
    if let Err(error) = configuration.settings(swapnas_graph::Level::PORTABLE) {
        told(&error);
    }
}

/// What there is, if the settings say how to read it.
fn loaded(store: &mut Store, configuration: &Configuration) -> Option<HashMap<Arch, Evaluated>> {
    let mut load = || {
        let (candidates, columns) = (configuration.candidates()?, configuration.columns()?);
        let entries = store.load(&candidates, &configuration.scored()?, columns.metrics())?;
        Ok::<_, SearchError>((candidates.space(), columns, entries))
    };
    match load() {
        Ok((space, columns, entries)) => {
            for (arch, entry) in &entries {
                assert_eq!(&entry.arch, arch);
                assert_eq!(entry.scored.scores.len(), columns.metrics().len());
                assert_eq!(space.parse(&space.print(arch)).as_ref(), Ok(arch));
            }
            Some(entries)
        }
        Err(error) => {
            told(&error);
            None
        }
    }
}

/// A run, empty and in memory.
fn empty() -> (Store, Configuration) {
    static DATABASE: OnceLock<Vec<u8>> = OnceLock::new();
    let database = DATABASE.get_or_init(|| seeds::run(&[]));
    Store::from_bytes(database).expect("it was just written")
}

/// Evaluations that the bytes choose, saved and loaded; or else rows that somebody changed.
pub(crate) fn rows(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    if choices.ratio(1, 2).unwrap_or(false) {
        saved(&mut choices);
    } else {
        tampered(&mut choices);
    }
}

/// What is saved is loaded as it was.
fn saved(choices: &mut Unstructured<'_>) {
    let (mut store, configuration) = empty();
    let (space, columns) =
        (configuration.space().expect("of a good run"), configuration.columns().expect("likewise"));
    let mut entries: HashMap<Arch, Evaluated> = HashMap::new();
    while !choices.is_empty() && entries.len() < 4 {
        let entry = entry(space, columns.metrics(), choices);
        entries.insert(entry.arch.clone(), entry);
    }
    let list: Vec<Evaluated> = entries.values().cloned().collect();
    store.save(space, columns.metrics(), &list).unwrap_or_else(|error| panic!("{error}"));
    let archs: Vec<Arch> = list.into_iter().map(|entry| entry.arch).collect();
    store.step(space, 0, 0, &archs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded(&mut store, &configuration), Some(entries));
}

fn entry(space: &dyn Space, metrics: &[Metric], choices: &mut Unstructured<'_>) -> Evaluated {
    let index = choices.int_in_range(0..=15_624).unwrap_or(0);
    let arch = space.canonical(&space.parse(&format!("{index}")).expect("a number of an architecture"));
    let mut count = || choices.arbitrary::<u32>().unwrap_or(0).into();
    let (params, macs, units) = (count(), count(), count());
    let sizes = Sizes { params: count(), macs: count(), latency: None };
    let ratio = f64::from(choices.arbitrary::<u32>().unwrap_or(0)) / f64::from(u32::MAX);
    let saturation = Some(Saturation { ratio, ceiling: Ceiling::Batch });
    let scores = metrics.iter().map(|_| match choices.int_in_range(0..=3) {
        Ok(0) => Err(Undefined::Recorded(format!("{:?}", choices.arbitrary::<&str>().unwrap_or("")))),
        _ => {
            let mut number =
                || choices.arbitrary().ok().filter(|number: &f64| number.is_finite()).unwrap_or(1.5);
            Ok(Score { mean: number(), std: number().abs() })
        }
    });
    let scores = scores.collect();
    Evaluated { arch, scored: Scored { params, macs, units, scores, saturation }, sizes }
}

/// The architectures of a run that is going to be changed.
const GOOD: [&str; 3] = ["4321", "0", "15624"];

/// The first two evaluations of a run of the format that had no checksums: all of it is held against networks that
/// have to be built, which takes its time.
fn old_run() -> Vec<u8> {
    let mut bytes = include_bytes!("../../crates/swapnas-search/tests/format2/run.db").to_vec();
    bytes[18..20].fill(1); // no log beside it
    let mut connection = in_memory(&bytes);
    let shorter = "DELETE FROM history WHERE place > 1; DELETE FROM scores WHERE evaluation > 2;
        DELETE FROM evaluations WHERE id > 2; VACUUM";
    connection.execute_batch(shorter).expect("good tables");
    connection.serialize(MAIN_DB).expect("a database in memory").to_vec()
}

fn in_memory(database: &[u8]) -> Connection {
    let mut connection = Connection::open_in_memory().expect("a database in memory");
    connection.deserialize_read_exact(MAIN_DB, database, database.len(), false).expect("a good one");
    connection
}

/// A database in which values are changed for a moment. To keep it takes a fraction of the time that opening one for
/// every input would take.
struct Changeable(Connection);

impl Changeable {
    fn new(good: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.db");
        std::fs::write(&path, good).expect("the folder was just made");
        // One that was made of bytes would show its changes once they are committed only. This one never commits,
        // so it needs no file beside it, and never writes to its own.
        let connection = Connection::open(&path).expect("a good one");
        for (pragma, value) in
            [("locking_mode", "EXCLUSIVE"), ("journal_mode", "MEMORY"), ("cache_spill", "OFF")]
        {
            connection.pragma_update(None, pragma, value).expect("nobody else has it");
        }
        connection.set_prepared_statement_cache_capacity(64);
        Changeable(connection)
    }

    /// The bytes of the database with changes, if there are any, as `change` says.
    fn changed(&mut self, change: impl FnOnce(&Connection) -> bool) -> Option<Vec<u8>> {
        self.0.execute_batch("BEGIN").expect("there is no other transaction");
        let bytes = change(&self.0).then(|| self.0.serialize(MAIN_DB).expect("a good one").to_vec());
        self.0.execute_batch("ROLLBACK").expect("it was begun");
        bytes
    }
}

/// A run in whose tables values were changed is refused, or is what it was. One of the format that had no checksums
/// may be another that makes sense.
fn tampered(choices: &mut Unstructured<'_>) {
    thread_local! {
        static RUNS: RefCell<[Changeable; 2]> =
            RefCell::new([seeds::run(&GOOD), old_run()].map(Changeable::new));
    }
    // The older format takes longer, and is read to be written anew only.
    let is_old = choices.ratio(1, 4).unwrap_or(false);
    let bytes = RUNS
        .with_borrow_mut(|runs| runs[usize::from(is_old)].changed(|connection| change(connection, choices)));
    let Some(bytes) = bytes else { return };
    if is_old {
        return file(&bytes);
    }
    match Store::from_bytes(&bytes) {
        Ok((mut store, configuration)) => {
            if let Some(entries) = loaded(&mut store, &configuration) {
                static ENTRIES: OnceLock<HashMap<Arch, Evaluated>> = OnceLock::new();
                let good = ENTRIES.get_or_init(|| {
                    let (mut good, configuration) =
                        Store::from_bytes(&seeds::run(&GOOD)).expect("a good one");
                    loaded(&mut good, &configuration).expect("a good one")
                });
                assert_eq!(&entries, good);
            }
        }
        Err(error) => {
            told(&error);
        }
    }
}

/// Changes a few values, as far as there are such rows and the tables take them, and says whether it did.
fn change(connection: &Connection, choices: &mut Unstructured<'_>) -> bool {
    let mut changed = 0;
    let columns = [
        ("run", "rowid", "configuration"),
        ("run", "rowid", "configuration"),
        ("evaluations", "id", "id"),
        ("evaluations", "id", "arch"),
        ("evaluations", "id", "params"),
        ("evaluations", "id", "trained_macs"),
        ("evaluations", "id", "latency"),
        ("evaluations", "id", "saturation"),
        ("evaluations", "id", "ceiling"),
        ("scores", "evaluation", "metric"),
        ("scores", "evaluation", "mean"),
        ("scores", "evaluation", "std"),
        ("scores", "evaluation", "reason"),
        ("history", "place", "place"),
        ("history", "place", "step"),
        ("history", "place", "evaluation"),
    ];
    for _ in 0..=choices.int_in_range(0..=3).unwrap_or(0) {
        let (table, key, column) = columns[choices.choose_index(columns.len()).unwrap_or(0)];
        let value = match column {
            "configuration" => configuration(connection, choices),
            _ => value(choices),
        };
        let row = choices.int_in_range(0..=3).unwrap_or(1);
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2");
        let mut update = connection.prepare_cached(&update).expect("there are such columns");
        // What the tables refuse stays as it is.
        changed += update.execute(params![value, row]).unwrap_or(0);
    }
    changed > 0
}

fn value(choices: &mut Unstructured<'_>) -> Value {
    match choices.int_in_range(0..=4) {
        Ok(0) => Value::Integer(choices.arbitrary().unwrap_or(0)),
        Ok(1) => Value::Real(choices.arbitrary().unwrap_or(0.0)),
        Ok(2) => Value::Text(choices.arbitrary::<&str>().unwrap_or("").to_owned()),
        Ok(3) => Value::Blob(choices.arbitrary::<&[u8]>().unwrap_or(&[]).to_owned()),
        _ => Value::Null,
    }
}

/// Settings with one of their values replaced.
fn configuration(connection: &Connection, choices: &mut Unstructured<'_>) -> Value {
    let mut select =
        connection.prepare_cached("SELECT configuration FROM run").expect("there is such a column");
    let text: Option<String> = select.query_row([], |row| row.get(0)).ok();
    // Those that were replaced before may be anything.
    let mut json: serde_json::Value = text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_else(|| serde_json::json!({ "space": "" }));
    if !json.is_object() {
        json = serde_json::json!({ "space": "" });
    }
    let fields = json.as_object_mut().expect("an object of settings");
    let place = choices.choose_index(fields.len()).unwrap_or(0);
    let name = fields.keys().nth(place).expect("one of them").clone();
    let replaced = match choices.int_in_range(0..=4) {
        Ok(0) => choices.arbitrary::<u64>().unwrap_or(0).into(),
        Ok(1) => choices.int_in_range(0..=7).unwrap_or(0).into(),
        Ok(2) => choices.arbitrary::<&str>().unwrap_or("").into(),
        Ok(3) => {
            ["darts", "nb101", "nb201", "exhaustive", "nsga2", "random", "aging", "all", "te-nas", "f64"]
                [choices.choose_index(10).unwrap_or(0)]
            .into()
        }
        _ => {
            serde_json::from_str(choices.arbitrary::<&str>().unwrap_or("")).unwrap_or(serde_json::Value::Null)
        }
    };
    fields.insert(name, replaced);
    Value::Text(json.to_string())
}
