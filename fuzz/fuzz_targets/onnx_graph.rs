//! Searches for inputs that break what the target `onnx_graph` promises.

#![no_main]

libfuzzer_sys::fuzz_target!(init: swapnas_fuzz::alone(), |input: &[u8]| swapnas_fuzz::onnx_graph(input));
