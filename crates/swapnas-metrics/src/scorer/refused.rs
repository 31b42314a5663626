//! Networks that cannot be scored, where others can.

use std::sync::Arc;

use super::{ScoreError, Scored};

/// Why a network is not scored, while others are.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Refused(Arc<ScoreError>);

/// What is found of a network, or why it was refused.
pub type Outcome = Result<Scored, Refused>;

/// What becomes of the others where a network cannot be scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// The first is an error, which ends the work.
    Errors,
    /// They are kept, and the others are scored.
    Kept,
}

impl Refusals {
    /// Makes a refusal of an error that is about one network, if they are kept.
    ///
    /// # Errors
    /// Any other.
    pub fn settle<T>(self, result: Result<T, ScoreError>) -> Result<Result<T, Refused>, ScoreError> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(error) if self == Refusals::Kept && error.is_of_one_network() => {
                Ok(Err(Refused(Arc::new(error))))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether so many networks are scored with `strict`, unless that is open: then one alone is.
    pub fn of(strict: Option<bool>, networks: usize) -> Self {
        if strict.unwrap_or(networks == 1) { Refusals::Errors } else { Refusals::Kept }
    }
}

/// What is found where a refusal is an error, so that there is none.
pub(super) fn none(outcomes: Vec<Option<Outcome>>) -> Vec<Option<Scored>> {
    outcomes.into_iter().map(|outcome| outcome?.ok()).collect()
}
