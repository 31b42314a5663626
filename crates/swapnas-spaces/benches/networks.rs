//! Time to build networks, and to read, change and draw architectures: `cargo bench -p swapnas-spaces`.

use divan::Bencher;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_spaces::{Space, spaces};

fn main() {
    divan::main();
}

struct Named(&'static dyn Space);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

fn all() -> impl Iterator<Item = Named> {
    spaces().iter().map(|&space| Named(space))
}

/// One network of the space's default configuration, the graph dropped.
#[divan::bench(args = all())]
fn build(bencher: Bencher<'_, '_>, space: &Named) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let config = space.0.default_network();
    bencher
        .with_inputs(|| space.0.sample(&mut rng))
        .bench_local_values(|arch| space.0.network(&arch, &config).expect("samples can be built"));
}

#[divan::bench(args = all())]
fn parse(bencher: Bencher<'_, '_>, space: &Named) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    bencher
        .with_inputs(|| space.0.print(&space.0.sample(&mut rng)))
        .bench_local_refs(|text| space.0.parse(text).expect("what is printed can be parsed"));
}

#[divan::bench(args = all())]
fn mutate(bencher: Bencher<'_, '_>, space: &Named) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let arch = space.0.sample(&mut rng);
    bencher.bench_local(|| space.0.mutate(&arch, &mut rng));
}

#[divan::bench(args = all())]
fn sample(bencher: Bencher<'_, '_>, space: &Named) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    bencher.bench_local(|| space.0.sample(&mut rng));
}
