//! What the demo shows: acts, people, Wardroom's steps and calls, in a hundred columns.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The widest line.
pub(super) const WIDTH: usize = 100;

/// Where the text begins behind the time and the name.
const INDENT: usize = 23;

/// Where the list of calls begins.
const CALLS_INDENT: usize = 14;

/// How a piece of text looks on a terminal that takes colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// As it is.
    Plain,
    /// A heading.
    Bold,
    /// What need not be read at first.
    Dim,
    /// A person.
    Blue,
    /// Wardroom.
    Green,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Blue => "36",
            Ink::Green => "32",
        }
    }
}

/// The terminal, or whatever takes its place.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    pauses: bool,
}

impl<'a> Screen<'a> {
    /// `colour`: whether it takes ANSI colours; `pauses`: whether a person reads along.
    pub(super) fn new(out: &'a mut dyn Write, colour: bool, pauses: bool) -> Self {
        Screen { out, colour, pauses }
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if self.colour && ink != Ink::Plain { format!("\x1b[{}m{text}\x1b[0m", ink.code()) } else { text.to_owned() }
    }

    /// One line in one ink.
    pub(super) fn line(&mut self, ink: Ink, text: &str) -> io::Result<()> {
        let text = self.ink(ink, text);
        writeln!(self.out, "{}", text.trim_end())
    }

    /// A paragraph, wrapped.
    pub(super) fn paragraph(&mut self, ink: Ink, indent: usize, text: &str) -> io::Result<()> {
        for line in wrap(text, WIDTH - indent) {
            let line = self.ink(ink, &line);
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// A new act of the story.
    pub(super) async fn act(&mut self, number: usize, title: &str) -> io::Result<()> {
        self.rest(Duration::from_millis(900)).await?;
        self.line(Ink::Plain, "")?;
        self.line(Ink::Bold, &format!("{number}. {title}"))
    }

    /// What someone does, with the time of it.
    pub(super) fn says(&mut self, at: Timestamp, who: &str, ink: Ink, text: &str) -> io::Result<()> {
        let (time, name) = (self.ink(Ink::Dim, &clock_time(at)), self.ink(ink, &format!("{who:<8}")));
        for (index, line) in wrap(text, WIDTH - INDENT).iter().enumerate() {
            if index == 0 {
                writeln!(self.out, "{time}  {name} {line}")?;
            } else {
                writeln!(self.out, "{:INDENT$}{line}", "")?;
            }
        }
        Ok(())
    }

    /// More about what was said last.
    pub(super) fn more(&mut self, ink: Ink, text: &str) -> io::Result<()> {
        self.paragraph(ink, INDENT, text)
    }

    /// The calls of what was said last.
    pub(super) fn calls(&mut self, text: &str) -> io::Result<()> {
        self.paragraph(Ink::Dim, CALLS_INDENT, text)
    }

    /// Time to read, if someone reads along.
    pub(super) async fn rest(&mut self, time: Duration) -> io::Result<()> {
        self.out.flush()?;
        if self.pauses {
            tokio::time::sleep(time).await;
        }
        Ok(())
    }
}

/// `Mon 09:00:42`, in UTC.
pub(super) fn clock_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %H:%M:%S").to_string()
}

/// Lines of at most so many characters, broken at blanks but not at no-break spaces. A longer word stands alone.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            let blank = if line.is_empty() { "" } else { " " };
            let _ = write!(line, "{blank}{word}");
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_long_words_stand_alone() {
        assert_eq!(wrap("one two three\n\nfour", 8), ["one two", "three", "", "four"]);
        assert_eq!(wrap("a incomprehensibilities b", 8), ["a", "incomprehensibilities", "b"]);
    }

    #[test]
    fn colours_are_left_out_where_they_are_not_wanted() {
        for (colour, wanted) in [(true, "\u{1b}[1mtitle\u{1b}[0m\n"), (false, "title\n")] {
            let mut out = Vec::new();
            Screen::new(&mut out, colour, false).line(Ink::Bold, "title").unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
