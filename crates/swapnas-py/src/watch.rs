//! Long work that Python waits for: Ctrl-C stops it, and somebody may watch it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pyo3::exceptions::{PyKeyboardInterrupt, PyTypeError};
use pyo3::prelude::*;
use pyo3::{create_exception, intern};
use swapnas::Progress;

create_exception!(
    swapnas,
    Interrupted,
    PyKeyboardInterrupt,
    "Ctrl-C stopped the work; `scored` holds what was finished by then, and None for the rest."
);

/// How often Python is asked whether Ctrl-C was pressed, and told how far the work is.
const TICK: Duration = Duration::from_millis(50);

/// Who is told how far the work is.
pub(crate) enum Audience {
    /// A bar on standard error, if that is a terminal.
    Bar,
    Nobody,
    /// A function of Python, which gets the numbers of networks done and of all.
    Function(Py<PyAny>),
}

impl Audience {
    /// `None` is a bar, `False` nobody; a function is called.
    pub(crate) fn of(progress: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(progress) = progress else { return Ok(Audience::Bar) };
        if let Ok(shown) = progress.extract::<bool>() {
            return Ok(if shown { Audience::Bar } else { Audience::Nobody });
        }
        if !progress.is_callable() {
            let what = "progress is a function of the numbers of networks done and in all, True or False";
            return Err(PyTypeError::new_err(what));
        }
        Ok(Audience::Function(progress.unbind()))
    }
}

/// Shared between the work and the thread that waits for it.
#[derive(Default)]
struct Watch {
    /// Networks done, in thousandths.
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Progress for Watch {
    fn advance(&self, networks: f64) {
        self.done.fetch_add((networks * 1000.0).round() as u64, Ordering::Relaxed);
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
            let mut told = 0;
            loop {
                let ended = waiting.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
                let done = watch.done.load(Ordering::Relaxed) / 1000;
                if let Some(bar) = &bar {
                    bar.set_position(done);
                }
                if exception.is_none() {
                    let asked = Python::attach(|py| {
                        py.check_signals()?;
                        match audience {
                            Audience::Function(function) if done > told => {
                                function.call1(py, (done, total)).map(drop)
                            }
                            _ => Ok(()),
                        }
                    });
                    told = done;
                    if let Err(raised) = asked {
                        watch.stopped.store(true, Ordering::Relaxed);
                        exception = Some(raised);
                    }
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

/// The exception that ends work which was stopped: one of Ctrl-C is given what was finished by then.
pub(crate) fn interrupted(py: Python<'_>, raised: PyErr, scored: Bound<'_, PyAny>) -> PyErr {
    if !raised.is_instance_of::<PyKeyboardInterrupt>(py) {
        return raised;
    }
    let error = Interrupted::new_err("stopped; what was finished by then is in `scored`");
    match error.value(py).setattr(intern!(py, "scored"), scored) {
        Ok(()) => error,
        Err(error) => error,
    }
}
