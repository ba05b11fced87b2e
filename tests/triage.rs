//! `/wardroom accept` and `/wardroom reject`, in users' verbs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::policy;
use support::reports::{field, report, reported, said, say, section, state, unnamed};
use support::room::repo;
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::sim::{Fault, When};

#[tokio::test]
async fn accept_makes_a_draft_of_it_and_says_what_is_so_now() {
    let (mut room, number, id) = reported(policy()).await;
    say(&mut room, "alice", number, &format!("/wardroom accept {id}")).await;
    room.wait(60);
    room.heal().await;
    assert_eq!(state(&room, &id), AdvisoryState::Draft);
    insta::assert_snapshot!(said(&room, number, &id).join("\n---\n"), @"[`GHSA-ID`](https://github.com/octo/mail/security/advisories/GHSA-ID) was accepted: it is a draft now. Its reporter can see that; nobody else can. What the report says is compared with the fields here from now on.");
    insta::assert_snapshot!(unnamed(&section(&room, number), &id), @"
    [GHSA-ID](https://github.test/octo/mail/security/advisories/GHSA-ID) in `octo/mail`: a draft.

    The score 7.5 is at or above 4.0: ask for a CVE ID now with `/wardroom cve request GHSA-ID`, because the answer takes days, sometimes weeks.

    The fields and the advisory differ. Nothing is overwritten by itself: change the one that is wrong, or say `/wardroom sync to-advisory FIELD` or `/wardroom sync from-advisory FIELD`.

    | Field | The issue says | The advisory says | Changed last |
    |---|---|---|---|
    | CVSS vector | – | `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H` | – |
    | CWE | – | `CWE-120` | – |
    | Credits | – | `@rita (reporter)` | – |

    Thanked, once they accept: `rita` (reporter): accepted.

    Before it is published:

    - `ledger-mail` has no fixed version: Dependabot would warn people and offer them nothing.

    An admin publishes it on its page. Publishing deletes the advisory’s private fork with everything in it that is not merged (Wardroom cannot see it): save first what is still needed.

    Still missing for it:

    - **Patch/hotfix version** is empty: without a fixed version nobody can be told what to install.
    - **CVSS vector** is empty: write a CVSS vector, or at least a word in **Severity Level**.
    - **CWE** is empty: name the kind of weakness, for example `CWE-79`.
    - **Credits** is empty: say whom to thank, as `@login`, or `nobody`.
    ");
    assert_eq!(Checklist::parse(&room.body(number)).find_task("T12").unwrap().state, TaskState::Done);
    assert_eq!(field(&room, number, "Affects versions"), "<= 1.4.2", "a draft is the team's own word");
    // Said again it is refused: it happened before.
    say(&mut room, "carol", number, &format!("/wardroom accept {id}")).await;
    insta::assert_snapshot!(said(&room, number, &id).pop().unwrap(), @"`GHSA-ID` is a draft already. Nothing was done.");
}

#[tokio::test]
async fn reject_closes_it_and_the_incident_is_closed_by_a_person() {
    let (mut room, number, id) = reported(policy()).await;
    say(&mut room, "alice", number, &format!("/wardroom reject {id}")).await;
    insta::assert_snapshot!(said(&room, number, &id).pop().unwrap(), @"
    A reason is needed: why is it no vulnerability of yours? The reporter will ask.

    - `/wardroom reject GHSA REASON` closes the private report, or the draft, and publishes nothing; its reporter sees that. For example `/wardroom reject GHSA-2c3f-4gh5-6jm7 the crash needs root to begin with`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    assert_eq!(state(&room, &id), AdvisoryState::Triage);
    say(&mut room, "alice", number, &format!("/wardroom reject {id}: it needs root to begin with")).await;
    assert_eq!(state(&room, &id), AdvisoryState::Closed);
    insta::assert_snapshot!(said(&room, number, &id).pop().unwrap(), @"[`GHSA-ID`](https://github.com/octo/mail/security/advisories/GHSA-ID) was closed, and nothing was published. Its reporter sees that it was closed, and not why: tell them there. This incident goes on; `/wardroom close invalid`, `duplicate #N` or `out-of-scope REASON` closes it too, and drafts an answer to the reporter.");
    room.heal().await;
    assert!(room.world.issue_now(&room.tracker, number).unwrap().is_open());
    assert!(section(&room, number).contains(": closed on"), "{}", section(&room, number));
    assert_eq!(room.incidents().len(), 1, "a closed report opens nothing");
    say(&mut room, "alice", number, "/wardroom close invalid it needs root").await;
    room.heal().await;
    assert_eq!(room.labels(number), ["incident", "rejected"]);
}

#[tokio::test]
async fn a_lost_answer_is_found_done_and_not_done_again() {
    for (word, state_after) in [("accept", AdvisoryState::Draft), ("reject", AdvisoryState::Closed)] {
        for when in [When::Before, When::After] {
            for (fault, lose) in [(Fault::TimeOut, false), (Fault::Crash, false), (Fault::Crash, true)] {
                let (mut room, number, id) = reported(policy()).await;
                room.crash_loses_store = lose;
                room.world.faults(|faults| faults.fail_route("PATCH R/security-advisories/{ghsa}", 1, fault, when));
                let reason = if word == "reject" { " no" } else { "" };
                say(&mut room, "alice", number, &format!("/wardroom {word} {id}{reason}")).await;
                room.heal().await;
                let case = format!("{word} {fault:?} {when:?} {lose}\n{}", room.call_log(40));
                assert_eq!(state(&room, &id), state_after, "{case}");
                let calls = room.world.calls();
                let tries =
                    calls.iter().filter(|call| call.route == "R/security-advisories/{ghsa}" && call.method == "PATCH");
                assert_eq!(tries.count(), if when == When::Before { 2 } else { 1 }, "{case}");
                assert_eq!(said(&room, number, &id).len(), 1, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_person_opened_again_after_a_lost_answer_is_not_closed_a_second_time() {
    let (mut room, number, id) = reported(policy()).await;
    let mail = repo("octo/mail");
    room.as_("alice").edit_advisory(&mail, &id, &json!({"state": "draft"})).unwrap();
    room.settle().await;
    let tracker = room.tracker.clone();
    room.world.faults(|faults| {
        faults.fail_route("PATCH R/security-advisories/{ghsa}", 1, Fault::TimeOut, When::After);
    });
    room.as_("alice").comment(&tracker, number, &format!("/wardroom reject {id} no")).unwrap();
    while state(&room, &id) != AdvisoryState::Closed {
        room.step().await.unwrap().ok();
    }
    room.wait(3);
    room.as_("carol").edit_advisory(&mail, &id, &json!({"state": "draft"})).unwrap();
    room.settle().await;
    room.heal().await;
    assert_eq!(state(&room, &id), AdvisoryState::Draft);
    insta::assert_snapshot!(said(&room, number, &id).pop().unwrap(), @"`GHSA-ID` was not closed: the answer to the first try was lost, and someone has changed it since. Look at it, and say it again if it should be closed.");
}

#[tokio::test]
async fn who_may_not_and_what_is_stale_edited_or_of_another_advisory_is_refused() {
    let (mut room, number, id) = reported(policy()).await;
    let other = report(&room);
    room.world.take_deliveries();
    let tracker = room.tracker.clone();
    for (who, text) in [
        ("bob", format!("/wardroom accept {id}")),
        ("alice", format!("/wardroom accept {other}")),
        ("tina", format!("/wardroom reject {id} no")),
    ] {
        say(&mut room, who, number, &text).await;
    }
    let edited = room.as_("alice").comment(&tracker, number, "/wardroom help").unwrap();
    room.as_("bob").edit_comment(&tracker, edited, &format!("/wardroom accept {id}")).unwrap();
    room.settle().await;
    let _ = room.as_("alice").comment(&tracker, number, &format!("/wardroom accept {id}")).unwrap();
    room.world.take_deliveries();
    room.wait(31 * 60);
    room.heal().await;
    assert_eq!((state(&room, &id), state(&room, &other)), (AdvisoryState::Triage, AdvisoryState::Triage));
    let told: Vec<String> = said(&room, number, &id).iter().map(|text| text.replace(&other, "GHSA-OTHER")).collect();
    insta::assert_snapshot!(told.join("\n---\n"), @"
    `/wardroom accept` needs the admin role on the advisories’ repository, and as far as Wardroom can see you have the write role there. Nothing was done. Someone with that role can say it; roles are set under Settings, Collaborators and teams.
    ---
    Nothing was accepted: this incident’s advisory is GHSA-ID; repeat that id, so that it is clear what happens to what.
    ---
    `/wardroom reject` needs the admin role on the advisories’ repository, and as far as Wardroom can see you have the triage role there. Nothing was done. Someone with that role can say it; roles are set under Settings, Collaborators and teams.
    ---
    This comment was edited, and anyone with write access can edit another person’s words. So it does not count. Nothing was done. Please say it again in a new comment.
    ---
    Nothing was accepted: too old: said 2026-03-02 09:01 UTC, and it is honoured for 30 minutes; say it again.
    ");
}

#[tokio::test]
async fn where_github_refuses_it_says_what_a_person_does() {
    let (mut room, number, id) = reported(policy()).await;
    room.world.add_app(
        "wardroom",
        &[repo("octo/security"), repo("octo/mail")],
        &[("issues", "write"), ("metadata", "read"), ("contents", "read"), ("repository_advisories", "read")],
    );
    say(&mut room, "alice", number, &format!("/wardroom accept {id}")).await;
    assert_eq!(state(&room, &id), AdvisoryState::Triage);
    insta::assert_snapshot!(said(&room, number, &id).pop().unwrap(), @r"
    `GHSA-ID` was not accepted: GitHub refused accepting advisory GHSA-ID of octo/mail (403): Resource not accessible by integration. It needs the permission “Repository security advisories: write”, which an App can have and a workflow’s GITHUB\_TOKEN cannot: Settings, Developer settings, GitHub Apps, Permissions \& events, and then accept the request under Settings, Integrations, GitHub Apps. The owner of a token must be an admin or a security manager of the repository.

    An admin does it by hand: open <https://github.com/octo/mail/security/advisories/GHSA-ID> and press “Accept and open as draft”.
    ");
    assert_eq!(room.failures, Vec::<String>::new());
}

#[tokio::test]
async fn p11_nothing_but_a_good_command_accepts_or_closes() {
    let (mut room, number, id) = reported(policy()).await;
    let tracker = room.tracker.clone();
    for n in 1..=38 {
        room.as_("bob").tick(&tracker, number, &format!("T{n}")).unwrap();
    }
    room.as_("alice").label(&tracker, number, "rejected").unwrap();
    room.as_("rita").comment(&repo("octo/security"), number, &format!("/wardroom accept {id}")).unwrap();
    say(&mut room, "alice", number, &format!("> /wardroom accept {id}")).await;
    say(&mut room, "alice", number, "/wardroom accept").await;
    room.as_("alice").close(&tracker, number, "not_planned").unwrap();
    room.settle().await;
    room.lose_store();
    room.heal().await;
    assert_eq!(state(&room, &id), AdvisoryState::Triage);
}

#[tokio::test]
async fn what_a_report_proposes_is_taken_over_by_command_line_by_line() {
    let (mut room, number, id) = reported(policy()).await;
    say(&mut room, "bob", number, "/wardroom sync from-advisory cwe").await;
    room.wait(60);
    room.heal().await;
    assert_eq!(field(&room, number, "CWE"), "CWE-120");
    assert!(!field(&room, number, "CVSS vector").contains("CVSS:3.1"));
    let section = unnamed(&section(&room, number), &id);
    assert!(!section.contains("| CWE |") && section.contains("| CVSS vector | `CVSS:3.1"), "{section}");
    assert_eq!(state(&room, &id), AdvisoryState::Triage);
}
