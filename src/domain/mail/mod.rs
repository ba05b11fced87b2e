//! A report that came by mail: from the bytes of a mail to the issue that reports it.
//!
//! [`read`] takes a mail apart, [`issue::render`] makes the report issue of it, [`issue::told`] reads back from such an
//! issue what later looks need. A mail is hostile until proven otherwise: whatever it holds, the outcome is an error that
//! says what to do or a report in which its words are text. Time and memory are bounded by its length, and its length by
//! [`MAX_BYTES`].

mod head;
mod html;
pub mod issue;
mod parts;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::memory::{hex, short_digest};
use parts::Sealed;

/// A mail may have so many bytes: what common servers let pass, and as much as is read of anything else.
pub const MAX_BYTES: usize = 25 * 1024 * 1024;

/// A mail's own `Date` is taken for the moment of receipt only if it is no older than this: an older one is more often a
/// wrong clock, and would start every deadline in the past.
pub const DATE_TRUSTED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A report as it was sent. All words are the sender's, and untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailReport {
    /// Who it says it is from; `None` if it does not say.
    pub from: Option<String>,
    /// Where answers are to go, if that is somewhere else.
    pub reply_to: Option<String>,
    /// The subject; may be empty.
    pub subject: String,
    /// The message id, without its angle brackets.
    pub message_id: Option<String>,
    /// The moment in the mail's `Date`: what its sender's machine said, or what someone wants to be believed.
    pub date: Option<Timestamp>,
    /// The text, or the text of the HTML part. Lines end in line feeds.
    pub text: String,
    /// Files that came with it, as many as are listed. Their content is not kept.
    pub attachments: Vec<Attachment>,
    /// How many more there were.
    pub more_attachments: usize,
    /// What a reader must know about the mail. Sentences of ours, with nothing of the mail in them.
    pub notes: Vec<String>,
    /// By what it is known again.
    pub key: Key,
    /// Whether it came as a mail, and not as a bare text.
    pub is_mail: bool,
}

/// A file in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The type that the mail says, such as `application/pdf`.
    pub kind: String,
    /// Its size in bytes, unpacked.
    pub bytes: usize,
}

/// By what a report is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// A digest of the message id; of the whole mail where it has none. 128 bits, in hex.
    pub id: String,
    /// A short digest of the text: two mails with one id and different texts are worth a word.
    pub text: String,
}

/// The moment that starts the clocks, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The moment.
    pub at: Timestamp,
    /// Who says so.
    pub source: Source,
}

/// Who says when a report was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The person who filed it.
    Said,
    /// The mail's own `Date`.
    Date,
    /// Nobody: it is the moment of filing.
    Filed,
}

/// Why no report can be made of it. The words hold nothing of the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// More than [`MAX_BYTES`].
    #[error(
        "the mail is longer than 25 MiB. Nothing was filed. Save it without its attachments, or file its text with --title \
         and --text"
    )]
    TooLong,
    /// No header field that a mail has.
    #[error(
        "this is no mail: it has no From, Subject, Date or Message-ID at its top. Nothing was filed. Save the mail with all \
         its headers (most programs call it “save as” or “show original”), or file its text with --title and --text"
    )]
    NoMail,
    /// A file of Outlook.
    #[error(
        "this is a mail in Outlook’s own format (.msg). Nothing was filed. Save it as .eml, or file its text with --title \
         and --text"
    )]
    Outlook,
    /// Headers without an end.
    #[error(
        "the mail has more than 256 KiB of headers, which no real one has. Nothing was filed. File its text with --title and \
         --text"
    )]
    LongHead,
    /// Encrypted.
    #[error(
        "the mail is encrypted ({0}) and Wardroom has no keys. Nothing was filed. Decrypt it in your mail program and file what \
         you get: as .eml with --eml, or its text with --title and --text"
    )]
    Encrypted(&'static str),
    /// Its text lies within its signature.
    #[error(
        "the mail’s text is packed into its S/MIME signature, and Wardroom does not open those. Nothing was filed. Open it in \
         your mail program, save the text, and file that with --title and --text"
    )]
    SignedOnly,
    /// Neither text nor subject nor attachment.
    #[error("the mail is empty: no subject, no text, no attachment. Nothing was filed")]
    Empty,
}

/// Reads a mail.
///
/// # Errors
/// [`MailError`]: it is no mail, or not one that can be read without help.
pub fn read(bytes: &[u8]) -> Result<MailReport, MailError> {
    if bytes.len() > MAX_BYTES {
        return Err(MailError::TooLong);
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(MailError::Outlook);
    }
    let mail = from_mailbox(bytes);
    let (block, body) = head::split(mail, head::MAX_HEAD_BYTES).map_err(|head::TooLong| MailError::LongHead)?;
    let head = head::read(block);
    let known = head.from.is_some() || head.subject.is_some() || head.message_id.is_some() || head.date.is_some();
    if !known {
        return Err(MailError::NoMail);
    }
    let (text, mut walk) = parts::walk(&head, body);
    let text = trimmed(&text);
    match walk.sealed {
        Some(Sealed::Pgp) => return Err(MailError::Encrypted("PGP/MIME")),
        Some(Sealed::Smime) => return Err(MailError::Encrypted("S/MIME")),
        Some(Sealed::SmimeSigned) => return Err(MailError::SignedOnly),
        None if text.starts_with(PGP_MESSAGE) => return Err(MailError::Encrypted("PGP")),
        None => {}
    }
    if text.is_empty() && head.subject.is_none() && walk.attachments.is_empty() {
        return Err(MailError::Empty);
    }
    if text.contains(PGP_MESSAGE) {
        walk.notes.push("A block of the text is encrypted with PGP and stands there as it came.".to_owned());
    }
    if text.contains("-----BEGIN PGP SIGNED MESSAGE-----") {
        walk.notes.push("The text is signed with PGP. The signature was not checked.".to_owned());
    }
    if head.list_id {
        walk.notes.push("It came through a mailing list: everyone on the list may have read it.".to_owned());
    }
    for name in &head.doubled {
        walk.notes
            .push(format!("It has more than one {name}; the first is shown. Programs differ on which one counts."));
    }
    if head.cut {
        walk.notes.push(LONG_FIELD.to_owned());
    }
    let id = match &head.message_id {
        Some(id) => digest(&[b"message-id", id.as_bytes()]),
        None => digest(&[b"mail", mail]),
    };
    Ok(MailReport {
        key: Key { id, text: short_digest(&text) },
        reply_to: head.reply_to.filter(|to| Some(to) != head.from.as_ref()),
        from: head.from,
        subject: head.subject.unwrap_or_default(),
        message_id: head.message_id,
        date: head.date,
        text,
        attachments: walk.attachments,
        more_attachments: walk.more_attachments,
        notes: walk.notes,
        is_mail: true,
    })
}

const LONG_FIELD: &str = "A field of its headers is longer than 4 KiB; its end was not read.";
const PGP_MESSAGE: &str = "-----BEGIN PGP MESSAGE-----";

/// A report of a title and a text, for what cannot be read as a mail. The same two again are the same report.
///
/// # Errors
/// [`MailError::TooLong`], or [`MailError::Empty`] if both are blank.
pub fn from_text(title: &str, text: &[u8]) -> Result<MailReport, MailError> {
    if text.len() > MAX_BYTES {
        return Err(MailError::TooLong);
    }
    let mut notes = Vec::new();
    let shown = String::from_utf8_lossy(text);
    if matches!(shown, std::borrow::Cow::Owned(_)) {
        notes.push("Characters of the text are not UTF-8; they are shown as U+FFFD.".to_owned());
    }
    let shown = trimmed(&line_feeds(shown.trim_start_matches('\u{FEFF}')));
    if title.trim().is_empty() && shown.is_empty() {
        return Err(MailError::Empty);
    }
    Ok(MailReport {
        key: Key { id: digest(&[b"text", title.trim().as_bytes(), shown.as_bytes()]), text: short_digest(&shown) },
        from: None,
        reply_to: None,
        subject: title.trim().to_owned(),
        message_id: None,
        date: None,
        text: shown,
        attachments: Vec::new(),
        more_attachments: 0,
        notes,
        is_mail: false,
    })
}

impl MailReport {
    /// When it was received: what a person said, else the mail's own `Date` where it can be believed, else now. What a
    /// person said is checked by the caller.
    pub fn received(&self, said: Option<Timestamp>, now: Timestamp) -> Received {
        match (said, self.date) {
            (Some(at), _) => Received { at, source: Source::Said },
            (None, Some(at)) if at <= now && now.duration_since(at) <= DATE_TRUSTED => {
                Received { at, source: Source::Date }
            }
            _ => {
                let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
                Received { at: whole, source: Source::Filed }
            }
        }
    }
}

/// A mail from a mailbox file begins with a line that is none of its own.
fn from_mailbox(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    if !bytes.starts_with(b"From ") {
        return bytes;
    }
    bytes.iter().position(|&byte| byte == b'\n').map_or(&[], |end| &bytes[end + 1..])
}

/// Lines end as they do in an issue.
fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Without empty lines at its ends.
fn trimmed(text: &str) -> String {
    let text = text.trim_end();
    let start = text.len() - text.trim_start().len();
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    text[line..].to_owned()
}

/// 128 bits of SHA-256 over the parts, in hex.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..16])
}
