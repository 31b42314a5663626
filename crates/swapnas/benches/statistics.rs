//! Time of the statistics: `cargo bench -p swapnas`.

use divan::Bencher;
use divan::counter::ItemsCount;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use swapnas::statistics::{Coefficient, Pairs, RESAMPLES, kendall_of_same_size};

fn main() {
    divan::main();
}

/// Two lists that share half of their variance.
fn lists(n: usize) -> [Vec<f64>; 2] {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut uniform = || rng.next_u64() as f64 / u64::MAX as f64;
    let common: Vec<f64> = (0..n).map(|_| uniform()).collect();
    [(); 2].map(|()| common.iter().map(|common| common + uniform()).collect())
}

/// A coefficient of so many pairs.
struct Task(Coefficient, usize);

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.0, self.1)
    }
}

fn tasks() -> impl Iterator<Item = Task> {
    Coefficient::ALL.into_iter().flat_map(|c| [100, 1000, 15_625].map(|n| Task(c, n)))
}

/// Sorting and the coefficient.
#[divan::bench(args = tasks())]
fn coefficient(bencher: Bencher<'_, '_>, &Task(coefficient, n): &Task) {
    let [x, y] = lists(n);
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        let pairs = Pairs::new("x", &x, "y", &y).expect("neither is constant");
        pairs.coefficient(coefficient)
    });
}

/// The bootstrap of one coefficient; an item is a pair drawn.
#[divan::bench(args = tasks(), sample_count = 10, sample_size = 1)]
fn interval(bencher: Bencher<'_, '_>, &Task(coefficient, n): &Task) {
    let [x, y] = lists(n);
    let pairs = Pairs::new("x", &x, "y", &y).expect("neither is constant");
    bencher.counter(ItemsCount::new(n * RESAMPLES)).bench_local(|| pairs.interval(coefficient, 0));
}

/// Kendall's tau where all networks are of one size, so that every pair of them is looked at.
#[divan::bench(args = [1000, 15_625, 20_000, 1_000_000], sample_count = 10, sample_size = 1)]
fn same_size(bencher: Bencher<'_, '_>, n: usize) {
    let [x, y] = lists(n);
    let pairs = Pairs::new("x", &x, "y", &y).expect("neither is constant");
    let sizes = vec![1; n];
    bencher.bench_local(|| kendall_of_same_size(&pairs, "sizes", &sizes, 0));
}
