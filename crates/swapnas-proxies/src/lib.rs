//! Training-free metrics of neural networks and the images they are computed on.

pub mod inputs;
