//! The folder of a run.

mod format2;
mod rows;

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rayon::prelude::*;
use rusqlite::{Connection, MAIN_DB, OpenFlags, params};
use swapnas_graph::{Key, plain, plain_sentence};
use swapnas_metrics::Metric;
use swapnas_spaces::{Arch, NetworkConfig, Space};

use crate::{Candidates, Configuration, Evaluated, SearchError};
use rows::{Came, Evaluation};

/// Version of the tables.
const FORMAT: i64 = 3;

/// Marks the database as one of this program ("SWAP").
const APPLICATION: i64 = 0x5357_4150;

/// What the header of a database says of its version: changes are in a log beside it, or in the file itself.
const WITH_LOG: u8 = 2;
const WITHOUT_LOG: u8 = 1;

/// Scores have no type: as REAL, SQLite would keep -0 as 0, which ranks otherwise.
const TABLES: &str = "
    CREATE TABLE run (configuration TEXT NOT NULL, version TEXT NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE evaluations (
        id INTEGER PRIMARY KEY,
        arch TEXT NOT NULL UNIQUE,
        params INTEGER NOT NULL, macs INTEGER NOT NULL, units INTEGER NOT NULL,
        trained_params INTEGER NOT NULL, trained_macs INTEGER NOT NULL, latency REAL,
        saturation REAL, ceiling TEXT,
        checksum INTEGER NOT NULL
    );
    CREATE TABLE scores (
        evaluation INTEGER NOT NULL REFERENCES evaluations (id),
        metric TEXT NOT NULL,
        mean, std, reason TEXT,
        PRIMARY KEY (evaluation, metric)
    ) WITHOUT ROWID;
    CREATE TABLE history (
        place INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        evaluation INTEGER NOT NULL REFERENCES evaluations (id),
        checksum INTEGER NOT NULL
    );
";

/// The folder of a run with its database, held for writing by this process.
///
/// Evaluations are written when they are done, and steps of the algorithm when they are complete, each
/// in a transaction, so whatever happens to the process, the database is whole. What happens to the file is found
/// when it is opened: SQLite looks at its pages, and every row has a checksum.
pub struct Store {
    folder: PathBuf,
    connection: Connection,
    /// The checksum of the settings, on which those of all rows depend.
    run: Key,
    /// The version of the tables.
    format: i64,
    /// The steps that are known of an earlier process: the number of the step and the architecture of every place.
    history: Vec<(i64, Arch)>,
    /// The file of the database, unless it is in memory.
    on_disk: Option<OnDisk>,
}

/// The file that a database is.
struct OnDisk {
    /// Which file it is, to notice when it is another.
    file: FileId,
    /// Locked as long as it is open, also for other processes; the system lets go of it when the process
    /// ends, however it does.
    _lock: File,
}

/// What keeps a database from being used.
enum Fault {
    Database(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Database(error)
    }
}

impl Store {
    /// Whether a folder holds a run.
    pub(crate) fn is_in(folder: &Path) -> bool {
        database(folder).is_file()
    }

    /// Makes a folder for a new run.
    ///
    /// # Errors
    /// If the folder holds a run, or cannot be written.
    pub fn create(folder: &Path, configuration: &Configuration) -> Result<Self, SearchError> {
        let io = |source| SearchError::Folder { path: folder.to_owned(), source };
        if database(folder).exists() {
            return Err(SearchError::Taken(folder.to_owned()));
        }
        if folder.exists() && !folder.is_dir() {
            return Err(io(std::io::ErrorKind::NotADirectory.into()));
        }
        std::fs::create_dir_all(folder).map_err(io)?;
        let lock = lock(folder)?;
        // Another process may have been faster.
        if database(folder).exists() {
            return Err(SearchError::Taken(folder.to_owned()));
        }
        let json =
            serde_json::to_string(configuration).map_err(|error| SearchError::Settings(error.to_string()))?;
        let version = env!("CARGO_PKG_VERSION");
        let run = rows::run_checksum(&json, version);
        // The database has its name once it is whole, so that no death of the process leaves a part of it.
        let unnamed = folder.join("run.db.new");
        match std::fs::remove_file(&unnamed) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let fill = || {
            let flags = OpenFlags::SQLITE_OPEN_CREATE | FLAGS;
            let mut connection = Connection::open_with_flags(&unnamed, flags)?;
            let transaction = connection.transaction()?;
            make_tables(&transaction, &json, version, run)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.commit()?;
            connection.close().map_err(|(_, error)| error)
        };
        if let Err(cause) = fill() {
            // Nobody could use it. If it cannot be removed either, the next run that is made here does.
            let _ = std::fs::remove_file(&unnamed);
            return Err(SearchError::Database { path: unnamed, cause });
        }
        std::fs::rename(&unnamed, database(folder)).map_err(io)?;
        Store::at(folder, lock, run)
    }

    /// Opens the folder of a run to continue it.
    ///
    /// # Errors
    /// If the folder holds no run, one of a newer version, one that somebody else is writing, or one that is
    /// damaged.
    pub fn open(folder: &Path) -> Result<(Self, Configuration), SearchError> {
        let path = database(folder);
        let none = |why| Err(SearchError::NoRun { path: folder.to_owned(), why });
        if !folder.exists() {
            return none("there is no such folder");
        }
        if !folder.is_dir() {
            return none("it is no folder");
        }
        if !path.is_file() {
            return none("there is no run.db in it");
        }
        Store::at(folder, lock(folder)?, Key(0))?.checked()
    }

    /// The run whose database, `run.db`, has been read into memory, to look at it; what is written to it goes
    /// nowhere else.
    ///
    /// # Errors
    /// If it is no database of a run, one of a newer version, or one that is damaged.
    pub fn from_bytes(database: &[u8]) -> Result<(Self, Configuration), SearchError> {
        let mut bytes = database.to_vec();
        // Where the header says whether changes are in a log beside the file: there is nothing beside it here.
        if let Some(versions @ [WITH_LOG, WITH_LOG]) = bytes.get_mut(18..20) {
            versions.fill(WITHOUT_LOG);
        }
        let folder = PathBuf::from("memory");
        let open = || {
            let mut connection = Connection::open_in_memory()?;
            connection.deserialize_read_exact(MAIN_DB, &bytes[..], bytes.len(), false)?;
            Ok(connection)
        };
        let connection =
            open().map_err(|cause| SearchError::Database { path: self::database(&folder), cause })?;
        let (run, format, history) = (Key(0), FORMAT, Vec::new());
        Store { folder, connection, run, format, history, on_disk: None }.checked()
    }

    /// The run with its settings, once it is clear that it is one.
    fn checked(mut self) -> Result<(Self, Configuration), SearchError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let path = database(&self.folder);
        let format = |what: String| SearchError::Format { path: path.clone(), what };
        if self.wrap(pragma("application_id"))? != APPLICATION {
            return Err(format("it is no database of a search".to_owned()));
        }
        match self.wrap(pragma("user_version"))? {
            known @ (FORMAT | format2::FORMAT) => self.format = known,
            other => {
                return Err(format(format!(
                    "it was written by another version of swapnas (format {other}; this one reads {FORMAT}); \
                     use that version"
                )));
            }
        }
        self.sound(self.check_file())?;
        let (json, _, run) = self.sound(self.settings())?;
        self.run = run;
        let configuration = serde_json::from_str(&json)
            .map_err(|error| format(format!("its settings cannot be read: {}", plain(&error.to_string()))))?;
        Ok((self, configuration))
    }

    /// The database of a folder that is locked.
    fn at(folder: &Path, lock: File, run: Key) -> Result<Self, SearchError> {
        let path = database(folder);
        let open = || {
            let connection = Connection::open_with_flags(&path, FLAGS)?;
            // Commits are appended to a log, which is whole after the death of the process at any moment.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            Ok(connection)
        };
        let connection = open().map_err(|cause| SearchError::Database { path: path.clone(), cause })?;
        let file =
            FileId::of(&path).map_err(|source| SearchError::Folder { path: folder.to_owned(), source })?;
        Ok(Store {
            folder: folder.to_owned(),
            connection,
            run,
            format: FORMAT,
            history: Vec::new(),
            on_disk: Some(OnDisk { file, _lock: lock }),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that was evaluated, after a look at every row: of architectures as `candidates` draws them, which
    /// were scored as `scored` by `metrics`. What an older version wrote is written anew, so that it has checksums.
    ///
    /// # Errors
    /// If the database is damaged, or is not of these settings.
    pub fn load(
        &mut self,
        candidates: &Candidates,
        scored: &NetworkConfig,
        metrics: &[Metric],
    ) -> Result<HashMap<Arch, Evaluated>, SearchError> {
        let run = (self.format == FORMAT).then_some(self.run);
        let evaluations = self.sound(rows::evaluations(&self.connection, metrics, run))?;
        let history = self.sound(rows::history(&self.connection, evaluations.len(), run))?;
        let entry = |evaluation: &Evaluation| {
            let entry = evaluation.entry(candidates.space(), metrics, candidates.has_latencies());
            entry.map_err(|what| Fault::Damaged(format!("evaluation {}: {what}", evaluation.id)))
        };
        let entries: Vec<Evaluated> = self.sound(evaluations.par_iter().map(entry).collect())?;
        self.history = history
            .iter()
            .map(|came| (came.step, entries[came.evaluation as usize - 1].arch.clone()))
            .collect();
        if self.format == format2::FORMAT {
            let check = |(evaluation, entry): (&Evaluation, &Evaluated)| {
                let wrong = format2::wrong_count(entry, candidates, scored)?;
                Ok(wrong.map(|what| Fault::Damaged(format!("evaluation {}: {what}", evaluation.id))))
            };
            let checks = evaluations.par_iter().zip(&entries).map(check);
            let faults: Vec<Option<Fault>> = checks.collect::<Result<_, SearchError>>()?;
            if let Some(fault) = faults.into_iter().flatten().next() {
                return self.sound(Err(fault));
            }
            let (json, version, _) = self.sound(self.settings())?;
            self.transaction(|connection| {
                format2::drop_tables(connection)?;
                make_tables(connection, &json, &version, self.run)?;
                evaluations.iter().try_for_each(|evaluation| evaluation.insert(self.run, connection))?;
                history.iter().try_for_each(|came| came.insert(self.run, connection))
            })?;
            self.format = FORMAT;
        }
        Ok(entries.into_iter().map(|entry| (entry.arch.clone(), entry)).collect())
    }

    /// Writes evaluations.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn save(
        &self,
        space: &dyn Space,
        metrics: &[Metric],
        entries: &[Evaluated],
    ) -> Result<(), SearchError> {
        self.transaction(|connection| {
            let last: i64 =
                connection.query_row("SELECT ifnull(max(id), 0) FROM evaluations", [], |row| row.get(0))?;
            for (id, entry) in (last + 1..).zip(entries) {
                Evaluation::new(id, entry, space, metrics).insert(self.run, connection)?;
            }
            Ok(())
        })
    }

    /// Writes a complete step of the algorithm: the architectures that came into the archive with it, from
    /// a place on. Steps that are known are compared.
    ///
    /// # Errors
    /// If the database cannot be written, or if a step that is known was another.
    pub fn step(
        &self,
        space: &dyn Space,
        step: usize,
        place: usize,
        archs: &[Arch],
    ) -> Result<(), SearchError> {
        let step = step as i64;
        let known = self.history.get(place..).unwrap_or_default();
        if !known.is_empty() {
            let differs = |(known, arch): (Option<&(i64, Arch)>, &Arch)| match known {
                Some((known, known_arch)) => *known != step || known_arch != arch,
                None => true,
            };
            let known = known.iter().map(Some).chain(std::iter::repeat(None));
            return match known.zip(archs).position(differs) {
                Some(index) => Err(self.damaged(format!(
                    "place {} of the history should have {} in step {step}",
                    place + index,
                    space.print(&archs[index])
                ))),
                None => Ok(()),
            };
        }
        self.transaction(|connection| {
            let mut id = connection.prepare_cached("SELECT id FROM evaluations WHERE arch = ?1")?;
            for (place, arch) in (place as i64..).zip(archs) {
                let evaluation = id.query_row(params![space.print(arch)], |row| row.get(0))?;
                Came { place, step, evaluation }.insert(self.run, connection)?;
            }
            Ok(())
        })
    }

    /// Whether a step that begins at a place is not known of an earlier process.
    pub(crate) fn is_new(&self, place: usize) -> bool {
        place >= self.history.len()
    }

    /// The error of a database that was changed after it was written.
    pub(crate) fn damaged(&self, what: String) -> SearchError {
        SearchError::Damaged { path: database(&self.folder), what }
    }

    /// Looks at all pages of the file, and whether they hold the tables of the format.
    fn check_file(&self) -> Result<(), Fault> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(1)")?;
        let said: String = statement.query_row([], |row| row.get(0))?;
        if said != "ok" {
            return Err(Fault::Damaged(plain_sentence(&said.replace('\n', " ")).to_string()));
        }
        let there = schema(&self.connection)?;
        match model(self.format)?.iter().find(|part| !there.contains(part)) {
            Some((_, name, _)) => Err(Fault::Damaged(format!("its table {} is another", plain(name)))),
            None => Ok(()),
        }
    }

    /// The settings, the version that wrote them, and their checksum.
    fn settings(&self) -> Result<(String, String, Key), Fault> {
        let checksum = if self.format == FORMAT { "checksum" } else { "NULL" };
        let mut statement =
            self.connection.prepare(&format!("SELECT configuration, version, {checksum} FROM run"))?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows: Vec<(String, String, Option<i64>)> = rows.collect::<rusqlite::Result<_>>()?;
        let Ok([(json, version, checksum)]) = <[_; 1]>::try_from(rows) else {
            return Err(Fault::Damaged("its settings are missing".to_owned()));
        };
        let run = rows::run_checksum(&json, &version);
        if checksum.is_some_and(|checksum| checksum != run.0 as i64) {
            return Err(Fault::Damaged("its settings are not those that were written".to_owned()));
        }
        Ok((json, version, run))
    }

    fn transaction(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), SearchError> {
        // What is written to a file without a name is lost, and nobody would notice.
        let same = |on_disk: &OnDisk| FileId::of(&database(&self.folder)).ok() == Some(on_disk.file);
        if !self.on_disk.as_ref().is_none_or(same) {
            return Err(SearchError::Gone(self.folder.clone()));
        }
        let run = || {
            let transaction = self.connection.unchecked_transaction()?;
            write(&transaction)?;
            transaction.commit()
        };
        self.wrap(run())
    }

    fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, SearchError> {
        result.map_err(|cause| SearchError::Database { path: database(&self.folder), cause })
    }

    fn sound<T>(&self, result: Result<T, Fault>) -> Result<T, SearchError> {
        result.map_err(|fault| match fault {
            Fault::Database(cause) => SearchError::Database { path: database(&self.folder), cause },
            Fault::Damaged(what) => self.damaged(what),
        })
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("run.db")
}

/// Names are names, also those that begin as addresses do.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// The tables of a run with its settings.
fn make_tables(connection: &Connection, json: &str, version: &str, run: Key) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.execute("INSERT INTO run VALUES (?1, ?2, ?3)", params![json, version, run.0 as i64])?;
    Ok(())
}

/// Kind, name and definition of tables and indices.
type Schema = HashSet<(String, String, Option<String>)>;

/// What is in a database of the format. It is made once: to make it takes longer than to look at a small run.
fn model(format: i64) -> rusqlite::Result<&'static Schema> {
    static TODAY: OnceLock<Schema> = OnceLock::new();
    static FORMAT2: OnceLock<Schema> = OnceLock::new();
    let (model, tables) = if format == FORMAT { (&TODAY, TABLES) } else { (&FORMAT2, format2::TABLES) };
    if let Some(model) = model.get() {
        return Ok(model);
    }
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(tables)?;
    let made = schema(&connection)?;
    Ok(model.get_or_init(|| made))
}

/// What is in this database.
fn schema(connection: &Connection) -> rusqlite::Result<Schema> {
    let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq)]
struct FileId(#[cfg(unix)] [u64; 2]);

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        path.metadata().map(|file| FileId([file.dev(), file.ino()]))
    }

    /// Elsewhere, a file that is open cannot be removed.
    #[cfg(not(unix))]
    fn of(path: &Path) -> std::io::Result<Self> {
        path.metadata().map(|_| FileId())
    }
}

/// Keeps all others from writing the run.
fn lock(folder: &Path) -> Result<File, SearchError> {
    let io = |source| SearchError::Folder { path: folder.to_owned(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SearchError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}
