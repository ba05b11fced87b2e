//! The parts of a mail, taken apart within bounds: depth, number, and one pass over the bytes for each level.
//!
//! `mail-parser` decodes fields, charsets and transfer encodings. Taking the parts apart is done here, because its version
//! for our Rust ends a part at a boundary in the middle of a line, which would let a sender cut a report short unseen,
//! and nests without a bound.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;

use super::head::{self, Encoding, Head};
use super::{Attachment, html, line_feeds};
use crate::domain::texts::utc;

/// Mails within mails and parts within parts, no deeper than this. Real ones have three or four levels.
const MAX_DEPTH: usize = 10;

/// No more parts than this are read.
const MAX_PARTS: usize = 300;

/// So many attachments are listed, the rest is counted.
const MOST_ATTACHMENTS: usize = 40;

/// An HTML form that has so many times the characters of the plain text is worth a word.
const MUCH_MORE: usize = 4;

/// How a mail hides its text from whoever has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    Pgp,
    Smime,
    SmimeSigned,
}

/// The text of a part, and whether it was made from HTML.
#[derive(Debug, Default)]
struct Said {
    text: String,
    from_html: bool,
}

/// What was found on the way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) attachments: Vec<Attachment>,
    /// Attachments beyond those in the list.
    pub(super) more_attachments: usize,
    pub(super) notes: Vec<String>,
    pub(super) sealed: Option<Sealed>,
    parts_left: usize,
}

/// Takes a mail apart. Returns its text.
pub(super) fn walk(head: &Head, body: &[u8]) -> (String, Walk) {
    let mut walk =
        Walk { attachments: Vec::new(), more_attachments: 0, notes: Vec::new(), sealed: None, parts_left: MAX_PARTS };
    let said = walk.part(head, body, 0);
    if said.from_html {
        walk.note("The text was made from the HTML of the mail: what was laid out there is plain here.");
    }
    (said.text, walk)
}

impl Walk {
    fn note(&mut self, words: &str) {
        if !self.notes.iter().any(|note| note == words) {
            self.notes.push(words.to_owned());
        }
    }

    fn note_cut(&mut self, head: &Head) {
        if head.cut {
            self.note("A field in the headers of a part is longer than 4 KiB; its end was not read.");
        }
    }

    fn part(&mut self, head: &Head, body: &[u8], depth: usize) -> Said {
        if self.parts_left == 0 {
            self.note("The mail has more than 300 parts; the rest was not read.");
            return Said::default();
        }
        if depth > MAX_DEPTH {
            self.note("The mail is nested more than 10 levels deep; what lies deeper was not read.");
            return Said::default();
        }
        self.parts_left -= 1;
        match head.kind() {
            ("multipart", sub) => {
                match head.boundary.as_deref().map(|mark| split(body, mark, self.parts_left + 1)) {
                    Some(parts) if !parts.is_empty() => self.multipart(sub, &parts, depth),
                    _ => {
                        self.note("The mail says that it has several parts and they cannot be told apart; all of it is shown.");
                        let bytes = decoded(body, head.encoding, self);
                        Said { text: self.characters(&bytes, head), from_html: false }
                    }
                }
            }
            ("message", "rfc822" | "global") => self.forwarded(head, body, depth),
            ("application", "pkcs7-mime" | "x-pkcs7-mime") => {
                let signed = head.smime_type.as_deref() == Some("signed-data");
                self.sealed = Some(if signed { Sealed::SmimeSigned } else { Sealed::Smime });
                Said::default()
            }
            ("text", "plain" | "html") if depth == 0 || !(head.attached || head.name.is_some()) => {
                let bytes = decoded(body, head.encoding, self);
                let text = self.characters(&bytes, head);
                if head.kind().1 == "html" {
                    return Said { text: html::to_text(&text), from_html: true };
                }
                Said { text, from_html: false }
            }
            (kind, sub) => {
                self.attach(head, body, &format!("{kind}/{sub}"));
                Said::default()
            }
        }
    }

    fn multipart(&mut self, sub: &str, parts: &[&[u8]], depth: usize) -> Said {
        if sub == "encrypted" {
            self.sealed = Some(Sealed::Pgp);
            return Said::default();
        }
        let mut said = Vec::new();
        for &part in parts {
            let Ok((block, body)) = head::split(part, head::MAX_PART_HEAD_BYTES) else {
                self.note("A part of the mail has more than 16 KiB of headers; it was not read.");
                continue;
            };
            let mut head = head::read(block);
            self.note_cut(&head);
            if sub == "digest" && head.kind.is_none() {
                head.kind = Some(("message".to_owned(), "rfc822".to_owned()));
            }
            match head.kind() {
                ("application", "pgp-signature") => self.note(SIGNED_PGP),
                ("application", "pkcs7-signature" | "x-pkcs7-signature") => self.note(SIGNED_SMIME),
                _ => said.push(self.part(&head, body, depth + 1)),
            }
        }
        if sub == "alternative" { self.choose(said) } else { join(said) }
    }

    /// Of several forms of the same text the plain one.
    fn choose(&mut self, mut said: Vec<Said>) -> Said {
        said.retain(|said| !said.text.trim().is_empty());
        let longest_html = said.iter().filter(|said| said.from_html).map(|said| said.text.len()).max().unwrap_or(0);
        match said.iter().position(|said| !said.from_html) {
            Some(at) => {
                let plain = said.swap_remove(at);
                if longest_html > 400 && longest_html > MUCH_MORE * plain.text.len() {
                    self.note(
                        "The mail has an HTML form too, which says much more than the plain text that is shown: read it in \
                         the mail.",
                    );
                }
                plain
            }
            None => said.pop().unwrap_or_default(),
        }
    }

    /// A mail in the mail: its head in words, then its text.
    fn forwarded(&mut self, head: &Head, body: &[u8], depth: usize) -> Said {
        let inner = decoded(body, head.encoding, self);
        let Ok((block, inner_body)) = head::split(&inner, head::MAX_HEAD_BYTES) else {
            self.note("A forwarded mail has more than 256 KiB of headers; it was not read.");
            return Said::default();
        };
        let inner_head = head::read(block);
        self.note_cut(&inner_head);
        let mut text = String::from("---------- Forwarded mail ----------\n");
        let date = inner_head.date.map(utc);
        let fields = [
            ("From", &inner_head.from),
            ("Date", &date),
            ("Subject", &inner_head.subject),
            ("Message-ID", &inner_head.message_id),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                // A value that breaks its line could pass for another field.
                let words: Vec<&str> = value.split_whitespace().collect();
                text.push_str(&format!("{name}: {}\n", words.join(" ")));
            }
        }
        self.note("A forwarded mail is in it: check who wrote which part, and whom to answer.");
        let said = self.part(&inner_head, inner_body, depth + 1);
        text.push('\n');
        text.push_str(said.text.trim_end());
        text.push('\n');
        Said { text, from_html: said.from_html }
    }

    fn attach(&mut self, head: &Head, body: &[u8], kind: &str) {
        if self.attachments.len() == MOST_ATTACHMENTS {
            self.more_attachments += 1;
            return;
        }
        let bytes = match head.encoding {
            Encoding::Plain => body.len(),
            Encoding::Base64 => base64_length(body),
            Encoding::QuotedPrintable => quoted_printable(body).map_or(body.len(), |bytes| bytes.len()),
        };
        self.attachments.push(Attachment { name: head.name.clone(), kind: kind.to_owned(), bytes });
    }

    /// Bytes as text, by the charset that the part names. A wrong or unknown one loses no byte that is plain ASCII.
    fn characters(&mut self, bytes: &[u8], head: &Head) -> String {
        let label = head.charset.as_deref().unwrap_or("utf-8").trim().to_ascii_lowercase();
        let utf8 = matches!(label.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii");
        let text = match (std::str::from_utf8(bytes), charset_decoder(label.as_bytes())) {
            (Ok(text), _) if utf8 => text.to_owned(),
            (_, Some(decode)) if !utf8 => decode(bytes),
            (Ok(text), _) => {
                self.note("The mail names a charset that is not known; it was read as UTF-8.");
                text.to_owned()
            }
            (Err(_), _) => {
                self.note("Characters of the mail could not be read; they are shown as U+FFFD.");
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        line_feeds(&text)
    }
}

const SIGNED_PGP: &str = "The mail is signed (PGP/MIME). The signature was not checked.";
const SIGNED_SMIME: &str = "The mail is signed (S/MIME). The signature was not checked.";

/// Undoes the packing. What is packed wrongly is taken as it is.
fn decoded<'a>(body: &'a [u8], encoding: Encoding, walk: &mut Walk) -> Cow<'a, [u8]> {
    let unpacked = match encoding {
        Encoding::Plain => return Cow::Borrowed(body),
        Encoding::Base64 => base64_decode(body.trim_ascii()),
        Encoding::QuotedPrintable => quoted_printable(body),
    };
    unpacked.map_or_else(
        || {
            walk.note("A part of the mail is packed wrongly; it is shown as it came.");
            Cow::Borrowed(body)
        },
        Cow::Owned,
    )
}

/// Without a boundary the library keeps escapes that are none (RFC 2045, section 6.7) as they stand.
fn quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let (end, bytes) = MessageStream::new(body).decode_quoted_printable_mime(b"");
    (end != usize::MAX).then(|| bytes.into_owned())
}

/// How many bytes a base64 text stands for.
fn base64_length(body: &[u8]) -> usize {
    let digits = body.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
    digits / 4 * 3 + (digits % 4).saturating_sub(1)
}

/// The texts one below the other.
fn join(said: Vec<Said>) -> Said {
    let mut whole = Said::default();
    for said in said.into_iter().filter(|said| !said.text.trim().is_empty()) {
        if !whole.text.is_empty() {
            whole.text.truncate(whole.text.trim_end().len());
            whole.text.push_str("\n\n");
        }
        whole.text.push_str(&said.text);
        whole.from_html |= said.from_html;
    }
    whole
}

/// The parts between delimiter lines (RFC 2046, section 5.1.1): `--boundary` at the start of a line, behind it nothing
/// but `--` and white space. The last one may lack its end. At most `most` of them.
fn split<'a>(body: &'a [u8], boundary: &str, most: usize) -> Vec<&'a [u8]> {
    let boundary = boundary.trim_end().as_bytes();
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    if boundary.is_empty() {
        return parts;
    }
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let behind =
            line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)).map(|rest| rest.trim_ascii_end());
        if let Some(end @ (b"" | b"--")) = behind {
            if let Some(from) = open.take() {
                parts.push(without_line_end(&body[from..at]));
            }
            if end == b"--" || parts.len() == most {
                return parts;
            }
            open = Some(at + line.len());
        }
        at += line.len();
    }
    if let Some(from) = open {
        parts.push(&body[from..]);
    }
    parts
}

/// The line end before a delimiter belongs to the delimiter.
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}
