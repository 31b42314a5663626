//! Numbers that settings cannot have.

/// A number that no training can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} {value} is out of range: take a number from {low} to {high}")]
pub struct SettingsError {
    /// What it is.
    pub name: &'static str,
    /// The number given.
    pub value: f64,
    /// The smallest valid one.
    pub low: f64,
    /// The largest valid one.
    pub high: f64,
}

/// An error unless a number is where it should be.
pub(crate) fn within(name: &'static str, value: f64, [low, high]: [f64; 2]) -> Result<(), SettingsError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(SettingsError { name, value, low, high }) }
}
