//! HW-NAS-Bench: latencies and energies on several devices, without accuracies.

use super::super::part::Part;
use super::super::records::Text;
use super::super::{Problem, TableError};
use super::Request;
use super::pickle::Item;
use super::rows::{Rows, cell};

/// The networks of NAS-Bench-201; costs of the blocks of FBNet are none of networks.
pub(super) fn table(file: &str, root: Item<'_>, request: Request<'_>) -> Result<Text, TableError> {
    let lacks = |what: &str| TableError::Damaged {
        file: file.to_owned(),
        format: "pickle of HW-NAS-Bench",
        cause: format!("it has no {what}"),
    };
    let datasets = root.get("nasbench201").ok_or_else(|| lacks("`nasbench201`"))?;
    let names: Vec<String> =
        datasets.entries().filter_map(|(name, _)| name.text().map(str::to_owned)).take(64).collect();
    let part = Part::choose(file, &names, &[], [0, 0], request.wanted)?;
    let dataset = part.dataset.as_ref().and_then(|choice| datasets.get(&choice.name));
    let dataset = dataset.ok_or_else(|| lacks("data set"))?;
    let configs = dataset.get("config").ok_or_else(|| lacks("list `config` of networks"))?;
    let count = configs.items().count();
    let columns: Vec<(&str, Vec<Option<f64>>)> = dataset
        .entries()
        .filter_map(|(name, values)| Some((name.text().filter(|name| *name != "config")?, values.numbers())))
        .filter(|(_, values)| values.len() == count)
        .take(64)
        .collect();
    let mut rows =
        Rows::new(&[&["arch"][..], &columns.iter().map(|(name, _)| *name).collect::<Vec<_>>()].concat());
    for (place, config) in configs.items().take(request.limit).enumerate() {
        let arch = config.get("arch_str").and_then(|arch| arch.text());
        rows.push(match arch {
            None => Err(Problem::Damaged {
                what: "the network".to_owned(),
                cause: "it has no `arch_str`".to_owned(),
            }),
            Some(arch) => {
                let values = columns.iter().map(|(_, values)| cell(values[place]));
                Ok([arch.to_owned()].into_iter().chain(values).collect())
            }
        });
    }
    rows.text(file, part)
}
