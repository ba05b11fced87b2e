//! The text of an HTML part: what a reader would see, line by line, with the targets of links written out.
//!
//! One pass over the characters, no tree and no recursion, so that the work is bounded by the length. Nothing in the
//! outcome is trusted: it goes into a fence like any other text.

use mail_parser::decoders::html::add_html_token;

/// Elements that begin and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];

/// Elements with a line of space around them.
const PARAGRAPHS: &[&str] = &["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"];

/// Elements whose content nobody sees.
const UNSEEN: &[&str] = &["script", "style", "template", "title"];

/// No named character is longer than this, `&` and `;` included.
const LONGEST_ENTITY: usize = 40;

/// A link's target is shown up to so many characters.
const LONGEST_LINK: usize = 300;

/// The text of an HTML document.
pub(super) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = page.next_tag(rest) {
        let (before, tag) = rest.split_at(at);
        page.words(before);
        rest = if let Some(comment) = tag.strip_prefix("<!--") {
            behind_comment(comment)
        } else if tag.as_bytes().get(1).is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, b'/' | b'!' | b'?')) {
            let end = end_of_tag(tag);
            page.tag(&tag[1..end]);
            tag.get(end + 1..).unwrap_or_default()
        } else {
            page.words("<");
            &tag[1..]
        };
    }
    page.words(rest);
    page.end_link();
    page.text.trim().to_owned()
}

/// What stands behind a comment, as a browser ends it (HTML standard, section 13.2.5.43 and on): at `-->` or `--!>`, and at
/// once where it begins with `>` or `->`. A comment that is not closed hides the rest.
fn behind_comment(comment: &str) -> &str {
    let ends = |at: &usize| {
        let before = &comment[..*at];
        before.is_empty() || before == "-" || before.ends_with("--") || before.ends_with("--!")
    };
    let end = comment.match_indices('>').map(|(at, _)| at).find(ends);
    end.map_or("", |end| &comment[end + 1..])
}

/// Where a browser is within a tag (HTML standard, section 13.2.5.8 and on).
#[derive(Clone, Copy)]
enum In {
    /// The element's name.
    Name,
    /// Between attributes, or behind an attribute's name.
    Gap,
    /// An attribute's name.
    Attribute,
    /// Behind the equals sign.
    Equals,
    /// A value without quotes.
    Bare,
    /// A value in these quotes.
    Quoted(u8),
}

/// Where the `>` of a tag stands, or the end: one in a quoted value is none. What begins with `<!`, `<?` or `</` without a
/// name behind it is no tag and ends at the first.
fn end_of_tag(tag: &str) -> usize {
    let first = || tag.find('>').unwrap_or(tag.len());
    let name = tag[1..].strip_prefix('/').unwrap_or(&tag[1..]);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return first();
    }
    let mut place = In::Name;
    // An equals sign belongs to the attribute's name where no name stands before it.
    let mut named = false;
    for (at, byte) in tag.bytes().enumerate() {
        place = match (place, byte) {
            (In::Quoted(open), byte) if open == byte => In::Gap,
            (In::Quoted(open), _) => In::Quoted(open),
            (_, b'>') => return at,
            (In::Equals, b'"' | b'\'') => In::Quoted(byte),
            (In::Equals, byte) if byte.is_ascii_whitespace() => In::Equals,
            (In::Equals, _) => In::Bare,
            (In::Attribute, b'=') => In::Equals,
            (In::Gap, b'=') if named => In::Equals,
            (In::Attribute, byte) if byte.is_ascii_whitespace() => In::Gap,
            (In::Gap, byte) if byte.is_ascii_whitespace() => In::Gap,
            (place, byte) if byte.is_ascii_whitespace() || (byte == b'/' && !matches!(place, In::Bare)) => In::Gap,
            (In::Gap | In::Attribute, _) => In::Attribute,
            (place @ (In::Name | In::Bare), _) => place,
        };
        named = match place {
            In::Attribute => true,
            In::Gap => named && byte.is_ascii_whitespace(),
            _ => false,
        };
    }
    // An open quote would swallow the rest of the mail: then the first `>` ends the tag.
    first()
}

#[derive(Default)]
struct Page {
    text: String,
    /// A space is due before the next word.
    gap: bool,
    /// The element that hides what follows, until its end.
    unseen: Option<&'static str>,
    /// How many `pre` are open: white space counts.
    pre: usize,
    /// The open link: its target, and where its words begin.
    link: Option<(String, usize)>,
}

impl Page {
    /// Where the next tag begins. Within an element that nobody sees it is its end, whatever else stands there.
    fn next_tag(&self, rest: &str) -> Option<usize> {
        let Some(name) = self.unseen else { return rest.find('<') };
        let ends = |at: &usize| {
            let behind = rest.as_bytes().get(at + 2..at + 2 + name.len());
            behind.is_some_and(|behind| behind.eq_ignore_ascii_case(name.as_bytes()))
        };
        rest.match_indices("</").map(|(at, _)| at).find(ends)
    }

    fn words(&mut self, words: &str) {
        if self.unseen.is_some() {
            return;
        }
        let mut rest = words;
        while !rest.is_empty() {
            let end = rest.find(|c: char| c == '&' || c.is_ascii_whitespace()).unwrap_or(rest.len());
            if end > 0 {
                self.push(&rest[..end]);
                rest = &rest[end..];
            } else if rest.starts_with('&') {
                let bytes = rest.as_bytes();
                let end = bytes.iter().take(LONGEST_ENTITY).position(|&byte| byte == b';');
                let named = end.filter(|&end| bytes[1..end].iter().all(|c| c.is_ascii_alphanumeric() || *c == b'#'));
                let length = named.map_or(1, |end| end + 1);
                let mut shown = String::new();
                add_html_token(&mut shown, &bytes[..length], false);
                // A space that may not break is a space.
                self.push(&shown.replace('\u{A0}', " "));
                rest = &rest[length..];
            } else {
                let end = rest.find(|c: char| !c.is_ascii_whitespace()).unwrap_or(rest.len());
                if self.pre > 0 {
                    self.text.push_str(&rest[..end].replace("\r\n", "\n").replace('\r', "\n"));
                } else {
                    self.gap = true;
                }
                rest = &rest[end..];
            }
        }
    }

    fn push(&mut self, word: &str) {
        if self.gap && !self.text.is_empty() && !self.text.ends_with(['\n', ' ']) {
            self.text.push(' ');
        }
        self.gap = false;
        self.text.push_str(word);
    }

    /// Ends the line; `lines` = 2 leaves an empty one.
    fn break_line(&mut self, lines: usize) {
        self.gap = false;
        if self.text.is_empty() {
            return;
        }
        let kept = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(kept);
        let have = self.text.bytes().rev().take(lines).take_while(|&byte| byte == b'\n').count();
        self.text.extend(std::iter::repeat_n('\n', lines.saturating_sub(have)));
    }

    fn tag(&mut self, tag: &str) {
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = tag[..end].to_ascii_lowercase();
        let name = name.as_str();
        if let Some(unseen) = self.unseen {
            if closes && unseen == name {
                self.unseen = None;
            }
            return;
        }
        if let Some(unseen) = UNSEEN.iter().find(|unseen| **unseen == name) {
            self.unseen = (!closes).then_some(unseen);
            return;
        }
        match name {
            "br" if !self.text.ends_with("\n\n\n") => {
                self.gap = false;
                self.text.push('\n');
            }
            "td" | "th" if !closes => self.gap = true,
            "a" => {
                self.end_link();
                if !closes {
                    self.link = attribute(&tag[end..], "href").map(|target| (target, self.text.len()));
                }
            }
            "img" => {
                if let Some(words) = attribute(&tag[end..], "alt").filter(|words| !words.is_empty()) {
                    self.push(&format!("[{words}]"));
                }
            }
            name if BLOCKS.contains(&name) => self.block(name, closes),
            _ => {}
        }
    }

    fn block(&mut self, name: &str, closes: bool) {
        self.break_line(if PARAGRAPHS.contains(&name) { 2 } else { 1 });
        match (name, closes) {
            ("pre", false) => self.pre += 1,
            ("pre", true) => self.pre = self.pre.saturating_sub(1),
            ("li", false) => self.text.push_str("- "),
            _ => {}
        }
    }

    /// A link shows its target where its words are something else.
    fn end_link(&mut self) {
        let Some((target, from)) = self.link.take() else { return };
        let words = self.text.get(from..).unwrap_or_default().trim();
        let bare = |text: &str| {
            let text = text.trim_start_matches("mailto:").trim_start_matches("https://").trim_start_matches("http://");
            text.trim_end_matches('/').to_owned()
        };
        if target.is_empty() || target.starts_with('#') || bare(words) == bare(&target) {
            return;
        }
        let shown: String = target.chars().take(LONGEST_LINK).collect();
        let more = if shown.len() < target.len() { "…" } else { "" };
        self.gap = true;
        self.push(&format!("<{shown}{more}>"));
    }
}

/// An attribute's value, its named characters written out.
fn attribute(rest: &str, wanted: &str) -> Option<String> {
    let mut rest = rest;
    while let Some((name, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let (value, next) = match behind.chars().next() {
            Some(quote @ ('"' | '\'')) => behind[1..].split_once(quote).unwrap_or((&behind[1..], "")),
            _ => behind.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((behind, "")),
        };
        if name.trim().rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default().eq_ignore_ascii_case(wanted)
        {
            let mut page = Page { pre: 1, ..Page::default() };
            page.words(value.trim());
            return Some(page.text.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        }
        rest = next;
    }
    None
}
