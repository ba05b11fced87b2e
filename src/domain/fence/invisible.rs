//! Characters that a reader cannot see, or that reorder what they see.
//!
//! Names and ranges follow the Unicode Character Database: `Bidi_Control`, `Default_Ignorable_Code_Point`, the general
//! categories Cc and Cf, and the few letters and symbols that are drawn as nothing.

use std::collections::BTreeMap;

/// An invisible character and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The character.
    pub code: char,
    /// What it is.
    pub name: &'static str,
    /// How often it occurs.
    pub count: usize,
}

/// First and last character of a range, and what its characters are. In the order of the code points.
pub(super) const RANGES: &[(char, char, &str)] = &[
    ('\u{0000}', '\u{0000}', "NUL (shown as U+FFFD)"),
    ('\u{0001}', '\u{0008}', "control character"),
    ('\u{000B}', '\u{000C}', "control character"),
    ('\u{000E}', '\u{001A}', "control character"),
    ('\u{001B}', '\u{001B}', "ESCAPE"),
    ('\u{001C}', '\u{001F}', "control character"),
    ('\u{007F}', '\u{0084}', "control character"),
    ('\u{0085}', '\u{0085}', "NEXT LINE"),
    ('\u{0086}', '\u{009F}', "control character"),
    ('\u{00AD}', '\u{00AD}', "SOFT HYPHEN"),
    ('\u{034F}', '\u{034F}', "COMBINING GRAPHEME JOINER"),
    ('\u{061C}', '\u{061C}', "ARABIC LETTER MARK"),
    ('\u{115F}', '\u{1160}', "HANGUL FILLER"),
    ('\u{17B4}', '\u{17B5}', "KHMER INHERENT VOWEL"),
    ('\u{180B}', '\u{180F}', "MONGOLIAN SELECTOR OR SEPARATOR"),
    ('\u{200B}', '\u{200B}', "ZERO WIDTH SPACE"),
    ('\u{200C}', '\u{200C}', "ZERO WIDTH NON-JOINER"),
    ('\u{200D}', '\u{200D}', "ZERO WIDTH JOINER"),
    ('\u{200E}', '\u{200E}', "LEFT-TO-RIGHT MARK"),
    ('\u{200F}', '\u{200F}', "RIGHT-TO-LEFT MARK"),
    ('\u{2028}', '\u{2028}', "LINE SEPARATOR"),
    ('\u{2029}', '\u{2029}', "PARAGRAPH SEPARATOR"),
    ('\u{202A}', '\u{202A}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202B}', '\u{202B}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202C}', '\u{202C}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202D}', '\u{202D}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202E}', '\u{202E}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{2060}', '\u{2060}', "WORD JOINER"),
    ('\u{2061}', '\u{2064}', "INVISIBLE OPERATOR"),
    ('\u{2065}', '\u{2065}', "unassigned ignorable"),
    ('\u{2066}', '\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', '\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', '\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', '\u{2069}', "POP DIRECTIONAL ISOLATE"),
    ('\u{206A}', '\u{206F}', "deprecated format character"),
    ('\u{2800}', '\u{2800}', "BRAILLE PATTERN BLANK"),
    ('\u{3164}', '\u{3164}', "HANGUL FILLER"),
    ('\u{FE00}', '\u{FE0F}', "VARIATION SELECTOR"),
    ('\u{FEFF}', '\u{FEFF}', "ZERO WIDTH NO-BREAK SPACE (byte-order mark)"),
    ('\u{FFA0}', '\u{FFA0}', "HALFWIDTH HANGUL FILLER"),
    ('\u{FFF0}', '\u{FFF8}', "unassigned ignorable"),
    ('\u{FFF9}', '\u{FFFB}', "INTERLINEAR ANNOTATION"),
    ('\u{1BCA0}', '\u{1BCA3}', "SHORTHAND FORMAT"),
    ('\u{1D173}', '\u{1D17A}', "MUSICAL SYMBOL FORMAT"),
    ('\u{E0000}', '\u{E007F}', "TAG CHARACTER"),
    ('\u{E0080}', '\u{E00FF}', "unassigned ignorable"),
    ('\u{E0100}', '\u{E01EF}', "VARIATION SELECTOR"),
    ('\u{E01F0}', '\u{E0FFF}', "unassigned ignorable"),
];

/// What an invisible character is; `None` for one that a reader sees. Tab, line feed and carriage return are seen.
pub(super) fn name(c: char) -> Option<&'static str> {
    let at = RANGES.partition_point(|&(_, last, _)| last < c);
    RANGES.get(at).filter(|&&(first, ..)| first <= c).map(|&(.., name)| name)
}

/// The invisible characters of a text, counted, in the order of their code points. U+FE0E and U+FE0F after a visible
/// character are left out: they choose between the two looks of an emoji, and any text with emoji is full of them.
pub(super) fn list(text: &str) -> Vec<Hidden> {
    let mut found: BTreeMap<char, Hidden> = BTreeMap::new();
    let mut after_visible = false;
    for c in text.chars() {
        let Some(name) = name(c) else {
            after_visible = !c.is_whitespace();
            continue;
        };
        let emoji_look = after_visible && matches!(c, '\u{FE0E}' | '\u{FE0F}');
        after_visible = false;
        if !emoji_look {
            found.entry(c).or_insert(Hidden { code: c, name, count: 0 }).count += 1;
        }
    }
    found.into_values().collect()
}
