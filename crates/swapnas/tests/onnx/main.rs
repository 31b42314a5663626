//! Networks of ONNX files.

mod torchvision;
