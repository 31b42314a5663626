//! The progress bar, and Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swapnas::Progress;

/// A progress bar for `networks` networks on standard error, if that is a terminal.
pub fn bar(networks: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(networks as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} networks, {per_sec}, {eta} left");
    bar.set_style(style.expect("the template is one"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A progress bar on standard error, if that is a terminal, for work that Ctrl-C stops.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// Networks done, in thousandths.
    done: AtomicU64,
    stopped: Arc<AtomicBool>,
}

impl Bar {
    /// A bar for `networks` networks.
    ///
    /// The first Ctrl-C from now on lets the networks at hand be finished; a second one ends the
    /// process.
    pub(crate) fn new(networks: usize) -> anyhow::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let pressed = stopped.clone();
        ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::Relaxed) {
                std::process::exit(super::STOPPED.into());
            }
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Bar { bar: bar(networks), done: AtomicU64::new(0), stopped })
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, networks: f64) {
        let more = (networks * 1000.0).round() as u64;
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        self.bar.set_position(done / 1000);
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
