//! What has to hold of everything that swapnas reads, whatever is in it.
//!
//! A [`Target`] takes any bytes, has them read by one of the readers, and panics if something is not as
//! promised: what was read can be written and is read the same again, readers of one thing agree, and an error
//! says where and what. [`TARGETS`] has one for each reader of a file or text from outside.
//!
//! `cargo fuzz` looks for inputs that break these promises (see the README); the test `replay` runs the inputs in
//! `seeds` and random changes of them, with no tool but cargo.
//!
//! ```
//! for target in swapnas_fuzz::TARGETS {
//!     (target.run)(b"nothing that is read");
//! }
//! ```

mod arrays;
mod expressions;
mod networks;
mod onnx;
mod onnx_file;
mod onnx_graph;
mod runs;
pub mod seeds;
mod spaces;
mod tables;

use std::alloc::System;
use std::error::Error;

use cap::Cap;

/// The memory that reading a small input may take, with all that the process has besides.
const MEMORY: usize = 512 << 20;

/// Ends the process when somebody takes more.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

/// A reader, and what has to hold of what it reads.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the program in `fuzz_targets`, and of the folder in `seeds`.
    pub name: &'static str,
    /// Reads the bytes; panics if something is not as it should be.
    pub run: fn(&[u8]),
}

/// Names every reader, each a function of this crate by itself, so that a program of one has nothing of the others.
macro_rules! targets {
    ($($name:ident: $reader:path),* $(,)?) => {
        /// Every reader.
        pub const TARGETS: [Target; [$(stringify!($name)),*].len()] =
            [$(Target { name: stringify!($name), run: $name }),*];

        $(
            /// Reads the bytes.
            ///
            /// # Panics
            /// If something is not as promised.
            pub fn $name(input: &[u8]) {
                $reader(input);
            }
        )*
    };
}

targets! {
    genotype: spaces::genotype,
    spaces: spaces::any,
    table: tables::table,
    list: tables::list,
    benchmark: tables::benchmark,
    latency: tables::latency,
    columns: expressions::columns,
    input_spec: expressions::input_spec,
    onnx: onnx::file,
    onnx_graph: onnx::graph,
    npy: arrays::npy,
    safetensors: arrays::safetensors,
    cifar10: arrays::cifar10,
    run_db: runs::file,
    run_rows: runs::rows,
}

/// Has all work done by the thread that calls: to hand it to others would take longer than most inputs do.
///
/// # Panics
/// If there are other threads for it.
#[cfg(feature = "libfuzzer")]
pub fn alone() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().expect("nobody has had work done so far");
}

/// The longest that an error may be, in bytes.
const LONGEST_ERROR: usize = 4096;

/// Takes an error as users see it, in a line: not too long, whatever was read, and without characters that a
/// terminal would obey.
fn told(error: &dyn Error) -> String {
    let text = listed(error);
    assert!(!text.contains('\n'), "an error of several lines: {text:?}");
    text
}

/// The same of an error that is a list.
fn listed(error: &dyn Error) -> String {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        assert!(!text.trim().is_empty(), "an error without a word: {error:?}");
        assert!(text.len() < LONGEST_ERROR, "an error of {} bytes: {text:?}", text.len());
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n'),
            "control characters in an error: {text:?}"
        );
        cause = error.source();
    }
    error.to_string()
}

/// The first byte, by which a target chooses, and the others.
fn choice(input: &[u8]) -> (usize, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (usize::from(*first), rest))
}

/// The bytes as text, as far as they are.
fn text(input: &[u8]) -> &str {
    match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).expect("valid up to there"),
    }
}
