//! Searches for inputs that break what the target `benchmark` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(init: swapnas_fuzz::alone(), |input: &[u8]| swapnas_fuzz::benchmark(input));
