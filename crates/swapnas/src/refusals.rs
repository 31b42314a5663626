//! Lists of networks of which some are refused.

use swapnas_metrics::{Columns, Progress, Score, Scored, Undefined};

/// What is found of a network of a list, or why it was refused.
pub type Finding = Result<Scored, String>;

/// What stands for no network, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unread {
    /// What it is called.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Scores the networks of a list that could be read, and puts what is found in their places, beside the reasons why
/// others could not, which are done at once. What is stopped before it is done is `None`.
///
/// ```
/// use swapnas::{Refusals, Scoring, ScoringOptions, Unread, refused, score_readable};
///
/// let space = swapnas::space("nb201")?;
/// let options = ScoringOptions { metrics: Some("params".into()), ..ScoringOptions::default() };
/// let scorer = Scoring { options, ..Scoring::new(space) }.scorer()?;
/// let unread = |name: &str, error| Unread { name: name.into(), reason: format!("{error}") };
/// let read = |text| space.parse(text).map_err(|error| unread(text, error));
/// let list = ["4321", "nonsense", "15624"].map(read);
/// let found = score_readable(&list, &(), |archs| scorer.score_each(archs, Refusals::Kept, &()))?;
/// assert!(matches!(&found[..], [Some(Ok(_)), Some(Err(_)), Some(Ok(_))]));
/// assert_eq!(refused(&found).unwrap(), "1 of 3 networks was refused");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As of `score`.
pub fn score_readable<T: Clone, R: ToString, E>(
    list: &[Result<T, Unread>],
    progress: &dyn Progress,
    score: impl FnOnce(&[T]) -> Result<Vec<Option<Result<Scored, R>>>, E>,
) -> Result<Vec<Option<Finding>>, E> {
    let readable: Vec<T> = list.iter().flatten().cloned().collect();
    if readable.len() < list.len() {
        progress.advance((list.len() - readable.len()) as f64);
    }
    let mut outcomes = score(&readable)?.into_iter();
    let finding = |network: &Result<T, Unread>| match network {
        Ok(_) => outcomes.next()?.map(|outcome| outcome.map_err(|refused| refused.to_string())),
        Err(unread) => Some(Err(unread.reason.clone())),
    };
    Ok(list.iter().map(finding).collect())
}

/// Those that were scored.
pub fn scored(found: &[Option<Finding>]) -> impl Iterator<Item = &Scored> {
    found.iter().flatten().flatten()
}

/// The values of all columns for each network that is there. For one that was refused, all are undefined for that
/// reason; ranks are taken over the others.
pub fn values(columns: &Columns, found: &[Option<Finding>]) -> Vec<Option<Vec<Result<Score, Undefined>>>> {
    let networks: Vec<&Scored> = scored(found).collect();
    let mut by_column: Vec<_> =
        columns.iter().map(|column| columns.values(column, &networks).into_iter()).collect();
    let mut row = |finding: &Finding| match finding {
        Ok(_) => by_column.iter_mut().filter_map(Iterator::next).collect(),
        Err(reason) => columns.iter().map(|_| Err(Undefined::Refused(reason.clone()))).collect(),
    };
    found.iter().map(|finding| Some(row(finding.as_ref()?))).collect()
}

/// How many networks were refused, if any were.
pub fn refused(found: &[Option<Finding>]) -> Option<String> {
    let refused = found.iter().flatten().filter(|finding| finding.is_err()).count();
    let networks = if found.len() == 1 { "network" } else { "networks" };
    let were = if refused == 1 { "was" } else { "were" };
    match refused {
        0 => None,
        _ if refused == found.len() => Some(format!("all {refused} {networks} {were} refused")),
        _ => Some(format!("{refused} of {} {networks} {were} refused", found.len())),
    }
}
