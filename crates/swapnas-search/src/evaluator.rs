use swapnas_metrics::{Progress, Scored, Scorer};
use swapnas_spaces::Arch;

use crate::SearchError;

/// Scores the architectures that a search asks for: its own [`Scorer`], or something that has other machines do it.
///
/// What it finds has to be what the [`scorer`](crate::Configuration::scorer) of the search's configuration finds.
pub trait Evaluator: Send {
    /// Scores architectures, of which no two are the same, and puts what is found of each into its place of `found`,
    /// where there is nothing yet. `progress` is told of every network that is done; when it stops the work, those that
    /// are not done stay as they are.
    ///
    /// # Errors
    /// If one of the architectures cannot be scored. Those that are found by then are not lost.
    fn evaluate(
        &self,
        archs: &[Arch],
        found: &mut [Option<Scored>],
        progress: &dyn Progress,
    ) -> Result<(), SearchError>;
}

impl Evaluator for Scorer {
    fn evaluate(
        &self,
        archs: &[Arch],
        found: &mut [Option<Scored>],
        progress: &dyn Progress,
    ) -> Result<(), SearchError> {
        found.clone_from_slice(&self.score(archs, progress)?);
        Ok(())
    }
}
