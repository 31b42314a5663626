//! Text that others wrote, as people are shown it.
//!
//! Names of files, columns and nodes, architectures, metrics, and whatever else comes from outside may hold
//! anything: characters that a terminal obeys, characters that turn the direction of all that follows, and many
//! megabytes of them. Whoever puts such a text into a message or a table puts [`plain`] of it there. JSON, CSV
//! and other files for programs keep texts as they are.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};

/// Characters of a text that are shown from its beginning, if not all of it is.
const HEAD: usize = 80;
/// And from its end, where files have their names.
const TAIL: usize = 40;

/// The same of a line of a message.
const LINE_HEAD: usize = 1200;
const LINE_TAIL: usize = 400;

/// A text on one line, without anything that a terminal or a page would obey, and not too long: see [`plain`].
#[derive(Clone, Debug)]
pub struct Plain<'a> {
    text: Cow<'a, str>,
    head: usize,
    tail: usize,
}

/// A text or path as messages show it.
///
/// Control characters, line breaks, and characters that are not seen or turn the direction of others are written as
/// in Rust, `\u{1b}`. Of more than 120 characters, the first 80 and the last 40 are shown, with the number of
/// those between them. What is no Unicode is replaced.
///
/// ```
/// use swapnas_graph::plain;
///
/// assert_eq!(plain("a\x1b[2J").to_string(), r"a\u{1b}[2J");
/// assert_eq!(plain(&"()".repeat(500)).to_string().len(), 120 + "…(880 more)…".len());
/// ```
pub fn plain<T: AsRef<OsStr> + ?Sized>(text: &T) -> Plain<'_> {
    Plain { text: text.as_ref().to_string_lossy(), head: HEAD, tail: TAIL }
}

/// The same of a sentence in which there may be such texts: it is shown on one line, and may be ten times as long.
pub fn plain_sentence(text: &str) -> Plain<'_> {
    Plain { text: Cow::Borrowed(text), head: LINE_HEAD, tail: LINE_TAIL }
}

/// A message of several lines, with nothing in it that a terminal would obey but the ends of lines, of which each
/// has at most some hundred characters.
///
/// Where messages are made, foreign texts in them are made [`plain`]; this is for what other libraries say, and
/// for whoever forgets.
pub fn plain_lines(message: &str) -> String {
    let line = |line| plain_sentence(line).to_string();
    message.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write = |text: &str| text.chars().try_for_each(|c| write_plain(f, c));
        let (head, rest) = self.text.split_at(fitting(self.text.chars(), self.head));
        if fitting(rest.chars(), self.tail) == rest.len() {
            return write(&self.text);
        }
        let (middle, tail) = rest.split_at(rest.len() - fitting(rest.chars().rev(), self.tail));
        write(head)?;
        write(&format!("…({} more)…", middle.chars().count()))?;
        write(tail)
    }
}

/// How many bytes those characters have that take up to `room` when they are written.
fn fitting(chars: impl Iterator<Item = char>, room: usize) -> usize {
    let mut written = 0;
    let fits = |c: &char| {
        written += match *c {
            c if is_plain(c) => 1,
            '\0' | '\t' | '\n' | '\r' => 2,
            c => c.escape_unicode().len(),
        };
        written <= room
    };
    chars.take_while(fits).map(char::len_utf8).sum()
}

fn write_plain(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        c if is_plain(c) => f.write_char(c),
        // These have short names; the library would write some of the others as they are.
        '\0' | '\t' | '\n' | '\r' => write!(f, "{}", c.escape_debug()),
        c => write!(f, "{}", c.escape_unicode()),
    }
}

/// Whether a character is seen in its place and does nothing else: it is no control character, ends no line, and
/// is none of those that Unicode calls default ignorable (UCD 16, DerivedCoreProperties: overrides of direction,
/// joiners, spaces without width, fillers, tags) or annotations.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_shown_is_harmless_and_short(text: String, times in 1_usize..200) {
            let text = text.repeat(times);
            let shown = plain(&text).to_string();
            prop_assert!(shown.chars().all(is_plain), "{shown}");
            prop_assert!(shown.chars().count() <= HEAD + TAIL + 20, "{shown}");
            prop_assert!(plain_lines(&text).chars().all(|c| is_plain(c) || c == '\n'));
            prop_assert!(plain_lines(&text).lines().all(|line| line.chars().count() <= 1700));
            if text.chars().all(is_plain) && text.chars().count() <= HEAD + TAIL {
                prop_assert_eq!(shown, text);
            }
        }
    }

    #[test]
    fn what_would_be_obeyed_is_written_out() {
        let shown = |text: &str| plain(text).to_string();
        assert_eq!(shown("a\x1b[2J\r\x08\u{9b}1m\u{7f}"), r"a\u{1b}[2J\r\u{8}\u{9b}1m\u{7f}");
        assert_eq!(shown("txt.\u{202e}exe\u{2066}\u{200b}"), r"txt.\u{202e}exe\u{2066}\u{200b}");
        assert_eq!(shown("one\ntwo\u{2028}three\u{85}\0\t"), r"one\ntwo\u{2028}three\u{85}\0\t");
        // Quotes, backslashes and letters of all scripts are what they are.
        assert_eq!(shown(r#"C:\data\"('été')"#), r#"C:\data\"('été')"#);
        assert_eq!(shown("हिन्दी e\u{301} 画像"), "हिन्दी e\u{301} 画像");
    }

    #[test]
    fn long_texts_are_shown_from_both_ends() {
        let text = format!("{}{}{}", "a".repeat(80), "b".repeat(1000), "c".repeat(40));
        let shown = format!("{}…(1000 more)…{}", "a".repeat(80), "c".repeat(40));
        assert_eq!(plain(&text).to_string(), shown);
        assert_eq!(plain(&"a".repeat(120)).to_string(), "a".repeat(120));
        // What takes more room when it is written out leaves less for others.
        let escapes = |count| r"\u{1b}".repeat(count);
        let shown = format!("{}…(9981 more)…{}", escapes(13), escapes(6));
        assert_eq!(plain(&"\x1b".repeat(10_000)).to_string(), shown);
        let lines = plain_lines(&format!("{}\nshort\x07\n", "a".repeat(5000)));
        assert_eq!(lines.lines().nth(1), Some(r"short\u{7}"));
        assert!(lines.lines().next().is_some_and(|line| line.contains("…(3400 more)…")));
    }
}
