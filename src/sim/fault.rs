//! What can go wrong with a call, and which call it strikes.

use super::world::World;

/// A fault. Each strikes before or after the call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 502 with a page of HTML.
    BadGateway,
    /// No answer.
    TimeOut,
    /// No connection: never has an effect.
    Refused,
    /// The answer ends in the middle.
    CutBody,
    /// 200 with something that is no JSON.
    Undecodable,
    /// 401: never has an effect.
    Unauthorized,
    /// 503: GitHub is too busy. An edge may say so after the work was done.
    ServiceUnavailable,
    /// 429, with the seconds to wait: never has an effect.
    TooMany(u32),
    /// A secondary limit, with the seconds to wait where GitHub names them.
    Secondary(Option<u32>),
    /// The hourly limit, until ten minutes from now.
    Primary,
    /// The process that called dies: every later call fails until [`World::restart`].
    Crash,
}

impl Fault {
    /// All kinds, for matrices.
    pub const ALL: [Fault; 12] = [
        Fault::BadGateway,
        Fault::ServiceUnavailable,
        Fault::TimeOut,
        Fault::Refused,
        Fault::CutBody,
        Fault::Undecodable,
        Fault::Unauthorized,
        Fault::TooMany(30),
        Fault::Secondary(None),
        Fault::Secondary(Some(30)),
        Fault::Primary,
        Fault::Crash,
    ];

    /// Whether GitHub refuses before it does anything, so that the fault has no "after".
    pub fn is_before(self) -> bool {
        matches!(self, Fault::Refused | Fault::Unauthorized | Fault::TooMany(_) | Fault::Secondary(_) | Fault::Primary)
    }
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// Instead of the effect.
    Before,
    /// After the effect: it was done, and the caller does not know.
    After,
}

type Hook = Box<dyn FnOnce(&World) + Send>;

/// A fault for calls of a kind.
#[derive(Debug)]
struct ByRoute {
    /// What `METHOD route` must be; `*` stands for anything.
    pattern: String,
    /// How many such calls pass first.
    passes: usize,
    fault: Fault,
    when: When,
}

/// The planned faults.
#[derive(Default)]
pub struct Faults {
    planned: Vec<(usize, Fault, When)>,
    by_route: Vec<ByRoute>,
    hooks: Vec<(usize, Hook)>,
    before: Vec<(&'static str, &'static str, Hook)>,
    down: bool,
    pub(super) crashed: bool,
    pub(super) count: usize,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults")
            .field("planned", &self.planned)
            .field("by_route", &self.by_route)
            .field("hooks", &self.hooks.len())
            .finish()
    }
}

impl Faults {
    /// Strikes the call of this number from now on, counted from 1.
    pub fn fail(&mut self, nth: usize, fault: Fault, when: When) {
        self.planned.push((self.count + nth, fault, when));
    }

    /// Strikes the call of this number, counted from 1, among those from now on whose method and route the pattern
    /// fits: `POST R/issues`, `PATCH *`, `* R/issues/{n}/*`.
    pub fn fail_route(&mut self, pattern: &str, nth: usize, fault: Fault, when: When) {
        self.by_route.push(ByRoute { pattern: pattern.to_owned(), passes: nth.saturating_sub(1), fault, when });
    }

    /// Does something just before the call of this number from now on: a person acts at that very moment.
    pub fn on_call(&mut self, nth: usize, act: impl FnOnce(&World) + Send + 'static) {
        self.hooks.push((self.count + nth, Box::new(act)));
    }

    /// Does something just before the next call of this method and route (`PATCH`, `R/issues/{n}`).
    pub fn before(&mut self, method: &'static str, route: &'static str, act: impl FnOnce(&World) + Send + 'static) {
        self.before.push((method, route, Box::new(act)));
    }

    /// GitHub is down, or up again.
    pub fn set_down(&mut self, down: bool) {
        self.down = down;
    }

    /// Forgets what is planned.
    pub fn clear(&mut self) {
        self.planned.clear();
        self.by_route.clear();
        self.hooks.clear();
        self.before.clear();
        self.down = false;
        self.crashed = false;
    }

    /// Counts a call and says what strikes it.
    pub(super) fn next(&mut self, method: &str, route: &str) -> Option<(Fault, When)> {
        self.count += 1;
        if self.crashed {
            return Some((Fault::Crash, When::Before));
        }
        if self.down {
            return Some((Fault::BadGateway, When::Before));
        }
        let of_kind = self.next_of_kind(&format!("{method} {route}"));
        let at = self.planned.iter().position(|(nth, ..)| *nth == self.count);
        let of_number = at.map(|at| self.planned.remove(at)).map(|(_, fault, when)| (fault, when));
        let (fault, when) = of_number.or(of_kind)?;
        if fault == Fault::Crash {
            self.crashed = true;
        }
        Some((fault, if fault.is_before() { When::Before } else { when }))
    }

    fn next_of_kind(&mut self, call: &str) -> Option<(Fault, When)> {
        let mut struck = None;
        self.by_route.retain_mut(|planned| {
            if !fits(&planned.pattern, call) {
                return true;
            }
            if planned.passes > 0 || struck.is_some() {
                planned.passes = planned.passes.saturating_sub(1);
                return true;
            }
            struck = Some((planned.fault, planned.when));
            false
        });
        struck
    }

    /// The acts that are due at the call that comes next.
    pub(super) fn due_hooks(&mut self, method: &str, route: &str) -> Vec<Hook> {
        let next = self.count + 1;
        let (due, later) = std::mem::take(&mut self.hooks).into_iter().partition(|(nth, _)| *nth == next);
        self.hooks = later;
        let is_it = |(of, at, _): &(&str, &str, Hook)| *of == method && *at == route;
        let (before, later) = std::mem::take(&mut self.before).into_iter().partition(is_it);
        self.before = later;
        let due: Vec<(usize, Hook)> = due;
        let before: Vec<(&str, &str, Hook)> = before;
        due.into_iter().map(|(_, act)| act).chain(before.into_iter().map(|(.., act)| act)).collect()
    }
}

/// Whether a text is what a pattern describes, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text
            .strip_prefix(head)
            .is_some_and(|text| (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| fits(rest, text)))),
    }
}

impl World {
    /// The process that crashed was started again.
    pub fn restart(&self) {
        self.faults(|faults| faults.crashed = false);
    }

    /// Whether the process that calls is dead.
    pub fn crashed(&self) -> bool {
        self.faults(|faults| faults.crashed)
    }
}
