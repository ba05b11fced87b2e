//! Texts that end up in an issue, a comment or a link: one line, nothing hidden, nothing that could open or close a
//! comment. Each check gives the end of a sentence that begins with the key.

use crate::domain::policy::problem::quote;

/// The most characters of a line.
const MAX_LINE: usize = 200;
/// The most characters of a link.
const MAX_LINK: usize = 500;
/// The most characters of a login.
const MAX_LOGIN: usize = 39;

/// One line of 1 to 200 characters.
pub(super) fn line_problem(text: &str) -> Option<String> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Some("is empty; write a text, or remove the key".to_owned())
    } else if text.contains(['\n', '\r']) {
        Some("must be one line; write it behind the colon, without `|` or `>`".to_owned())
    } else if length > MAX_LINE {
        Some(format!("has {length} characters; at most {MAX_LINE} fit into the texts"))
    } else if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
        Some(format!("holds the invisible character U+{:04X}; remove it", u32::from(hidden)))
    } else if ["<!--", "-->"].iter().any(|mark| text.contains(mark)) {
        Some("holds `<!--` or `-->`, which hides text in an issue; remove it".to_owned())
    } else {
        None
    }
}

/// A link that nobody can read or change on its way, and that ends where it should in Markdown.
pub(super) fn link_problem(text: &str) -> Option<String> {
    let cannot = |why: &str| Some(format!("cannot be {}: {why}", quote(text)));
    let Some(rest) = text.strip_prefix("https://") else {
        return cannot("it must be a link that begins with `https://`");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if text.chars().count() > MAX_LINK {
        Some(format!("is longer than {MAX_LINK} characters; no link here needs that"))
    } else if text.chars().any(|c| c.is_whitespace() || is_hidden(c) || "<>\"'()`".contains(c)) {
        cannot("a link holds no spaces, quotes, brackets or invisible characters; write `(` as `%28` and `)` as `%29`")
    } else if host.is_empty() || host.contains('@') {
        cannot("the host is missing or has a user in front of it")
    } else {
        None
    }
}

/// A mail address or a link.
pub(super) fn address_problem(text: &str) -> Option<String> {
    if text.contains("://") {
        return link_problem(text);
    }
    let part = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || is_hidden(c) || "<>\"'()`@/".contains(c))
    };
    match text.split_once('@') {
        Some((name, host)) if part(name) && part(host) && name.len() <= 100 && host.len() < 100 => None,
        _ => Some(format!(
            "cannot be {}: write a mail address, for example `security@example.org`, or a link that begins with \
             `https://`",
            quote(text)
        )),
    }
}

/// A login in GitHub's form.
pub(super) fn login_problem(text: &str) -> Option<String> {
    if is_login(text) {
        return None;
    }
    let bare = text.strip_prefix('@').unwrap_or(text);
    Some(if bare != text && is_login(bare) {
        format!("wants logins without `@`: write `{bare}`")
    } else if bare.contains('/') {
        format!("cannot hold {}: a team is not a login; name its people", quote(text))
    } else {
        format!(
            "cannot hold {}: a login has letters, digits and hyphens, begins with a letter or digit, and is at most \
             {MAX_LOGIN} long",
            quote(text)
        )
    })
}

/// Letters, digits and hyphens; accounts that an enterprise manages also have `_`.
pub(super) fn is_login(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() <= MAX_LOGIN && text.bytes().all(good) && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

/// Control characters, and those that change the order of a text or take no room in it.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
