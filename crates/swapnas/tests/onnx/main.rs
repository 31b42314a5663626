//! Networks of ONNX files.

mod round_trip;
mod scores;
mod torchvision;
