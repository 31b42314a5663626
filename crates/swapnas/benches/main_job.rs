//! The main job: scoring 1000 DARTS architectures, 16 images each, here with four draws of weights
//! rather than 32. `cargo bench -p swapnas --bench main_job`.
//!
//! Networks a second is the item rate; multiply-accumulates a second, counted as in the networks'
//! definition and for all images, is printed beforehand for a comparison with the peak that the benches
//! of `swapnas-lanes` print. What networks share is computed once, so with shared weights the rate may
//! exceed any peak.

use divan::Bencher;
use divan::counter::ItemsCount;
use swapnas::{Arch, InputSpec, Level, Precision, Scorer, Settings, Sharing};

const NETWORKS: usize = 1000;
const BATCH: usize = 16;
const REPEATS: u32 = 4;

fn main() {
    let (scorer, archs) = job(Sharing::Shared);
    let macs: u64 = archs
        .iter()
        .filter_map(|arch| Some(scorer.space().network(arch, scorer.network()).ok()?.macs()))
        .sum();
    let giga = macs as f64 * BATCH as f64 * f64::from(REPEATS) / 1e9;
    println!("one run: {NETWORKS} networks, {giga:.1} G multiply-accumulates ({:.1} GFLOP)", 2.0 * giga);
    divan::main();
}

fn job(sharing: Sharing) -> (Scorer, Vec<Arch>) {
    let space = swapnas::space("darts").expect("a space of this name");
    let settings = Settings {
        metrics: vec!["swap".parse().expect("a metric of this name")],
        inputs: InputSpec::default(),
        batch: BATCH,
        repeats: Some(REPEATS),
        seed: 0,
        init: None,
        sharing,
        level: Level::from_env().expect("a level that this machine has"),
        precision: Precision::Single,
    };
    let scorer = Scorer::new(space, space.default_network(), settings).expect("images without data");
    (scorer, swapnas::sample(space, NETWORKS, 0))
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn shared(bencher: Bencher<'_, '_>, threads: usize) {
    run(bencher, Sharing::Shared, threads);
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn independent(bencher: Bencher<'_, '_>, threads: usize) {
    run(bencher, Sharing::Independent, threads);
}

fn run(bencher: Bencher<'_, '_>, sharing: Sharing, threads: usize) {
    let (scorer, archs) = job(sharing);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
    bencher
        .counter(ItemsCount::new(NETWORKS))
        .bench_local(|| pool.install(|| scorer.score(&archs, &()).expect("networks of the space")));
}
