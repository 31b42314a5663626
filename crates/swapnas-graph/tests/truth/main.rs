//! The engine against the plainest statement of what it is to compute.
//!
//! [`interpreter`] says what every operation is, [`reverse`] and [`dual`] what derivatives are. The executor
//! and the differentiator are held against them for the table of [`cases`] and for [`random`] networks. A new
//! operation gets a line in the interpreter, without which nothing here compiles, one among the cases, and one
//! among the random nodes.

mod cache;
mod cases;
mod differentiator;
mod dual;
mod executor;
mod interpreter;
mod numbers;
mod passes;
mod random;
mod reference;
mod reverse;
mod sweep;
mod tensors;
