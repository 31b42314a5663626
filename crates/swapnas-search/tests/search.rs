//! Searches from beginning to end: the same result however they were cut, and clear errors.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use swapnas_graph::{Level, Shape};
use swapnas_metrics::{Progress, Scored, Scorer};
use swapnas_search::{
    Aging, AlgorithmKind, Configuration, Ended, Evaluator, Exhaustive, Limits, Nsga2, Options, RandomSearch,
    ScoringOptions, Search, SearchError, SearchOptions, SwapNas, contract, regularisation,
};
use swapnas_spaces::{Arch, NetworkConfig, by_name};

/// A small search for the regularised score of one DARTS cell.
fn configuration(algorithm: AlgorithmKind) -> Configuration {
    let space = by_name("darts").unwrap();
    let scored = NetworkConfig { input: Shape::new(3, 8, 8), ..space.default_network() };
    Configuration {
        space: "darts".to_owned(),
        one_cell: true,
        scoring: ScoringOptions {
            metrics: Some("swap-reg,rank(swap,params)".to_owned()),
            repeats: Some(1),
            seed: 5,
            network: (&scored).into(),
            ..ScoringOptions::default()
        },
        proxies: Default::default(),
        search: SearchOptions {
            algorithm,
            population: 6,
            sample: 3,
            cycles: 8,
            mutations: 2,
            trained: (&scored).into(),
            ..SearchOptions::default()
        },
    }
}

/// Another search, which differs in what `change` changes.
fn changed(mut configuration: Configuration, change: impl FnOnce(&mut Configuration)) -> Configuration {
    change(&mut configuration);
    configuration
}

/// A search of NAS-Bench-201 for the largest network, which takes no time.
fn small_nb201(algorithm: AlgorithmKind) -> Configuration {
    let space = by_name("nb201").unwrap();
    let scored = NetworkConfig { channels: Some(2), cells: Some(1), ..space.default_network() };
    let scored = NetworkConfig { input: Shape::new(3, 4, 4), ..scored };
    changed(configuration(algorithm), |search| {
        search.space = "nb201".to_owned();
        search.one_cell = false;
        search.scoring.metrics = Some("params".to_owned());
        search.scoring.network = (&scored).into();
        search.search.trained = (&scored).into();
    })
}

const HEURISTICS: [AlgorithmKind; 4] =
    [AlgorithmKind::SwapNas, AlgorithmKind::Aging, AlgorithmKind::Random, AlgorithmKind::Nsga2];

fn history(search: &Search) -> Vec<String> {
    let archive = search.archive();
    let space = search.candidates().space();
    let line = |place: usize| {
        let entry = &archive.entries()[place];
        format!("{} {} {:?}", search.step_of(place), space.print(&entry.arch), entry.scored.scores)
    };
    (0..archive.entries().len()).map(line).collect()
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

/// Stops after so many evaluations.
struct StopAfter(AtomicUsize);

impl Progress for StopAfter {
    fn advance(&self, networks: f64) {
        let less = |left: usize| Some(left.saturating_sub(networks as usize));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap();
    }

    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A clock that goes on with every network that is done, and never stops the work by itself.
struct Ticking<'a>(&'a StopAfter);

impl Progress for Ticking<'_> {
    fn advance(&self, networks: f64) {
        // Those that are known take no time.
        if networks == 1.0 {
            self.0.advance(networks);
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn searches_improve_and_do_not_depend_on_threads() {
    for algorithm in HEURISTICS {
        let folder = tempfile::tempdir().unwrap();
        let run = |name: &str, threads: usize| {
            on_threads(threads, || {
                let path = folder.path().join(name);
                let mut search = Search::create(&path, configuration(algorithm), Level::best()).unwrap();
                assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
                let mean = |places: &[usize]| {
                    let fitness = places.iter().map(|&place| search.archive().fitness(place));
                    fitness.sum::<f64>() / places.len() as f64
                };
                if [AlgorithmKind::SwapNas, AlgorithmKind::Aging].contains(&algorithm) {
                    assert!(mean(search.population()) > mean(&[0, 1, 2, 3, 4, 5]), "{algorithm}");
                }
                assert!(!search.population().is_empty());
                history(&search)
            })
        };
        let one = run("one", 1);
        assert_eq!(one, run("two", 2), "{algorithm}");
        assert!(one.len() > 10, "{algorithm}: {}", one.len());
    }
}

/// Scores one architecture after the other, the last first, and fails when it has scored so many.
struct Elsewhere {
    scorer: Scorer,
    left: AtomicUsize,
}

impl Elsewhere {
    fn new(search: &Search, left: usize) -> Self {
        // What another process is told.
        let settings = serde_json::to_string(search.configuration()).unwrap();
        let configuration: Configuration = serde_json::from_str(&settings).unwrap();
        Elsewhere { scorer: configuration.scorer(Level::best()).unwrap(), left: left.into() }
    }
}

impl Evaluator for Elsewhere {
    fn evaluate(
        &self,
        archs: &[Arch],
        found: &mut [Option<Scored>],
        progress: &dyn Progress,
    ) -> Result<(), SearchError> {
        for (arch, found) in archs.iter().zip(found).rev() {
            let less = |left: usize| left.checked_sub(1);
            if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
                return Err(SearchError::Evaluator("the machine is gone".into()));
            }
            *found = self.scorer.score(std::slice::from_ref(arch), progress)?.pop().unwrap();
        }
        Ok(())
    }
}

#[test]
fn who_evaluates_does_not_matter_and_what_was_evaluated_is_kept() {
    for algorithm in HEURISTICS {
        let folder = tempfile::tempdir().unwrap();
        let whole = {
            let mut search =
                Search::create(&folder.path().join("whole"), configuration(algorithm), Level::best())
                    .unwrap();
            search.run(&(), None).unwrap();
            history(&search)
        };
        let path = folder.path().join("run");
        let search = Search::create(&path, configuration(algorithm), Level::best()).unwrap();
        let elsewhere = Elsewhere::new(&search, 9);
        let mut search = search.evaluated_by(elsewhere);
        let error = search.run(&(), None).unwrap_err();
        assert!(matches!(error, SearchError::Evaluator(_)), "{error}");
        assert_eq!(search.evaluated(), 9, "{algorithm}");
        drop(search);
        let search = Search::resume(&path, Level::best()).unwrap();
        let elsewhere = Elsewhere::new(&search, usize::MAX);
        let mut search = search.evaluated_by(elsewhere);
        assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
        assert_eq!(search.evaluated(), whole.len() - 9, "{algorithm}");
        assert_eq!(history(&search), whole, "{algorithm}");
    }
}

#[test]
fn an_evolution_does_not_end_in_copies_of_its_best() {
    let configuration = changed(small_nb201(AlgorithmKind::SwapNas), |search| search.search.cycles = 100);
    let folder = tempfile::tempdir().unwrap();
    let mut search = Search::create(&folder.path().join("run"), configuration, Level::best()).unwrap();
    search.run(&(), None).unwrap();
    let mut population = search.population().to_vec();
    population.sort_unstable();
    population.dedup();
    assert_eq!(population.len(), 6);
}

#[test]
fn a_search_that_was_cut_anywhere_ends_as_if_it_had_not_been() {
    for algorithm in HEURISTICS {
        let folder = tempfile::tempdir().unwrap();
        let whole = {
            let path = folder.path().join("whole");
            let mut search = Search::create(&path, configuration(algorithm), Level::best()).unwrap();
            search.run(&(), None).unwrap();
            history(&search)
        };
        for cut in [1, 3, 7, 12] {
            let path = folder.path().join(format!("cut{cut}"));
            let mut search = Search::create(&path, configuration(algorithm), Level::best()).unwrap();
            assert_eq!(search.run(&StopAfter(AtomicUsize::new(cut)), None).unwrap(), Ended::Stopped);
            drop(search);
            let mut search = Search::resume(&path, Level::best()).unwrap();
            assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
            assert!(search.evaluated() < whole.len(), "{algorithm}: nothing was kept of what was cut");
            assert_eq!(history(&search), whole, "{algorithm}, cut after {cut}");
            drop(search);
            let mut again = Search::resume(&path, Level::best()).unwrap();
            assert_eq!(again.run(&(), None).unwrap(), Ended::Complete);
            assert_eq!((again.evaluated(), history(&again)), (0, whole.clone()));
        }
    }
}

#[test]
fn all_algorithms_keep_their_promises() {
    contract::check(|| SwapNas::new(6, 3, 2, 20).unwrap());
    contract::check(|| Aging::new(6, 3, 30).unwrap());
    contract::check(|| RandomSearch::new(100));
    contract::check(|| Nsga2::new(6, 8).unwrap());
    contract::check(|| Exhaustive::new(by_name("nb201").unwrap()).unwrap());
}

#[test]
fn any_algorithm_goes_on_in_its_folder_and_in_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let space = by_name("darts").unwrap();
    let with = |configuration| {
        let options = Options { folder: path.clone(), configuration, level: Level::best() };
        Search::with(space, SwapNas::new(6, 3, 2, 8).unwrap(), options)
    };
    let mut search = with(configuration(AlgorithmKind::Random)).unwrap();
    assert_eq!(search.run(&StopAfter(AtomicUsize::new(7)), None).unwrap(), Ended::Stopped);
    drop(search);
    // What is said of the algorithm is not looked at.
    let mut search = with(configuration(AlgorithmKind::Aging)).unwrap();
    assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
    let named = folder.path().join("named");
    let mut by_kind = Search::create(&named, configuration(AlgorithmKind::SwapNas), Level::best()).unwrap();
    by_kind.run(&(), None).unwrap();
    assert_eq!(history(&search), history(&by_kind));
    drop(search);
    let other = changed(configuration(AlgorithmKind::Random), |search| search.scoring.seed = 6);
    assert!(matches!(with(other).err().unwrap(), SearchError::OtherRun(_)));
    assert!(matches!(Search::resume(&path, Level::best()).err().unwrap(), SearchError::OwnAlgorithm));
}

#[test]
fn the_time_is_looked_at_before_every_network() {
    // A population in one go, of networks that are run one after the other.
    let configuration =
        changed(configuration(AlgorithmKind::SwapNas), |search| search.search.population = 40);
    let folder = tempfile::tempdir().unwrap();
    let whole = on_threads(1, || {
        let path = folder.path().join("whole");
        let mut search = Search::create(&path, configuration.clone(), Level::best()).unwrap();
        assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
        history(&search)
    });
    let path = folder.path().join("cut");
    let mut search = Search::create(&path, configuration, Level::best()).unwrap();
    let mut before = 0;
    for round in 0..5 {
        let clock = StopAfter(AtomicUsize::new(7));
        let ticking = Ticking(&clock);
        let ended = on_threads(1, || search.run_until(&ticking, &|| clock.stopped()).unwrap());
        assert_eq!(ended, Ended::OutOfTime);
        assert!(search.archive().entries().is_empty(), "the population is not complete");
        let evaluations = rusqlite::Connection::open(path.join("run.db")).unwrap();
        let count = "SELECT count(*) FROM evaluations";
        let saved: i64 = evaluations.query_row(count, [], |row| row.get(0)).unwrap();
        assert!((before + 1..=before + 7).contains(&saved), "{before} and {saved}");
        before = saved;
        if round == 2 {
            // By another process, as it were.
            drop(search);
            search = Search::resume(&path, Level::best()).unwrap();
        }
    }
    assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
    assert_eq!(history(&search), whole);
}

#[test]
fn without_time_nothing_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut search = Search::create(&path, configuration(AlgorithmKind::SwapNas), Level::best()).unwrap();
    assert_eq!(search.run(&(), Some(Duration::ZERO)).unwrap(), Ended::OutOfTime);
    assert_eq!(search.evaluated(), 0);
}

#[test]
fn every_function_of_a_small_space_is_seen_once() {
    let configuration = small_nb201(AlgorithmKind::Exhaustive);
    let folder = tempfile::tempdir().unwrap();
    let mut search = Search::create(&folder.path().join("run"), configuration, Level::best()).unwrap();
    assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
    assert_eq!(search.archive().entries().len(), 6466);
    let front = search.archive().front();
    assert!(front.windows(2).all(|pair| search.archive().cost(pair[0]) < search.archive().cost(pair[1])));
}

#[test]
fn limits_hold_and_impossible_ones_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { max_params: Some(1500), min_params: Some(900), ..Limits::default() };
    let limited = changed(configuration(AlgorithmKind::SwapNas), |search| search.search.limits = limits);
    let mut search = Search::create(&folder.path().join("a"), limited, Level::best()).unwrap();
    search.run(&(), None).unwrap();
    assert!(search.archive().entries().iter().all(|entry| (900..=1500).contains(&entry.sizes.params)));
    let limits = Limits { max_params: Some(1), ..Limits::default() };
    let limited = changed(configuration(AlgorithmKind::Random), |search| search.search.limits = limits);
    let error = Search::create(&folder.path().join("b"), limited, Level::best()).err().unwrap();
    assert!(matches!(error, SearchError::Limits { .. }), "{error}");
    assert!(error.to_string().contains("at most 1 parameters"), "{error}");
    assert!(!folder.path().join("b").exists());
    let limits = Limits { max_params: Some(1), ..Limits::default() };
    let limited = changed(small_nb201(AlgorithmKind::Exhaustive), |search| search.search.limits = limits);
    let mut search = Search::create(&folder.path().join("c"), limited, Level::best()).unwrap();
    let error = search.run(&(), None).unwrap_err();
    assert!(matches!(error, SearchError::NoneWithin(_)), "{error}");
}

#[test]
fn folders_that_cannot_be_used_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let create = |path: &Path| Search::create(path, configuration(AlgorithmKind::Random), Level::best());
    let search = create(&path).unwrap();
    assert!(matches!(create(&path).err().unwrap(), SearchError::Taken(_)));
    assert!(matches!(Search::resume(&path, Level::best()).err().unwrap(), SearchError::Locked(_)));
    drop(search);
    assert!(matches!(create(&path).err().unwrap(), SearchError::Taken(_)));
    let why = |path: &Path| Search::resume(path, Level::best()).err().unwrap().to_string();
    assert!(why(folder.path()).ends_with("there is no run.db in it"));
    assert!(why(&folder.path().join("none")).ends_with("there is no such folder"));
    let newer = rusqlite::Connection::open(path.join("run.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Search::resume(&path, Level::best()).err().unwrap();
    assert!(error.to_string().contains("format 99"), "{error}");
    let other = rusqlite::Connection::open(path.join("run.db")).unwrap();
    other.pragma_update(None, "user_version", 3).unwrap();
    other.pragma_update(None, "application_id", 99).unwrap();
    drop(other);
    let error = Search::resume(&path, Level::best()).err().unwrap();
    assert!(error.to_string().contains("no database of a search"), "{error}");
    std::fs::write(path.join("run.db"), "no database").unwrap();
    assert!(Search::resume(&path, Level::best()).is_err());
    assert_eq!(std::fs::read_to_string(path.join("run.db")).unwrap(), "no database");
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert!(matches!(create(&file).err().unwrap(), SearchError::Folder { .. }));
    let wrong = changed(configuration(AlgorithmKind::Random), |search| {
        search.scoring.metrics = Some("swop".to_owned())
    });
    let nowhere = folder.path().join("nowhere");
    assert!(Search::create(&nowhere, wrong, Level::best()).is_err());
    assert!(!nowhere.exists(), "a wrong configuration leaves no folder");
}

#[test]
#[cfg(unix)]
fn a_folder_that_is_moved_or_removed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let [path, moved] = ["run", "moved"].map(|name| folder.path().join(name));
    let configuration = configuration(AlgorithmKind::SwapNas);
    let mut search = Search::create(&path, configuration.clone(), Level::best()).unwrap();
    let cut = StopAfter(AtomicUsize::new(3));
    assert_eq!(search.run(&cut, None).unwrap(), Ended::Stopped);
    std::fs::rename(&path, &moved).unwrap();
    let error = search.run(&(), None).unwrap_err();
    assert!(matches!(error, SearchError::Gone(_)), "{error}");
    // Nor is the database of another run taken for this one's.
    let other = Search::create(&path, configuration.clone(), Level::best()).unwrap();
    assert!(matches!(search.run(&(), None).unwrap_err(), SearchError::Gone(_)));
    drop((search, other));
    let mut search = Search::resume(&moved, Level::best()).unwrap();
    assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
}

#[test]
fn folders_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    // Of an address, SQLite would make a database in memory.
    let mut names: Vec<std::ffi::OsString> =
        ["file:run?mode=memory&cache=shared", " ", "it's", "$HOME", "a\nb", "-x", "%41", "\u{202e}"]
            .map(Into::into)
            .to_vec();
    #[cfg(unix)]
    names.push(std::os::unix::ffi::OsStringExt::from_vec(vec![b'a', 0xff]));
    for name in names {
        let path = folder.path().join(name);
        drop(Search::create(&path, small_nb201(AlgorithmKind::Random), Level::best()).unwrap());
        assert!(path.join("run.db").exists(), "{path:?}");
        let mut search = Search::resume(&path, Level::best()).unwrap();
        assert_eq!(search.run(&(), None).unwrap(), Ended::Complete);
    }
}

#[test]
fn numbers_of_any_size_are_counted_together() {
    for algorithm in HEURISTICS {
        let (population, cycles) = (usize::MAX, usize::MAX / 2);
        let huge = changed(configuration(algorithm), |search| {
            search.search = SearchOptions { population, cycles, mutations: 3, ..search.search.clone() };
        });
        assert_eq!(huge.evaluations(), Some(usize::MAX));
        assert!(huge.algorithm().is_ok(), "{algorithm}");
    }
}

/// Limits are compared with what the network has: to be off by the last digit is to be another limit.
#[test]
fn settings_are_read_with_the_numbers_that_were_written() {
    let limits = Limits { max_latency: Some(1e-32), ..Limits::default() };
    let written = changed(configuration(AlgorithmKind::Random), |search| search.search.limits = limits);
    let json = serde_json::to_string(&written).unwrap();
    assert_eq!(serde_json::from_str::<Configuration>(&json).unwrap(), written);
}

#[test]
fn an_objective_without_values_is_an_error_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = "swap-reg:mu=100000:sigma=5".to_owned();
    let undefined =
        changed(configuration(AlgorithmKind::SwapNas), |search| search.scoring.metrics = Some(metrics));
    let mut search = Search::create(&folder.path().join("run"), undefined, Level::best()).unwrap();
    let error = search.run(&(), None).unwrap_err().to_string();
    assert!(error.contains("undefined for all of the first") && error.contains("mu=100000"), "{error}");
}

#[test]
fn a_run_keeps_the_mu_and_sigma_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let search = Search::create(&path, configuration(AlgorithmKind::Random), Level::best()).unwrap();
    let metrics = search.configuration().metrics().to_owned();
    let parts: Vec<&str> = metrics.split([':', ',']).collect();
    let ["swap-reg", mu, sigma, "rank(swap", "params)"] = parts[..] else { panic!("{metrics}") };
    let number =
        |text: &str, name| text.strip_prefix(name).and_then(|number| number.parse::<f64>().ok()).unwrap();
    let (mu, sigma) = (number(mu, "mu="), number(sigma, "sigma="));
    assert!((1.0..3.0).contains(&mu) && (sigma / (mu * mu) - 1.0).abs() < 1e-3, "{metrics}");
    drop(search);
    assert_eq!(Search::resume(&path, Level::best()).unwrap().configuration().metrics(), metrics);
    // What says nothing is a run of an earlier version, in which they were always the same.
    let columns = configuration(AlgorithmKind::Random).columns().unwrap();
    let found: Vec<f64> = columns.metrics()[0].found().map(|(_, value)| value).collect();
    assert_eq!(found, [1.5, 5.0]);
}

#[test]
fn a_target_is_translated_to_the_scored_network() {
    let space = by_name("darts").unwrap().one_cell().unwrap();
    let scored = space.default_network();
    let trained = NetworkConfig { preset: swapnas_spaces::Preset::Benchmark, ..scored };
    let small = regularisation(space, &scored, &trained, 800_000).unwrap();
    let large = regularisation(space, &scored, &trained, 1_600_000).unwrap();
    assert!(small.mu < large.mu && small.sigma == large.sigma && small.sigma > 0.0, "{small:?} {large:?}");
    // Scored networks of the space have one to three thousand parameters.
    assert!((0.3..3.0).contains(&small.mu) && (0.5..5.0).contains(&large.mu), "{small:?} {large:?}");
}
