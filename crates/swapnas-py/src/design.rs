//! Networks for pictures.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use swapnas::design::{Design, DesignError, Wishes};
use swapnas::search::{LatencyTable, Limits, Search};
use swapnas::{Level, Survey, results};

use crate::errors::Raise;
use crate::options::{self, Options};
use crate::scorer::warn;
use crate::search::Run;
use crate::space::object;
use crate::watch::interrupted;

/// From a folder of labelled pictures to a network that is ready to be trained; returns a swapnas.Designed.
///
/// What suits the pictures is chosen by rules, which `reasons` of the result says: the size of the images, the space,
/// and the size of the network. A search then finds the architecture. The folder has the network as network.py and
/// network.onnx, train.py, which trains it, and what a search leaves.
///
/// images: a folder with a folder of pictures for each class, or with folders train and val that have those.
/// out: the folder for what is found; what is there of the same design is gone on with.
/// max_params, max_macs, max_latency: limits of the network; counts may be written as "1M".
/// latency_table: a CSV file with the columns op, input and ms.
/// skip_bad: whether pictures that cannot be used are left out with a warning; without it they are an error.
/// size: height and width of the images; unless given, the largest of 32, 64, 96, 128, 160, 192 and 224 that half of
///     the pictures reach.
/// space: the space; unless given, darts up to images of 64 pixels and mobilenet above.
/// cycles: cycles of the search, each of five architectures.
/// seed: the seed of everything that is drawn.
/// threads: all cores unless given.
///
/// Ctrl-C raises swapnas.Interrupted, whose `folder` has the best network that was found by then; the same call goes
/// on.
#[pyfunction]
#[pyo3(
    signature = (images, *, out = None, progress = None, **options),
    text_signature = "(images, *, out='swapnas-design', progress=None, max_params=None, max_macs=None, max_latency=None, \
                      latency_table=None, skip_bad=False, size=None, space=None, cycles=200, seed=0, threads=None)"
)]
pub(crate) fn design<'py>(
    py: Python<'py>,
    images: PathBuf,
    out: Option<PathBuf>,
    progress: Option<Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let folder = out.unwrap_or_else(|| "swapnas-design".into());
    let mut taken = Options::new(options)?;
    let wishes = wishes(&mut taken)?;
    let skip_bad = taken.take("skip_bad")?.unwrap_or(false);
    let cycles = taken.number_from(0, "cycles", 1_000_000)?.unwrap_or(200);
    let run = Run::new(py, taken.threads()?, progress)?;
    taken.finish()?;
    let level = Level::from_env().map_err(Raise::raise)?;
    let pool = run.pool()?;
    let survey = py.detach(|| pool.install(|| Survey::of(&images, skip_bad))).map_err(Raise::raise)?;
    let bad = survey.bad.len();
    if bad > 0 {
        let listed: String = survey.bad.iter().map(|skipped| format!("\n  {skipped}")).collect();
        let files = if bad == 1 { "1 file".to_owned() } else { format!("{bad} files") };
        warn(py, [format!("left out {files} that cannot be used:{listed}")])?;
    }
    let begin = || -> Result<(Design, Search), DesignError> {
        let design = Design::new(survey, wishes)?;
        let search = design.begin(&folder, cycles, level)?;
        Ok((design, search))
    };
    let (design, mut search) = py.detach(|| pool.install(begin)).map_err(Raise::raise)?;
    let (ended, raised) = run.work(py, &mut search)?;
    let best = results::best(&search, 1).first().map(|best| best.entry.arch.clone());
    if let Some(best) = &best {
        py.detach(|| pool.install(|| design.write(best, &folder))).map_err(Raise::raise)?;
    }
    if let Some(raised) = raised {
        let message = "stopped; the same call goes on".to_owned();
        return Err(interrupted(raised, message, "folder", folder, py));
    }
    if best.is_none() {
        return Err(PyValueError::new_err("no architecture was evaluated"));
    }
    let mut found = results::best_json(&search, ended, run.top);
    found["design"] = design.json();
    let class = py.import("swapnas._results")?.getattr("Designed")?;
    class.call_method1("_of", (folder, object(py, &found)?))
}

fn wishes(taken: &mut Options<'_>) -> PyResult<Wishes> {
    let limits = Limits {
        min_params: None,
        max_params: taken.count("max_params")?,
        max_macs: taken.count("max_macs")?,
        max_latency: taken.take("max_latency")?,
    };
    let table = taken.take::<PathBuf>("latency_table")?;
    let side = taken.any("size")?.map(|size| options::number(&size, "size", 8..=1024)).transpose()?;
    let space = taken.any("space")?.map(|space| options::space(Some(&space))).transpose()?;
    Ok(Wishes {
        limits,
        latency: table.map(|file| LatencyTable::read(&file)).transpose().map_err(Raise::raise)?,
        space,
        side,
        seed: taken.take("seed")?.unwrap_or(0),
    })
}
