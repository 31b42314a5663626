//! Searches for inputs that break what the target `run_rows` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("run_rows", input));
