use std::collections::BTreeSet;

use jiff::Timestamp;

use super::drift::Part;
use super::*;
use crate::domain::checklist::Checklist;
use crate::domain::decisions::Decisions;
use crate::domain::facts::{Account, Role};
use crate::domain::findings::Findings;

mod approvals;
mod differences;
mod drafts;
mod judged;
mod laws;
mod shown;
mod tolerance;

/// Fields as a team fills them in.
const FIELDS: &str = "
- **Severity Level**: Critical
- **CVSS Score**: `9.8`
- **Affects versions**: `0.11.0 to 0.15.5`
- **Root cause**: The parser trusts the length in the header
- **Introduced in commit/version**: `v0.11.0`
- **Workaround available**: Yes - switch the import off
- **Fix implemented on**: `2026-03-03`
- **Patch/hotfix version**: `v0.15.6`
- **GitHub Security Advisory ID**: `GHSA-2c3f-4gh5-6jm7`
- **CVSS vector**: `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`
- **CWE**: CWE-787, CWE-20
- **Credits**: @Ada, Jane Doe, @grace (remediation developer)
- **Reporter**: `@eve`
- **Default configuration vulnerable**: Yes
- **User data potentially at risk**: Email content
- **Security release published**: 2026-03-05 14:00 UTC
";

fn known(fields: &str) -> Known {
    let checklist = Checklist::parse(fields);
    let found = Findings::of(&checklist, &Decisions::default(), &BTreeSet::new());
    Known::of(&checklist, &found)
}

fn policy() -> Policy {
    Policy::load(
        "product: {name: Ledger Mail, private_reporting: security@example.org}\n\
         advisories: {repository: octo/mail, packages: [{ecosystem: rust, name: ledger-mail}]}",
    )
    .unwrap()
}

fn draft_of(known: &Known) -> Draft {
    draft(known, &policy(), text::DEFAULT).unwrap()
}

fn wanted(fields: &str) -> Wanted {
    draft_of(&known(fields)).wanted
}

/// The draft as GitHub shows it after it was made.
fn made(wanted: &Wanted) -> Advisory {
    Advisory { ghsa_id: "GHSA-2c3f-4gh5-6jm7".to_owned(), html_url: page_of(), ..wanted.preview() }
}

fn page_of() -> String {
    page(&"octo/mail".parse().unwrap(), &ghsa())
}

fn ghsa() -> Ghsa {
    "GHSA-2c3f-4gh5-6jm7".parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
