//! The progress bar, and the signals that ask a process to end.

use std::io::{StdoutLock, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use swapnas::Progress;

use crate::Ending;

/// A progress bar for `networks` networks on standard error, if that is a terminal.
pub fn bar(networks: usize) -> ProgressBar {
    bar_of(networks, "networks")
}

fn bar_of(length: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template(&format!(
        "{{bar:40}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left"
    ));
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

/// Ctrl-C, the end of the system or of the session, and where there is one, the end of the terminal.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// What a process ends with that was stopped by a signal, as shells have it.
const fn code(signal: i32) -> u8 {
    128 + signal as u8
}

/// That of SIGHUP, the end of the terminal.
const HUNG_UP: u8 = 129;

/// Whether a signal that asks the process to end has come.
#[derive(Default)]
struct Signals {
    /// What to end the process with; 0 as long as none has come.
    code: Arc<AtomicUsize>,
}

impl Signals {
    /// Watches for them from now on.
    fn watch() -> std::io::Result<Self> {
        let signals = Signals::default();
        let came = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)) {
            if signal == SIGINT {
                // Whoever presses Ctrl-C once more will not wait. The others come more than once by themselves:
                // of a terminal that closes, both the shell and the system tell those who run in it.
                flag::register_conditional_shutdown(signal, code(signal).into(), came.clone())?;
            }
            flag::register_usize(signal, signals.code.clone(), code(signal).into())?;
            flag::register(signal, came.clone())?;
        }
        Ok(signals)
    }

    /// The code of the last one.
    fn code(&self) -> Option<u8> {
        let code = self.code.load(Ordering::Relaxed);
        (code != 0).then_some(code as u8)
    }
}

/// Whether whoever started the process wants it to take no notice of a signal: `nohup` of the end of the terminal,
/// say. Linux tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// A progress bar on standard error, if that is a terminal, for work that signals stop.
pub(crate) struct Bar {
    bar: ProgressBar,
    done: Done,
    signals: Signals,
}

impl Bar {
    /// A bar for `networks` networks.
    ///
    /// The first Ctrl-C from now on, or another signal that asks the process to end, lets the networks at hand be
    /// finished; a second Ctrl-C ends the process.
    pub(crate) fn new(networks: usize) -> anyhow::Result<Self> {
        let signals = Signals::watch().context("cannot watch for Ctrl-C")?;
        Ok(Bar { bar: bar(networks), done: Done::default(), signals })
    }

    /// The same for so many steps of a training.
    pub(crate) fn of_steps(steps: usize) -> anyhow::Result<Self> {
        let signals = Signals::watch().context("cannot watch for Ctrl-C")?;
        Ok(Bar { bar: bar_of(steps, "steps"), done: Done::default(), signals })
    }

    /// Writes to standard output while the bar is there.
    pub(crate) fn print_above(
        &self,
        write: impl FnOnce(&mut StdoutLock<'static>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.bar.suspend(|| self.print(write))
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes to standard output, which after the end of the terminal nobody reads any more.
    pub(crate) fn print(
        &self,
        write: impl FnOnce(&mut StdoutLock<'static>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let written = write(&mut out).and_then(|()| Ok(out.flush()?));
        if self.signals.code() == Some(HUNG_UP) { Ok(()) } else { written }
    }

    /// How a command ends whose work a signal stopped before its end.
    pub(crate) fn ending(&self) -> Ending {
        self.signals.code().map_or(Ending::Complete, Ending::Stopped)
    }
}

impl Progress for Bar {
    fn advance(&self, networks: f64) {
        self.bar.set_position(self.done.add(networks));
    }

    fn stopped(&self) -> bool {
        self.signals.code().is_some()
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
