//! What a search leaves behind: `best.json`, `history.csv` and `report.html` in the folder of the run, and
//! `latency.csv` if it has a table of latencies.

use std::fmt::Display;

use serde_json::{Map, Value, json};
use swapnas_graph::Key;
use swapnas_search::{Configuration, Ended, Evaluated, Search, SecondObjective};

use crate::options::SEARCH;
use crate::report::{self, Best, Point, Report};
use crate::{
    Metric, Origin, Remedy, Score, Settings, Sharing, Undefined, WriteError, command, drawing, file, plain,
    saturation_warnings,
};

/// The table of latencies in the folder of a run.
const LATENCIES: &str = "latency.csv";

/// One of the best architectures of a search.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Its place in the archive.
    pub place: usize,
    /// The architecture and its sizes.
    pub entry: &'a Evaluated,
    /// Its columns.
    pub scores: Vec<(String, Result<Score, Undefined>)>,
}

/// The best `count` architectures of a search, best first.
pub fn best(search: &Search, count: usize) -> Vec<Found<'_>> {
    let archive = search.archive();
    let names: Vec<String> = archive.columns().iter().map(ToString::to_string).collect();
    let values = archive.values();
    let found = |place: usize| Found {
        place,
        entry: &archive.entries()[place],
        scores: names.iter().cloned().zip(values.iter().map(|values| values[place].clone())).collect(),
    };
    archive.ranking().into_iter().take(count).map(found).collect()
}

/// A score, or why there is none, as JSON. Only metrics have a deviation: the ranks that aggregates are made of have
/// none.
pub fn score_json<E: Display>(origin: Origin, score: &Result<Score, E>) -> Value {
    match score {
        Ok(score) if origin == Origin::Metric => json!({ "mean": score.mean, "std": score.std }),
        Ok(score) => json!({ "mean": score.mean }),
        Err(reason) => json!({ "mean": null, "std": null, "reason": reason.to_string() }),
    }
}

/// All that scores depend on besides the architectures: what results have to say to be repeatable. `network` is the
/// network that was scored, in words.
///
/// `repeats` and `init` are those of each metric that takes weights at all, `found` the arguments that fit the sizes of
/// the space where none are given.
pub fn settings_json(network: &str, settings: &Settings) -> Value {
    let weights = || {
        let of = |metric| Some((ToString::to_string(metric), settings.weights_for(metric)?));
        settings.metrics.iter().filter_map(of)
    };
    let repeats: Map<String, Value> = weights().map(|(name, (repeats, _))| (name, repeats.into())).collect();
    let init: Map<String, Value> =
        weights().map(|(name, (_, init))| (name, init.to_string().into())).collect();
    let of_metric = |metric: &Metric| -> Map<String, Value> {
        metric.found().map(|(argument, value)| (argument.name.to_owned(), value.into())).collect()
    };
    let found = settings.metrics.iter().map(|metric| (metric.to_string(), of_metric(metric)));
    let found: Map<String, Value> =
        found.filter(|(_, found)| !found.is_empty()).map(|(name, found)| (name, found.into())).collect();
    json!({
        "network": network,
        "inputs": settings.inputs.to_string(),
        "batch": settings.batch,
        "seed": settings.seed,
        "precision": settings.precision.to_string(),
        "weights": match settings.sharing {
            Sharing::Shared => "shared",
            Sharing::Independent => "independent",
        },
        "repeats": repeats,
        "init": init,
        "found": found,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// The best architectures, the Pareto front and the last population as JSON, with all that is needed to
/// repeat the search.
pub fn best_json(search: &Search, ended: Ended, count: usize) -> Value {
    let space = search.candidates().space();
    let best: Vec<Value> = best(search, count)
        .iter()
        .map(|found| {
            let scores: Map<String, Value> = found
                .scores
                .iter()
                .zip(search.archive().columns().iter())
                .map(|((name, score), column)| (name.clone(), score_json(Origin::of(column), score)))
                .collect();
            let Evaluated { arch, scored, sizes } = found.entry;
            json!({
                "arch": space.print(arch),
                "json": space.to_json(arch),
                "scores": scores,
                "scored": { "params": scored.params, "macs": scored.macs, "units": scored.units },
                "final": { "params": sizes.params, "macs": sizes.macs, "latency_ms": sizes.latency },
            })
        })
        .collect();
    let archs = |places: &[usize]| -> Vec<String> {
        places.iter().map(|&place| space.print(&search.archive().entries()[place].arch)).collect()
    };
    json!({
        "space": space.name(),
        "complete": ended == Ended::Complete,
        "evaluations": search.archive().entries().len(),
        "objective": search.archive().objective().to_string(),
        "scored_network": space.describe(search.scorer().network()),
        "settings": settings_json(&space.describe(search.scorer().network()), search.scorer().settings()),
        "final_network": space.describe(search.candidates().network()),
        "best": best,
        "front": archs(&search.archive().front()),
        "population": archs(search.population()),
        "command": command(search),
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// The command that runs the same search. It reads the latencies that are left in the folder: the table that was
/// given may be another by now.
fn command(search: &Search) -> String {
    command::search(search.configuration(), Some(&search.folder().join(LATENCIES)))
}

/// The hash of all settings.
fn fingerprint(configuration: &Configuration) -> String {
    let settings = json!(configuration).to_string();
    format!("{:016x}", Key::of(settings).0)
}

/// Everything that was evaluated, in order: one row each.
fn history_csv(search: &Search) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let (archive, space) = (search.archive(), search.candidates().space());
    let columns = archive.columns().iter().map(ToString::to_string);
    let sizes = ["params", "macs", "final_params", "final_macs", "final_latency_ms"].map(str::to_owned);
    let header = ["evaluation", "step", "arch"].map(str::to_owned).into_iter();
    writer.write_record(header.chain(columns).chain(sizes).chain(["best".to_owned()]))?;
    let values = archive.values();
    let mut best: Option<usize> = None;
    for (place, Evaluated { arch, scored, sizes }) in archive.entries().iter().enumerate() {
        if archive.fitness(place).is_finite() && best.is_none_or(|best| archive.better(place, best)) {
            best = Some(place);
        }
        let number = |x: f64| format!("{x:?}");
        let mut row = vec![(place + 1).to_string(), search.step_of(place).to_string(), space.print(arch)];
        row.extend(
            values.iter().map(|values| values[place].as_ref().map_or(String::new(), |s| number(s.mean))),
        );
        row.extend([scored.params, scored.macs, sizes.params, sizes.macs].map(|n| n.to_string()));
        row.push(sizes.latency.map(number).unwrap_or_default());
        row.push(best.map(|best| (best + 1).to_string()).unwrap_or_default());
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// How many architectures the report shows.
const SHOWN: usize = 5;

/// The report on a search.
pub fn report(search: &Search, ended: Ended) -> Report {
    let (archive, space, configuration) =
        (search.archive(), search.candidates().space(), search.configuration());
    let direction = archive.objective().direction();
    // Back from fitness to the metric's own direction.
    let score = |place: usize| direction.ascending(archive.fitness(place));
    let mut curve: Vec<(u64, f64)> = Vec::new();
    let mut best_so_far: Option<usize> = None;
    let ranking = archive.ranking();
    for place in 0..archive.entries().len() {
        let is_better = best_so_far.is_none_or(|best| archive.fitness(place) > archive.fitness(best));
        if archive.fitness(place).is_finite() && is_better {
            best_so_far = Some(place);
            curve.push((place as u64 + 1, score(place)));
        }
    }
    if let (Some(best), count) = (best_so_far, archive.entries().len() as u64)
        && curve.last().is_some_and(|(last, _)| *last < count)
    {
        curve.push((count, score(best)));
    }
    let against = match configuration.search.second {
        SecondObjective::Params => "parameters",
        SecondObjective::Macs => "multiply-accumulates",
        SecondObjective::Latency => "latency",
    };
    let front = archive.front();
    let points = ranking.iter().map(|&place| {
        let Evaluated { arch, sizes, .. } = &archive.entries()[place];
        Point {
            arch: space.print(arch),
            params: sizes.params,
            macs: sizes.macs,
            latency: sizes.latency,
            score: score(place),
            on_front: front.contains(&place),
        }
    });
    let found = best(search, SHOWN);
    let shown = found.iter().enumerate().map(|(index, Found { entry, scores, .. })| Best {
        rank: index + 1,
        arch: space.print(&entry.arch),
        scores: scores
            .iter()
            .map(|(name, score)| (plain(name).to_string(), score.as_ref().ok().map(|score| score.mean)))
            .collect(),
        params: entry.sizes.params,
        macs: entry.sizes.macs,
        latency: entry.sizes.latency,
        drawings: vec![drawing::svg(&space.diagrams(&entry.arch))],
    });
    let mut notes = Vec::new();
    match ended {
        Ended::Complete => {}
        Ended::OutOfTime => notes.push("The time was up before the search was complete.".to_owned()),
        Ended::Stopped => notes.push("The search was stopped before it was complete.".to_owned()),
    }
    if configuration.one_cell {
        notes.push(
            "The normal and the reduction cell are alike: the scored network has a single cell.".to_owned(),
        );
    }
    notes.extend(saturation_warnings(
        search.scorer().settings().batch,
        Remedy::Build,
        archive.entries().iter().map(|entry| &entry.scored),
    ));
    let settings = [
        ("space", configuration.space.clone()),
        ("objective", archive.objective().to_string()),
        ("scored network", space.describe(search.scorer().network())),
        ("network to be trained", space.describe(search.candidates().network())),
        ("inputs", format!("{}, batch {}", configuration.scoring.inputs, configuration.scoring.batch)),
        ("seed", configuration.scoring.seed.to_string()),
        ("algorithm", configuration.search.algorithm.to_string()),
    ];
    let of_algorithm = configuration.search.algorithm.numbers();
    let numbers = SEARCH.iter().filter(|row| of_algorithm.iter().any(|number| number.name() == row.name));
    let numbers = numbers.filter_map(|row| Some((row.name, row.print(&configuration.search)?)));
    let more = [
        ("limits", configuration.search.limits.to_string()),
        ("front against", against.to_owned()),
        ("evaluations", archive.entries().len().to_string()),
    ];
    Report {
        title: format!("Search in {}", space.name()),
        notes,
        score: plain(&archive.objective().to_string()).to_string(),
        curve,
        against: against.to_owned(),
        points: points.collect(),
        best: shown.collect(),
        settings: settings
            .into_iter()
            .chain(numbers)
            .chain(more)
            .map(|(name, value)| (name.to_owned(), plain(&value).to_string()))
            .collect(),
        versions: vec![
            ("swapnas".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            // Two runs with equal settings have equal fingerprints.
            ("fingerprint".to_owned(), fingerprint(configuration)),
        ],
        command: command(search),
    }
}

/// Writes `best.json`, `history.csv` and `report.html` into the folder of the run, and `latency.csv` if there are
/// latencies.
///
/// # Errors
/// If one of the files cannot be written.
pub fn write(search: &Search, ended: Ended, count: usize) -> Result<(), WriteError> {
    let path = |name: &str| search.folder().join(name);
    if let Some(latencies) = &search.configuration().search.latency {
        let table =
            latencies.to_csv().map_err(|error| WriteError { path: path(LATENCIES), source: error.into() })?;
        file::write(&path(LATENCIES), &table)?;
    }
    let best = format!("{:#}\n", best_json(search, ended, count));
    file::write(&path("best.json"), best.as_bytes())?;
    let history = history_csv(search)
        .map_err(|error| WriteError { path: path("history.csv"), source: error.into() })?;
    file::write(&path("history.csv"), &history)?;
    file::write(&path("report.html"), report::render(&report(search, ended)).as_bytes())
}
