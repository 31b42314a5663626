//! Networks of ONNX files.

mod pytorch;
mod round_trip;
mod scores;
