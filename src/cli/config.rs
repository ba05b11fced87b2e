//! Where GitHub is, who Wardroom is there, and which policy holds: from the environment, a file, and the tracker.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::drive::Options;
use super::{Usage, policy_file};
use crate::domain::checklist::template;
use crate::domain::facts::RepoName;
use crate::domain::policy::{Mode, Policy};
use crate::engine::Engine;
use crate::github::auth::{ConnectError, Credentials};
use crate::github::{self, Config, GitHub, Reach};
use crate::store::Store;
use crate::store::memory::MemoryStore;

/// Looks a variable of the environment up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable that is set and not blank. A workflow passes a secret that does not exist as an empty text.
pub fn var(env: Env<'_>, name: &str) -> Option<String> {
    env(name).filter(|text| !text.trim().is_empty())
}

/// What the environment says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `GITHUB_API_URL`; github.com's by default.
    pub api_url: String,
    /// `GITHUB_GRAPHQL_URL`; derived from the API's address by default.
    pub graphql_url: Option<String>,
    /// The token or the App.
    pub credentials: Credentials,
    /// `WARDROOM_TRACKER`.
    pub tracker: Option<RepoName>,
    /// `GITHUB_REPOSITORY`: the repository that a workflow runs for.
    pub repository: Option<RepoName>,
}

/// Reads the environment. Nothing is sent.
///
/// # Errors
/// A [`Usage`] error that names the variable and where to set it. It holds nothing of a secret.
pub fn settings(env: Env<'_>) -> Result<Settings, Usage> {
    Ok(Settings {
        api_url: var(env, "GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
        graphql_url: var(env, "GITHUB_GRAPHQL_URL"),
        credentials: credentials(env)?,
        tracker: repository(env, "WARDROOM_TRACKER")?,
        repository: repository(env, "GITHUB_REPOSITORY")?,
    })
}

fn repository(env: Env<'_>, name: &str) -> Result<Option<RepoName>, Usage> {
    let Some(text) = var(env, name) else { return Ok(None) };
    let parsed = text.trim().parse();
    parsed.map(Some).map_err(|_| Usage(format!("{name} must be a repository like octo-org/security-reports")))
}

fn credentials(env: Env<'_>) -> Result<Credentials, Usage> {
    let token = secret(env, "WARDROOM_TOKEN")?;
    match (token, var(env, "WARDROOM_APP_ID")) {
        (Some(_), Some(_)) => Err(Usage(
            "WARDROOM_TOKEN and WARDROOM_APP_ID are both set. Set the token, or the App's id and private key, not both"
                .to_owned(),
        )),
        (Some(token), None) => Ok(Credentials::Token(token)),
        (None, Some(id)) => {
            let id = id.trim().parse().map_err(|_| {
                Usage(
                    "WARDROOM_APP_ID must be the App's number: Settings, Developer settings, GitHub Apps, App ID"
                        .to_owned(),
                )
            })?;
            let key = secret(env, "WARDROOM_PRIVATE_KEY")?.ok_or_else(|| {
                Usage(
                    "WARDROOM_APP_ID is set and WARDROOM_PRIVATE_KEY is not. Set it (or WARDROOM_PRIVATE_KEY_FILE) to \
                     the App's private key; in a workflow: WARDROOM_PRIVATE_KEY: ${{ secrets.WARDROOM_PRIVATE_KEY }}"
                        .to_owned(),
                )
            })?;
            Ok(Credentials::App { id, key })
        }
        (None, None) => Err(Usage(
            "WARDROOM_TOKEN is not set. In a workflow, under env: of the step, WARDROOM_TOKEN: ${{ github.token }}, with \
             permissions: issues: write and contents: read; elsewhere a token of the account that Wardroom acts as, or \
             WARDROOM_TOKEN_FILE, or WARDROOM_APP_ID and WARDROOM_PRIVATE_KEY of a GitHub App"
                .to_owned(),
        )),
    }
}

/// A secret from its variable, or from the file that `NAME_FILE` names.
fn secret(env: Env<'_>, name: &str) -> Result<Option<SecretString>, Usage> {
    if let Some(text) = var(env, name) {
        return Ok(Some(SecretString::from(text)));
    }
    let file = format!("{name}_FILE");
    let Some(path) = var(env, &file) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(Some(SecretString::from(text))),
        Ok(_) => Err(Usage(format!("{file} names an empty file"))),
        Err(error) => Err(Usage(format!("could not read the file that {file} names: {error}"))),
    }
}

/// Connects, finds tracker and policy, and builds the engine over an empty store.
///
/// # Errors
/// A [`Usage`] error if configuration or policy are wrong, else what GitHub answered. Nothing was written.
pub async fn engine(settings: &Settings, options: &Options) -> anyhow::Result<Engine> {
    engine_over(settings, options, Arc::new(MemoryStore::new()), &|reach| connect(settings, reach)).await
}

/// Makes a client for some repositories; the first one is the tracker.
pub type Connect<'a> = &'a (dyn Fn(Reach) -> Result<Arc<dyn GitHub>, Usage> + Sync);

/// As [`engine`], over a store and with a client of the caller's.
///
/// # Errors
/// As [`engine`].
pub async fn engine_over(
    settings: &Settings,
    options: &Options,
    store: Arc<dyn Store>,
    connect: Connect<'_>,
) -> anyhow::Result<Engine> {
    let from_file = options.policy.as_deref().map(policy_file::read).transpose()?;
    let tracker = tracker(settings, from_file.as_ref())?;
    let github = connect(Reach { repositories: vec![tracker.clone()], ..Reach::default() })?;
    let mut ahead = None;
    let policy = match from_file {
        Some(policy) if policy.mode == Mode::Off => policy,
        from_file => {
            // A missing repository and a missing file look the same to a read of the file: ask for the repository first.
            github.repository(&tracker).await?;
            ahead = github.server_time().and_then(|theirs| ahead_by(theirs, Timestamp::now()));
            match from_file {
                Some(policy) => policy,
                None => policy_of(github.as_ref(), &tracker).await?,
            }
        }
    };
    let by_workflow = settings.tracker.is_none() && settings.repository.as_ref() == Some(&tracker);
    if let Some(named) = policy.tracker.as_ref().filter(|named| by_workflow && **named != tracker) {
        return Err(Usage(format!(
            "the policy says tracker: {named} and this workflow runs for another repository. Nothing was done. Set \
             WARDROOM_TRACKER to the one that holds the tracking issues"
        ))
        .into());
    }
    let mut repositories = vec![tracker.clone()];
    repositories.extend(policy.reports.repositories.iter().filter(|repo| **repo != tracker).cloned());
    let advisories = policy.advisories.repository.as_ref();
    let public = advisories.into_iter().chain(advisories.and(policy.release_repository()));
    let mut also: Vec<RepoName> = public.filter(|repo| !repositories.contains(repo)).cloned().collect();
    also.dedup();
    let is_more = repositories.len() > 1 || !also.is_empty();
    let github = if is_more { connect(Reach { repositories, also })? } else { github };
    let template = match policy.template.as_deref().filter(|_| policy.mode != Mode::Off) {
        Some(path) => github.file(&tracker, path).await?.ok_or_else(|| {
            Usage(format!("the policy says template: {path}, and the tracker's default branch has no such file"))
        })?,
        None => template::DEFAULT.to_owned(),
    };
    let ahead = ahead.unwrap_or_default();
    let clock = Arc::new(move || Timestamp::now() + ahead);
    let mut engine = Engine::new(github, store, policy, template, tracker, clock);
    engine.write &= !options.dry_run;
    Ok(engine)
}

/// How far GitHub's clock is ahead of this machine's, which may be wrong: what is due, and what an hour is, goes by GitHub's.
/// `Date` counts whole seconds and took a while to come, so a small difference is none. One of ten years is nonsense.
fn ahead_by(theirs: Timestamp, ours: Timestamp) -> Option<SignedDuration> {
    let ahead = theirs.duration_since(ours);
    let sensible = SignedDuration::from_secs(6)..SignedDuration::from_hours(24 * 3653);
    sensible.contains(&ahead.abs()).then_some(ahead)
}

/// A client for these repositories; the first one is the tracker.
///
/// # Errors
/// A [`Usage`] error if addresses or credentials cannot be used.
pub fn connect(settings: &Settings, reach: Reach) -> Result<Arc<dyn GitHub>, Usage> {
    github::connect(&settings.client(reach)).map_err(|error: ConnectError| Usage(error.to_string()))
}

impl Settings {
    /// What a client for these repositories is made from.
    pub fn client(&self, reach: Reach) -> Config {
        Config {
            api_url: self.api_url.clone(),
            graphql_url: self.graphql_url.clone(),
            credentials: self.credentials.clone(),
            reach,
        }
    }
}

/// The webhook's secrets, one a line: two while one takes the other's place.
///
/// # Errors
/// A [`Usage`] error if there is none.
pub fn webhook_secrets(env: Env<'_>) -> Result<Vec<SecretString>, Usage> {
    let text = secret(env, "WARDROOM_WEBHOOK_SECRET")?.ok_or_else(|| {
        Usage(
            "WARDROOM_WEBHOOK_SECRET is not set. Set it (or WARDROOM_WEBHOOK_SECRET_FILE) to the secret that the webhook or \
             the App has on GitHub; two of them, one a line, while one takes the other's place"
                .to_owned(),
        )
    })?;
    let lines = text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(|line| SecretString::from(line.to_owned())).collect())
}

fn tracker(settings: &Settings, policy: Option<&Policy>) -> Result<RepoName, Usage> {
    let named = settings.tracker.clone().or_else(|| settings.repository.clone());
    named.or_else(|| policy.and_then(|policy| policy.tracker.clone())).ok_or_else(|| {
        Usage(
            "which repository holds the tracking issues? Set WARDROOM_TRACKER, for example \
             WARDROOM_TRACKER=octo-org/security-reports, or name a policy with a tracker: in it with --policy FILE"
                .to_owned(),
        )
    })
}

/// The policy on the tracker's default branch; the defaults if there is none.
async fn policy_of(github: &dyn GitHub, tracker: &RepoName) -> anyhow::Result<Policy> {
    match github.file(tracker, policy_file::USUAL_PATH).await? {
        Some(text) => Ok(policy_file::parse(text.as_bytes(), policy_file::USUAL_PATH)?),
        None => Ok(Policy::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_clock_counts_where_the_machines_is_plainly_wrong() {
        let ours: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let cases = [
            ("2026-03-02T09:00:03Z", None),
            ("2026-03-02T08:59:55Z", None),
            ("2026-03-02T09:00:30Z", Some(30)),
            ("2026-03-02T08:00:00Z", Some(-3600)),
            ("9999-12-30T22:00:00Z", None),
            ("0001-01-01T00:00:00Z", None),
        ];
        for (theirs, seconds) in cases {
            let ahead = ahead_by(theirs.parse().unwrap(), ours);
            assert_eq!(ahead.map(|ahead| ahead.as_secs()), seconds, "{theirs}");
        }
    }
}
