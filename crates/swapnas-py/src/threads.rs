use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The threads of a scorer. A process that was forked has none of them, and gets its own.
pub(crate) struct Threads {
    asked: Option<usize>,
    pool: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Threads {
    pub(crate) fn new(asked: Option<usize>) -> Self {
        Threads { asked, pool: Mutex::new(None) }
    }

    pub(crate) fn pool(&self) -> PyResult<Arc<ThreadPool>> {
        let mut known = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if let Some((_, pool)) = known.as_ref().filter(|(of, _)| *of == process) {
            return Ok(pool.clone());
        }
        let threads =
            self.asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool =
            Arc::new(pool.map_err(|error| {
                PyValueError::new_err(format!("cannot start {threads} threads: {error}"))
            })?);
        // Those of the process that this one was forked from are not there to be ended.
        std::mem::forget(known.replace((process, pool.clone())));
        Ok(pool)
    }
}
