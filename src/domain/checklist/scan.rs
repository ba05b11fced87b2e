//! One pass over a body's Markdown: its headings, boxes, fields, bold lines and markers, each with its place.
//!
//! What stands in a quote, a fence, a comment or raw HTML is none of them. What the finds mean (which heading is a phase,
//! which box counts) is decided afterwards, in `outline`.

use std::mem;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::Marker;
use super::run::{self, Head, Kind, Piece};

/// A heading at the top level.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) level: usize,
    pub(super) text: String,
    pub(super) at: usize,
}

/// A box with text.
#[derive(Debug)]
pub(super) struct TaskBox {
    /// The offset of the character between the brackets.
    pub(super) at: usize,
    pub(super) ticked: bool,
    /// The heading above it, as an index.
    pub(super) heading: Option<usize>,
    pub(super) group: Option<String>,
    pub(super) anchor: Option<String>,
    /// `None` for an empty slot.
    pub(super) text: Option<run::TaskText>,
}

/// A field: a list item that begins with a bold name and a colon.
#[derive(Debug)]
pub(super) struct RawField {
    pub(super) at: usize,
    pub(super) heading: Option<usize>,
    pub(super) name: String,
    pub(super) value: String,
    /// From behind the colon to the end of the value.
    pub(super) range: Range<usize>,
    pub(super) ticked: bool,
    /// The field around it, as an index.
    outer: Option<usize>,
    /// Whether it has no value but boxes: then its name is a group's.
    is_group: bool,
    /// Whether its value goes on in further lines of the item.
    goes_on: bool,
}

/// What a body holds, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) headings: Vec<Heading>,
    pub(super) boxes: Vec<TaskBox>,
    pub(super) fields: Vec<RawField>,
    pub(super) markers: Vec<Marker>,
    /// The text of each stretch that has words, with the heading above it.
    pub(super) texts: Vec<(Option<usize>, String)>,
}

/// Reads the Markdown. Ranges are in `body`.
pub(super) fn scan(body: &str) -> Found {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut scan = Scan::new(body);
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        scan.event(event, range);
    }
    scan.end_run();
    scan.found.fields = outermost(scan.found.fields);
    scan.found
}

/// Leaves out names of groups, and what stands inside another field: that is part of its value.
fn outermost(fields: Vec<RawField>) -> Vec<RawField> {
    let mut inside = vec![false; fields.len()];
    for (index, field) in fields.iter().enumerate() {
        let outer = field.outer.and_then(|outer| Some((fields.get(outer)?, *inside.get(outer)?)));
        if let (Some(inside), Some((outer, outer_inside))) = (inside.get_mut(index), outer) {
            *inside = outer_inside || !outer.is_group;
        }
    }
    fields
        .into_iter()
        .zip(inside)
        .filter(|(field, inside)| !inside && !field.is_group)
        .map(|(field, _)| field)
        .collect()
}

/// A list item that is open.
#[derive(Debug, Default)]
struct Item {
    /// The box it begins with, as an index.
    task: Option<usize>,
    /// The field it begins with, as an index.
    field: Option<usize>,
    /// Its first text, if all of that is bold: the name of a group if boxes follow.
    bold: Option<String>,
    /// Whether a stretch of text has been read in it.
    begun: bool,
    /// The group outside, put back at the item's end.
    group_outside: Option<Option<String>>,
    end: usize,
}

/// What kind of block the current stretch of text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// A paragraph, or the bare text of an item in a tight list.
    Paragraph,
    Heading(usize),
    /// Code or a table's cell.
    Other,
}

struct Scan<'a> {
    body: &'a str,
    found: Found,
    items: Vec<Item>,
    quotes: usize,
    block: Block,
    pieces: Vec<Piece<'a>>,
    strong: usize,
    struck: usize,
    /// The addresses of the links that are open; `None` where the address is the text.
    links: Vec<Option<CowStr<'a>>>,
    html: Option<Range<usize>>,
    heading_at: usize,
    group: Option<String>,
}

impl<'a> Scan<'a> {
    fn new(body: &'a str) -> Self {
        Scan {
            body,
            found: Found::default(),
            items: Vec::new(),
            quotes: 0,
            block: Block::Paragraph,
            pieces: Vec::new(),
            strong: 0,
            struck: 0,
            links: Vec::new(),
            html: None,
            heading_at: 0,
            group: None,
        }
    }

    fn event(&mut self, event: Event<'a>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => self.piece(Kind::Text, text, range),
            Event::Code(text) => self.piece(Kind::Code, text, range),
            Event::SoftBreak | Event::HardBreak => self.piece(Kind::Break, "\n".into(), range),
            Event::InlineHtml(html) if html.starts_with("<!--") => {
                if self.is_top() && self.block == Block::Paragraph {
                    self.markers(&html);
                }
                self.piece(Kind::Comment, html, range);
            }
            Event::InlineHtml(html) => self.piece(Kind::Html, html, range),
            Event::TaskListMarker(ticked) => self.marker_of_task(ticked, range),
            Event::Rule => self.end_run(),
            // The text of an HTML block is taken whole at its end. The others need options that are off.
            Event::Html(_) | Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'a>, range: Range<usize>) {
        match tag {
            Tag::Strong => self.strong += 1,
            Tag::Strikethrough => self.struck += 1,
            Tag::Emphasis | Tag::Superscript | Tag::Subscript => {}
            Tag::Link { link_type, dest_url, .. } => {
                let is_its_text = matches!(link_type, LinkType::Autolink | LinkType::Email);
                self.open_link((!is_its_text).then_some(dest_url), "[", range);
            }
            Tag::Image { dest_url, .. } => self.open_link(Some(dest_url), "![", range),
            Tag::Heading { level, .. } => {
                self.end_run();
                self.heading_at = range.start;
                self.block = Block::Heading(level as usize);
            }
            Tag::BlockQuote(_) => {
                self.end_run();
                self.quotes += 1;
            }
            Tag::CodeBlock(_) | Tag::TableCell => {
                self.end_run();
                self.block = Block::Other;
            }
            Tag::HtmlBlock => {
                self.end_run();
                self.html = Some(range);
            }
            Tag::Item => {
                self.end_run();
                self.items.push(Item { end: range.end, ..Item::default() });
            }
            _ => self.end_run(),
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Strikethrough => self.struck = self.struck.saturating_sub(1),
            TagEnd::Emphasis | TagEnd::Superscript | TagEnd::Subscript => {}
            TagEnd::Link | TagEnd::Image => {
                if let Some(Some(address)) = self.links.pop() {
                    self.piece(Kind::Link, format!("]({address})").into(), range);
                }
            }
            TagEnd::BlockQuote(_) => {
                self.end_run();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::Item => {
                self.end_run();
                self.end_item();
            }
            _ => self.end_run(),
        }
    }

    fn end_item(&mut self) {
        let Some(item) = self.items.pop() else { return };
        if let Some(group) = item.group_outside {
            self.group = group;
        }
        if let Some(field) = item.field.and_then(|field| self.found.fields.get_mut(field)).filter(|f| f.goes_on) {
            let words = self.body.get(..item.end).map_or(0, |text| text.trim_end().len());
            field.range.end = field.range.end.max(words);
        }
    }

    fn open_link(&mut self, address: Option<CowStr<'a>>, sign: &'static str, range: Range<usize>) {
        if address.is_some() {
            self.piece(Kind::Link, sign.into(), range.start..range.start);
        }
        self.links.push(address);
    }

    fn piece(&mut self, kind: Kind, text: CowStr<'a>, range: Range<usize>) {
        self.pieces.push(Piece { kind, text, range, struck: self.struck > 0, strong: self.strong > 0 });
    }

    /// Outside lists and quotes.
    fn is_top(&self) -> bool {
        self.items.is_empty() && self.quotes == 0
    }

    fn here(&self) -> Option<usize> {
        self.found.headings.len().checked_sub(1)
    }

    fn marker_of_task(&mut self, ticked: bool, range: Range<usize>) {
        if self.quotes > 0 {
            return;
        }
        let index = self.found.boxes.len();
        let heading = self.here();
        // A bold item that holds boxes is a group, and no field without a value.
        if let Some(holder) = self.items.iter_mut().rev().find(|item| item.bold.is_some())
            && holder.group_outside.is_none()
        {
            holder.group_outside = Some(mem::replace(&mut self.group, holder.bold.clone()));
        }
        for field in self.items.iter().filter_map(|item| item.field) {
            if let Some(field) = self.found.fields.get_mut(field) {
                field.is_group |= field.value.trim().is_empty();
            }
        }
        if let Some(item) = self.items.last_mut() {
            item.task = Some(index);
        }
        self.found.boxes.push(TaskBox {
            at: range.end.saturating_sub(2),
            ticked,
            heading,
            group: self.group.clone(),
            anchor: None,
            text: None,
        });
    }

    /// Takes the stretch of text that ends here for what it is.
    fn end_run(&mut self) {
        let block = mem::replace(&mut self.block, Block::Paragraph);
        if self.pieces.is_empty() {
            return;
        }
        let pieces = mem::take(&mut self.pieces);
        if let (Block::Heading(level), true) = (block, self.is_top()) {
            self.found.headings.push(Heading { level, text: run::plain(&pieces), at: self.heading_at });
            self.group = None;
            return;
        }
        let text = run::plain(&pieces);
        if !text.is_empty() {
            self.found.texts.push((self.here(), text));
        }
        if self.quotes > 0 {
            return;
        }
        if self.items.is_empty() {
            if let (Block::Paragraph, Some(name)) = (block, run::bold_line(&pieces)) {
                self.group = Some(name);
            }
            return;
        }
        self.value_lines(&pieces);
        // A task's words may be underlined to a heading; a field's head may not.
        let is_task = self.items.last().is_some_and(|item| item.task.is_some());
        if block == Block::Paragraph || (is_task && block != Block::Other) {
            self.item_text(&pieces);
        }
    }

    /// Adds the text to the fields that are open around it.
    fn value_lines(&mut self, pieces: &[Piece<'a>]) {
        let line = run::value(pieces, 0, self.body);
        if line.end.is_none() {
            return;
        }
        // A task's words are its own, not the value of a field around it.
        for item in self.items.iter().rev().take_while(|item| item.task.is_none()) {
            if let Some(field) = item.field.and_then(|field| self.found.fields.get_mut(field)) {
                field.value.push('\n');
                field.value.push_str(&line.text);
                field.goes_on = true;
            }
        }
    }

    /// Takes a stretch of text directly in an item.
    fn item_text(&mut self, pieces: &[Piece<'a>]) {
        let outer = self.items.iter().rev().skip(1).find_map(|item| item.field);
        let heading = self.here();
        let Some(item) = self.items.last_mut() else { return };
        let first = !mem::replace(&mut item.begun, true);
        if let Some(task) = item.task.and_then(|task| self.found.boxes.get_mut(task)) {
            // Below an empty box the words may begin in the next line, not after a blank one.
            let start = pieces.first().map_or(task.at, |piece| piece.range.start);
            let gap = self.body.get(task.at..start).unwrap_or_default();
            if first && gap.bytes().filter(|&byte| byte == b'\n').count() <= 1 {
                task.text = run::task_text(pieces);
            }
            let comments = pieces.iter().filter(|piece| piece.kind == Kind::Comment);
            if task.anchor.is_none() {
                task.anchor = comments.filter_map(|piece| run::anchor(&piece.text)).next().map(str::to_owned);
            }
            return;
        }
        if !first {
            return;
        }
        item.bold = run::bold_line(pieces);
        let Some(Head { name, at, colon }) = run::head(pieces, self.body) else { return };
        let value = run::value(pieces, colon, self.body);
        item.field = Some(self.found.fields.len());
        self.found.fields.push(RawField {
            at,
            heading,
            name,
            range: colon..value.end.unwrap_or_else(|| end_of_gap(self.body, colon)),
            value: value.text,
            ticked: value.ticked,
            outer,
            is_group: false,
            goes_on: false,
        });
    }

    /// Takes an HTML block: markers at the top level, an anchor in a task's item.
    fn end_html(&mut self) {
        let Some(range) = self.html.take() else { return };
        let html = self.body.get(range).unwrap_or_default().trim();
        if self.is_top() {
            self.markers(html);
        } else if let Some(task) = self.items.last().filter(|_| self.quotes == 0).and_then(|item| item.task)
            && let Some(task) = self.found.boxes.get_mut(task).filter(|task| task.anchor.is_none())
        {
            task.anchor = run::anchor(html).map(str::to_owned);
        }
    }

    /// Takes the markers that the HTML begins with, comment after comment.
    fn markers(&mut self, html: &str) {
        let mut rest = html;
        while let Some((comment, behind)) = rest.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
            self.found.markers.extend(marker(comment));
            rest = behind.trim_start();
        }
    }
}

/// `wardroom:KIND CONTENT`; an anchor is none.
fn marker(comment: &str) -> Option<Marker> {
    let text = comment.trim().strip_prefix("wardroom:")?;
    let (kind, content) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let good = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    (good && !run::is_anchor(kind)).then(|| Marker { kind: kind.to_owned(), content: content.trim().to_owned() })
}

/// Behind the spaces and tabs that follow the offset.
fn end_of_gap(body: &str, from: usize) -> usize {
    body.get(from..).map_or(from, |text| body.len() - text.trim_start_matches([' ', '\t']).len())
}
