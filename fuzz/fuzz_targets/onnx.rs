//! Searches for inputs that break what the target `onnx` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("onnx", input));
