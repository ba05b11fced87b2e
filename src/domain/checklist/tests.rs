//! What people write, and what is read in it.

use super::template::{self, render};
use super::*;
use crate::domain::policy::Policy;

/// The tasks as `phase/group/state/text`, one a line.
fn tasks(body: &str) -> String {
    let checklist = Checklist::parse(body);
    let mut lines = Vec::new();
    for phase in &checklist.phases {
        let number = phase.number.map_or_else(|| format!("{:?}", phase.title), |number| number.to_string());
        for task in &phase.tasks {
            let state = match task.state {
                TaskState::Open => ' ',
                TaskState::Done => 'x',
                TaskState::NotApplicable => '/',
            };
            let group = task.group.as_ref().map(|group| format!(" <{group}>")).unwrap_or_default();
            let anchor = task.anchor.as_ref().map(|anchor| format!(" ({anchor})")).unwrap_or_default();
            lines.push(format!("{number}{group} [{state}] {}{anchor}", task.text));
        }
    }
    lines.join("\n")
}

/// The fields as `name=value`, empty ones as `name`, one a line.
fn fields(body: &str) -> String {
    let checklist = Checklist::parse(body);
    let line = |field: &Field| if field.empty { field.name.clone() } else { format!("{}={}", field.name, field.value) };
    checklist.fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn only_task(body: &str) -> Task {
    let checklist = Checklist::parse(body);
    let all: Vec<&Task> = checklist.tasks().collect();
    assert_eq!(all.len(), 1, "one task in {body:?}");
    all[0].clone()
}

fn only_field(body: &str) -> Field {
    let checklist = Checklist::parse(body);
    assert_eq!(checklist.fields.len(), 1, "one field in {body:?}");
    checklist.fields[0].clone()
}

#[test]
fn every_way_to_write_a_box_is_read() {
    let body = "* [x] star\n+ [ ] plus\n\n1. [ ] one\n2) [X] two\n\n- [ ] dash\n  - [x] nested\n      1. [ ] deeper\n-\t[ ] tab\n- [\t] tab inside\n-   [ ] three spaces\n";
    assert_eq!(
        tasks(body),
        "\"\" [x] star\n\"\" [ ] plus\n\"\" [ ] one\n\"\" [x] two\n\"\" [ ] dash\n\"\" [x] nested\n\"\" [ ] deeper\n\"\" [ ] tab\n\"\" [ ] tab inside\n\"\" [ ] three spaces"
    );
}

#[test]
fn what_only_looks_like_a_box_is_none() {
    for body in [
        "```\n- [ ] fenced\n```\n",
        "~~~md\n- [ ] fenced\n",
        "    - [ ] indented code\n",
        "> - [ ] quoted\n",
        "> > - [ ] quoted twice\n",
        "- a\n  > - [ ] quoted in a list\n",
        "<!--\n- [ ] in a comment\n-->\n",
        "<div>\n- [ ] raw HTML\n</div>\n",
        "<pre>\n\n- [ ] preformatted\n\n</pre>\n",
        "-[ ] no space\n- [] nothing inside\n- [ ]no space after\n- [y] other letter\n- \\[ ] escaped\n",
        "[ ] no list\n",
        "| a |\n|---|\n| - [ ] in a table |\n",
    ] {
        let checklist = Checklist::parse(body);
        assert_eq!((checklist.tasks().count(), checklist.empty_slots), (0, 0), "{body:?}");
    }
}

#[test]
fn boxes_in_details_are_tasks() {
    let body = "## Phase 1: a\n\n<details>\n<summary>More</summary>\n\n- [x] inside\n\n</details>\n\n- [ ] outside\n";
    assert_eq!(tasks(body), "1 [x] inside\n1 [ ] outside");
}

#[test]
fn carriage_returns_a_byte_order_mark_and_a_missing_last_line_end_change_nothing() {
    let body = "# Phase 1: a\n\n- [ ] one\n- [x] two\n\n- **Name**: value\n- [ ]";
    let plain = Checklist::parse(body);
    assert_eq!((plain.totals().tasks, plain.totals().done, plain.empty_slots), (2, 1, 1));
    for other in [body.replace('\n', "\r\n"), format!("\u{feff}{body}"), body.replace('\n', "\r")] {
        let read = Checklist::parse(&other);
        assert_eq!(tasks(&other), tasks(body), "{other:?}");
        assert_eq!(fields(&other), "Name=value");
        assert_eq!(read.empty_slots, 1);
        let lines = |checklist: &Checklist| checklist.tasks().map(|task| task.line).collect::<Vec<_>>();
        assert_eq!((lines(&read), read.phases[0].line), (vec![3, 4], 1), "{other:?}");
    }
}

#[test]
fn headings_of_either_style_open_phases() {
    let body = "Phase 3 : Impact\n=======\n- [ ] c\n\n## Phase 1 : Assess\n- [ ] a\n\nPhase 2\n-------\n- [x] b\n### phase 4 - Release\n- [ ] d\n#### Phase 5: too deep\n- [ ] still d\n## PHASE 1: again\n- [ ] e\n";
    let checklist = Checklist::parse(body);
    let phases: Vec<_> = checklist.phases.iter().map(|p| (p.number, p.title.as_str(), p.tasks.len())).collect();
    assert_eq!(
        phases,
        [
            (Some(3), "Impact", 1),
            (Some(1), "Assess", 1),
            (Some(2), "", 1),
            (Some(4), "Release", 2),
            (Some(1), "again", 1)
        ]
    );
}

#[test]
fn sections_of_a_phase_belong_to_it() {
    let body = "## Phase 2: Mitigate\n### Tasks\n- [ ] a\n### Phase 1 follow-up\n- [ ] b\n#### Review of logs\n- [ ] c\n## Other\ntext\n## Phase 3: Impact\n- [ ] d\n";
    assert_eq!(tasks(body), "2 [ ] a\n2 [ ] b\n2 [ ] c\n3 [ ] d");
    assert_eq!(Checklist::parse(body).phases.len(), 2, "a heading without boxes is no phase");
}

#[test]
fn headings_without_numbers_are_phases_when_boxes_stand_under_them() {
    let body = "- [ ] before\n# Incident\n- [ ] loose\n## Triage\n### Steps\n- [ ] a\n## Notes\n- text\n## Fix\n- [x] b\n## Review\n- [ ] c\n";
    let checklist = Checklist::parse(body);
    let phases: Vec<_> = checklist.phases.iter().map(|p| (p.number, p.title.as_str(), p.tasks.len())).collect();
    assert_eq!(phases, [(None, "", 1), (None, "Incident", 1), (None, "Triage", 1), (None, "Fix", 1)]);
    assert_eq!(checklist.review.map(|review| review.line), Some(11));
}

#[test]
fn a_heading_about_review_before_the_last_phase_is_a_phase() {
    let body = "## Code review\n- [ ] a\n## Release\n- [ ] b\n";
    let checklist = Checklist::parse(body);
    assert_eq!(checklist.phases.len(), 2);
    assert_eq!(checklist.review, None);
    let named = "## Post-incident review\n- [ ] a\n## Phase 1: Assess\n- [ ] b\n";
    assert_eq!(tasks(named), "1 [ ] b");
    assert!(Checklist::parse("## Review\n- [ ] a\n").review.is_none(), "without phases there is nothing to review");
}

#[test]
fn boxes_and_fields_of_the_review_never_count() {
    let body = "## Phase 1: a\n- [x] one\n## Post-Incident Review\n- **What**: happened\n### Action items\n- [ ] new one\n- [ ] \n## Emergency Contacts\n- **Maintainer**: a@b.example\n";
    let checklist = Checklist::parse(body);
    assert_eq!((checklist.totals().tasks, checklist.fields.len(), checklist.empty_slots), (1, 0, 1));
    assert!(checklist.phases[0].is_settled());
    assert!(checklist.review.is_some_and(|review| review.written));
}

#[test]
fn a_review_of_empty_bullets_is_unwritten() {
    let body = "## Phase 1: a\n- [ ] one\n## Post-Incident Review\n\n### What went well?\n- \n\n### Action items\n- [ ] \n<!-- note -->\n";
    assert!(!Checklist::parse(body).review.unwrap().written);
    let filled = body.replace("well?\n- ", "well?\n- the alarm");
    assert!(Checklist::parse(&filled).review.unwrap().written);
}

#[test]
fn bold_lines_and_bold_items_are_groups() {
    let body = "## Phase 4: Release\n**Before:**\n- [ ] a\n\n__During__\n\nSome words.\n\n- [ ] b\n- **After:**\n  - [ ] c\n- [ ] d\n\n### Section\n\n- [ ] e\n";
    assert_eq!(tasks(body), "4 <Before> [ ] a\n4 <During> [ ] b\n4 <After> [ ] c\n4 <During> [ ] d\n4 [ ] e");
    assert_eq!(fields(body), "");
}

#[test]
fn a_task_is_its_words_in_one_line() {
    let task = only_task(
        "- [ ] Update **all** `Cargo.toml` and\n      [docs](https://d.example) &amp; <!-- wardroom:T7 -->\n",
    );
    assert_eq!(task.text, "Update all Cargo.toml and docs &");
    assert_eq!(task.anchor.as_deref(), Some("T7"));
    let task = only_task("- [ ]\n  below\n\n  <!-- wardroom:T8 -->\n");
    assert_eq!((task.text.as_str(), task.anchor.as_deref()), ("below", Some("T8")));
}

#[test]
fn struck_or_marked_tasks_do_not_apply() {
    for body in [
        "- [ ] ~~Check LTS~~",
        "- [x] ~~Check LTS~~",
        "- [ ] ~~Check LTS~~ N/A: no LTS <!-- wardroom:T4 -->",
        "- [ ] ~~Check LTS~~ (there is none)",
        "- [ ] ~Check LTS~",
        "- [ ] Check LTS N/A",
        "- [ ] N/A: Check LTS <!-- wardroom:T4 -->",
        "- [ ] n/a - Check LTS",
        "- [ ] Check LTS n/a: none",
        "- [ ] Check LTS — N/A (no LTS)",
        "- [ ] Check LTS (N/A)",
        "- [ ] Check LTS <!-- wardroom:T4 --> N/A",
        "- [ ] Check LTS\n      N/A - there is none",
    ] {
        let task = only_task(body);
        assert_eq!((task.text.as_str(), task.state), ("Check LTS", TaskState::NotApplicable), "{body:?}");
    }
}

#[test]
fn words_about_not_applicable_do_not_settle_a_task() {
    for (body, text) in [
        ("- [ ] Decide whether it is N/A", "Decide whether it is N/A"),
        ("- [ ] Check LTS (N/A if there is none)", "Check LTS (N/A if there is none)"),
        ("- [ ] Set the field to `N/A`", "Set the field to N/A"),
        ("- [ ] Replace N/A values", "Replace N/A values"),
        ("- [ ] ~~Old words~~ new words", "new words"),
        ("- [ ] keep ~~this~~ that", "keep that"),
    ] {
        let task = only_task(body);
        assert_eq!((task.text.as_str(), task.state), (text, TaskState::Open), "{body:?}");
    }
}

#[test]
fn a_box_without_words_is_an_empty_slot() {
    for body in ["- [ ]", "- [ ] \n", "- [x] <!-- wardroom:T1 -->", "- [ ] N/A", "- [ ]\n  - nested\n"] {
        let checklist = Checklist::parse(body);
        assert_eq!((checklist.totals().tasks, checklist.empty_slots), (0, 1), "{body:?}");
    }
}

#[test]
fn fields_are_read_as_people_leave_them() {
    let body = "\
- **Severity Level**: `High`
- **CVSS Score** : 9.8
* **CVE ID** (if applicable): CVE-2026-1234 <!-- mine -->
1. __Root cause:__ a *bad* `free()`
- **Link**: [the post](https://a.example/x_y)
- **URL**: https://a.example/?a=1
- **None**:
- **Choice**: `A|B|C`
  - **Nested**: yes
- **No colon** here
- **Said** that https://a.example is down
- Name: value
- [ ] **Task**: not a field
> - **Quoted**: no
";
    assert_eq!(
        fields(body),
        "Severity Level=High\nCVSS Score=9.8\nCVE ID=CVE-2026-1234\nRoot cause=a bad free()\n\
         Link=[the post](https://a.example/x_y)\nURL=https://a.example/?a=1\nNone\nChoice=A|B|C\nNested: yes"
    );
}

#[test]
fn a_value_may_have_several_lines() {
    for body in [
        "- **Affects versions**: 0.14.0 to 0.14.9\n  0.15.0 to 0.15.6\n",
        "- **Affects versions**:\n  - 0.14.0 to 0.14.9\n  - `0.15.0 to 0.15.6`\n",
        "- **Affects versions**:\n\n  0.14.0 to 0.14.9\n\n  0.15.0 to 0.15.6\n\nNext.\n",
    ] {
        let field = only_field(body);
        assert_eq!(field.value, "0.14.0 to 0.14.9\n0.15.0 to 0.15.6", "{body:?}");
        let filled = apply(body, &[field.fill(body, "0.15.0").unwrap()]).unwrap();
        assert_eq!(only_field(&filled).value, "0.15.0", "{filled:?}");
        assert_eq!(filled.contains("Next."), body.contains("Next."));
    }
}

#[test]
fn markers_are_read_only_at_the_top_level() {
    let marker = |kind: &str, content: &str| Marker { kind: kind.into(), content: content.into() };
    let body = "<!-- wardroom:incident a/b#1 --><!--wardroom:more-->\n\ntext <!-- wardroom:inline\nx --> text\n\n<!-- wardroom:T3 -->\n\n<!-- other -->\n";
    assert_eq!(
        Checklist::parse(body).markers,
        [marker("incident", "a/b#1"), marker("more", ""), marker("inline", "x")]
    );
    for body in [
        "```\n<!-- wardroom:incident a -->\n```\n",
        "> <!-- wardroom:incident a -->\n",
        "- <!-- wardroom:incident a -->\n",
        "<div>\n<!-- wardroom:incident a -->\n</div>\n",
        "`<!-- wardroom:incident a -->`\n",
        "    <!-- wardroom:incident a -->\n",
        "<!-- a <!-- wardroom:incident a -->\n",
        "<!-- wardroom:in!cident a -->\n",
    ] {
        assert_eq!(Checklist::parse(body).markers, [], "{body:?}");
    }
}

#[test]
fn keys_are_unique_and_survive_edits() {
    let body = "## Phase 1: a\n- [ ] Same\n- [ ] Same\n- [ ] Other <!-- wardroom:T1 -->\n- [ ] Copy <!-- wardroom:T1 -->\n- **F**: 1\n## Phase 2: b\n- [ ] Same\n- **F**: 2\n- **f**: 3\n";
    let keys = |body: &str| {
        let checklist = Checklist::parse(body);
        let tasks = checklist.tasks().map(|task| task.key().to_owned());
        tasks.chain(checklist.fields.iter().map(|field| field.key().to_owned())).collect::<Vec<_>>()
    };
    let before = keys(body);
    assert_eq!(before.iter().collect::<std::collections::HashSet<_>>().len(), 8);
    let edited = body.replace("[ ] Same\n- [ ] Other", "[x] ~~Same~~ N/A: no\n- [x] Other");
    assert_eq!(keys(&edited), before);
    let checklist = Checklist::parse(body);
    assert_eq!(checklist.task_by_key(&before[2]).unwrap().text, "Other");
    assert_eq!(checklist.field_by_key(&before[7]).unwrap().value, "3");
    assert_eq!(checklist.field("F").unwrap().value, "1");
}

#[test]
fn a_task_is_found_by_anchor_or_beginning() {
    let body = "- [ ] Prepare patch/hotfix <!-- wardroom:T9 -->\n- [ ] Prepare `release` notes\n- [ ] Prepare\n- [ ] Draft\n- [ ] Draft\n";
    let checklist = Checklist::parse(body);
    let found = |words: &str| checklist.find_task(words).map(|task| task.line);
    assert_eq!(found("t9"), Ok(1));
    assert_eq!(found("prepare p"), Ok(1));
    assert_eq!(found("Prepare **release** no"), Ok(2));
    assert_eq!(found("- [ ] Prepare `release`"), Ok(2));
    assert_eq!(found("prepare"), Ok(3), "the whole text");
    assert_eq!(found("T10"), Err(TaskLookup::NotFound));
    assert_eq!(found(" "), Err(TaskLookup::NotFound));
    assert_eq!(found("draft"), Err(TaskLookup::Ambiguous(vec!["Draft (line 4)".into(), "Draft (line 5)".into()])));
    insta::assert_snapshot!(found("prep").unwrap_err(), @"several tasks begin with these words: Prepare patch/hotfix (T9, line 1); Prepare release notes (line 2); Prepare (line 3)");
}

#[test]
fn a_template_decides_what_is_empty() {
    let template = Checklist::parse(
        "- **Plan**: describe it here\n- **Areas**: `Mail|Keys|None`\n## Phase 1: a\n- [ ] a\n## Post-Incident Review\nSay what went well.\n",
    );
    let body = "- **Plan**: describe it here\n- **Areas**: Mail|Keys\n## Phase 1: a\n- [ ] a\n## Post-Incident Review\nSay what went well.\n";
    let alone = Checklist::parse(body);
    assert_eq!(alone.fields.iter().map(|field| field.empty).collect::<Vec<_>>(), [false, true]);
    assert!(alone.review.unwrap().written);
    let against = Checklist::parse_against(body, &template);
    assert_eq!(against.fields.iter().map(|field| field.empty).collect::<Vec<_>>(), [true, false]);
    assert!(!against.review.unwrap().written);
}

#[test]
fn the_shared_checklist_is_read_in_full() {
    let checklist = Checklist::parse(include_str!("../../../tests/data/checklist.md"));
    assert_eq!(checklist.phases.iter().map(|phase| phase.tasks.len()).collect::<Vec<_>>(), [6, 7, 6, 19]);
    assert_eq!(
        checklist.phases.iter().map(|phase| phase.number).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(3), Some(4)]
    );
    let groups: Vec<_> = checklist.phases[3].tasks.iter().filter_map(|task| task.group.as_deref()).collect();
    let mut distinct = groups.clone();
    distinct.dedup();
    assert_eq!(distinct, ["Pre-release preparation", "Communication channels", "Release execution", "Post-release"]);
    assert_eq!(groups.len(), 19);
    assert_eq!((checklist.fields.len(), checklist.empty_slots), (21, 5));
    assert!(checklist.fields.iter().all(|field| field.empty));
    assert!(!checklist.review.unwrap().written);
}

#[test]
fn the_default_template_is_the_shared_checklist_with_anchors_and_advisory_details() {
    let original = include_str!("../../../tests/data/checklist.md");
    let (_, original) = original.split_once("# Stalwart").unwrap();
    let mut policy = Policy::default();
    policy.product.name = "Stalwart".into();
    policy.product.community = "Stalwart community forum/Discord".into();
    policy.product.security_policy = Some("https://github.com/stalwartlabs/stalwart/blob/main/SECURITY.md".into());
    policy.contacts =
        vec![crate::domain::policy::Contact { role: "Primary maintainer".into(), reach: "hello@stalw.art".into() }];
    let rendered = render(template::DEFAULT, &policy).unwrap();
    let checklist = Checklist::parse(&rendered);
    let anchors: Vec<_> = checklist.tasks().map(|task| task.anchor.clone().unwrap()).collect();
    assert_eq!(anchors, (1..=38).map(|n| format!("T{n}")).collect::<Vec<_>>());
    let bare: String = rendered
        .split_inclusive('\n')
        .map(|line| match line.split_once(" <!-- wardroom:T") {
            Some((text, _)) => format!("{text}\n"),
            None => line.to_owned(),
        })
        .collect();
    let differences: Vec<String> =
        similar::TextDiff::from_lines(format!("# Stalwart{original}\n").as_str(), bare.as_str())
            .iter_all_changes()
            .filter(|change| change.tag() != similar::ChangeTag::Equal)
            .map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches('\n')))
            .collect();
    insta::assert_snapshot!(differences.join("\n"), @"
    -- [Stalwart Security Policy]https://github.com/stalwartlabs/stalwart/blob/main/SECURITY.md
    -- [CVE Scoring Calculator]https://nvd.nist.gov/vuln-metrics/cvss/v3-calculator
    -- [Rust Security Advisory Database]https://rustsec.org/
    +- [Stalwart Security Policy](https://github.com/stalwartlabs/stalwart/blob/main/SECURITY.md)
    +- [CVE Scoring Calculator](https://nvd.nist.gov/vuln-metrics/cvss/v3-calculator)
    +- [Rust Security Advisory Database](https://rustsec.org/)
    +### Advisory details
    +
    +- **CVSS vector**: `CVSS:4.0/AV:…`
    +- **CWE**: `CWE-XXX`
    +- **Credits**: `@login…`
    +- **Reporter**: `@login…`
    +
    -- [ ] Post to community channels (Discord/forum)
    +- [ ] Post to community channels (Stalwart community forum/Discord)
    ");
}

#[test]
fn the_default_policy_renders_a_checklist_of_empty_fields() {
    let rendered = render(template::DEFAULT, &Policy::default()).unwrap();
    let checklist = Checklist::parse(&rendered);
    assert_eq!(checklist.totals(), Totals { tasks: 38, done: 0, not_applicable: 0 });
    assert_eq!((checklist.fields.len(), checklist.empty_slots), (25, 5));
    let filled: Vec<_> = checklist.fields.iter().filter(|field| !field.empty).collect();
    assert!(filled.is_empty(), "{filled:?}");
    let advisory: Vec<_> =
        ["CVSS vector", "CWE", "Credits", "Reporter"].map(|name| checklist.field(name).unwrap().phase).into();
    assert_eq!(advisory, [Some(1); 4]);
    assert!(
        !rendered.contains("{{")
            && !rendered.contains("{%")
            && !rendered.contains("  ")
            && !rendered.contains("\n\n\n")
    );
    let named: Vec<&str> = rendered
        .lines()
        .filter(|line| {
            line.starts_with("# ")
                || line.contains("exists in")
                || line.contains("deployments")
                || line.contains("communit")
                || line.contains("Primary")
        })
        .collect();
    insta::assert_snapshot!(named.join("\n"), @"
    # Security Incident Response Checklist
    I've reviewed the security report and confirmed this vulnerability exists in version X.Y.Z.
    << Analysis of potential impact on the known deployments >>
    - [ ] Draft announcement for the community channels <!-- wardroom:T25 -->
    - [ ] Post to community channels <!-- wardroom:T32 -->
    - [ ] Monitor community channels for questions <!-- wardroom:T35 -->
    - **Primary maintainer**: not set; add `contacts` to the policy
    ");
}
