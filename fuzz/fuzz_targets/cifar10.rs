//! Searches for inputs that break what the target `cifar10` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("cifar10", input));
