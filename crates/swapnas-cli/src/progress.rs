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

/// How many networks are done, added up from parts.
#[derive(Default)]
pub struct Done(AtomicU64);

impl Done {
    /// Parts of a network are rounded to these, a million of which may be missing from a whole.
    const PARTS: f64 = 1e12;

    /// So much more is done; returns how many are done in full.
    pub fn add(&self, networks: f64) -> u64 {
        let more = (networks * Self::PARTS).round() as u64;
        Self::whole(self.0.fetch_add(more, Ordering::Relaxed) + more)
    }

    /// How many are done in full.
    pub fn networks(&self) -> u64 {
        Self::whole(self.0.load(Ordering::Relaxed))
    }

    fn whole(parts: u64) -> u64 {
        ((parts as f64 + 1e6) / Self::PARTS) as u64
    }
}

/// A progress bar on standard error, if that is a terminal, for work that Ctrl-C stops.
pub(crate) struct Bar {
    bar: ProgressBar,
    done: Done,
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
        Ok(Bar { bar: bar(networks), done: Done::default(), stopped })
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, networks: f64) {
        self.bar.set_position(self.done.add(networks));
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Done;

    #[test]
    fn parts_make_wholes() {
        for parts in [1, 3, 7, 9, 32, 1000] {
            let done = Done::default();
            for part in 0..parts * 200 {
                assert_eq!(done.networks(), part / parts, "{part} of {parts}");
                done.add(1.0 / parts as f64);
            }
            assert_eq!(done.networks(), 200);
        }
        assert_eq!(Done::default().add(10_000_000.0), 10_000_000);
    }
}
