//! Searches for inputs that break what the target `input_spec` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("input_spec", input));
