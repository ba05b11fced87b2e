//! The header block of a mail or of a part of it. The fields are decoded by `mail-parser`.

use jiff::Timestamp;
use mail_parser::{Address, HeaderName, HeaderValue, MessageParser};

/// Header blocks of real mails, with every seal and trace that servers add, stay far below this.
pub(super) const MAX_HEAD_BYTES: usize = 256 * 1024;

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

/// A header block that is longer than [`MAX_HEAD_BYTES`].
#[derive(Debug)]
pub(super) struct TooLong;

/// Splits a mail or a part into its header block and its body. The first empty line parts them.
pub(super) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), TooLong> {
    let mut at = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return Ok((&bytes[..at], &bytes[at + line.len()..]));
        }
        at += line.len();
        if at > MAX_HEAD_BYTES {
            return Err(TooLong);
        }
    }
    Ok((bytes, &[]))
}

/// Reads a header block.
pub(super) fn read(block: &[u8]) -> Head {
    let mut closed = block.to_vec();
    closed.extend_from_slice(b"\r\n\r\n");
    let parser = MessageParser::new()
        .with_mime_headers()
        .header_address(HeaderName::From)
        .header_address(HeaderName::ReplyTo)
        .header_text(HeaderName::Subject)
        .header_id(HeaderName::MessageId)
        .header_date(HeaderName::Date)
        .header_raw(HeaderName::ListId)
        .default_header_ignore();
    let mut head = Head::default();
    let Some(message) = parser.parse_headers(&closed) else { return head };
    let mut seen = Vec::new();
    for header in message.parts.first().map_or(&[][..], |part| part.headers.as_slice()) {
        // The first one counts, as it does for most programs that people read mail with.
        if seen.contains(&&header.name) {
            if let Some(name) = singular(&header.name).filter(|name| !head.doubled.contains(name)) {
                head.doubled.push(name);
            }
            continue;
        }
        seen.push(&header.name);
        head.take(&header.name, &header.value);
    }
    head
}

fn singular(name: &HeaderName<'_>) -> Option<&'static str> {
    match name {
        HeaderName::From => Some("From"),
        HeaderName::ReplyTo => Some("Reply-To"),
        HeaderName::Subject => Some("Subject"),
        HeaderName::MessageId => Some("Message-ID"),
        HeaderName::Date => Some("Date"),
        HeaderName::ContentType => Some("Content-Type"),
        HeaderName::ContentTransferEncoding => Some("Content-Transfer-Encoding"),
        _ => None,
    }
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
