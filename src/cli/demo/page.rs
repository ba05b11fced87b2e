//! The tracking issue as a page shows it, in a terminal: headings, boxes, fields, tables; no hidden comments.

use super::screen::{Ink, WIDTH, wrap};
use super::stage::Stage;
use crate::domain::checklist::{Checklist, TaskState};
use crate::domain::texts::phase_name;

/// Shows the issue and its status comment.
pub(super) fn show(stage: &mut Stage<'_>, incident: u64) -> anyhow::Result<()> {
    let Some(issue) = stage.world.issue_now(&stage.tracker, incident) else { return Ok(()) };
    let status = stage.status(incident);
    let screen = &mut stage.screen;
    screen.line(Ink::Plain, "")?;
    screen.line(Ink::Bold, &format!("The issue at the end: #{incident}, {}", issue.title))?;
    let labels: Vec<&str> = issue.labels.iter().map(|label| label.name.as_str()).collect();
    screen.line(Ink::Dim, &format!("  {}", labels.join(" · ")))?;
    for line in body(issue.text()) {
        screen.line(line.0, &line.1)?;
    }
    screen.line(Ink::Plain, "")?;
    screen.line(Ink::Bold, "Its status comment")?;
    for line in comment(&status) {
        screen.line(line.0, &line.1)?;
    }
    Ok(())
}

type Line = (Ink, String);

/// The body: the report's words, then phase by phase boxes and fields, then the review.
fn body(text: &str) -> Vec<Line> {
    let checklist = Checklist::parse(text);
    let lines: Vec<&str> = text.lines().collect();
    let report_ends = lines.iter().position(|line| line.starts_with("# ")).unwrap_or(0);
    let mut shown = written(lines.get(..report_ends).unwrap_or_default());
    for (index, phase) in checklist.phases.iter().enumerate() {
        let settled = phase.tasks.iter().filter(|task| task.state != TaskState::Open).count();
        let title = format!("{}, {settled} of {}", plain(&phase_name(phase)), phase.tasks.len());
        shown.push((Ink::Bold, format!("  {title}")));
        let mut group = None;
        for task in &phase.tasks {
            if task.group != group {
                group.clone_from(&task.group);
                shown.extend(group.iter().map(|name| (Ink::Plain, format!("    {name}"))));
            }
            let line = lines.get(task.line.saturating_sub(1)).copied().unwrap_or_default();
            shown.push((Ink::Plain, format!("    {}", box_line(line, task.state))));
        }
        let fields = || checklist.fields.iter().filter(|field| field.phase == Some(index));
        let filled = fields().filter(|field| !field.empty);
        let filled: Vec<String> = filled.map(|field| format!("{}: {}", field.name, field.value)).collect();
        if !filled.is_empty() {
            let filled = wrap(&filled.join(" · "), WIDTH - 4);
            shown.extend(filled.into_iter().map(|line| (Ink::Plain, format!("    {line}"))));
        }
        let empty: Vec<&str> = fields().filter(|field| field.empty).map(|field| field.name.as_str()).collect();
        if !empty.is_empty() {
            let empty = format!("empty: {}", empty.join(", "));
            shown.extend(wrap(&empty, WIDTH - 4).into_iter().map(|line| (Ink::Dim, format!("    {line}"))));
        }
    }
    if let Some(review) = &checklist.review {
        let from = review.line.saturating_sub(1);
        let review = lines.get(from..).unwrap_or_default();
        let ends = review.iter().skip(1).position(|line| line.starts_with("## ")).map_or(review.len(), |at| at + 1);
        shown.extend(written(review.get(..ends).unwrap_or_default()));
    }
    shown
}

/// `☑ T1 …`, from a task's line.
fn box_line(line: &str, state: TaskState) -> String {
    let mark = match state {
        TaskState::Open => '☐',
        TaskState::Done => '☑',
        TaskState::NotApplicable => '☒',
    };
    let text = line.split_once("] ").map_or(line, |(_, text)| text);
    format!("{mark} {}", plain(&text.replacen("~~ N/A", "~~ · N/A", 1)))
}

/// Markdown as it was written: headings, fences, items; empty items and what is under no text are left out.
fn written(lines: &[&str]) -> Vec<Line> {
    let mut shown = Vec::new();
    let mut heading: Option<String> = None;
    let mut fence: Option<&str> = None;
    for line in lines {
        let text = line.trim();
        let marks = text.trim_end_matches(|c: char| c != '~' && c != '`');
        if let Some(open) = fence {
            if text == open {
                fence = None;
            } else {
                shown.extend(wrap(text, WIDTH - 6).into_iter().map(|line| (Ink::Plain, format!("    │ {line}"))));
            }
            continue;
        }
        if marks.len() >= 3 && (marks.starts_with("~~~") || marks.starts_with("```")) {
            fence = Some(marks);
            continue;
        }
        if let Some(title) = text.strip_prefix("## ") {
            shown.push((Ink::Bold, format!("  {}", plain(title))));
            heading = None;
        } else if let Some(title) = text.strip_prefix("### ") {
            heading = Some(plain(title));
        } else if !matches!(text, "" | "-" | "- [ ]") && !text.starts_with("<!--") {
            shown.extend(heading.take().map(|title| (Ink::Plain, format!("    {title}"))));
            let text = text.replacen("- [ ] ", "☐ ", 1).replacen("- [x] ", "☑ ", 1);
            shown.extend(wrap(&plain(&text), WIDTH - 4).into_iter().map(|line| (Ink::Plain, format!("    {line}"))));
        }
    }
    shown
}

/// The status comment: tables become columns; what is folded away stays so.
fn comment(text: &str) -> Vec<Line> {
    let mut shown = Vec::new();
    let mut folded = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let text = line.trim();
        if text.starts_with("<details>") {
            folded = true;
            shown.push((Ink::Dim, "    (earlier lines are folded away)".to_owned()));
        }
        if folded {
            folded = text != "</details>";
            continue;
        }
        if text.starts_with("<!-- wardroom:memory") {
            break;
        }
        if text.is_empty() || text.starts_with("<!--") || text.starts_with("|---") {
            continue;
        }
        // The line above the rule is the table's head.
        if text.starts_with('|') && lines.peek().is_some_and(|next| next.starts_with("|---")) {
            continue;
        }
        if let Some(title) = text.strip_prefix("### ") {
            shown.push((Ink::Bold, format!("  {title}")));
        } else if let Some(row) = text.strip_prefix('|') {
            let cells: Vec<String> = row.trim_end_matches('|').split(" | ").map(|cell| plain(cell.trim())).collect();
            shown.push((Ink::Plain, format!("    {}", columns(&cells))));
        } else {
            shown.extend(wrap(&plain(text), WIDTH - 4).into_iter().map(|line| (Ink::Plain, format!("    {line}"))));
        }
    }
    shown
}

/// Cells side by side: a short first column gets the width of a time, a middle one that of a name.
fn columns(cells: &[String]) -> String {
    let last = cells.len().saturating_sub(1);
    let phases = cells.first().is_some_and(|cell| cell.starts_with("Phase "));
    let width = |index: usize| match index {
        0 if phases => 42,
        0 => 20,
        _ if phases => 24,
        _ => 13,
    };
    let pad = |(index, cell): (usize, &String)| {
        if index == last { cell.clone() } else { format!("{cell:<width$}  ", width = width(index)) }
    };
    cells.iter().enumerate().map(pad).collect::<String>().trim_end().to_owned()
}

/// Text without Markdown's and HTML's marks.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match after.split_once('>').filter(|_| tag) {
            Some((_, behind)) => rest = behind,
            None => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    // A link to its words.
    while let Some((open, middle, close)) = link(&out) {
        let words = out.get(open + 1..middle).unwrap_or_default().to_owned();
        out.replace_range(open..=close, &words);
    }
    out.replace("**", "").replace("~~", "").replace(['`', '\\'], "").trim().to_owned()
}

/// The first `[words](address)`: where it opens, where the words end, where it closes.
fn link(text: &str) -> Option<(usize, usize, usize)> {
    let middle = text.find("](")?;
    let open = text.get(..middle)?.rfind('[')?;
    let close = middle + text.get(middle..)?.find(')')?;
    Some((open, middle, close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_and_words_stay() {
        for (written, shown) in [
            ("**Bold**, `code` and a [link](https://x.test/a), a < b <sub>c</sub>", "Bold, code and a link, a < b c"),
            ("Ticked <!-- wardroom:T1 -->", "Ticked"),
            ("[octo](x", "[octo](x"),
        ] {
            assert_eq!(plain(written), shown);
        }
    }

    #[test]
    fn a_fence_keeps_its_words_and_empty_items_are_left_out() {
        let lines =
            written(&["## Review", "### Well", "- ", "### Ill", "- much", "~~~text", "- [x] not a task", "~~~"]);
        let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["  Review", "    Ill", "    - much", "    │ - [x] not a task"]);
    }
}
