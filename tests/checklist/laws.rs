//! What must hold for every body.

use proptest::prelude::*;
use wardroom::domain::checklist::{Checklist, Splice, TaskState, apply};

use crate::generate::{body, words};
use crate::says::{replaced, says};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn reading_without_an_edit_is_byte_identical(body in body()) {
        let checklist = Checklist::parse(&body);
        prop_assert_eq!(apply(&body, &[]).unwrap(), body.clone());
        prop_assert_eq!(Checklist::parse(&body), checklist);
    }

    #[test]
    fn keys_are_unique(body in body()) {
        let checklist = Checklist::parse(&body);
        let mut keys: Vec<&str> = checklist.tasks().map(|task| task.key()).collect();
        keys.extend(checklist.fields.iter().map(|field| field.key()));
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), all);
    }

    #[test]
    fn lines_are_lines_of_the_body(body in body()) {
        let checklist = Checklist::parse(&body);
        let lines: Vec<&str> = body.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect();
        for task in checklist.tasks() {
            prop_assert!(lines[task.line - 1].contains('['), "line {} of {:?}", task.line, body);
        }
        for field in &checklist.fields {
            prop_assert!(lines[field.line - 1].contains("**") || lines[field.line - 1].contains("__"), "line {}", field.line);
        }
    }

    /// P3, for ticks: the bytes outside are untouched, and of what the body says only that box changes.
    #[test]
    fn p3_a_tick_changes_one_byte_and_one_box(body in body(), pick in any::<prop::sample::Index>()) {
        let checklist = Checklist::parse(&body);
        let tasks: Vec<_> = checklist.tasks().collect();
        if tasks.is_empty() {
            return Ok(());
        }
        let task = tasks[pick.index(tasks.len())];
        let splices: Vec<Splice> = [true, false].iter().filter_map(|&done| task.set_done(&body, done)).collect();
        prop_assert_eq!(splices.len(), 1, "a box is ticked or not");
        let edited = apply(&body, &splices).unwrap();
        prop_assert_eq!(&edited, &replaced(&body, &splices[0]));
        prop_assert_eq!(edited.len(), body.len());
        let after = Checklist::parse(&edited);
        let except = [task.key().to_owned()];
        prop_assert_eq!(says(&after, &except), says(&checklist, &except));
        let new = after.task_by_key(task.key()).unwrap();
        match task.state {
            TaskState::Open => prop_assert_eq!(new.state, TaskState::Done),
            TaskState::Done => prop_assert_eq!(new.state, TaskState::Open),
            TaskState::NotApplicable => prop_assert_eq!(new.state, TaskState::NotApplicable),
        }
        let back = new.set_done(&edited, task.state == TaskState::Done);
        if task.state != TaskState::NotApplicable {
            let again = apply(&edited, &[back.unwrap()]).unwrap();
            prop_assert_eq!(Checklist::parse(&again), checklist);
        }
    }

    #[test]
    fn p3_a_remark_settles_one_task_alone(body in body(), pick in any::<prop::sample::Index>(), remark in words()) {
        let checklist = Checklist::parse(&body);
        let tasks: Vec<_> = checklist.tasks().filter(|task| task.state != TaskState::NotApplicable).collect();
        if tasks.is_empty() {
            return Ok(());
        }
        let task = tasks[pick.index(tasks.len())];
        if let Some(splice) = task.mark_not_applicable(&body, &remark) {
            let edited = apply(&body, std::slice::from_ref(&splice)).unwrap();
            prop_assert_eq!(&edited, &replaced(&body, &splice));
            prop_assert_eq!(edited.matches('\n').count(), body.matches('\n').count(), "no line is added");
            let after = Checklist::parse(&edited);
            let except = [task.key().to_owned()];
            prop_assert_eq!(says(&after, &except), says(&checklist, &except));
            let new = after.task_by_key(task.key()).unwrap();
            prop_assert_eq!(new.state, TaskState::NotApplicable);
            prop_assert_eq!(&new.anchor, &task.anchor);
            prop_assert_eq!(new.mark_not_applicable(&edited, &remark), None);
        }
    }

    #[test]
    fn p3_a_value_fills_one_field_alone(body in body(), pick in any::<prop::sample::Index>(), value in words()) {
        let checklist = Checklist::parse(&body);
        if checklist.fields.is_empty() {
            return Ok(());
        }
        let field = &checklist.fields[pick.index(checklist.fields.len())];
        if let Some(splice) = field.fill(&body, &value) {
            let edited = apply(&body, std::slice::from_ref(&splice)).unwrap();
            prop_assert_eq!(&edited, &replaced(&body, &splice));
            prop_assert!(!splice.text.contains(['\n', '\r']));
            let after = Checklist::parse(&edited);
            let except = [field.key().to_owned()];
            prop_assert_eq!(says(&after, &except), says(&checklist, &except));
            let new = after.field_by_key(field.key()).unwrap();
            prop_assert_eq!(new.fill(&edited, &value), None, "filled once, it is so");
        }
    }

    /// Ticks and fields of one body at once: each is there afterwards, and the bytes between them are untouched.
    #[test]
    fn p3_many_edits_at_once(body in body(), chosen in any::<u64>()) {
        let checklist = Checklist::parse(&body);
        let mut splices = Vec::new();
        let mut ticked = Vec::new();
        for (index, task) in checklist.tasks().enumerate() {
            if chosen >> (index % 64) & 1 == 1 {
                splices.extend(task.set_done(&body, task.state != TaskState::Done));
                ticked.push(task.key().to_owned());
            }
        }
        let edited = apply(&body, &splices).unwrap();
        let changed = body.bytes().zip(edited.bytes()).filter(|(old, new)| old != new).count();
        prop_assert!(edited.len() == body.len() && changed <= splices.len());
        prop_assert_eq!(says(&Checklist::parse(&edited), &ticked), says(&checklist, &ticked));
    }

    /// P10 for the reader: what stands in a fence says nothing, whatever it is.
    #[test]
    fn p10_text_in_a_fence_is_never_read(before in body(), text in body(), after in body()) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        // The text before must leave no block open that the fence would fall into.
        let before = before.split(['\n', '\r']).filter(|line| line.starts_with("- ") || line.starts_with("## ")).collect::<Vec<_>>().join("\n\n");
        let lone = before.matches("<!--").count() == before.matches("-->").count();
        prop_assume!(lone);
        let with = |text: &str| format!("{before}\n\n# Report\n\n{fence}\n{text}\n{fence}\n\n# Rest\n\n{after}");
        let (one, other) = (Checklist::parse(&with(&text)), Checklist::parse(&with("")));
        prop_assert_eq!(says(&one, &[]), says(&other, &[]));
    }

    /// A splice that does not fit is refused, and never panics.
    #[test]
    fn splices_that_do_not_fit_are_errors(body in body(), start in 0..300_usize, length in 0..50_usize, at in 0..300_usize) {
        let one = Splice { range: start..start + length, text: "é".into() };
        let other = Splice { range: at..at + 1, text: String::new() };
        match apply(&body, std::slice::from_ref(&one)) {
            Ok(edited) => prop_assert_eq!(edited, replaced(&body, &one)),
            Err(_) => prop_assert!(body.get(one.range.clone()).is_none()),
        }
        if let Ok(edited) = apply(&body, &[one.clone(), other.clone()]) {
            prop_assert!(one.range.end <= other.range.start || other.range.end <= one.range.start);
            prop_assert_eq!(edited.len(), body.len() + 2 - length - 1);
        }
    }
}

#[test]
fn an_edit_that_makes_the_body_too_long_is_refused() {
    let body = format!("- **A**: `X.X`\n\n{}", "é".repeat(65_536 - 17));
    assert_eq!(body.chars().count(), 65_535);
    let checklist = Checklist::parse(&body);
    let splice = checklist.fields[0].fill(&body, "10.0");
    assert!(splice.is_some(), "as long as before is not too long");
    assert_eq!(checklist.fields[0].fill(&body, "10.00000000"), None);
    let longer = Splice { range: 0..0, text: "ab".into() };
    let error = apply(&body, &[longer]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the body would have 65537 characters and GitHub takes 65536; nothing was changed, shorten it first"
    );
}

#[test]
fn usual_edits_look_as_a_person_would_write_them() {
    let body = "## Phase 1: a\r\n- [ ] Check LTS <!-- wardroom:T4 -->\r\n- **CVSS Score**: `X.X`\r\n- **Root cause**: Brief technical explanation\r\n- **CVE ID** (if applicable):\r\n- **Affects**:\r\n  - X.Y.Z\r\n\r\nEnd\r\n";
    let checklist = Checklist::parse(body);
    let edited = |splice: Option<Splice>| apply(body, &[splice.unwrap()]).unwrap();
    let line = |splice: Option<Splice>, number: usize| edited(splice).lines().nth(number - 1).unwrap().to_owned();
    let task = checklist.tasks().next().unwrap();
    let fill = |name: &str, value: &str| checklist.field(name).unwrap().fill(body, value);
    let lines = [
        line(task.mark_not_applicable(body, " no *LTS*\nlines <!-- x --> "), 2),
        line(task.set_done(body, true), 2),
        line(fill("CVSS Score", "9.8"), 3),
        line(fill("CVSS Score", "a `b`"), 3),
        line(fill("Root cause", "frees *twice* in\nfree_list"), 4),
        line(fill("Root cause", "[why](https://a.example)"), 4),
        line(fill("CVE ID", "CVE-2026-1234"), 5),
        edited(fill("Affects", "<= 0.15.6")).replace("\r\n", "\\r\\n"),
    ]
    .join("\n");
    insta::assert_snapshot!(lines, @r"
    - [ ] ~~Check LTS~~ N/A: no \*LTS\* lines \<!-- x --\> <!-- wardroom:T4 -->
    - [x] Check LTS <!-- wardroom:T4 -->
    - **CVSS Score**: `9.8`
    - **CVSS Score**: `` a `b` ``
    - **Root cause**: frees \*twice\* in free_list
    - **Root cause**: [why](https://a.example)
    - **CVE ID** (if applicable): CVE-2026-1234
    ## Phase 1: a\r\n- [ ] Check LTS <!-- wardroom:T4 -->\r\n- **CVSS Score**: `X.X`\r\n- **Root cause**: Brief technical explanation\r\n- **CVE ID** (if applicable):\r\n- **Affects**: <= 0.15.6\r\n\r\nEnd\r\n
    ");
}
