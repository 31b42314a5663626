use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::Key;
use swapnas_spaces::{Arch, Space};

/// Draws `count` architectures of a space uniformly; the same ones for the same seed. The first of
/// them do not depend on how many follow.
pub fn sample(space: &dyn Space, count: usize, seed: u64) -> Vec<Arch> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(Key::of(("architectures", seed)).0);
    (0..count).map(|_| space.sample(&mut rng)).collect()
}
