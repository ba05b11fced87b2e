//! Repository security advisories: who may do what with them, which states follow which, what is refused.
//!
//! After GitHub Docs, "REST API endpoints for repository security advisories", and what projects report of its behaviour.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::handle::Reply;
use super::json::{object, time};
use super::routes::Target;
use super::world::{Identity, Repo, State, Visibility, World};
use crate::domain::advisory::facts::{AdvisoryState, CreditType, Vulnerability};
use crate::domain::advisory::{Credit, Cve};
use crate::domain::cvss::{Severity, Vector};
use crate::domain::facts::{RepoName, Role};
use crate::domain::policy::Ecosystem;

const SUMMARY_CHARS: usize = 1024;
const DESCRIPTION_CHARS: usize = 65_535;

/// The letters and digits of a GHSA id.
const ALPHABET: &[u8; 20] = b"23456789cfghjmpqrvwx";

/// An advisory.
#[derive(Clone, Debug)]
pub(super) struct AdvisoryRow {
    pub(super) ghsa: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) severity: Option<Severity>,
    pub(super) vector: Option<Vector>,
    pub(super) state: AdvisoryState,
    pub(super) author: u64,
    pub(super) publisher: Option<u64>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) published: Option<Timestamp>,
    pub(super) closed: Option<Timestamp>,
    /// For a private report whether it was accepted.
    pub(super) accepted: Option<bool>,
    pub(super) vulnerabilities: Vec<Vulnerability>,
    pub(super) cwe_ids: Vec<String>,
    /// Whom, for what, and whether they accepted.
    pub(super) credits: Vec<(u64, CreditType, &'static str)>,
    pub(super) cve: Option<Cve>,
    /// How often a CVE ID was asked for. No answer shows it.
    pub(super) cve_requests: u32,
    pub(super) fork: bool,
}

impl World {
    /// A server without advisories, such as GitHub Enterprise Server.
    pub fn without_advisories(&self) {
        self.state().advisories = false;
    }

    /// Makes a person a security manager of a repository: advisories are theirs like an admin's.
    pub fn security_manager(&self, repo: &RepoName, login: &str) {
        let mut state = self.state();
        let Some(user) = state.user_id(login) else { return };
        if let Some(repo) = state.repo_mut(repo) {
            repo.security_managers.push(user);
        }
    }

    /// GitHub's team gives an advisory its CVE ID, days or weeks after it was asked.
    pub fn assign_cve(&self, repo: &RepoName, ghsa: &str, cve: &str) {
        let Ok(cve) = cve.parse::<Cve>() else { return };
        self.state().change_advisory(repo, ghsa, |row| row.cve = Some(cve));
    }

    /// How often a CVE ID was asked for.
    pub fn cve_requests(&self, repo: &RepoName, ghsa: &str) -> u32 {
        self.state().advisory(repo, ghsa).map_or(0, |row| row.cve_requests)
    }

    /// An advisory as REST shows it to an admin now.
    pub fn advisory_now(&self, repo: &RepoName, ghsa: &str) -> Option<crate::domain::advisory::Advisory> {
        let state = self.state();
        let (repo, row) = state.repo(repo).zip(state.advisory(repo, ghsa))?;
        serde_json::from_value(state.advisory_json(repo, row, true)).ok()
    }

    /// The ids of a repository's advisories, in the order in which they were made.
    pub fn advisories_of(&self, repo: &RepoName) -> Vec<String> {
        let state = self.state();
        state.repo(repo).map(|repo| repo.advisories.iter().map(|row| row.ghsa.clone()).collect()).unwrap_or_default()
    }
}

/// The fields of a request, read and checked.
#[derive(Default)]
pub(super) struct Fields {
    summary: Option<String>,
    description: Option<String>,
    severity: Option<Option<Severity>>,
    vector: Option<Option<Vector>>,
    vulnerabilities: Option<Vec<Vulnerability>>,
    cwe_ids: Option<Vec<String>>,
    credits: Option<Vec<Credit>>,
    cve: Option<Option<Cve>>,
}

fn invalid(field: &str, message: &str) -> Reply {
    Reply::invalid("RepositoryAdvisory", field, "custom", message)
}

/// A refusal in one sentence, as GitHub's description shows it for a state and for a severity.
fn unprocessable(message: &str) -> Reply {
    Reply::with(422, json!({ "message": message, "documentation_url": "https://docs.github.test/rest" }))
}

/// A list that may be null or absent.
fn list<A: serde::de::DeserializeOwned>(body: &Value, name: &str) -> Result<Option<Vec<A>>, Reply> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| invalid(name, "is not a list of what it should be")),
    }
}

impl Fields {
    pub(super) fn read(body: &Value) -> Result<Fields, Reply> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let given = |name: &str| body.get(name).map(|value| value.as_str().map(str::to_owned));
        let mut fields = Fields { summary: text("summary"), description: text("description"), ..Fields::default() };
        for (name, text, most) in
            [("summary", &fields.summary, SUMMARY_CHARS), ("description", &fields.description, DESCRIPTION_CHARS)]
        {
            let length = text.as_ref().map(|text| text.trim().chars().count());
            if length == Some(0) {
                return Err(invalid(name, "can't be blank"));
            }
            if length.is_some_and(|length| length > most) {
                return Err(invalid(name, &format!("is too long (maximum is {most} characters)")));
            }
        }
        if let Some(word) = given("severity") {
            let severity = word.as_deref().map(str::parse::<Severity>).transpose();
            let severity = severity.ok().filter(|severity| *severity != Some(Severity::None));
            fields.severity = Some(severity.ok_or_else(|| invalid("severity", "is not included in the list"))?);
        }
        if let Some(text) = given("cvss_vector_string") {
            let vector = text.as_deref().map(Vector::parse).transpose();
            fields.vector = Some(vector.map_err(|_| invalid("cvss_vector_string", "CVSS vector string is invalid"))?);
        }
        if matches!((&fields.severity, &fields.vector), (Some(Some(_)), Some(Some(_)))) {
            return Err(invalid("severity", "You must choose between severity and cvss_vector_string."));
        }
        if let Some(text) = given("cve_id") {
            let cve = text.as_deref().map(str::parse::<Cve>).transpose();
            fields.cve = Some(cve.map_err(|_| invalid("cve_id", "is not a CVE ID"))?);
        }
        fields.vulnerabilities = list(body, "vulnerabilities")?;
        for one in fields.vulnerabilities.iter().flatten() {
            let word = one.package.as_ref().map(|package| json!(package.ecosystem));
            if word.is_none_or(|word| serde_json::from_value::<Ecosystem>(word).is_err()) {
                return Err(invalid("vulnerabilities", "ecosystem is not included in the list"));
            }
        }
        fields.cwe_ids = list(body, "cwe_ids")?;
        let is_cwe = |id: &String| {
            id.strip_prefix("CWE-").is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
        };
        if !fields.cwe_ids.iter().flatten().all(is_cwe) {
            return Err(invalid("cwe_ids", "is not a CWE"));
        }
        fields.credits = list(body, "credits")?;
        Ok(fields)
    }
}

impl State {
    pub(super) fn advisory(&self, repo: &RepoName, ghsa: &str) -> Option<&AdvisoryRow> {
        self.repo(repo)?.advisories.iter().find(|row| row.ghsa.eq_ignore_ascii_case(ghsa))
    }

    pub(super) fn change_advisory(&mut self, repo: &RepoName, ghsa: &str, change: impl FnOnce(&mut AdvisoryRow)) {
        let now = self.now;
        let Some(repo) = self.repo_mut(repo) else { return };
        if let Some(row) = repo.advisories.iter_mut().find(|row| row.ghsa.eq_ignore_ascii_case(ghsa)) {
            change(row);
            row.updated = now;
        }
    }

    /// Whether an identity may manage the advisories: an admin, a security manager, an App with the permission. The
    /// token of a workflow never may.
    pub(super) fn manages(&self, repo: &Repo, identity: &Identity) -> bool {
        match &identity.permissions {
            Some(permissions) => {
                let covered = identity.repositories.as_ref().is_none_or(|covered| covered.contains(&repo.name));
                let granted = permissions.get("repository_advisories").map(String::as_str) == Some("write");
                covered && granted && !identity.is_actions()
            }
            None => self.role(repo, identity.user) >= Role::Admin || repo.security_managers.contains(&identity.user),
        }
    }

    /// Whether an identity may see an advisory: everyone a published one, else its managers, its author, and an App that
    /// may read them.
    fn may_see(&self, repo: &Repo, identity: &Identity, row: &AdvisoryRow) -> bool {
        let reads = identity.permissions.as_ref().is_some_and(|all| all.contains_key("repository_advisories"));
        row.state == AdvisoryState::Published
            || self.manages(repo, identity)
            || (reads && !identity.is_actions())
            || (identity.permissions.is_none() && row.author == identity.user)
    }

    pub(super) fn advisory_call(
        &mut self,
        call: (&str, &str),
        repo: &Repo,
        identity: &Identity,
        target: &Target,
        body: &Value,
    ) -> Reply {
        if !self.advisories {
            return Reply::not_found();
        }
        let ghsa = target.segments.get(4).cloned().unwrap_or_default();
        match call {
            ("GET", "R/security-advisories") => self.list_advisories(repo, identity, target),
            ("POST", "R/security-advisories") => self.create_advisory(repo, identity, body),
            ("POST", "R/security-advisories/reports") => self.report_privately(repo, identity, body),
            (method, route) => {
                let row = self.advisory(&repo.name, &ghsa).filter(|row| self.may_see(repo, identity, row)).cloned();
                let Some(row) = row else { return Reply::not_found() };
                match (method, route) {
                    ("GET", "R/security-advisories/{ghsa}") => {
                        Reply::ok(self.advisory_json(repo, &row, identity.app.is_none()))
                    }
                    ("PATCH", "R/security-advisories/{ghsa}") => self.edit_advisory(repo, identity, &row, body),
                    ("POST", "R/security-advisories/{ghsa}/cve") => self.request_cve(repo, identity, &row),
                    _ => Reply::not_found(),
                }
            }
        }
    }

    /// A page of the list. It goes on behind a cursor, and knows no page numbers.
    fn list_advisories(&self, repo: &Repo, identity: &Identity, target: &Target) -> Reply {
        let state = target.get("state");
        let mut rows: Vec<&AdvisoryRow> = repo
            .advisories
            .iter()
            .filter(|row| self.may_see(repo, identity, row))
            .filter(|row| state.is_none_or(|state| row.state.word() == state))
            .collect();
        match target.get("sort").unwrap_or("created") {
            "updated" => rows.sort_by_key(|row| row.updated),
            "published" => rows.sort_by_key(|row| row.published),
            _ => rows.sort_by_key(|row| row.created),
        }
        if target.get("direction").unwrap_or("desc") == "desc" {
            rows.reverse();
        }
        let size = target.number("per_page", 30).clamp(1, 100);
        let start = match target.get("after") {
            None => 0,
            Some(cursor) => {
                let last = BASE64.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let place = last.and_then(|last| rows.iter().position(|row| row.ghsa == last));
                let Some(place) = place else { return Reply::error(400, "Invalid cursor") };
                place + 1
            }
        };
        let page: Vec<&&AdvisoryRow> = rows.iter().skip(start).take(size).collect();
        let last = page.last().filter(|_| start + page.len() < rows.len());
        let headers = last.map(|row| {
            let rest: Vec<String> = target
                .query
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "after" | "page"))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let address = format!("{}/repositories/{}/security-advisories", self.base, repo.id);
            let cursor = BASE64.encode(&row.ghsa);
            ("link", format!("<{address}?{}&after={cursor}>; rel=\"next\"", rest.join("&")))
        });
        let shown = page.into_iter().map(|row| self.advisory_json(repo, row, identity.app.is_none())).collect();
        Reply { headers: headers.into_iter().collect(), ..Reply::ok(Value::Array(shown)) }
    }

    fn create_advisory(&mut self, repo: &Repo, identity: &Identity, body: &Value) -> Reply {
        if !self.manages(repo, identity) {
            return refused(identity);
        }
        if repo.visibility != Visibility::Public {
            return Reply::error(403, "Repository security advisories are available for public repositories only.");
        }
        self.add_advisory(repo, identity, body, AdvisoryState::Draft)
    }

    /// A private report, which everyone may make in a public repository.
    pub(super) fn report_privately(&mut self, repo: &Repo, identity: &Identity, body: &Value) -> Reply {
        if repo.visibility != Visibility::Public {
            return Reply::error(403, "Private vulnerability reporting is not enabled for this repository.");
        }
        self.add_advisory(repo, identity, body, AdvisoryState::Triage)
    }

    fn add_advisory(&mut self, repo: &Repo, identity: &Identity, body: &Value, state: AdvisoryState) -> Reply {
        let fields = match Fields::read(body) {
            Ok(fields) => fields,
            Err(refused) => return refused,
        };
        let (Some(summary), Some(description)) = (fields.summary.clone(), fields.description.clone()) else {
            return invalid("summary", "summary and description can't be blank");
        };
        if fields.vulnerabilities.is_none() && state == AdvisoryState::Draft {
            return invalid("vulnerabilities", "is missing");
        }
        let (now, number) = (self.now, self.fresh_id());
        let mut row = AdvisoryRow {
            ghsa: ghsa(number),
            summary,
            description,
            severity: None,
            vector: None,
            state,
            author: identity.user,
            publisher: None,
            created: now,
            updated: now,
            published: None,
            closed: None,
            accepted: (state == AdvisoryState::Triage).then_some(false),
            vulnerabilities: Vec::new(),
            cwe_ids: Vec::new(),
            credits: Vec::new(),
            cve: None,
            cve_requests: 0,
            fork: body.get("start_private_fork").and_then(Value::as_bool).unwrap_or(false),
        };
        if let Err(refused) = self.fill(&mut row, fields) {
            return refused;
        }
        if state == AdvisoryState::Triage {
            // Whoever reports is credited, and has accepted that.
            row.credits = vec![(identity.user, CreditType::Reporter, "accepted")];
        }
        let id = row.ghsa.clone();
        let json = self.advisory_json(repo, &row, identity.app.is_none());
        if let Some(repo) = self.repo_mut(&repo.name) {
            repo.advisories.push(row);
        }
        if state == AdvisoryState::Triage {
            self.advisory_event(&repo.name, &id, "reported", identity.user);
        }
        Reply::with(201, json)
    }

    /// Puts fields into an advisory.
    fn fill(&self, row: &mut AdvisoryRow, fields: Fields) -> Result<(), Reply> {
        let takes_vector_away = fields.vector == Some(None);
        if fields.severity.as_ref().is_some_and(Option::is_some) && row.vector.is_some() && !takes_vector_away {
            return Err(unprocessable("Cannot update severity value when CVSS is set."));
        }
        if let Some(vector) = fields.vector {
            row.severity = vector.as_ref().map(Vector::severity).filter(|severity| *severity != Severity::None);
            row.vector = vector;
        }
        if let Some(severity) = fields.severity {
            row.severity = severity.or(row.severity);
        }
        if let Some(credits) = fields.credits {
            let mut all = Vec::new();
            for credit in credits {
                let user = self.user_id(&credit.login).ok_or_else(|| invalid("credits", "no such user"))?;
                let known = row.credits.iter().find(|(known, kind, _)| *known == user && *kind == credit.kind);
                all.push((user, credit.kind, known.map_or("pending", |(_, _, state)| *state)));
            }
            row.credits = all;
        }
        row.summary = fields.summary.unwrap_or_else(|| row.summary.clone());
        row.description = fields.description.unwrap_or_else(|| row.description.clone());
        row.vulnerabilities = fields.vulnerabilities.unwrap_or_else(|| row.vulnerabilities.clone());
        row.cwe_ids = fields.cwe_ids.unwrap_or_else(|| row.cwe_ids.clone());
        row.cve = fields.cve.unwrap_or_else(|| row.cve.clone());
        Ok(())
    }

    pub(super) fn edit_advisory(
        &mut self,
        repo: &Repo,
        identity: &Identity,
        before: &AdvisoryRow,
        body: &Value,
    ) -> Reply {
        let manages = self.manages(repo, identity);
        let mine = identity.permissions.is_none() && before.author == identity.user;
        if !manages && (!mine || body.get("state").is_some()) {
            return refused(identity);
        }
        let fields = match Fields::read(body) {
            Ok(fields) => fields,
            Err(refused) => return refused,
        };
        if fields.vulnerabilities.as_ref().is_some_and(Vec::is_empty) {
            return invalid("vulnerabilities", "Advisory must have at least one vulnerability");
        }
        let mut row = before.clone();
        if let Err(refused) = self.fill(&mut row, fields) {
            return refused;
        }
        let mut published = false;
        if let Some(word) = body.get("state").and_then(Value::as_str) {
            let wanted: AdvisoryState = serde_json::from_value(json!(word)).unwrap_or_default();
            if !may_become(before.state, wanted) {
                let message = format!("Invalid state transition from `{}` to `{word}`.", before.state.word());
                return unprocessable(&message);
            }
            if wanted == AdvisoryState::Published && row.vulnerabilities.is_empty() {
                return invalid("vulnerabilities", "Advisory must have at least one vulnerability");
            }
            published = wanted == AdvisoryState::Published && before.state != wanted;
            if before.state == AdvisoryState::Triage && wanted == AdvisoryState::Draft {
                row.accepted = Some(true);
            }
            if published {
                // The private fork is deleted with everything in it.
                (row.published, row.publisher, row.fork) = (Some(self.now), Some(identity.user), false);
            }
            row.closed = (wanted == AdvisoryState::Closed).then_some(row.closed.unwrap_or(self.now));
            row.state = wanted;
        }
        let changed = row.clone();
        self.change_advisory(&repo.name, &before.ghsa, |known| *known = row);
        if published {
            self.advisory_event(&repo.name, &before.ghsa, "published", identity.user);
        }
        let changed = AdvisoryRow { updated: self.now, ..changed };
        Reply::ok(self.advisory_json(repo, &changed, identity.app.is_none()))
    }

    pub(super) fn request_cve(&mut self, repo: &Repo, identity: &Identity, row: &AdvisoryRow) -> Reply {
        if !self.manages(repo, identity) || repo.visibility != Visibility::Public {
            return Reply::error(403, "CVE requests are available to admins of public repositories only.");
        }
        if !matches!(row.state, AdvisoryState::Draft | AdvisoryState::Published) {
            return invalid("state", "A CVE can be requested for drafts and published advisories only.");
        }
        if row.cve.is_some() {
            return invalid("cve_id", "The advisory has a CVE ID already.");
        }
        if row.vulnerabilities.iter().all(|one| one.vulnerable_version_range.is_none()) {
            return invalid("vulnerabilities", "Affected versions are missing.");
        }
        // Nothing that can be read changes.
        if let Some(repo) = self.repo_mut(&repo.name)
            && let Some(known) = repo.advisories.iter_mut().find(|known| known.ghsa == row.ghsa)
        {
            known.cve_requests += 1;
        }
        Reply::with(202, json!({}))
    }

    /// A repository-advisory. Apps are not told of private forks.
    pub(super) fn advisory_json(&self, repo: &Repo, row: &AdvisoryRow, is_person: bool) -> Value {
        let mut identifiers = vec![json!({ "type": "GHSA", "value": row.ghsa })];
        identifiers.extend(row.cve.iter().map(|cve| json!({ "type": "CVE", "value": cve })));
        let cvss = |fits: bool| {
            let vector = row.vector.as_ref().filter(|_| fits);
            vector.map(|vector| {
                json!({ "vector_string": vector.to_string(), "score": f64::from(vector.score().tenths()) / 10.0 })
            })
        };
        let four = row.vector.as_ref().is_some_and(|vector| vector.version() == "4.0");
        let cwes: Vec<Value> =
            row.cwe_ids.iter().map(|id| json!({ "cwe_id": id, "name": format!("The weakness {id}") })).collect();
        let credits: Vec<Value> =
            row.credits.iter().map(|(user, kind, _)| json!({ "login": self.login(*user), "type": kind })).collect();
        let detailed =
            row.credits.iter().filter(|(user, ..)| self.user(*user).is_some()).map(
                |(user, kind, state)| json!({ "user": self.user_json(Some(*user)), "type": kind, "state": state }),
            );
        let fork = (row.fork && is_person).then(|| self.fork_json(repo, row));
        json!({
            "ghsa_id": row.ghsa, "cve_id": row.cve,
            "url": format!("{}/security-advisories/{}", self.repo_url(&repo.name), row.ghsa),
            "html_url": format!("https://github.test/{}/security/advisories/{}", repo.name, row.ghsa),
            "summary": row.summary, "description": row.description, "severity": row.severity,
            "author": self.user_json(Some(row.author)), "publisher": self.user_json(row.publisher),
            "identifiers": identifiers, "state": row.state, "created_at": time(row.created),
            "updated_at": time(row.updated), "published_at": row.published.map(time),
            "closed_at": row.closed.map(time), "withdrawn_at": null,
            "submission": row.accepted.map(|accepted| json!({ "accepted": accepted })),
            "vulnerabilities": row.vulnerabilities, "cvss": cvss(true),
            "cvss_severities": { "cvss_v3": cvss(!four), "cvss_v4": cvss(four) }, "cwes": cwes, "cwe_ids": row.cwe_ids,
            "credits": credits, "credits_detailed": detailed.collect::<Vec<_>>(), "collaborating_users": [],
            "collaborating_teams": [], "private_fork": fork,
        })
    }

    /// The private fork, with the keys of a simple-repository.
    fn fork_json(&self, repo: &Repo, row: &AdvisoryRow) -> Value {
        let mut fork = object(self.repo_json(repo));
        let others = ["clone_url", "git_url", "ssh_url", "svn_url", "mirror_url"];
        let plain = ["id", "node_id", "owner", "url", "description"];
        fork.retain(|key, _| key.ends_with("_url") && !others.contains(&key.as_str()) || plain.contains(&key.as_str()));
        let name = format!("{}-{}", repo.name.name().chars().take(80).collect::<String>(), row.ghsa.to_lowercase());
        fork.extend(object(json!({
            "full_name": format!("{}/{name}", repo.name.owner()), "name": name, "private": true, "fork": true,
        })));
        Value::Object(fork)
    }
}

fn refused(identity: &Identity) -> Reply {
    let of_app = "Resource not accessible by integration";
    let of_person = "You must be an admin or a security manager of this repository.";
    Reply::error(403, if identity.app.is_some() { of_app } else { of_person })
}

/// Which state may follow which. To stay is no change.
fn may_become(from: AdvisoryState, to: AdvisoryState) -> bool {
    use AdvisoryState::{Closed, Draft, Published, Triage};
    from == to || matches!((from, to), (Triage, Draft | Closed) | (Draft, Published | Closed) | (Closed, Draft))
}

/// An id out of GitHub's alphabet, the same for the same number.
fn ghsa(number: u64) -> String {
    let mut rest = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut groups = Vec::new();
    for _ in 0..3 {
        let mut group = String::new();
        for _ in 0..4 {
            let place = usize::try_from(rest % 20).unwrap_or(0);
            group.push(ALPHABET.get(place).map_or('2', |byte| char::from(*byte)));
            rest /= 20;
        }
        groups.push(group);
    }
    format!("GHSA-{}", groups.join("-"))
}
