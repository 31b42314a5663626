//! Tests over all spaces, in one binary.

mod autoformer;
mod contract;
mod darts;
mod flexibert;
mod messages;
mod mobilenet;
mod nats;
mod nb101;
mod nb201;
mod nbmacro;
mod nets;
mod reference;
mod registry;
mod tables;
mod tensors;
