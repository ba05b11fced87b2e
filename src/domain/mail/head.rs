//! The header block of a mail or of a part of it. The fields are decoded by `mail-parser`.
//!
//! The decoder tries an encoded word (RFC 2047) from every `=?` to the end of its field, so that its work grows with the
//! square of the field. It is given the fields that are read, each once, and no more than [`MAX_FIELD_BYTES`] of each.

use jiff::Timestamp;
use mail_parser::{Address, HeaderName, HeaderValue, MessageParser};

/// Header blocks of real mails, with every seal and trace that servers add, stay far below this.
pub(super) const MAX_HEAD_BYTES: usize = 256 * 1024;

/// A part has no trace of servers, only its type and its name.
pub(super) const MAX_PART_HEAD_BYTES: usize = 16 * 1024;

/// No more of a field's value is read: four times the longest line that a mail may have (RFC 5322, section 2.1.1).
pub(super) const MAX_FIELD_BYTES: usize = 4 * 1024;

/// So many addresses of a field are kept.
const MOST_ADDRESSES: usize = 3;

/// How a body is packed for its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Plain,
    Base64,
    QuotedPrintable,
}

/// What a header block says, as far as a report needs it. The words are as untrusted as the mail.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) from: Option<String>,
    pub(super) reply_to: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) message_id: Option<String>,
    /// The moment in `Date`, if it is one.
    pub(super) date: Option<Timestamp>,
    pub(super) list_id: bool,
    /// Fields that may stand once and stand more often.
    pub(super) doubled: Vec<&'static str>,
    /// A field that is read is longer than [`MAX_FIELD_BYTES`].
    pub(super) cut: bool,
    /// Type and subtype in lower case; `None` where no type is said.
    pub(super) kind: Option<(String, String)>,
    pub(super) boundary: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) smime_type: Option<String>,
    /// The file's name.
    pub(super) name: Option<String>,
    pub(super) attached: bool,
    pub(super) encoding: Encoding,
}

impl Head {
    /// Type and subtype; plain text where none is said.
    pub(super) fn kind(&self) -> (&str, &str) {
        self.kind.as_ref().map_or(("text", "plain"), |(kind, sub)| (kind, sub))
    }
}

/// A header block that is longer than it may be.
#[derive(Debug)]
pub(super) struct TooLong;

/// Splits a mail or a part into its header block, of at most `most` bytes, and its body. The first empty line parts them.
pub(super) fn split(bytes: &[u8], most: usize) -> Result<(&[u8], &[u8]), TooLong> {
    let mut at = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return Ok((&bytes[..at], &bytes[at + line.len()..]));
        }
        at += line.len();
        if at > most {
            return Err(TooLong);
        }
    }
    Ok((bytes, &[]))
}

/// Reads a header block.
pub(super) fn read(block: &[u8]) -> Head {
    let kept = keep(block);
    let parser = MessageParser::new()
        .header_address(HeaderName::From)
        .header_address(HeaderName::ReplyTo)
        .header_text(HeaderName::Subject)
        .header_id(HeaderName::MessageId)
        .header_date(HeaderName::Date)
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .header_raw(HeaderName::ContentTransferEncoding)
        .header_raw(HeaderName::ListId)
        .default_header_ignore();
    let mut head = Head { doubled: kept.doubled, cut: kept.cut, ..Head::default() };
    let Some(message) = parser.parse_headers(&kept.bytes) else { return head };
    for header in message.parts.first().map_or(&[][..], |part| part.headers.as_slice()) {
        head.take(&header.name, &header.value);
    }
    head
}

/// The fields that are read, and whether a mail may have one of them only once.
const FIELDS: [(&str, bool); 9] = [
    ("From", true),
    ("Reply-To", true),
    ("Subject", true),
    ("Message-ID", true),
    ("Date", true),
    ("Content-Type", true),
    ("Content-Transfer-Encoding", true),
    ("Content-Disposition", false),
    ("List-Id", false),
];

/// What of a header block the decoder gets to see.
#[derive(Debug)]
struct Kept {
    /// A header block, with the empty line that ends it.
    bytes: Vec<u8>,
    doubled: Vec<&'static str>,
    cut: bool,
}

/// Of each field that is read the first, up to its bound. The first one counts, as it does for most programs that people
/// read mail with.
fn keep(block: &[u8]) -> Kept {
    let mut kept = Kept { bytes: Vec::new(), doubled: Vec::new(), cut: false };
    let mut seen = Vec::new();
    for field in fields(block) {
        let Some(colon) = field.iter().position(|&byte| byte == b':') else { continue };
        let name = field[..colon].trim_ascii();
        let wanted = |(known, _): &&(&str, bool)| known.as_bytes().eq_ignore_ascii_case(name);
        let Some(&(name, once)) = FIELDS.iter().find(wanted) else { continue };
        if seen.contains(&name) {
            if once && !kept.doubled.contains(&name) {
                kept.doubled.push(name);
            }
            continue;
        }
        seen.push(name);
        let value = field[colon + 1..].trim_ascii();
        kept.cut |= value.len() > MAX_FIELD_BYTES;
        let value = value[..value.len().min(MAX_FIELD_BYTES)].trim_ascii_end();
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            kept.bytes.extend_from_slice(part);
        }
    }
    kept.bytes.extend_from_slice(b"\r\n");
    kept
}

/// The fields of a block: a line, with those below it that begin with white space.
fn fields(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let mut end = 0;
        for line in rest.split_inclusive(|&byte| byte == b'\n') {
            if end > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
                break;
            }
            end += line.len();
        }
        let (field, behind) = rest.split_at(end);
        rest = behind;
        (end > 0).then_some(field)
    })
}

impl Head {
    fn take(&mut self, name: &HeaderName<'_>, value: &HeaderValue<'_>) {
        match name {
            HeaderName::From => self.from = value.as_address().and_then(addresses),
            HeaderName::ReplyTo => self.reply_to = value.as_address().and_then(addresses),
            HeaderName::Subject => self.subject = text(value),
            HeaderName::MessageId => self.message_id = text(value),
            HeaderName::ListId => self.list_id = true,
            HeaderName::Date => {
                let moment = value.as_datetime().filter(|date| date.is_valid()).map(|date| date.to_timestamp());
                self.date = moment.and_then(|seconds| Timestamp::from_second(seconds).ok());
            }
            HeaderName::ContentType => {
                let Some(kind) = value.as_content_type() else { return };
                let lower = |text: &str| text.trim().to_ascii_lowercase();
                self.kind = Some((lower(kind.ctype()), lower(kind.subtype().unwrap_or_default())));
                let attribute = |name: &str| kind.attribute(name).map(str::to_owned);
                self.boundary = attribute("boundary");
                self.charset = attribute("charset");
                self.smime_type = attribute("smime-type").map(|text| lower(&text));
                self.name = self.name.take().or_else(|| attribute("name"));
            }
            HeaderName::ContentDisposition => {
                let Some(kind) = value.as_content_type() else { return };
                self.attached = kind.is_attachment();
                self.name = kind.attribute("filename").map(str::to_owned).or_else(|| self.name.take());
            }
            HeaderName::ContentTransferEncoding => {
                let word = text(value).unwrap_or_default();
                self.encoding = match word.trim().to_ascii_lowercase().as_str() {
                    "base64" => Encoding::Base64,
                    "quoted-printable" => Encoding::QuotedPrintable,
                    _ => Encoding::Plain,
                };
            }
            _ => {}
        }
    }
}

/// The first text of a field.
fn text(value: &HeaderValue<'_>) -> Option<String> {
    let text = match value {
        HeaderValue::TextList(list) => list.first()?.as_ref(),
        value => value.as_text()?,
    };
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// `Jane Doe <jane@example.org>`, separated by commas.
fn addresses(value: &Address<'_>) -> Option<String> {
    let mut shown = Vec::new();
    let mut more = 0;
    for one in value.iter() {
        if shown.len() == MOST_ADDRESSES {
            more += 1;
            continue;
        }
        let name = one.name().map(str::trim).filter(|name| !name.is_empty());
        match (name, one.address()) {
            (Some(name), Some(address)) => shown.push(format!("{name} <{address}>")),
            (None, Some(address)) => shown.push(address.to_owned()),
            (Some(name), None) => shown.push(name.to_owned()),
            (None, None) => {}
        }
    }
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens an encoded word that never ends.
    const OPENED: &str = "=?aa?q?x";

    #[test]
    fn the_decoder_sees_no_more_of_a_block_than_its_bounds() {
        let most = FIELDS.iter().map(|(name, _)| name.len() + ": \r\n".len() + MAX_FIELD_BYTES).sum::<usize>() + 2;
        for (name, once) in FIELDS {
            let long = format!("{name}: {}\n", OPENED.repeat(32_000));
            let kept = keep(long.as_bytes());
            assert!(kept.cut && kept.bytes.len() <= name.len() + MAX_FIELD_BYTES + 6, "{name}: {}", kept.bytes.len());
            let many = keep(format!("{}: a\n", name.to_lowercase()).repeat(10_000).as_bytes());
            assert_eq!(many.bytes, format!("{name}: a\r\n\r\n").as_bytes());
            assert_eq!((many.doubled, many.cut), (if once { vec![name] } else { Vec::new() }, false));
        }
        let all: String = FIELDS.iter().map(|(name, _)| format!("{name}:{}\n", OPENED.repeat(32_000))).collect();
        assert!(keep(all.repeat(2).as_bytes()).bytes.len() <= most);
        let folded = keep(format!("Content-Type: a/b{}\n", ";\n a*1=b".repeat(30_000)).as_bytes());
        assert!(folded.cut && folded.bytes.len() <= MAX_FIELD_BYTES + 20, "{}", folded.bytes.len());
    }

    #[test]
    fn a_field_is_kept_whole_up_to_its_bound_with_the_lines_that_belong_to_it() {
        let value = |bytes: usize| format!("Subject: {}\r\n", "s".repeat(bytes));
        for (bytes, cut) in [(MAX_FIELD_BYTES, false), (MAX_FIELD_BYTES + 1, true)] {
            let head = read(value(bytes).as_bytes());
            assert_eq!((head.subject.map(|subject| subject.len()), head.cut), (Some(MAX_FIELD_BYTES), cut));
        }
        let head =
            read(b"X-Junk: a\n From: b\nno field\nsubject :\n one\r\n\ttwo\nContent-Transfer-Encoding:\n BASE64\n");
        assert_eq!((head.from, head.subject.as_deref()), (None, Some("one two")));
        assert_eq!(head.encoding, Encoding::Base64);
    }

    #[test]
    fn a_block_has_an_end() {
        let block = |bytes: usize| [vec![b'a'; bytes - 1], b"\n".to_vec()].concat();
        for most in [MAX_PART_HEAD_BYTES, MAX_HEAD_BYTES] {
            assert!(split(&block(most), most).is_ok());
            assert!(split(&block(most + 1), most).is_err());
        }
    }
}
