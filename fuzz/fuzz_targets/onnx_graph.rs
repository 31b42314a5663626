//! Searches for inputs that break what the target `onnx_graph` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swapnas_fuzz::run("onnx_graph", input));
