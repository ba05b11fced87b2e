//! Runs through the binary where something about them is out of the ordinary: another server, a wrong clock, several
//! incidents, a program that reads along.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::workflow::{Ran, Workflow};
use wardroom::sim::{Fault, When};

fn parsed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// Two reports, and the incidents that they have become.
async fn two_incidents(workflow: &mut Workflow) -> [u64; 2] {
    workflow.room.report("Overflow", "It crashes.");
    workflow.room.report("Traversal", "It reads.");
    workflow.room.settle().await;
    let incidents: Vec<u64> = workflow.room.incidents().iter().map(|issue| issue.number).collect();
    incidents.try_into().unwrap()
}

/// The kinds of values by their place; all items of a list are one place.
fn shape(value: &Value) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    let mut todo = vec![(String::new(), value)];
    while let Some((place, value)) = todo.pop() {
        let kind = match value {
            Value::Object(map) => {
                todo.extend(map.iter().map(|(key, value)| (format!("{place}.{key}"), value)));
                continue;
            }
            Value::Array(items) => {
                todo.extend(items.iter().map(|item| (format!("{place}[]"), item)));
                "list"
            }
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Bool(_) => "yes or no",
            Value::Null => "null",
        };
        kinds.insert(place, kind.to_owned());
    }
    kinds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_is_as_the_page_shows_it() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/command-line.md")).unwrap();
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let shown = shape(&serde_json::from_str(example).unwrap());

    let mut workflow = Workflow::new().await;
    let [incident, _] = two_incidents(&mut workflow).await;
    let tracker = workflow.room.tracker.clone();
    workflow.room.as_("bob").set_field(&tracker, incident, "Severity Level", "high").unwrap();
    workflow.newest_event();
    let ran = workflow.run(&["action", "--format", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    assert_eq!(shape(&parsed(&ran)), shown, "{}", ran.all());
    for key in shown.keys() {
        let name = key.rsplit('.').next().unwrap().trim_end_matches("[]");
        assert!(page.contains(&format!("{name}`")) || page.contains(&format!("\"{name}\"")), "{name} is not explained");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outputs_are_those_of_one_incident_and_never_of_one_among_several() {
    let mut workflow = Workflow::new().await;
    let [first, second] = two_incidents(&mut workflow).await;
    workflow.event("schedule", "{}");
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    for name in ["incident", "phase", "severity", "progress"] {
        assert_eq!(ran.output(name), "", "{}", ran.all());
    }
    assert_eq!(ran.output("changed"), "false", "{}", ran.all());
    for number in [first, second] {
        assert!(
            ran.summary.contains(&format!(
                "| [#{number}](https://github.test/octo/security/issues/{number}) | phase/1-assessment |"
            )),
            "{}",
            ran.all()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_reads_json_has_the_output_for_itself() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    workflow.room.world.set_repo(&workflow.room.tracker, true, true);
    let ran = workflow.run(&["action", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert_eq!(parsed(&ran)["failed"], json!(true), "{}", ran.all());
    assert!(ran.stderr.starts_with("::error title=report octo/security#1::the tracker is archived"), "{}", ran.all());
    assert!(ran.stderr.ends_with("Nothing is lost: put it right, and the next run or sweep goes on from here\n"));
}

/// The simulated GitHub's clock shows March 2026 and stands still; whatever this machine's clock shows, it is another time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_hour_is_goes_by_githubs_clock() {
    let mut workflow = Workflow::new().await;
    workflow.policy("reports: {open_per_hour: 1}\n");
    workflow.room.report("Overflow", "It crashes.");
    workflow.room.settle().await;
    workflow.room.report("Traversal", "It reads.");
    // A person who labels asks for it, whatever the limit; a sweep does not.
    workflow.event("schedule", "{}");
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, workflow.room.incidents().len()), (0, 1), "{}", ran.all());
    let due = workflow.room.now() + jiff::SignedDuration::from_mins(15);
    let said = format!("more is due at {}", due.strftime("%F %H:%M"));
    assert!(ran.stdout.contains("the limit of reports.open_per_hour"), "{}", ran.all());
    assert!(ran.stdout.contains(&said) && ran.summary.contains(&said), "{said}: {}", ran.all());

    workflow.room.wait(3700);
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, workflow.room.incidents().len()), (0, 2), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_graphql_and_roles_costs_a_warning_and_commands_but_not_the_look() {
    let mut workflow = Workflow::new().await;
    workflow.room.world.without_graphql();
    workflow.room.world.without_roles();
    workflow.set("WARDROOM_TOKEN", "token-alice");
    let tracker = workflow.room.tracker.clone();
    workflow.room.report("Overflow", "It crashes.");
    // Alice's label and Alice's token: what she did herself is looked at all the same.
    workflow.newest_event();
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let incident: u64 = ran.output("incident").parse().unwrap_or_else(|_| panic!("{}", ran.all()));
    workflow.room.as_("bob").tick(&tracker, incident, "Reproduce").unwrap();
    workflow.room.as_("bob").comment(&tracker, incident, "/wardroom severity high").unwrap();
    workflow.newest_event();
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.output("progress").as_str()), (0, "1 of 38 tasks settled"), "{}", ran.all());
    let said = workflow.room.world.comments_of(&tracker, incident);
    let status: Vec<&str> =
        said.iter().map(|said| said.text.as_str()).filter(|text| text.starts_with("<!-- wardroom:status")).collect();
    let warnings: usize = status.iter().map(|text| text.matches("This server has no GraphQL").count()).sum();
    assert_eq!(warnings, 1, "{said:#?}");
    // Where nobody's role can be told, no command counts: that is said once for all, and nobody is told to have no role.
    let told: usize = status.iter().map(|text| text.matches("does not tell who has which role").count()).sum();
    assert_eq!(told, 1, "{said:#?}");
    assert!(said.iter().all(|said| said.by == "bob" || said.text.starts_with("<!-- wardroom:status")), "{said:#?}");
    assert!(said.iter().all(|said| said.reactions.is_empty()), "{said:#?}");
    assert!(workflow.room.labels(incident).iter().all(|label| !label.starts_with("severity/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_is_lost_is_found_done_and_not_done_again() {
    let mut workflow = Workflow::new().await;
    let [incident, _] = two_incidents(&mut workflow).await;
    let tracker = workflow.room.tracker.clone();
    workflow.room.as_("bob").close(&tracker, incident, "completed").unwrap();
    workflow.newest_event();
    let reads = workflow.room.world.calls().len();
    assert_eq!(workflow.run(&["action", "--dry-run"]).code, 0);
    let reads = workflow.room.world.calls().len() - reads;
    // The first write comes after as many reads and the one that makes sure that the tracker is private.
    workflow.room.world.faults(|faults| faults.fail(reads + 2, Fault::TimeOut, When::After));
    let ran = workflow.run(&["action"]);
    let log = workflow.room.call_log(40);
    assert_eq!((ran.code, ran.output("changed").as_str()), (0, "true"), "{}{log}", ran.all());
    let lost = workflow.room.writes().into_iter().filter(|call| call.status == 0).count();
    assert_eq!(lost, 1, "{log}");
    assert_eq!(workflow.room.said(&tracker, incident).len(), 1, "said once: {log}");
}
