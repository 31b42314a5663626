use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::{Simd, portable::Portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx2_double::Avx2Double, avx512::Avx512, avx512_double::Avx512Double};
use crate::Element;

/// A set of instructions that this processor has, and proof that it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Portable,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Every kind there is, best first.
const KINDS: &[Kind] = &[
    #[cfg(target_arch = "x86_64")]
    Kind::Avx512,
    #[cfg(target_arch = "x86_64")]
    Kind::Avx2,
    #[cfg(target_arch = "aarch64")]
    Kind::Neon,
    Kind::Portable,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    fn available(self) -> bool {
        match self {
            Kind::Portable => true,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            // Exactly the features that the functions at the end of this file are compiled for.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                Kind::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
            }
        }
    }
}

impl Level {
    /// The environment variable that forces a level: see [`Level::from_env`].
    pub const VARIABLE: &'static str = "SWAPNAS_SIMD";

    /// Works everywhere.
    pub const PORTABLE: Level = Level(Kind::Portable);

    /// All levels of this processor, best first.
    pub fn available() -> Vec<Level> {
        KINDS.iter().copied().filter(|k| k.available()).map(Level).collect()
    }

    /// The best level of this processor.
    pub fn best() -> Level {
        KINDS.iter().copied().find(|k| k.available()).map_or(Level::PORTABLE, Level)
    }

    /// The level that the variable `SWAPNAS_SIMD` names, or the best one where it is not set.
    ///
    /// # Errors
    /// If the variable names no level, or one that this processor does not have.
    pub fn from_env() -> Result<Level, LevelError> {
        match std::env::var(Self::VARIABLE) {
            Ok(name) => name.parse(),
            Err(std::env::VarError::NotPresent) => Ok(Level::best()),
            Err(std::env::VarError::NotUnicode(name)) => {
                Err(LevelError::Unknown { name: name.to_string_lossy().into_owned() })
            }
        }
    }

    /// Name, as `SWAPNAS_SIMD` takes it.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Runs a task compiled for this level.
    #[inline]
    pub fn run<E: Element, T: Task<E>>(self, task: T) -> T::Output {
        E::dispatch(self, task)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A level that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No level has this name.
    #[error("no SIMD level is called '{name}'; this processor has {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The processor lacks the instructions.
    #[error("this processor cannot run SIMD level '{name}'; it has {}", names())]
    Unavailable {
        /// What was asked for.
        name: &'static str,
    },
}

fn names() -> String {
    Level::available().iter().map(|l| l.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(name: &str) -> Result<Self, LevelError> {
        match KINDS.iter().find(|k| k.name() == name) {
            Some(kind) if kind.available() => Ok(Level(*kind)),
            Some(kind) => Err(LevelError::Unavailable { name: kind.name() }),
            None => Err(LevelError::Unknown { name: name.to_owned() }),
        }
    }
}

/// Work on lanes of `E` that can be done at any level.
pub trait Task<E: Element> {
    /// What it returns.
    type Output;

    /// Does the work. Implementations are `#[inline(always)]`.
    fn run<S: Simd<E = E>>(self, simd: S) -> Self::Output;
}

/// Chooses the registers for a number type; part of [`Element`].
pub trait Dispatch: Sized {
    /// Runs a task on lanes of this type.
    fn dispatch<T: Task<Self>>(level: Level, task: T) -> T::Output
    where
        Self: Element;
}

impl Dispatch for f32 {
    #[inline]
    fn dispatch<T: Task<f32>>(level: Level, task: T) -> T::Output {
        match level.0 {
            Kind::Portable => task.run(Portable(PhantomData)),
            #[cfg(target_arch = "aarch64")]
            // SAFETY: a `Level` of this kind exists only where `Kind::available` found exactly the
            // features that the function is compiled for.
            Kind::Neon => unsafe { run_neon(task) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx2 => unsafe { run_avx2(task) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512 => unsafe { run_avx512(task) },
        }
    }
}

/// Double precision is for truth more than for speed: on ARM, it runs as plain Rust.
impl Dispatch for f64 {
    #[inline]
    fn dispatch<T: Task<f64>>(level: Level, task: T) -> T::Output {
        match level.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx2 => unsafe { run_avx2_double(task) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512 => unsafe { run_avx512_double(task) },
            _ => task.run(Portable(PhantomData)),
        }
    }
}

// The functions that are compiled for more than the baseline. Everything a task calls is inlined
// into them. The constructors of the tokens are private to this module's parent, so no token exists
// outside of these calls.

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
fn run_avx512<T: Task<f32>>(task: T) -> T::Output {
    task.run(Avx512(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task<f32>>(task: T) -> T::Output {
    task.run(Avx2(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
fn run_avx512_double<T: Task<f64>>(task: T) -> T::Output {
    task.run(Avx512Double(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2_double<T: Task<f64>>(task: T) -> T::Output {
    task.run(Avx2Double(()))
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn run_neon<T: Task<f32>>(task: T) -> T::Output {
    task.run(Neon(()))
}
