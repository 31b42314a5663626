//! Searches for inputs that break what the target `cifar10` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(init: swapnas_fuzz::alone(), |input: &[u8]| swapnas_fuzz::cifar10(input));
