//! A search algorithm of one's own: `cargo run --release -p swapnas --example own_algorithm`.

use swapnas::search::{Algorithm, Archive, Candidates, Options, Search, SearchError, contract};
use swapnas::{Arch, Level, NetworkOptions, Scoring, ScoringOptions, Searching};

/// Goes from the best architecture so far to the best of its mutants.
struct HillClimbing {
    steps: usize,
    mutants: usize,
    /// The place of the best architecture so far, once there is one.
    best: Vec<usize>,
}

impl HillClimbing {
    fn new(steps: usize, mutants: usize) -> Self {
        HillClimbing { steps, mutants, best: Vec::new() }
    }
}

impl Algorithm for HillClimbing {
    fn ask(&mut self, archive: &Archive, candidates: &mut Candidates) -> Result<Vec<Arch>, SearchError> {
        let Some(&best) = self.best.first() else {
            return Ok(vec![candidates.sample()?]);
        };
        if self.steps == 0 {
            return Ok(Vec::new());
        }
        self.steps -= 1;
        let best = &archive.entries()[best].arch;
        (0..self.mutants).map(|_| candidates.mutate(best)).collect()
    }

    fn tell(&mut self, archive: &Archive, places: &[usize]) {
        let all = self.best.iter().chain(places).copied();
        self.best = all.min_by(|&a, &b| archive.best_first(a, b)).into_iter().collect();
    }

    fn population(&self) -> &[usize] {
        &self.best
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Every algorithm has promises to keep, which a test of one's own had better check.
    contract::check(|| HillClimbing::new(5, 4));
    let space = swapnas::space("nb201")?;
    let network = NetworkOptions { cells: Some(1), ..NetworkOptions::default() };
    let options = ScoringOptions { metrics: Some("swap".into()), network, ..ScoringOptions::default() };
    let scoring = Scoring { options, ..Scoring::new(space) };
    let (configuration, _) = Searching::new(scoring).configuration()?;
    let folder = tempfile::tempdir()?;
    let options = Options { folder: folder.path().join("run"), configuration, level: Level::from_env()? };
    let mut search = Search::with(space, HillClimbing::new(10, 4), options)?;
    search.run(&(), None)?;
    let best = search.population()[0];
    println!("{} {}", search.archive().fitness(best), space.print(&search.archive().entries()[best].arch));
    Ok(())
}
