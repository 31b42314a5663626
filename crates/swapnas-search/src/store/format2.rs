//! Runs of format 2, which had no checksums.

use rusqlite::Connection;
use swapnas_spaces::NetworkConfig;

use crate::{Candidates, Evaluated, SearchError, Sizes};

/// Version of the tables.
pub(super) const FORMAT: i64 = 2;

pub(super) const TABLES: &str = "
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

/// Makes room for the tables of today.
pub(super) fn drop_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DROP TABLE history; DROP TABLE scores; DROP TABLE evaluations; DROP TABLE run;")
}

/// What is wrong with the counts of an entry: they can be taken again of its networks, which is all that there is
/// to hold a row without a checksum against.
///
/// # Errors
/// If a network cannot be built.
pub(super) fn wrong_count(
    entry: &Evaluated,
    candidates: &Candidates,
    scored: &NetworkConfig,
) -> Result<Option<String>, SearchError> {
    let network = candidates.space().network(&entry.arch, scored)?;
    let Sizes { params, macs, latency } = candidates.sizes(&entry.arch)?;
    let counts = [
        ("params", entry.scored.params, network.parameter_count()),
        ("macs", entry.scored.macs, network.macs()),
        ("units", entry.scored.units, network.relu_units()),
        ("trained_params", entry.sizes.params, params),
        ("trained_macs", entry.sizes.macs, macs),
    ];
    let wrong = counts.into_iter().find(|(_, written, counted)| written != counted);
    let wrong = wrong.map(|(name, written, counted)| format!("{name} is {written}, but should be {counted}"));
    let wrong_latency = || {
        let (written, counted) = entry.sizes.latency.zip(latency)?;
        (written != counted).then(|| format!("latency is {written}, but should be {counted}"))
    };
    Ok(wrong.or_else(wrong_latency))
}
