//! P7 with a real process, a real database and a real kill: `wardroom serve` is killed at every call to GitHub in turn,
//! before and after the call's effect, and at random moments. Whatever happens, the end is that of an undisturbed run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use support::dice::{Dice, seed};
use support::town::{SECRET, Server, Town};
use wardroom::cli::{Cli, Command, config, serve};
use wardroom::engine::Guards;
use wardroom::sim::http::send_webhook;
use wardroom::sim::{Delivery, Fault, Faults, When, World};

/// Runs at the same time; each mostly waits.
const TOGETHER: usize = 128;

/// From one glance at a run to the next.
const GLANCE: Duration = Duration::from_millis(100);

/// A run that has not ended by then never will.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// How a process dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// At this call of the run, over all lives: before its effect, or after.
    Call(usize, bool),
    /// At the next call of this method and route.
    Kind(&'static str, &'static str, bool),
    /// At this call of its life.
    CallOfLife(usize, bool),
    /// So long after it began.
    Moment(Duration),
}

/// A call at which a process was killed, and whether its effect came about.
type KilledAt = (String, String, bool);

/// How a run goes.
#[derive(Clone, Debug, Default)]
struct Plan {
    seed: u64,
    /// One after the other, each in a life of its own.
    deaths: Vec<Death>,
    /// Events may be lost with the process that should have received them.
    loses_events: bool,
    /// Reads show what was true a while ago.
    lags: bool,
    without_journal: bool,
    /// It ends after the first scene.
    opening_only: bool,
}

/// What a run came to.
struct Ran {
    outcome: String,
    calls: Vec<(String, String)>,
    killed_at: Vec<KilledAt>,
    kills: usize,
    incidents: usize,
}

/// The people's part, in scenes. Each begins when Wardroom has nothing more to do.
fn scene(town: &Town, number: usize) -> bool {
    let as_ = |login: &'static str| town.world.person(login);
    let tracker = &town.tracker;
    let incident = || town.room.incidents().iter().map(|issue| issue.number).min().unwrap();
    match number {
        0 => {
            town.report();
        }
        1 => {
            let number = incident();
            as_("bob").tick(tracker, number, "Reproduce the vulnerability").unwrap();
            as_("alice").tick(tracker, number, "Assess CVSS score").unwrap();
            as_("bob").comment(tracker, number, "/wardroom severity critical").unwrap();
            as_("rita").comment(tracker, number, "/wardroom pause").unwrap();
        }
        2 => {
            as_("alice").close(tracker, incident(), "completed").unwrap();
        }
        _ => return false,
    }
    true
}

/// One run from the report to rest.
async fn run(plan: Plan) -> Ran {
    let mut town = Town::new().await;
    town.world.set_lag(plan.lags);
    if plan.without_journal {
        let me = std::env::current_exe().unwrap().display().to_string();
        let test = ["--ignored", "--exact", "a_server_without_its_journal", "--nocapture"].map(str::to_owned);
        town.command = [vec![me], test.to_vec()].concat();
        town.env.push(("WARDROOM_TEST_ARGUMENTS".to_owned(), arguments(&town)));
    }
    let mut dice = Dice(plan.seed | 1);
    let mut killed_at = Vec::new();
    let mut kills = 0;
    let mut outbox: Vec<Delivery> = Vec::new();
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let mut scenes = 0;
    let began = Instant::now();
    'lives: loop {
        let death = plan.deaths.get(kills).copied();
        let begun_at = town.world.calls().len();
        let server = start(&town, death);
        let moment = match death {
            Some(Death::Moment(after)) => Some(Instant::now() + after),
            _ => None,
        };
        loop {
            assert!(began.elapsed() < LONGEST_RUN, "{plan:?} never ends:\n{:?}\n{}", town.rows(), town.log());
            tokio::time::sleep(GLANCE).await;
            for delivery in town.world.take_deliveries() {
                // Twice, and anywhere among those that wait.
                for _ in 0..2 {
                    let place = usize::try_from(dice.below(outbox.len() as u64 + 1)).unwrap();
                    outbox.insert(place, delivery.clone());
                }
            }
            while let Some(delivery) = outbox.pop() {
                if send_webhook(&server.url, SECRET.as_bytes(), &delivery).await == Ok(202) {
                    acknowledged.insert(delivery.guid);
                } else if !(plan.loses_events && dice.chance(2)) {
                    outbox.push(delivery);
                    break;
                }
            }
            // Where a call of the life before is answered at the same moment, the world knows of the crash first.
            let crashed = server.is_dead() || town.world.crashed();
            if crashed || moment.is_some_and(|at| Instant::now() >= at) {
                server.kill();
                kills += 1;
                let unheard = town.world.calls()[begun_at..].iter().find(|call| call.status == 0).cloned();
                if let (
                    Some(Death::Call(_, after) | Death::Kind(.., after) | Death::CallOfLife(_, after)),
                    Some(call),
                ) = (death, unheard)
                {
                    killed_at.push((call.method, call.route, after));
                }
                break;
            }
            match rest(&town) {
                Rest::Working => {}
                // Nothing but time is missing. A process would see it jump, so it begins anew.
                Rest::Until(at) => {
                    server.kill();
                    town.world.advance_to(at);
                    break;
                }
                Rest::Done if outbox.is_empty() && (scenes > 0 && plan.opening_only || !scene(&town, scenes)) => {
                    for guid in &acknowledged {
                        let kept = town.operator().delivery(guid).unwrap();
                        assert!(kept.is_some_and(|(kept, _)| !kept.waiting), "{guid} was acknowledged, and is lost");
                    }
                    break 'lives;
                }
                Rest::Done => scenes += 1,
            }
        }
        drop(server);
        town.world.restart();
    }
    let calls = town.world.calls().into_iter().map(|call| (call.method, call.route)).collect();
    Ran { outcome: town.room.outcome(), calls, killed_at, kills, incidents: town.room.incidents().len() }
}

/// Starts the process, with the call at which it is to die.
fn start(town: &Town, death: Option<Death>) -> Server {
    let doomed: Arc<OnceLock<Arc<Mutex<Child>>>> = Arc::default();
    town.world.faults(Faults::clear);
    let kill = {
        let doomed = doomed.clone();
        move || {
            // Its first call may come before we know it.
            while doomed.get().is_none() {
                std::thread::yield_now();
            }
            let mut child = doomed.get().unwrap().lock().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
        }
    };
    let side = |after| if after { When::After } else { When::Before };
    let kill_at_call = kill.clone();
    let at_call = |nth: usize, after| {
        town.world.faults(|faults| {
            faults.on_call(nth, move |_| kill_at_call());
            faults.fail(nth, Fault::Crash, side(after));
        });
    };
    match death {
        Some(Death::Call(call, after)) => {
            if let Some(nth) = call.checked_sub(town.world.calls().len()) {
                at_call(nth, after);
            }
        }
        Some(Death::CallOfLife(nth, after)) => at_call(nth, after),
        Some(Death::Kind(method, route, after)) => town.world.faults(|faults| {
            faults.before(method, route, move |world: &World| {
                kill();
                world.faults(|faults| faults.fail(1, Fault::Crash, side(after)));
            });
        }),
        Some(Death::Moment(_)) | None => {}
    }
    let server = if town.command.len() > 1 { town.start_as(town.command()) } else { town.start() };
    doomed.set(server.child.clone()).unwrap();
    server
}

/// What is due within so long is waited for.
const SOON: SignedDuration = SignedDuration::from_secs(20);

enum Rest {
    Working,
    Until(Timestamp),
    Done,
}

/// Whether Wardroom has something to do, now or soon.
fn rest(town: &Town) -> Rest {
    let operator = town.operator();
    let next = || operator.rows().unwrap().iter().filter_map(|row| row.due).min();
    let is_soon = |due: Option<Timestamp>| due.is_some_and(|due| due <= town.world.now() + SOON);
    // The cheapest first: this is asked ten times a second in each run.
    if is_soon(next()) {
        return Rest::Working;
    }
    let swept =
        town.log().lines().rev().take_while(|line| !line.contains("\"working\"")).any(|line| line.contains("swept"));
    // Before the rows: what is taken in between the two is due then.
    if !swept || operator.deliveries(10_000).unwrap().iter().any(|kept| kept.waiting) {
        return Rest::Working;
    }
    match next() {
        due if is_soon(due) => Rest::Working,
        Some(due) if due <= town.world.now() + SignedDuration::from_mins(30) => Rest::Until(due),
        _ => Rest::Done,
    }
}

fn arguments(town: &Town) -> String {
    let mut command = std::process::Command::new("wardroom");
    town.arguments(&mut command);
    let words: Vec<&str> = command.get_args().map(|word| word.to_str().unwrap()).collect();
    words.join("\n")
}

/// Not a test: the process that [`without_its_journal_a_kill_opens_an_incident_twice`] kills. It is the same server, but for
/// one safeguard.
#[test]
#[ignore = "started by another test, as a process of its own"]
fn a_server_without_its_journal() {
    let Ok(arguments) = std::env::var("WARDROOM_TEST_ARGUMENTS") else {
        eprintln!("nothing to serve: WARDROOM_TEST_ARGUMENTS is not set");
        return;
    };
    let words = ["wardroom"].into_iter().chain(arguments.lines());
    let Command::Serve(args) = Cli::parse_from(words).command else { panic!("{arguments}") };
    let guards = Guards { journal: false, ..Guards::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
    let mut out = std::io::stdout();
    runtime.block_on(serve::run_guarded(&args, &config::process_env, &mut out, guards)).unwrap();
}

/// The call that opens the tracking issue, in a life that makes it.
fn opening(calls: &[(String, String)]) -> usize {
    calls.iter().position(|(method, route)| method == "POST" && route == "R/issues").unwrap() + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_killed_at_any_call_and_at_any_moment_it_ends_as_if_nothing_had_happened() {
    let seed = seed();
    println!("seed {seed}; the same again with WARDROOM_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let undisturbed = run(Plan { seed, ..Plan::default() }).await;
    assert_eq!((undisturbed.kills, undisturbed.incidents), (0, 1));
    for part in ["labels", "severity/critical", "ticked “Reproduce", "rocket", "confused"] {
        assert!(undisturbed.outcome.contains(part), "{part}: {}", undisturbed.outcome);
    }
    let mut wanted: BTreeSet<KilledAt> = BTreeSet::new();
    let mut plans = Vec::new();
    let mut targets = Vec::new();
    for (index, (method, route)) in undisturbed.calls.iter().enumerate() {
        // Each call in turn, and each kind of call on both sides of its effect.
        targets.push(Death::Call(index + 1, dice.chance(2)));
        for after in [false, true] {
            if wanted.insert((method.clone(), route.clone(), after)) {
                targets.push(Death::Kind(method.clone().leak(), route.clone().leak(), after));
            }
        }
    }
    for target in targets {
        let call = |dice: &mut Dice| Death::CallOfLife(1 + dice.below(12) as usize, dice.chance(2));
        let moment = |dice: &mut Dice| Death::Moment(Duration::from_millis(50 + dice.below(3000)));
        let later = [call(&mut dice), moment(&mut dice), call(&mut dice)];
        plans.push(Plan {
            seed: dice.below(u64::MAX),
            deaths: [target].into_iter().chain(later).collect(),
            loses_events: dice.chance(2),
            lags: dice.chance(2),
            ..Plan::default()
        });
    }
    let places = Arc::new(tokio::sync::Semaphore::new(TOGETHER));
    let mut running = tokio::task::JoinSet::new();
    for plan in plans {
        let places = places.clone();
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            (plan.clone(), run(plan).await)
        });
    }
    let mut covered: BTreeMap<KilledAt, usize> = BTreeMap::new();
    let (mut kills, mut runs) = (0, 0);
    while let Some(ended) = running.join_next().await {
        let (plan, ran) = ended.unwrap();
        assert_eq!(ran.outcome, undisturbed.outcome, "{plan:?}");
        assert_eq!(ran.incidents, 1, "{plan:?}");
        kills += ran.kills;
        runs += 1;
        ran.killed_at.into_iter().for_each(|at| *covered.entry(at).or_default() += 1);
    }
    println!("{kills} kills in {runs} runs; killed at these calls, before or after their effect:");
    for ((method, route, after), count) in &covered {
        println!("{count:>4}  {} {method} {route}", if *after { "after " } else { "before" });
    }
    let missing: Vec<_> = wanted.iter().filter(|at| !covered.contains_key(*at)).collect();
    assert!(missing.is_empty(), "never killed at {missing:?}");
    assert!(kills >= 200, "only {kills} kills");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_journal_a_kill_opens_an_incident_twice() {
    let plan = Plan { seed: 1, lags: true, opening_only: true, ..Plan::default() };
    let call = opening(&run(plan.clone()).await.calls);
    let plan = Plan { deaths: vec![Death::Call(call, true)], ..plan };
    let with = run(plan.clone()).await;
    assert_eq!((with.kills, with.incidents), (1, 1), "{}", with.outcome);
    let without = run(Plan { without_journal: true, ..plan }).await;
    assert_eq!((without.kills, without.incidents), (1, 2), "the test would notice: {}", without.outcome);
}
