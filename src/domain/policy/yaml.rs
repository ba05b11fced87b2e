//! YAML text to a small tree in which every key and value knows its line and column.
//!
//! Only what a policy needs: maps, lists and scalars, kept as text. What a scalar means is decided later by what is
//! wanted there, so `mode: on` is a word and `color: 5319e7` is no number. Anchors, aliases, tags, directives and
//! further documents are refused: nothing can be repeated, so no text unfolds to more than it holds, and the work is
//! bounded by the length of the file.

use serde_saphyr::granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, options};

use super::problem::{At, PolicyError, quote};

/// The most bytes that a policy may have.
pub const MAX_BYTES: usize = 64 * 1024;
/// Maps and lists within each other. The deepest key of a policy, `advisories.packages[0].name`, has four.
const MAX_DEPTH: usize = 8;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Text; `plain` if it has no quotes and is no block.
    Scalar { text: String, plain: bool },
    /// `- a` or `[a]`.
    List(Vec<Node>),
    /// `a: b` or `{a: b}`, with keys as they stand there, also those that stand twice.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Whether it is `key:` with nothing behind it, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

/// Bytes to text. Says where the first byte is that is no text.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, PolicyError> {
    let start = At { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes (64 KiB), which is the most for a policy");
        return Err(PolicyError::one(start, message));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(PolicyError::one(start, "the file is UTF-16; save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        PolicyError::one(end_of(&before), "this byte is not UTF-8 text; save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.find('\0') {
        Some(nul) => {
            let message = "a NUL byte stands here; this is not a text file, or it was damaged";
            Err(PolicyError::one(end_of(text.get(..nul).unwrap_or_default()), message))
        }
        None => Ok(text),
    }
}

/// The place behind a text.
fn end_of(text: &str) -> At {
    let last = text.rsplit('\n').next().unwrap_or_default();
    At { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

/// A map or list that is still being read.
struct Open {
    node: Node,
    /// The key whose value comes next, in a map.
    key: Option<Node>,
}

/// Text to its tree; `None` if it holds nothing but comments and white space.
pub(super) fn parse(text: &str) -> Result<Option<Node>, PolicyError> {
    let options = options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax_error(&error))?;
        let at = place(&span.start);
        let complete = match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    let message = "a second document begins here; a policy is one document, so remove the `---`";
                    return Err(PolicyError::one(at, message));
                }
                None
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => return Err(repeated(at)),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                return Err(repeated(at));
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => {
                let message = "tags (`!name`) are not used in a policy; put a text that begins with `!` in quotes";
                return Err(PolicyError::one(span.tag_start.as_ref().map_or(at, place), message));
            }
            Event::Scalar(text, style, _, None) => {
                let plain = matches!(style, ScalarStyle::Plain);
                Some(Node { at, kind: Kind::Scalar { text: text.into_owned(), plain } })
            }
            Event::SequenceStart(..) => {
                open.push(Open { node: Node { at, kind: Kind::List(Vec::new()) }, key: None });
                None
            }
            Event::MappingStart(..) => {
                open.push(Open { node: Node { at, kind: Kind::Map(Vec::new()) }, key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|open| open.node),
            _ => None,
        };
        if open.len() > MAX_DEPTH {
            return Err(too_deep(at));
        }
        if let Some(node) = complete {
            put(node, &mut open, &mut root);
        }
    }
    Ok(root.filter(|node| !node.is_null()))
}

/// Puts a complete value where it belongs: into the innermost open map or list, or at the root.
fn put(node: Node, open: &mut [Open], root: &mut Option<Node>) {
    let Some(Open { node: container, key }) = open.last_mut() else {
        *root = Some(node);
        return;
    };
    match &mut container.kind {
        Kind::List(items) => items.push(node),
        Kind::Map(entries) => match key.take() {
            Some(key) => entries.push((key, node)),
            None => *key = Some(node),
        },
        // Only maps and lists are ever opened.
        Kind::Scalar { .. } => {}
    }
}

fn place(marker: &Marker) -> At {
    At { line: marker.line(), column: marker.col() + 1 }
}

fn repeated(at: At) -> PolicyError {
    let message = "anchors and aliases (`&name`, `*name`) are not used in a policy; write the value out, or put a text \
                   that begins with `&` or `*` in quotes";
    PolicyError::one(at, message)
}

fn too_deep(at: At) -> PolicyError {
    PolicyError::one(
        at,
        format!("maps and lists stand within each other more than {MAX_DEPTH} deep; no key needs that"),
    )
}

/// The parser's error in a maintainer's words, where there are better ones than its own.
fn syntax_error(error: &ScanError) -> PolicyError {
    let at = place(error.marker());
    let message = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(at),
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => return repeated(at),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => "a tab stands where YAML wants spaces; indent with two spaces".to_owned(),
        ErrorKind::DirectiveDisallowed => "directives (`%YAML`) are not used in a policy; remove this line".to_owned(),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => {
            "this line fits no key above it; check how far it is indented".to_owned()
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "a `:` is missing; write `key: value`".to_owned(),
        ErrorKind::MappingValueNotAllowed => {
            "a second `: ` in one line; put a text that contains `: ` in quotes, or begin a new line".to_owned()
        }
        ErrorKind::UnclosedQuotedScalar => "a quote is opened and never closed".to_owned(),
        ErrorKind::UnclosedFlowCollection { open } => format!("a `{open}` is opened and never closed"),
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => "a `[` or `{` is opened and never closed".to_owned(),
        ErrorKind::UnexpectedCharacter { character: '@' } => {
            "`@` cannot begin a text; write a login without it, or put the text in quotes".to_owned()
        }
        ErrorKind::UnexpectedCharacter { character } => {
            format!("{} cannot begin a text; put the text in quotes", quote(&character.to_string()))
        }
        other => format!("this is not YAML: {other}"),
    };
    PolicyError::one(at, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_tree_knows_where_everything_stands() {
        let Kind::Map(entries) = parse("a:\r\n  - x\r\n  - 'é y': on\r\n").unwrap().unwrap().kind else {
            panic!("a map")
        };
        let (key, Node { kind: Kind::List(items), .. }) = &entries[0] else { panic!("a list") };
        assert_eq!(key.at, At { line: 1, column: 1 });
        assert_eq!(items[0].at, At { line: 2, column: 5 });
        let Kind::Map(inner) = &items[1].kind else { panic!("a map") };
        assert_eq!(inner[0].0.at, At { line: 3, column: 5 });
        assert_eq!(inner[0].1.at, At { line: 3, column: 12 });
        assert_eq!(inner[0].1.kind, Kind::Scalar { text: "on".into(), plain: true });
    }

    #[test]
    fn a_file_of_nothing_is_nothing() {
        for text in ["", " \n\n", "# only a comment\n", "---\n", "---\n...\n", "~", "null\n"] {
            assert_eq!(parse(text).unwrap(), None, "{text:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused_by_the_budget_before_it_unfolds() {
        let lol: String = (1..9).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9))).collect();
        for text in [format!("a0: &a0 [x]\n{lol}"), "a: &a [*a]".into(), "<<: *all".into(), "a: *x\n".into()] {
            assert!(error(&text).contains("anchors and aliases"), "{}", error(&text));
        }
        for text in ["[".repeat(60_000), "{a: ".repeat(16_000), "- ".repeat(30_000), "? ".repeat(30_000)] {
            assert!(error(&text).contains("more than 8 deep"), "{}", error(&text));
        }
        assert!(decode(&[b'#'; MAX_BYTES + 1]).unwrap_err().to_string().contains("more than 65536 bytes"));
        assert!(decode(&[b'#'; MAX_BYTES]).is_ok());
    }
}
