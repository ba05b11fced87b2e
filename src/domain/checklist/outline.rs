//! What the headings of a body mean: which are phases, which is the review, which name contacts; and which phase each
//! box and field belongs to.
//!
//! A heading `Phase N: …` of level 1 to 3 opens a phase, until the next heading of its level or a higher one. Another
//! heading is a phase without a number if boxes stand under it, at the level at which phases stand (2 where none has a
//! number). A heading that says `Post-Incident Review`, or that has the word `review` in it and stands outside and after
//! the phases, is the review. A heading's home is the phase or the review that it belongs to.

use super::scan::{Found, Heading};

/// The deepest level at which a heading with a number opens a phase.
const DEEPEST_PHASE: usize = 3;

/// The level at which phases stand where no heading has a number.
const USUAL_LEVEL: usize = 2;

/// What a body's headings mean.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// For each heading, the heading that is its phase, its review, or simply above it at the level of phases.
    homes: Vec<usize>,
    /// For each heading, the number and the title if it has them.
    numbers: Vec<Option<(u32, String)>>,
    /// For each heading, whether it is the review or stands in it.
    reviews: Vec<bool>,
    /// For each heading, whether it is about contacts or stands under one that is.
    contacts: Vec<bool>,
}

impl Outline {
    /// Reads the headings of a body, and which of them have boxes.
    pub(super) fn new(found: &Found) -> Outline {
        let headings = &found.headings;
        let parents = parents(headings);
        let parent = |index: usize| parents.get(index).copied().flatten();
        let numbers: Vec<_> = headings.iter().map(numbered).collect();
        let is_numbered = |index: usize| numbers.get(index).is_some_and(Option::is_some);
        let level = |index: usize| headings.get(index).map_or(0, |heading| heading.level);
        let phase_level = (0..headings.len()).filter(|&i| is_numbered(i)).map(level).min().unwrap_or(USUAL_LEVEL);

        let mut homes: Vec<usize> = Vec::with_capacity(headings.len());
        for index in 0..headings.len() {
            let above = parent(index).and_then(|parent| homes.get(parent).copied());
            let stays = |home: &usize| is_numbered(*home) || level(index) > phase_level;
            let home = if is_numbered(index) { None } else { above.filter(stays) };
            homes.push(home.unwrap_or(index));
        }
        let mut outline = Outline { homes, numbers, reviews: Vec::new(), contacts: Vec::new() };
        outline.reviews = outline.find_reviews(found, &parents);
        outline.contacts = inherit(&parents, |index, heading_above| {
            let named =
                !outline.is_numbered(index) && headings.get(index).is_some_and(|h| has_word(&h.text, "contact"));
            named || heading_above
        });
        outline
    }

    fn is_numbered(&self, heading: usize) -> bool {
        self.numbers.get(heading).is_some_and(Option::is_some)
    }

    fn find_reviews(&self, found: &Found, parents: &[Option<usize>]) -> Vec<bool> {
        let headings = &found.headings;
        let says_review = |index: usize| {
            let outside = self.homes.get(index) == Some(&index) && !self.is_numbered(index);
            outside && headings.get(index).is_some_and(|heading| has_word(&heading.text, "review"))
        };
        // Counted from 1; boxes above every heading are a phase too, the 0th.
        let numbered = (0..headings.len()).filter(|&index| self.is_numbered(index)).map(|index| index + 1);
        let boxes = found.boxes.iter().filter(|b| b.text.is_some()).map(|b| self.home(b.heading));
        let with_boxes =
            boxes.filter(|home| !home.is_some_and(says_review)).map(|home| home.map_or(0, |home| home + 1));
        let last_phase = numbered.chain(with_boxes).max();
        let is_review = |index: usize| {
            let named = headings.get(index).is_some_and(|heading| is_named_review(&heading.text));
            let behind = last_phase.is_some_and(|last| index + 1 > last);
            !self.is_numbered(index) && (named || (behind && says_review(index)))
        };
        inherit(parents, |index, above| is_review(index) || (above && !self.is_numbered(index)))
    }

    /// The number and title of the phase that a heading opens, if it opens a numbered one.
    pub(super) fn number(&self, heading: usize) -> Option<&(u32, String)> {
        self.numbers.get(heading).and_then(Option::as_ref)
    }

    /// Whether what stands under the heading belongs to the review.
    pub(super) fn is_review(&self, heading: Option<usize>) -> bool {
        heading.is_some_and(|heading| self.reviews.get(heading) == Some(&true))
    }

    /// Whether what stands under the heading is about contacts.
    pub(super) fn is_contacts(&self, heading: Option<usize>) -> bool {
        heading.is_some_and(|heading| self.contacts.get(heading) == Some(&true))
    }

    /// The heading of the phase to which what stands under `heading` belongs.
    pub(super) fn home(&self, heading: Option<usize>) -> Option<usize> {
        heading.and_then(|heading| self.homes.get(heading).copied())
    }
}

/// For each heading the one above it of a higher rank.
fn parents(headings: &[Heading]) -> Vec<Option<usize>> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut parents = Vec::with_capacity(headings.len());
    for (index, heading) in headings.iter().enumerate() {
        while open.last().is_some_and(|(_, level)| *level >= heading.level) {
            open.pop();
        }
        parents.push(open.last().map(|(index, _)| *index));
        open.push((index, heading.level));
    }
    parents
}

/// Carries a property down from each heading to those below it.
fn inherit(parents: &[Option<usize>], has: impl Fn(usize, bool) -> bool) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::with_capacity(parents.len());
    for (index, parent) in parents.iter().enumerate() {
        let above = parent.and_then(|parent| all.get(parent).copied()).unwrap_or(false);
        all.push(has(index, above));
    }
    all
}

/// `Phase 2: Mitigation`, `Phase 2 : …`, `Phase 2 - …`, `Phase 2`.
fn numbered(heading: &Heading) -> Option<(u32, String)> {
    if heading.level > DEEPEST_PHASE {
        return None;
    }
    let word = heading.text.get(..5).filter(|word| word.eq_ignore_ascii_case("phase"))?;
    let rest = heading.text.get(word.len()..)?;
    let number = rest.trim_start();
    if number.len() == rest.len() {
        return None;
    }
    let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = number.split_at(digits);
    let number = digits.parse().ok()?;
    let title = rest.trim_start();
    let separated = title.is_empty() || title.starts_with([':', '-', '–', '—', '.']);
    // `### Phase 1 follow-up` is a section; on the levels of phases the words are the title.
    let spaced = title.len() < rest.len() && heading.level <= USUAL_LEVEL;
    let title = title.trim_start_matches([':', '-', '–', '—', '.']).trim();
    (separated || spaced).then(|| (number, title.to_owned()))
}

/// Whether the heading calls itself the review after an incident, wherever it stands.
fn is_named_review(text: &str) -> bool {
    let text: String = text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").contains("post incident review")
}

/// Whether a word stands in the text, alone or with a plural `s`.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|part| {
        part.eq_ignore_ascii_case(word)
            || part.strip_suffix(['s', 'S']).is_some_and(|one| one.eq_ignore_ascii_case(word))
    })
}
