//! Templates as a team may write them: input like any other. Their size, their work, their depth and their output are
//! limited, and they may use only what cannot be made to grow: values, `if` and `for`.

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// A template has at most so many bytes; the default checklist has about 6,000.
const LONGEST_TEMPLATE: usize = 64 * 1024;

/// A rendering takes at most so many of the engine's instructions; the default checklist takes about 200.
const FUEL: u64 = 100_000;

/// Blocks and brackets may stand so deep in each other.
const DEEPEST: usize = 50;

/// The tags that a template may use.
const TAGS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// A template that cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is larger than a template may be.
    #[error("the {what} has {bytes} bytes and may have {LONGEST_TEMPLATE}; shorten it")]
    TooLarge {
        /// Which template: `checklist template`.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// Something in it is wrong.
    #[error("line {line} of the {what}: {problem}")]
    Wrong {
        /// Which template.
        what: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong there and what would be right.
        problem: String,
    },
    /// What it makes is longer than GitHub takes.
    #[error("the text made from the {what} is longer than GitHub takes, {most} characters; shorten the template")]
    TooLong {
        /// Which template.
        what: &'static str,
        /// The most characters.
        most: usize,
    },
}

/// A kind of template.
pub(super) struct Kind {
    /// How errors call it: `checklist template`.
    pub(super) what: &'static str,
    /// What it can name, for the error about a name it does not have.
    pub(super) names: &'static str,
    /// The most characters of what it makes.
    pub(super) most: usize,
}

impl Kind {
    /// Renders a template with these names.
    ///
    /// # Errors
    /// If the template is too large, is wrong or asks for too much work, or if it makes too long a text.
    pub(super) fn render(&self, template: &str, names: impl Serialize) -> Result<String, TemplateError> {
        let what = self.what;
        if template.len() > LONGEST_TEMPLATE {
            return Err(TemplateError::TooLarge { what, bytes: template.len() });
        }
        check_tags(template).map_err(|(line, problem)| TemplateError::Wrong { what, line, problem })?;
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEEPEST);
        let rendered = environment.render_str(template, names).map_err(|error| self.explain(&error))?;
        if rendered.chars().count() > self.most {
            return Err(TemplateError::TooLong { what, most: self.most });
        }
        Ok(rendered)
    }

    /// The engine's error in our words.
    fn explain(&self, error: &minijinja::Error) -> TemplateError {
        use minijinja::ErrorKind;
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let problem = match error.kind() {
            ErrorKind::UndefinedError => format!("it names something that is not there; there are {}", self.names),
            ErrorKind::OutOfFuel => "it takes too much work; use fewer loops within loops".to_owned(),
            ErrorKind::UnknownFilter => format!("{detail}; a template has no filters"),
            ErrorKind::UnknownFunction => format!("{detail}; a template has no functions"),
            _ => detail,
        };
        TemplateError::Wrong { what: self.what, line: error.line().unwrap_or(1), problem }
    }
}

/// Refuses every tag but those of [`TAGS`], and in tags the signs `*` and `{`. A text that is multiplied, or kept under
/// a name and doubled again and again, would fill the memory long before the work is limited.
fn check_tags(template: &str) -> Result<(), (usize, String)> {
    let mut at = 0;
    while let Some((start, kind)) = next_tag(template, at) {
        let wrong = |problem: String| {
            let line = template.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            Err((line, problem))
        };
        let inside = template.get(start + 2..).unwrap_or_default();
        let Some(length) = kind.end(inside) else {
            return wrong(format!("`{}` is never closed; close it with `{}`", kind.open(), kind.close()));
        };
        let code = inside.get(..length).unwrap_or_default();
        let sign = outside_strings(code).map(|(_, c)| c).find(|c| matches!(c, '*' | '{'));
        if let (Some(sign), true) = (sign, kind != Delimiter::Comment) {
            return wrong(format!("a template may not use `{sign}` between `{}` and `{}`", kind.open(), kind.close()));
        }
        let word = code.trim_start_matches(['-', '+']).trim_start();
        let word = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if kind == Delimiter::Block && !TAGS.contains(&word) {
            return wrong(format!("a template may not use the tag `{word}`; it may use `if` and `for`"));
        }
        at = start + 2 + length + 2;
    }
    Ok(())
}

/// What `{{`, `{%` and `{#` open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Value,
    Block,
    Comment,
}

impl Delimiter {
    fn open(self) -> &'static str {
        match self {
            Delimiter::Value => "{{",
            Delimiter::Block => "{%",
            Delimiter::Comment => "{#",
        }
    }

    fn close(self) -> &'static str {
        match self {
            Delimiter::Value => "}}",
            Delimiter::Block => "%}",
            Delimiter::Comment => "#}",
        }
    }

    /// Where in the text the tag closes.
    fn end(self, inside: &str) -> Option<usize> {
        if self == Delimiter::Comment {
            return inside.find(self.close());
        }
        let closes = |at: usize| inside.get(at..).is_some_and(|rest| rest.starts_with(self.close()));
        outside_strings(inside).map(|(at, _)| at).find(|&at| closes(at))
    }
}

fn next_tag(template: &str, from: usize) -> Option<(usize, Delimiter)> {
    let bytes = template.as_bytes();
    (from..bytes.len()).find_map(|at| match (bytes.get(at)?, bytes.get(at + 1)?) {
        (b'{', b'{') => Some((at, Delimiter::Value)),
        (b'{', b'%') => Some((at, Delimiter::Block)),
        (b'{', b'#') => Some((at, Delimiter::Comment)),
        _ => None,
    })
}

/// The characters of a tag that stand in no string, with their offsets.
fn outside_strings(code: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut escaped) = (None, false);
    code.char_indices().filter(move |&(_, c)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(open) => {
            escaped = c == '\\';
            if c == open {
                quote = None;
            }
            false
        }
        None if matches!(c, '"' | '\'') => {
            quote = Some(c);
            false
        }
        None => true,
    })
}
