//! Tables.

use std::path::Path;

use swapnas::table::{self, Options, Place, Problems};
use swapnas_search::LatencyTable;

use crate::{choice, listed, told};

const FILE: &str = "table.csv";

/// A table of architectures and accuracies, read as the first byte says.
pub(crate) fn table(input: &[u8]) {
    let (first, bytes) = choice(input);
    let column = |choice: usize, names: [&str; 3]| (choice > 0).then(|| names[choice - 1].to_owned());
    let options = Options {
        arch_column: column(first & 3, ["arch", "1", "3"]),
        accuracy_column: column(first >> 2 & 3, ["acc", "2", "name"]),
        limit: [None, Some(0), Some(1), Some(7)][first >> 4 & 3],
        columns: [&[][..], &["3"], &["name", "1"], &["acc", "acc"]][first >> 6 & 3]
            .iter()
            .map(|&column| column.to_owned())
            .collect(),
        ..Options::default()
    };
    let table = match table::from_bytes(FILE, bytes.to_vec(), &options) {
        Ok(table) => table,
        Err(error) => {
            told(&error);
            return;
        }
    };
    let lines = most_lines(bytes);
    let rows = table.rows();
    let places = in_order(rows.iter().map(|row| row.place), table.problems(), lines);
    assert!(places.len() <= options.limit.unwrap_or(usize::MAX));
    assert!(rows.iter().all(|row| row.accuracy.is_finite()));
    for column in table.columns() {
        assert_eq!(column.values.len(), rows.len());
        for (value, row) in column.values.iter().zip(rows) {
            match value {
                Ok(number) => assert!(number.is_finite()),
                Err(cell) => {
                    assert_eq!(cell.place, row.place);
                    told(&cell.problem);
                }
            }
        }
    }
    assert!(rows.iter().all(|row| !row.arch.is_empty() && row.arch.trim() == row.arch));
    for (_, problem) in table.problems().iter() {
        told(problem);
    }
    if let Err(problems) = table.problems().clone().check() {
        listed(&problems);
    }
    // To write and read takes longer than all else.
    if first >> 6 == 0 {
        again(&table);
    }
}

/// The places of what can be used and of what cannot, each of which is in a place of its own.
fn in_order(good: impl Iterator<Item = Place>, bad: &Problems, lines: u64) -> Vec<Place> {
    let mut places: Vec<Place> = good.collect();
    assert!(places.is_sorted(), "places out of order");
    places.extend(bad.iter().map(|(place, _)| place));
    places.sort_unstable();
    assert!(places.is_sorted_by(|a, b| a < b), "two rows in one place: {places:?}");
    assert!(places.iter().all(|place| (1..=lines).contains(&place.line)), "{places:?} of {lines} lines");
    let records: Vec<u64> = places.iter().filter_map(|place| place.record).collect();
    assert!(records.is_empty() || records.len() == places.len(), "lines and records: {places:?}");
    assert!(records.is_sorted_by(|a, b| a < b), "records out of order: {records:?}");
    places
}

/// How many lines there are, or more.
fn most_lines(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64
}

/// What was read is written, and read the same again.
fn again(table: &table::Table) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["arch", "accuracy"]).expect("memory can be written");
    for row in table.rows() {
        writer.write_record([&row.arch, &format!("{:?}", row.accuracy)]).expect("memory can be written");
    }
    let bytes = writer.into_inner().expect("memory can be written");
    match table::from_bytes(FILE, bytes, &Options::default()) {
        Ok(read) => {
            assert!(read.problems().is_empty(), "{}", read.problems());
            let plain = |table: &table::Table| -> Vec<(String, f64)> {
                table.rows().iter().map(|row| (row.arch.clone(), row.accuracy)).collect()
            };
            assert_eq!(plain(&read), plain(table));
        }
        Err(error) => assert!(table.rows().is_empty(), "{error}"),
    }
}

/// A list of architectures.
pub(crate) fn list(input: &[u8]) {
    let list = match table::list_from_bytes(FILE, input.to_vec()) {
        Ok(list) => list,
        Err(error) => {
            told(&error);
            return;
        }
    };
    let lines = most_lines(input);
    assert!(!list.entries().is_empty() || !list.problems().is_empty());
    in_order(list.entries().iter().map(|entry| entry.place), list.problems(), lines);
    for entry in list.entries() {
        assert!(!entry.arch.is_empty() && entry.arch.trim() == entry.arch, "{entry:?}");
    }
    for (_, problem) in list.problems().iter() {
        told(problem);
    }
}

/// A file of a benchmark: a pickle, one that is compressed, or records with checksums, as the first byte says. Checksums
/// are put right, since nothing else would get behind them.
pub(crate) fn benchmark(input: &[u8]) {
    let (first, bytes) = choice(input);
    let mut bytes = bytes.to_vec();
    if first & 1 == 1 {
        check_sums(&mut bytes);
    }
    let column = (first & 2 > 0).then(|| "2".to_owned());
    let options = Options {
        accuracy_column: column,
        limit: [None, Some(1)][first >> 2 & 1],
        columns: ["params", "test_accuracy"][..(first >> 3 & 3).min(2)]
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        ..Options::default()
    };
    let read = table::from_bytes(FILE, bytes.clone(), &options);
    match &read {
        Ok(table) => {
            assert!(table.rows().iter().all(|row| row.accuracy.is_finite() && !row.arch.is_empty()));
            assert!(table.columns().iter().all(|column| column.values.len() == table.rows().len()));
            table.problems().iter().for_each(|(_, problem)| drop(told(problem)));
            table.part().and_then(|part| part.silent()).iter().for_each(|said| assert!(said.len() < LONGEST));
        }
        Err(error) => drop(told(error)),
    }
    let again = table::from_bytes(FILE, bytes.clone(), &options);
    match (read, again) {
        (Ok(first), Ok(again)) => assert_eq!(first, again),
        (Err(first), Err(again)) => assert_eq!(first.to_string(), again.to_string()),
        _ => panic!("read once, and refused once"),
    }
    if let Err(error) = table::list_from_bytes(FILE, bytes) {
        told(&error);
    }
}

/// The longest that is said of what was chosen.
const LONGEST: usize = 4096;

/// Puts the checksums of records right, as far as there are whole records.
pub(crate) fn check_sums(bytes: &mut [u8]) {
    let sum = |bytes: &[u8]| {
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(bytes);
        checksum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 8) {
        let length_sum = sum(length);
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        let Some(place) = bytes.get_mut(at + 8..at + 12) else { return };
        place.copy_from_slice(&length_sum);
        let Some(end) = usize::try_from(length).ok().and_then(|length| length.checked_add(at + 12)) else {
            return;
        };
        let Some(contents) = bytes.get(at + 12..end) else { return };
        let contents_sum = sum(contents);
        let Some(place) = bytes.get_mut(end..end.saturating_add(4)) else { return };
        place.copy_from_slice(&contents_sum);
        at = end + 4;
    }
}

/// A table of latencies.
pub(crate) fn latency(input: &[u8]) {
    match LatencyTable::read_from(Path::new("latency.csv"), input) {
        Ok(table) => {
            // As it is kept with a run.
            let json = serde_json::to_string(&table).expect("a table can be written");
            let read: LatencyTable = serde_json::from_str(&json).expect("what was written can be read");
            assert_eq!(read, table);
        }
        Err(error) => {
            told(&error);
        }
    }
}
