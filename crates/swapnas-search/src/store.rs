use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, MAIN_DB, OptionalExtension, params};
use swapnas_graph::plain;
use swapnas_proxies::{Ceiling, Metric, Saturation, Score, Scored, Undefined};
use swapnas_spaces::{Arch, Space};

use crate::{Configuration, Entry, SearchError, Sizes};

/// Version of the tables.
const FORMAT: i64 = 2;

/// Marks the database as one of this program ("SWAP").
const APPLICATION: i64 = 0x5357_4150;

/// What the header of a database says of its version: changes are in a log beside it, or in the file itself.
const WITH_LOG: u8 = 2;
const WITHOUT_LOG: u8 = 1;

/// The names of ceilings of patterns.
const BATCH: &str = "batch";
const UNITS: &str = "units";

const TABLES: &str = "
    CREATE TABLE run (configuration TEXT NOT NULL, version TEXT NOT NULL);
    CREATE TABLE evaluations (
        id INTEGER PRIMARY KEY,
        arch TEXT NOT NULL UNIQUE,
        params INTEGER NOT NULL, macs INTEGER NOT NULL, units INTEGER NOT NULL,
        trained_params INTEGER NOT NULL, trained_macs INTEGER NOT NULL, latency REAL,
        saturation REAL, ceiling TEXT
    );
    CREATE TABLE scores (
        evaluation INTEGER NOT NULL REFERENCES evaluations (id),
        metric TEXT NOT NULL,
        mean REAL, std REAL, reason TEXT,
        PRIMARY KEY (evaluation, metric)
    ) WITHOUT ROWID;
    CREATE TABLE history (
        place INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        evaluation INTEGER NOT NULL REFERENCES evaluations (id)
    );
";

/// The folder of a run with its database, held for writing by this process.
///
/// Evaluations are written when they are done, and steps of the algorithm when they are complete, each
/// in a transaction, so whatever happens to the process, the database is whole.
pub struct Store {
    folder: PathBuf,
    connection: Connection,
    /// Locked as long as it is open, also for other processes; the system lets go of it when the process
    /// ends, however it does. A run in memory has none.
    _lock: Option<File>,
}

impl Store {
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
        // The database has its name once it is whole, so that no death of the process leaves a part of it.
        let unnamed = folder.join("run.db.new");
        match std::fs::remove_file(&unnamed) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let fill = || {
            let mut connection = Connection::open(&unnamed)?;
            let transaction = connection.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            let version = env!("CARGO_PKG_VERSION");
            transaction.execute("INSERT INTO run VALUES (?1, ?2)", params![json, version])?;
            transaction.commit()?;
            connection.close().map_err(|(_, error)| error)
        };
        if let Err(cause) = fill() {
            // Nobody could use it. If it cannot be removed either, the next run that is made here does.
            let _ = std::fs::remove_file(&unnamed);
            return Err(SearchError::Database { path: unnamed, cause });
        }
        std::fs::rename(&unnamed, database(folder)).map_err(io)?;
        Ok(Store { folder: folder.to_owned(), connection: open(folder)?, _lock: Some(lock) })
    }

    /// Opens the folder of a run to continue it.
    ///
    /// # Errors
    /// If the folder holds no run, one of a newer version, or one that somebody else is writing.
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
        let lock = lock(folder)?;
        let store = Store { folder: folder.to_owned(), connection: open(folder)?, _lock: Some(lock) };
        let configuration = store.configuration()?;
        Ok((store, configuration))
    }

    /// The run whose database, `run.db`, has been read into memory, to look at it; what is written to it goes
    /// nowhere else.
    ///
    /// # Errors
    /// If it is no database of a run, or one of another version.
    pub fn from_bytes(database: &[u8]) -> Result<(Self, Configuration), SearchError> {
        let mut bytes = database.to_vec();
        // Where the header says whether changes are in a log beside the file: there is nothing beside it here.
        if let Some(versions @ [WITH_LOG, WITH_LOG]) = bytes.get_mut(18..20) {
            versions.fill(WITHOUT_LOG);
        }
        let open = || {
            let mut connection = Connection::open_in_memory()?;
            connection.deserialize_read_exact(MAIN_DB, &bytes[..], bytes.len(), false)?;
            Ok(connection)
        };
        let folder = PathBuf::from("memory");
        let connection =
            open().map_err(|cause| SearchError::Database { path: self::database(&folder), cause })?;
        let store = Store { folder, connection, _lock: None };
        let configuration = store.configuration()?;
        Ok((store, configuration))
    }

    /// The settings of the run, once it is clear that it is one.
    fn configuration(&self) -> Result<Configuration, SearchError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let format = |what: String| SearchError::Format { path: database(&self.folder), what };
        if self.wrap(pragma("application_id"))? != APPLICATION {
            return Err(format("it is no database of a search".to_owned()));
        }
        match self.wrap(pragma("user_version"))? {
            FORMAT => {}
            other => {
                return Err(format(format!(
                    "it was written by another version of swapnas (format {other}; this one reads {FORMAT}); \
                     use that version"
                )));
            }
        }
        let json: Option<String> = self.wrap(
            self.connection.query_row("SELECT configuration FROM run", [], |row| row.get(0)).optional(),
        )?;
        let json = json.ok_or_else(|| format("it has no settings".to_owned()))?;
        serde_json::from_str(&json)
            .map_err(|error| format(format!("its settings cannot be read: {}", plain(&error.to_string()))))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that was evaluated.
    ///
    /// # Errors
    /// If the database is damaged or not of this space.
    pub fn load(&self, space: &dyn Space, metrics: &[Metric]) -> Result<HashMap<Arch, Entry>, SearchError> {
        let format = |what: String| SearchError::Format { path: database(&self.folder), what };
        let rows = self.wrap(self.rows())?;
        let mut scores = self.wrap(self.scores())?;
        let mut entries = HashMap::with_capacity(rows.len());
        for (id, text, mut scored, sizes) in rows {
            let arch = space.parse(&text).map_err(|error| format(format!("evaluation {id}: {error}")))?;
            for metric in metrics {
                let name = metric.to_string();
                let score = scores
                    .remove(&(id, name.clone()))
                    .ok_or_else(|| format(format!("evaluation {id} has no score {}", plain(&name))))?;
                scored.scores.push(score);
            }
            entries.insert(arch.clone(), Entry { arch, scored, sizes });
        }
        Ok(entries)
    }

    fn rows(&self) -> rusqlite::Result<Vec<(i64, String, Scored, Sizes)>> {
        let mut statement = self.connection.prepare(
            "SELECT id, arch, params, macs, units, trained_params, trained_macs, latency, saturation, ceiling \
             FROM evaluations",
        )?;
        let rows = statement.query_map([], |row| {
            let count = |column: usize| row.get::<_, i64>(column).map(|count| count as u64);
            let (params, macs, units) = (count(2)?, count(3)?, count(4)?);
            let ceiling = match row.get::<_, Option<String>>(9)?.as_deref() {
                Some(BATCH) => Some(Ceiling::Batch),
                Some(UNITS) => Some(Ceiling::Units),
                _ => None,
            };
            let ratio = row.get::<_, Option<f64>>(8)?;
            let saturation = ratio.zip(ceiling).map(|(ratio, ceiling)| Saturation { ratio, ceiling });
            let scored = Scored { params, macs, units, scores: Vec::new(), saturation };
            let sizes = Sizes { params: count(5)?, macs: count(6)?, latency: row.get(7)? };
            Ok((row.get(0)?, row.get(1)?, scored, sizes))
        })?;
        rows.collect()
    }

    fn scores(&self) -> rusqlite::Result<HashMap<(i64, String), Result<Score, Undefined>>> {
        let mut statement =
            self.connection.prepare("SELECT evaluation, metric, mean, std, reason FROM scores")?;
        let rows = statement.query_map([], |row| {
            let score = match (row.get::<_, Option<f64>>(2)?, row.get::<_, Option<f64>>(3)?) {
                (Some(mean), Some(std)) => Ok(Score { mean, std }),
                _ => Err(Undefined::Recorded(row.get::<_, Option<String>>(4)?.unwrap_or_default())),
            };
            Ok(((row.get(0)?, row.get(1)?), score))
        })?;
        rows.collect()
    }

    /// Writes evaluations.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn save(&self, space: &dyn Space, metrics: &[Metric], entries: &[Entry]) -> Result<(), SearchError> {
        self.transaction(|connection| {
            let mut evaluation = connection.prepare_cached(
                "INSERT INTO evaluations (arch, params, macs, units, trained_params, trained_macs, latency, \
                 saturation, ceiling) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            let mut score = connection.prepare_cached("INSERT INTO scores VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for Entry { arch, scored, sizes } in entries {
                let [params, macs, units, trained_params, trained_macs] =
                    [scored.params, scored.macs, scored.units, sizes.params, sizes.macs].map(|n| n as i64);
                let text = space.print(arch);
                let ceiling = |of: Saturation| match of.ceiling {
                    Ceiling::Batch => BATCH,
                    Ceiling::Units => UNITS,
                };
                evaluation.execute(params![
                    text,
                    params,
                    macs,
                    units,
                    trained_params,
                    trained_macs,
                    sizes.latency,
                    scored.saturation.map(|saturation| saturation.ratio),
                    scored.saturation.map(ceiling)
                ])?;
                let id = connection.last_insert_rowid();
                for (metric, value) in metrics.iter().zip(&scored.scores) {
                    let (mean, std, reason) = match value {
                        Ok(Score { mean, std }) => (Some(*mean), Some(*std), None),
                        Err(reason) => (None, None, Some(reason.to_string())),
                    };
                    score.execute(params![id, metric.to_string(), mean, std, reason])?;
                }
            }
            Ok(())
        })
    }

    /// Writes a complete step of the algorithm: the architectures that came into the archive with it, from
    /// a place on. Steps that are known are left as they are.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn step(
        &self,
        space: &dyn Space,
        step: usize,
        place: usize,
        archs: &[Arch],
    ) -> Result<(), SearchError> {
        self.transaction(|connection| {
            let mut statement = connection.prepare_cached(
                "INSERT OR IGNORE INTO history \
                 SELECT ?1, ?2, id FROM evaluations WHERE arch = ?3",
            )?;
            for (place, arch) in (place..).zip(archs) {
                statement.execute(params![place as i64, step as i64, space.print(arch)])?;
            }
            Ok(())
        })
    }

    fn transaction(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), SearchError> {
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
}

fn database(folder: &Path) -> PathBuf {
    folder.join("run.db")
}

fn open(folder: &Path) -> Result<Connection, SearchError> {
    let path = database(folder);
    let open = || {
        let connection = Connection::open(&path)?;
        // Commits are appended to a log, which is whole after the death of the process at any moment.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    };
    open().map_err(|cause| SearchError::Database { path: path.clone(), cause })
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
