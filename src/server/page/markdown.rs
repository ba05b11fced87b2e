//! Markdown as GitHub shows it in an issue, as far as it matters here: boxes that can be ticked, tables, mentions, links
//! to issues, and no HTML but the few tags that fold and shrink. Everything else stays text.

use std::fmt::Write as _;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use crate::domain::memory::short_digest;

/// Tags that are kept, with nothing in them but their name. All others are shown as text.
const TAGS: [&str; 3] = ["details", "summary", "sub"];

/// No kept tag has more bytes than this. For one that is longer nothing is searched: a line of `<` is read once.
const LONGEST_TAG: usize = 16;

/// The most list items, quotes and the like inside each other that are shown as such. A hostile text nests thousands,
/// and a browser lays them out one in the other.
const DEEPEST: usize = 60;

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// A box of a text, as GitHub's page offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBox {
    /// Its place among the boxes and a digest of its line: another's edit above it does not make it another box.
    pub key: String,
    /// Its line, without the box.
    pub line: String,
    /// Whether it is ticked.
    pub done: bool,
    /// The byte between the brackets.
    at: usize,
}

/// The boxes of a text.
pub fn boxes(text: &str) -> Vec<TaskBox> {
    let mut found = Vec::new();
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        if let Event::TaskListMarker(done) = event {
            found.extend(task_box(text, found.len(), done, range));
        }
    }
    found
}

fn task_box(text: &str, index: usize, done: bool, range: Range<usize>) -> Option<TaskBox> {
    let at = range.start + text.get(range.clone())?.find('[')? + 1;
    let line = text.get(at + 2..)?.lines().next().unwrap_or_default().trim().to_owned();
    Some(TaskBox { key: format!("{index}-{}", short_digest(&line)), line, done, at })
}

/// The text with one box ticked or not. `None` if there is no such box any more, or it is so already.
pub fn set_box(text: &str, key: &str, done: bool) -> Option<String> {
    let (index, digest) = key.split_once('-')?;
    let index: usize = index.parse().ok()?;
    let all = boxes(text);
    let same = all.iter().enumerate().filter(|(_, found)| found.key.ends_with(&format!("-{digest}")));
    let (_, found) = same.min_by_key(|(at, _)| at.abs_diff(index))?;
    if found.done == done {
        return None;
    }
    let mut after = text.to_owned();
    after.replace_range(found.at..=found.at, if done { "x" } else { " " });
    (after.len() == text.len()).then_some(after)
}

/// How the boxes of a text are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes<'a> {
    /// As pictures: they can never be ticked here. The ids begin so.
    Fixed(&'a str),
    /// As boxes of the form of this id; `false`: this person may not tick.
    Of(&'a str, bool),
}

/// What links and mentions need to know.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The repository, `octo/security`.
    pub repository: &'a str,
    /// The login of who looks, for links that keep it.
    pub me: &'a str,
}

/// A text as HTML that can do nothing: no script, no style, no picture, no form but the boxes, no address but http(s)'s.
pub fn to_html(text: &str, boxes: Boxes<'_>, around: Around<'_>) -> String {
    let mut drawn =
        Drawn { boxes, around, open: Vec::new(), count: 0, label: None, comment: false, depth: 0, code: 0, link: 0 };
    let mut events = Vec::new();
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        drawn.event(text, event, range, &mut events);
    }
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events.into_iter());
    for tag in drawn.open.iter().rev() {
        let _ = write!(out, "</{tag}>");
    }
    out
}

struct Drawn<'a> {
    boxes: Boxes<'a>,
    around: Around<'a>,
    /// The kept tags that are open.
    open: Vec<&'static str>,
    /// Boxes so far.
    count: usize,
    /// Whether the words of a box are being written into its label.
    label: Option<()>,
    /// Whether a comment began and has not ended: the lines of a block come one by one.
    comment: bool,
    depth: usize,
    code: usize,
    link: usize,
}

impl Drawn<'_> {
    fn event<'t>(&mut self, text: &'t str, event: Event<'t>, range: Range<usize>, out: &mut Vec<Event<'t>>) {
        match event {
            Event::TaskListMarker(done) => {
                let found = task_box(text, self.count, done, range);
                self.count += 1;
                out.push(Event::InlineHtml(self.draw_box(found, done).into()));
                self.label = Some(());
            }
            Event::Html(html) | Event::InlineHtml(html) => out.push(Event::InlineHtml(self.keep_some(&html).into())),
            // In an issue's text GitHub breaks the line where its writer did.
            Event::SoftBreak => out.push(Event::HardBreak),
            Event::Text(words) if self.code == 0 && self.link == 0 => {
                out.push(Event::InlineHtml(linked(&words, self.around).into()));
            }
            Event::Start(tag) => self.start(tag, out),
            Event::End(end) => self.end(end, out),
            other => out.push(other),
        }
    }

    fn start<'t>(&mut self, tag: Tag<'t>, out: &mut Vec<Event<'t>>) {
        if matches!(tag, Tag::Paragraph | Tag::List(_) | Tag::BlockQuote(_) | Tag::CodeBlock(_) | Tag::Table(_)) {
            self.close_label(out);
        }
        match tag {
            Tag::HtmlBlock => return,
            Tag::CodeBlock(_) => self.code += 1,
            Tag::Link { link_type, dest_url, .. } => {
                self.link += 1;
                out.push(Event::InlineHtml(self.link_start(link_type, &dest_url).into()));
                return;
            }
            // A picture would be fetched from elsewhere; GitHub hides that behind a proxy of its own. Here it is its words.
            Tag::Image { .. } => {
                self.link += 1;
                out.push(Event::InlineHtml("<span class=\"picture\">[picture: ".into()));
                return;
            }
            Tag::Heading { level, .. } => {
                let (id, classes, attrs) = (None, Vec::new(), Vec::new());
                out.push(Event::Start(Tag::Heading { level: self.level(level), id, classes, attrs }));
                return;
            }
            Tag::List(_) | Tag::Item | Tag::BlockQuote(_) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return;
                }
            }
            _ => {}
        }
        out.push(Event::Start(tag));
    }

    fn end<'t>(&mut self, end: TagEnd, out: &mut Vec<Event<'t>>) {
        match end {
            TagEnd::HtmlBlock => {
                self.comment = false;
                return;
            }
            TagEnd::CodeBlock => self.code = self.code.saturating_sub(1),
            TagEnd::Link => {
                self.link = self.link.saturating_sub(1);
                out.push(Event::InlineHtml("</a>".into()));
                return;
            }
            TagEnd::Image => {
                self.link = self.link.saturating_sub(1);
                out.push(Event::InlineHtml("]</span>".into()));
                return;
            }
            TagEnd::Paragraph => self.close_label(out),
            TagEnd::Heading(level) => {
                out.push(Event::End(TagEnd::Heading(self.level(level))));
                return;
            }
            TagEnd::List(_) | TagEnd::Item | TagEnd::BlockQuote(_) => {
                self.close_label(out);
                self.depth = self.depth.saturating_sub(1);
                if self.depth >= DEEPEST {
                    return;
                }
            }
            _ => {}
        }
        out.push(Event::End(end));
    }

    /// Headings stand below the page's own: an issue's one further down than it says, a comment's at least at the third.
    fn level(&self, level: HeadingLevel) -> HeadingLevel {
        match self.boxes {
            Boxes::Of(..) => HeadingLevel::try_from(level as usize + 1).unwrap_or(level),
            Boxes::Fixed(_) => level.max(HeadingLevel::H3),
        }
    }

    fn close_label(&mut self, out: &mut Vec<Event<'_>>) {
        if self.label.take().is_some() {
            out.push(Event::InlineHtml("</label>".into()));
        }
    }

    fn draw_box(&self, found: Option<TaskBox>, done: bool) -> String {
        let (prefix, rest) = match (self.boxes, found) {
            (Boxes::Of(form, may), Some(found)) => {
                let words = found.line.split("<!--").next().unwrap_or_default();
                let name = if words.trim().is_empty() { " aria-label=\"An empty item\"" } else { "" };
                let disabled = if may { "" } else { " disabled" };
                ("box", format!(" name=\"done\" value=\"{}\" form=\"{form}\"{name}{disabled}", found.key))
            }
            (Boxes::Fixed(prefix), _) => (prefix, " disabled".to_owned()),
            (Boxes::Of(..), None) => ("box", " disabled".to_owned()),
        };
        let (id, checked) = (self.count, if done { " checked" } else { "" });
        format!(
            "<input type=\"checkbox\" class=\"task\" id=\"{prefix}-{id}\"{rest}{checked}> <label for=\"{prefix}-{id}\">"
        )
    }

    /// HTML as GitHub keeps it, with fewer tags: a comment is dropped, a kept tag stays, the rest becomes text.
    fn keep_some(&mut self, html: &str) -> String {
        let mut out = String::new();
        let mut rest = if self.comment { self.behind_comment(html) } else { html };
        while let Some(at) = rest.find('<') {
            let (before, tag) = rest.split_at(at);
            escape(before, &mut out);
            if tag.starts_with("<!--") {
                // `<!-->` is one, whole.
                rest = self.behind_comment(&tag["<!".len()..]);
                continue;
            }
            let end = tag.bytes().take(LONGEST_TAG).position(|byte| byte == b'>');
            match end.map(|end| tag.split_at(end + 1)) {
                Some((tag, after)) if self.keep(tag, &mut out) => rest = after,
                _ => {
                    out.push_str("&lt;");
                    rest = tag.get(1..).unwrap_or_default();
                }
            }
        }
        escape(rest, &mut out);
        out
    }

    /// What stands behind the end of a comment. Where there is none, the comment goes on in what comes next.
    fn behind_comment<'h>(&mut self, html: &'h str) -> &'h str {
        let behind = html.split_once("-->").map(|(_, behind)| behind);
        self.comment = behind.is_none();
        behind.unwrap_or_default()
    }

    /// Writes a tag that is kept; an end without a beginning is dropped, so that nothing of the page is closed.
    fn keep(&mut self, tag: &str, out: &mut String) -> bool {
        let inner = tag.trim_start_matches('<').trim_end_matches('>').trim().to_ascii_lowercase();
        if inner == "br" || inner == "br/" || inner == "br /" {
            out.push_str("<br>");
            return true;
        }
        let (end, name) = inner.strip_prefix('/').map_or((false, inner.as_str()), |name| (true, name));
        let Some(name) = TAGS.into_iter().find(|known| *known == name) else { return false };
        if !end {
            self.open.push(name);
            let _ = write!(out, "<{name}>");
        } else if self.open.last() == Some(&name) {
            self.open.pop();
            let _ = write!(out, "</{name}>");
        }
        true
    }

    fn link_start(&self, kind: LinkType, address: &CowStr<'_>) -> String {
        let address = if kind == LinkType::Email { format!("mailto:{address}") } else { address.to_string() };
        let own = format!("/{}/issues/", self.around.repository);
        let number = address.split_once(&own).map(|(_, number)| number).filter(|_| is_web(&address));
        if let Some(number) = number.and_then(|text| text.split(['#', '?']).next()?.parse::<u64>().ok()) {
            return issue_link(number, self.around);
        }
        if !is_web(&address) && !address.to_ascii_lowercase().starts_with("mailto:") {
            return "<a>".to_owned();
        }
        let mut out = "<a rel=\"nofollow noopener noreferrer\" href=\"".to_owned();
        escape(&address, &mut out);
        out.push_str("\">");
        out
    }
}

fn is_web(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    address.starts_with("https://") || address.starts_with("http://")
}

fn issue_link(number: u64, around: Around<'_>) -> String {
    format!("<a href=\"/issues/{number}?as={}\">", percent_encoding::utf8_percent_encode(around.me, super::QUERY))
}

/// Text with `#12` and `@login` as GitHub draws them.
fn linked(text: &str, around: Around<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(['#', '@']) {
        let (head, tail) = rest.split_at(at);
        escape(head, &mut out);
        let starts_word = head.chars().next_back().or(before).is_none_or(|c| !c.is_alphanumeric());
        let sign = tail.chars().next().unwrap_or_default();
        let word: &str = tail.get(1..).unwrap_or_default();
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(word.len());
        let name = word.get(..end).unwrap_or_default();
        let number = name.parse::<u64>().ok().filter(|_| sign == '#' && name.len() < 10);
        if let Some(number) = number.filter(|_| starts_word) {
            let _ = write!(out, "{}#{number}</a>", issue_link(number, around));
        } else if sign == '@' && starts_word && !name.is_empty() {
            let _ = write!(out, "<strong class=\"mention\">@{name}</strong>");
        } else {
            out.push(sign);
            out.push_str(name);
        }
        before = tail.get(..1 + end).and_then(|done| done.chars().next_back());
        rest = tail.get(1 + end..).unwrap_or_default();
    }
    escape(rest, &mut out);
    out
}

/// Text as HTML shows it, also inside a quoted attribute.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
