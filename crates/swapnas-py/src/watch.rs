//! Long work that Python waits for: Ctrl-C stops it, and somebody may watch it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyTypeError};
use pyo3::prelude::*;
use swapnas::Progress;
use swapnas_cli::Done;

create_exception!(
    swapnas,
    Interrupted,
    PyKeyboardInterrupt,
    "Ctrl-C stopped the work, once the networks at hand were finished. Of scores, `scored` holds what there is,
and None for the rest; of a search, `folder` is where `swapnas.resume` finds it."
);

/// How often Python is asked whether Ctrl-C was pressed, and told how far the work is.
const TICK: Duration = Duration::from_millis(50);

/// Who is told how far the work is.
pub(crate) enum Audience {
    /// The command's bar on standard error, if that is a terminal.
    Bar,
    Nobody,
    /// A function of Python, which gets the numbers of networks done and of all.
    Function(Py<PyAny>),
    /// A function that shows a bar of tqdm, and is told of the beginning as well.
    Tqdm(Py<PyAny>),
}

impl Audience {
    /// `None` is a bar, in notebooks that of tqdm if there is one, which `True` shows everywhere; `False` is nobody; a
    /// function is called.
    pub(crate) fn of(py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(progress) = progress else { return Audience::bar(py, false) };
        if let Ok(shown) = progress.extract::<bool>() {
            return if shown { Audience::bar(py, true) } else { Ok(Audience::Nobody) };
        }
        if !progress.is_callable() {
            let what = "progress is a function of the numbers of networks done and in all, True or False";
            return Err(PyTypeError::new_err(what));
        }
        Ok(Audience::Function(progress.unbind()))
    }

    fn bar(py: Python<'_>, is_forced: bool) -> PyResult<Self> {
        let function = py.import("swapnas._progress")?.call_method1("bar", (is_forced,))?;
        Ok(if function.is_none() { Audience::Bar } else { Audience::Tqdm(function.unbind()) })
    }
}

/// Shared between the work and the thread that waits for it.
#[derive(Default)]
struct Watch {
    done: Done,
    stopped: AtomicBool,
}

impl Progress for Watch {
    fn advance(&self, networks: f64) {
        self.done.add(networks);
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Does work for `total` networks on another thread; returns what came out, and the exception that stopped it
/// before its end, if one did.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    total: usize,
    audience: &Audience,
    work: impl FnOnce(&dyn Progress) -> T + Send,
) -> (T, Option<PyErr>) {
    let watch = Watch::default();
    let bar = matches!(audience, Audience::Bar).then(|| swapnas_cli::bar(total));
    let result = py.detach(|| {
        let (finished, waiting) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let watch = &watch;
            let worker = scope.spawn(move || {
                let result = work(watch);
                drop(finished);
                result
            });
            let mut exception = None;
            let mut told = if matches!(audience, Audience::Tqdm(_)) { None } else { Some(0) };
            loop {
                let ended = waiting.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
                let done = watch.done.networks();
                if let Some(bar) = &bar {
                    bar.set_position(done);
                }
                let asked = Python::attach(|py| {
                    py.check_signals()?;
                    match audience {
                        Audience::Function(function) | Audience::Tqdm(function)
                            if told.is_none_or(|told| done > told) && exception.is_none() =>
                        {
                            function.call1(py, (done, total)).map(drop)
                        }
                        _ => Ok(()),
                    }
                });
                told = Some(done);
                if let Err(raised) = asked {
                    watch.stopped.store(true, Ordering::Relaxed);
                    // Whoever presses Ctrl-C again while the networks at hand are finished means the same.
                    exception.get_or_insert(raised);
                }
                if ended {
                    break;
                }
            }
            match worker.join() {
                Ok(result) => (result, exception),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    result
}

/// The exception that ends work which was stopped: one of Ctrl-C says so, and knows what was finished by then.
pub(crate) fn interrupted<'py>(
    raised: PyErr,
    message: String,
    name: &str,
    finished: impl IntoPyObject<'py>,
    py: Python<'py>,
) -> PyErr {
    if !raised.is_instance_of::<PyKeyboardInterrupt>(py) {
        return raised;
    }
    let error = Interrupted::new_err(message);
    match error.value(py).setattr(name, finished) {
        Ok(()) => error,
        Err(error) => error,
    }
}
