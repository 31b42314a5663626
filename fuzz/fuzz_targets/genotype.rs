//! Searches for inputs that break what the target `genotype` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("genotype", input));
