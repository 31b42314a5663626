//! What every algorithm promises, as a check that any algorithm can be put to.
//!
//! ```
//! use swapnas_search::{RandomSearch, contract};
//!
//! contract::check(|| RandomSearch::new(20));
//! ```

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use swapnas_graph::{Level, Shape};
use swapnas_metrics::Progress;
use swapnas_spaces::{Arch, NetworkConfig, by_name};

use crate::{
    Algorithm, AlgorithmKind, Configuration, Ended, Options, ScoringOptions, Search, SearchError,
    SearchOptions,
};

/// So many evaluations, and an algorithm that has not ended never will.
const MOST: usize = 50_000;

/// Puts an algorithm, which `make` makes anew as often as it is asked, to all that algorithms promise: that it ends,
/// that what it asks for depends on the seed and on what it was told alone, so that a run that was cut anywhere ends
/// as if it had not been, and that it says which architectures it works on.
///
/// It searches NAS-Bench-201 for large networks, which takes no time: as many evaluations as the algorithm makes, some
/// six times.
///
/// # Panics
/// If it breaks a promise, or cannot search, with what it does.
pub fn check<A: Algorithm + 'static>(make: impl Fn() -> A) {
    let folder = tempfile::tempdir().expect("a folder for runs");
    let run = |name: &str, most| run(&folder.path().join(name), make(), most);
    let whole = run("whole", MOST).unwrap_or_else(|error| panic!("the search failed: {error}"));
    let evaluated = whole.history.len();
    assert!(whole.ended, "it asks for more after {MOST} evaluations");
    assert!(!whole.population.is_empty(), "it works on no architecture at its end");
    assert!(whole.population.iter().all(|place| *place < evaluated), "it works on what was never evaluated");
    let again = run("again", MOST).expect("as the first");
    assert!(again == whole, "what it asks for depends on more than the seed and what it was told");
    for cut in [1, 3, evaluated / 2, evaluated.saturating_sub(1)] {
        let name = format!("cut after {cut}");
        let resumed = run(&name, cut).and_then(|_| run(&name, MOST));
        let resumed = resumed.unwrap_or_else(|error| panic!("a run {name} cannot go on: {error}"));
        assert!(resumed == whole, "a run {name} ends otherwise than one that was not");
    }
}

/// What came of a run.
#[derive(PartialEq)]
struct Outcome {
    ended: bool,
    /// The step with which each architecture came.
    history: Vec<(usize, Arch)>,
    population: Vec<usize>,
}

/// Lets an algorithm go on with the run in a folder, or begin one.
fn run(folder: &Path, algorithm: impl Algorithm + 'static, most: usize) -> Result<Outcome, SearchError> {
    let space = by_name("nb201").expect("a space");
    let network = NetworkConfig {
        channels: Some(2),
        cells: Some(1),
        input: Shape::new(3, 4, 4),
        ..space.default_network()
    };
    let configuration = Configuration {
        space: space.name().to_owned(),
        one_cell: false,
        scoring: ScoringOptions {
            // Ranks change as the archive grows.
            metrics: Some("rank(params,macs)".to_owned()),
            seed: 5,
            network: (&network).into(),
            ..ScoringOptions::default()
        },
        proxies: Default::default(),
        search: SearchOptions {
            algorithm: AlgorithmKind::Own,
            trained: (&network).into(),
            ..SearchOptions::default()
        },
    };
    let options = Options { folder: folder.to_owned(), configuration, level: Level::best() };
    let mut search = Search::with(space, algorithm, options)?;
    let ended = search.run(&Left(AtomicUsize::new(most)), None)? == Ended::Complete;
    let arch = |place: usize| search.archive().entries()[place].arch.clone();
    let places = 0..search.archive().entries().len();
    let history = places.map(|place| (search.step_of(place), arch(place))).collect();
    Ok(Outcome { ended, history, population: search.population().to_vec() })
}

/// How many evaluations are left until the search is stopped.
struct Left(AtomicUsize);

impl Progress for Left {
    fn advance(&self, networks: f64) {
        let less = |left: usize| Some(left.saturating_sub(networks as usize));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).expect("always some number");
    }

    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
