use std::fmt;
use std::path::{Path, PathBuf};

use swapnas_graph::nearest;

use super::TableError;
use crate::plain;

/// Which of the tables in a file was read: of which data set, and after how many epochs of training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The data set, if the file names them.
    pub dataset: Option<Choice>,
    /// The number of epochs, if the file has networks trained for several.
    pub epochs: Option<Choice>,
}

/// One of several names in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What was taken.
    pub name: String,
    /// What could have been, in the order of the file.
    pub others: Vec<String>,
    /// Whether it was asked for.
    pub is_asked: bool,
}

impl Part {
    /// What was taken though nobody asked for it and there are others, in words.
    pub fn silent(&self) -> Option<String> {
        let silent = |choice: &&Choice| !choice.is_asked && !choice.others.is_empty();
        let dataset = self.dataset.as_ref().filter(silent).map(|choice| format!("the data set is {choice}"));
        let epochs = self.epochs.as_ref().filter(silent).map(|choice| format!("epochs are {choice}"));
        let said: Vec<String> = dataset.into_iter().chain(epochs).collect();
        (!said.is_empty())
            .then(|| format!("{} ({} behind the file's name chooses)", said.join(", "), self.wish()))
    }

    /// What asks for this part, behind the name of the file.
    fn wish(&self) -> String {
        let names = [&self.dataset, &self.epochs];
        let names: Vec<String> =
            names.into_iter().flatten().map(|choice| plain(&choice.name).to_string()).collect();
        format!("`#{}`", names.join("/"))
    }

    /// Chooses among the data sets and numbers of epochs in a file: what is wanted, or else those with these places.
    pub(super) fn choose(
        file: &str,
        datasets: &[String],
        epochs: &[String],
        default: [usize; 2],
        wanted: Option<&Wanted>,
    ) -> Result<Part, TableError> {
        let chosen = |names: &[String], place: Option<usize>, default: usize| {
            let taken = place.unwrap_or(default);
            names.get(taken).map(|name| {
                let others = names.iter().enumerate().filter(|(other, _)| *other != taken);
                Choice {
                    name: name.clone(),
                    others: others.map(|(_, name)| name.clone()).collect(),
                    is_asked: place.is_some(),
                }
            })
        };
        let none = |what: &'static str, wish: &str, names: Vec<String>| TableError::NoSuchPart {
            file: file.to_owned(),
            what,
            part: wish.to_owned(),
            nearest: nearest(wish, names.iter().map(String::as_str)).first().map(|&name| name.to_owned()),
            names,
        };
        let of_dataset = |wish: &str| datasets.iter().position(|name| name.eq_ignore_ascii_case(wish));
        let of_epochs = |wish: &str| epochs.iter().position(|name| same_number(name, wish));
        let (dataset, epoch) = match wanted.map(|wanted| (&wanted.first[..], wanted.second.as_deref())) {
            None => (None, None),
            Some((wish, None)) => match (of_dataset(wish), of_epochs(wish)) {
                (None, None) => {
                    return Err(none("data set", wish, [datasets, epochs].concat()));
                }
                (Some(place), _) => (Some(place), None),
                (None, place) => (None, place),
            },
            Some((first, Some(second))) => {
                let missing = || none("data set", first, datasets.to_vec());
                let dataset =
                    if first.is_empty() { None } else { Some(of_dataset(first).ok_or_else(missing)?) };
                let missing = || none("number of epochs", second, epochs.to_vec());
                (dataset, Some(of_epochs(second).ok_or_else(missing)?))
            }
        };
        Ok(Part { dataset: chosen(datasets, dataset, default[0]), epochs: chosen(epochs, epoch, default[1]) })
    }
}

/// The name, and what else there is.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<String> =
            self.others.iter().take(LISTED).map(|name| format!("`{}`", plain(name))).collect();
        let more = if self.others.len() > LISTED { ", ..." } else { "" };
        write!(f, "`{}`, others {}{more}", plain(&self.name), others.join(", "))
    }
}

/// How many others are listed.
const LISTED: usize = 8;

/// Whether two texts are the same number, as `01` and `1` are.
fn same_number(a: &str, b: &str) -> bool {
    matches!((a.parse::<u32>(), b.parse::<u32>()), (Ok(a), Ok(b)) if a == b)
}

/// Which part of a file is asked for, behind `#`: a data set, a number of epochs, or both with a slash between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) first: String,
    pub(super) second: Option<String>,
}

impl Wanted {
    /// Takes the part from behind the name of a file. A file that has the whole name is meant itself.
    pub(super) fn split(path: &Path) -> (PathBuf, Option<Wanted>) {
        let name = path.to_str().filter(|_| !path.exists());
        match name.and_then(|name| name.rsplit_once('#')) {
            Some((file, wish)) if !file.is_empty() && !wish.is_empty() => {
                (file.into(), Some(Wanted::of(wish)))
            }
            _ => (path.to_owned(), None),
        }
    }

    fn of(wish: &str) -> Self {
        match wish.split_once('/') {
            Some((first, second)) => Wanted { first: first.to_owned(), second: Some(second.to_owned()) },
            None => Wanted { first: wish.to_owned(), second: None },
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.second.iter().map(|second| format!("/{}", plain(second)));
        write!(f, "#{}{}", plain(&self.first), second.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn choose(wish: Option<&str>) -> String {
        let wanted = wish.map(Wanted::of);
        let (datasets, epochs) = (names(&["cifar10", "cifar100"]), names(&["01", "12", "90"]));
        match Part::choose("t", &datasets, &epochs, [0, 2], wanted.as_ref()) {
            Ok(part) => {
                let name = |choice: Option<Choice>| choice.map(|choice| choice.name).unwrap_or_default();
                let said = part.silent().unwrap_or_default();
                format!("{} {}; {said}", name(part.dataset), name(part.epochs))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_part_is_named_by_its_data_set_its_epochs_or_both() {
        let said: Vec<String> = [None, Some("CIFAR100"), Some("1"), Some("cifar100/12"), Some("/12")]
            .into_iter()
            .map(choose)
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        cifar10 90; the data set is `cifar10`, others `cifar100`, epochs are `90`, others `01`, `12` (`#cifar10/90` behind the file's name chooses)
        cifar100 90; epochs are `90`, others `01`, `12` (`#cifar100/90` behind the file's name chooses)
        cifar10 01; the data set is `cifar10`, others `cifar100` (`#cifar10/01` behind the file's name chooses)
        cifar100 12; 
        cifar10 12; the data set is `cifar10`, others `cifar100` (`#cifar10/12` behind the file's name chooses)
        ");
        let wrong: Vec<String> =
            [Some("cifar11"), Some("cifar10/7"), Some("x/12")].into_iter().map(choose).collect();
        insta::assert_snapshot!(wrong.join("\n"), @r"
        t has no data set `cifar11` (did you mean `cifar10`?): give one of `cifar10`, `cifar100`, `01`, `12`, `90`
        t has no number of epochs `7`: give one of `01`, `12`, `90`
        t has no data set `x`: give one of `cifar10`, `cifar100`
        ");
    }

    #[test]
    fn a_file_that_has_the_whole_name_is_meant_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a#b");
        assert_eq!(Wanted::split(&path), (folder.path().join("a"), Some(Wanted::of("b"))));
        std::fs::write(&path, "").unwrap();
        assert_eq!(Wanted::split(&path), (path, None));
        assert_eq!(Wanted::split(Path::new("-#c/1")), (PathBuf::from("-"), Some(Wanted::of("c/1"))));
        assert_eq!(Wanted::split(Path::new("#c")), (PathBuf::from("#c"), None));
    }
}
