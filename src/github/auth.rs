//! Credentials, and the tokens that are made from them. Secrets are never logged, shown or put into an error.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use octocrab::Octocrab;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Reach;
use super::octo::{Address, Proof, is_suspended, raw};
use super::rest::{Identity, repo_path, segment};
use super::transport::{Method, Request, Response, TransportError};
use super::types::{RepoName, Repository};

/// A token is renewed this long before it ends.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// An installation token lives an hour where GitHub does not say until when.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(55);

/// What Wardroom proves itself with.
#[derive(Clone)]
pub enum Credentials {
    /// A token of a person, a workflow or an installation.
    Token(SecretString),
    /// A GitHub App: its numeric id and its private key in PEM.
    App {
        /// The App's numeric id.
        id: u64,
        /// The private key.
        key: SecretString,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credentials::Token(_) => f.write_str("Credentials::Token(…)"),
            Credentials::App { id, .. } => write!(f, "Credentials::App {{ id: {id}, … }}"),
        }
    }
}

/// Why no connection can be made from the configuration. Nothing of a secret is in the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// An address cannot be used.
    #[error("{0} is not an address like https://api.github.com, or GraphQL is on another host than the API")]
    Address(&'static str),
    /// A token would cross a network in the open.
    #[error(
        "{0} begins with http://: the token would be readable on the way. Use https:// (http only on this machine)"
    )]
    Open(&'static str),
    /// The key is no key.
    #[error(
        "WARDROOM_PRIVATE_KEY is not an RSA private key in PEM form: it begins with -----BEGIN RSA PRIVATE KEY----- and \
         keeps its line breaks. Download a new one under Settings, Developer settings, GitHub Apps, Private keys"
    )]
    Key,
    /// The token has characters that no header takes.
    #[error("WARDROOM_TOKEN holds characters that no token has, perhaps a line break; set it again")]
    Token,
    /// The TLS roots of this machine cannot be read.
    #[error("the HTTPS client could not be set up: are the machine's CA certificates installed?")]
    Client,
}

/// Makes and keeps the tokens.
pub struct Auth {
    kind: Kind,
}

enum Kind {
    Token(Octocrab),
    App(Box<AppAuth>),
}

struct AppAuth {
    app: Octocrab,
    /// What its tokens are made for.
    reach: Reach,
    /// One token a scope. The lock is held while one is made: many calls at once make one token.
    minted: Mutex<HashMap<Scope, Minted>>,
}

/// What a token is for: no token reaches more repositories, or may do more there, than its calls need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    /// Whose installation it is, in lower case.
    owner: String,
    /// The repositories that it reaches, all of this owner.
    repositories: Vec<RepoName>,
    rights: Rights,
    /// Whether nothing works without it.
    needed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rights {
    /// The tracker and the report repositories: issues, and the policy's file.
    Incidents,
    /// A repository's advisories.
    Advisories,
    /// The releases of what has advisories.
    Releases,
}

impl Rights {
    /// The permissions to ask for, then with less: an installation may lack some, and much works without them.
    fn wishes(self) -> Vec<Value> {
        match self {
            Rights::Incidents => vec![
                json!({ "issues": "write", "contents": "read", "metadata": "read" }),
                json!({ "issues": "write", "metadata": "read" }),
            ],
            // The last one reads nothing of them: GitHub's answer to a call then names what is missing.
            Rights::Advisories => vec![
                json!({ "repository_advisories": "write", "metadata": "read" }),
                json!({ "repository_advisories": "read", "metadata": "read" }),
                json!({ "metadata": "read" }),
            ],
            Rights::Releases => {
                vec![json!({ "contents": "read", "metadata": "read" }), json!({ "metadata": "read" })]
            }
        }
    }
}

struct Minted {
    client: Octocrab,
    ends: Timestamp,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    /// The settings page of this installation.
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    suspended_at: Option<String>,
}

impl Installation {
    /// Where its owner finds it.
    fn page(&self) -> &str {
        let page = self.html_url.as_deref().filter(|url| url.starts_with("https://") && url.len() < 200);
        let page = page.filter(|url| url.bytes().all(|byte| byte.is_ascii_graphic()));
        page.unwrap_or("Settings, Integrations, GitHub Apps")
    }
}

#[derive(Deserialize)]
struct Token {
    token: SecretString,
    #[serde(default, with = "crate::domain::facts::lenient_time")]
    expires_at: Option<Timestamp>,
}

impl Auth {
    /// Prepares the credentials for calls about these repositories.
    ///
    /// # Errors
    /// [`ConnectError`], before anything is sent.
    pub fn new(credentials: &Credentials, address: &Address, reach: Reach) -> Result<Auth, ConnectError> {
        let kind = match credentials {
            Credentials::Token(token) => Kind::Token(with_token(address, token)?),
            Credentials::App { id, key } => {
                let app = address.client(Proof::App(*id, encoding_key(*id, key)?))?;
                Kind::App(Box::new(AppAuth { app, reach, minted: Mutex::new(HashMap::new()) }))
            }
        };
        Ok(Auth { kind })
    }

    /// What the client asks about itself.
    pub fn identity(&self) -> Identity {
        match self.kind {
            Kind::Token(_) => Identity::Token,
            Kind::App(_) => Identity::App,
        }
    }

    /// The client for a call; `None` where the App is not installed and need not be.
    pub(super) async fn client_for(
        &self,
        address: &Address,
        request: &Request,
    ) -> Result<Option<Octocrab>, TransportError> {
        match &self.kind {
            Kind::Token(client) => Ok(Some(client.clone())),
            Kind::App(auth) if request.path == "/app" || request.path.starts_with("/app/") => {
                Ok(Some(auth.app.clone()))
            }
            Kind::App(auth) => auth.installation(address, scope_of(request, &auth.reach)).await,
        }
    }

    /// Drops the token that was refused. Returns whether a new one can be made.
    pub(super) async fn renew(&self, request: &Request) -> bool {
        match &self.kind {
            Kind::Token(_) => false,
            Kind::App(_) if request.path.starts_with("/app") => false,
            Kind::App(auth) => auth.minted.lock().await.remove(&scope_of(request, &auth.reach)).is_some(),
        }
    }

    /// Drops all tokens that were made: rights have changed.
    pub(super) async fn forget(&self) {
        if let Kind::App(auth) = &self.kind {
            auth.minted.lock().await.clear();
        }
    }
}

/// What a call's token is for.
fn scope_of(request: &Request, reach: &Reach) -> Scope {
    let path = request.path.split('?').next().unwrap_or_default();
    let mut parts = path.strip_prefix("/repos/").unwrap_or_default().split('/');
    let in_path = parts.next().zip(parts.next()).and_then(|(owner, name)| format!("{owner}/{name}").parse().ok());
    let in_query = request.body.as_ref().and_then(|body| body.pointer("/variables/owner")?.as_str());
    let tracker = reach.repositories.first();
    let in_path_owner = in_path.as_ref().map(RepoName::owner);
    let owner = in_path_owner.or(in_query).or(tracker.map(RepoName::owner)).unwrap_or_default().to_ascii_lowercase();
    let of_owner = |all: &[RepoName]| -> Vec<RepoName> {
        all.iter().filter(|repo| repo.owner().eq_ignore_ascii_case(&owner)).cloned().collect()
    };
    let needed = in_path.as_ref().is_none_or(|repo| !reach.also.contains(repo) || reach.repositories.contains(repo));
    let (rights, repositories) = match in_path {
        Some(repo) if parts.next() == Some("security-advisories") => (Rights::Advisories, vec![repo]),
        Some(_) if !needed => (Rights::Releases, of_owner(&reach.also)),
        _ => (Rights::Incidents, of_owner(&reach.repositories)),
    };
    Scope { owner, repositories, rights, needed }
}

fn with_token(address: &Address, token: &SecretString) -> Result<Octocrab, ConnectError> {
    let text = token.expose_secret().trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConnectError::Token);
    }
    let trimmed = SecretString::from(text.to_owned());
    address.client(Proof::Token(trimmed))
}

fn encoding_key(id: u64, key: &SecretString) -> Result<octocrab::EncodingKey, ConnectError> {
    // Secret stores often keep the line breaks as two characters.
    let text = key.expose_secret().replace("\\n", "\n");
    let key = octocrab::EncodingKey::from_rsa_pem(text.trim().as_bytes()).map_err(|_| ConnectError::Key)?;
    // The form alone says little: a key that cannot sign is found here, not in the first call.
    octocrab::auth::create_jwt(id.into(), &key).map_err(|_| ConnectError::Key)?;
    Ok(key)
}

impl AppAuth {
    async fn installation(&self, address: &Address, scope: Scope) -> Result<Option<Octocrab>, TransportError> {
        let mut minted = self.minted.lock().await;
        let now = Timestamp::now();
        if let Some(known) = minted.get(&scope).filter(|known| known.ends > now + RENEW_BEFORE) {
            return Ok(Some(known.client.clone()));
        }
        let Some(fresh) = self.mint(address, &scope, now).await? else { return Ok(None) };
        let client = fresh.client.clone();
        minted.insert(scope, fresh);
        Ok(Some(client))
    }

    /// A new token; `None` where the App is not installed and need not be.
    async fn mint(&self, address: &Address, scope: &Scope, now: Timestamp) -> Result<Option<Minted>, TransportError> {
        let Some(first) = scope.repositories.first() else {
            return Err(barred(format!("the App was not set up for repositories of {}", segment(&scope.owner))));
        };
        let (response, moved) = self.find_installation(address, first).await?;
        let installation: Installation = match response.status {
            200 => serde_json::from_slice(&response.body)
                .map_err(|_| failed("the App’s installation cannot be read".into()))?,
            401 => {
                return Err(barred(
                    "GitHub does not accept the App’s key: check WARDROOM_APP_ID and WARDROOM_PRIVATE_KEY".into(),
                ));
            }
            404 if !scope.needed => return Ok(None),
            404 => {
                return Err(barred(format!(
                    "the App is not installed on {first}: install it under Settings, Developer settings, GitHub Apps, \
                     Install App"
                )));
            }
            status => return Err(failed(format!("the App’s installation cannot be found (status {status})"))),
        };
        if installation.suspended_at.is_some() {
            return Err(barred(suspended(first, &installation)));
        }
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let mut names: Vec<String> = scope.repositories.iter().map(|repo| repo.name().to_owned()).collect();
        let mut response = Response { status: 422, ..Response::default() };
        if moved.is_none() {
            response = self.ask(address, &path, scope.rights, &names).await?;
        }
        // A token is asked for by the repositories' present names.
        if response.status == 422 && self.rename(address, &path, scope, &mut names).await? {
            response = self.ask(address, &path, scope.rights, &names).await?;
        }
        let token: Token = match response.status {
            201 => {
                serde_json::from_slice(&response.body).map_err(|_| failed("the App’s token cannot be read".into()))?
            }
            422 if !scope.needed => return Ok(None),
            403 if is_suspended(&response) => return Err(barred(suspended(first, &installation))),
            422 => {
                return Err(barred(format!(
                    "GitHub gave the App no token (status 422). It needs “Issues: read and write” and “Contents: read” on \
                     the tracker and the report repositories: {}",
                    installation.page()
                )));
            }
            status => return Err(failed(format!("GitHub gave the App no token (status {status})"))),
        };
        let client = with_token(address, &token.token).map_err(|error| failed(error.to_string()))?;
        Ok(Some(Minted { client, ends: token.expires_at.unwrap_or(now + TOKEN_LIFE) }))
    }
}

impl AppAuth {
    /// Asks for a token, with less and less: 422 says that the installation lacks something of what was asked for.
    async fn ask(
        &self,
        address: &Address,
        path: &str,
        rights: Rights,
        names: &[String],
    ) -> Result<Response, TransportError> {
        let mut response = Response::default();
        for permissions in rights.wishes() {
            let body = json!({ "repositories": names, "permissions": permissions });
            let ask = Request { method: Method::Post, path: path.to_owned(), body: Some(body), etag: None };
            response = raw(&self.app, address, &ask).await.map_err(|error| failed(error.why))?;
            if response.status != 422 {
                break;
            }
        }
        Ok(response)
    }

    /// GitHub's answer about the installation for a repository; and the repository's number, if it has another name now.
    async fn find_installation(
        &self,
        address: &Address,
        repo: &RepoName,
    ) -> Result<(Response, Option<u64>), TransportError> {
        let get = |path: String| Request { method: Method::Get, path, body: None, etag: None };
        let asked = get(repo_path(repo, "/installation"));
        let response = raw(&self.app, address, &asked).await.map_err(|error| failed(error.why))?;
        let to = response.header("location").filter(|_| response.status == 301);
        let number = to.and_then(|to| {
            let inside = to.strip_prefix(&address.base)?.strip_prefix("/repositories/")?;
            inside.strip_suffix("/installation")?.parse::<u64>().ok()
        });
        let Some(number) = number else { return Ok((response, None)) };
        let asked = get(format!("/repositories/{number}/installation"));
        Ok((raw(&self.app, address, &asked).await.map_err(|error| failed(error.why))?, Some(number)))
    }

    /// Puts present names in the place of those that were renamed within the owner; whether there were any. The App alone
    /// may not ask what a repository is called, so a token does that may do nothing else.
    async fn rename(
        &self,
        address: &Address,
        path: &str,
        scope: &Scope,
        names: &mut [String],
    ) -> Result<bool, TransportError> {
        let mut any = false;
        for (repo, name) in scope.repositories.iter().zip(names) {
            let (_, Some(number)) = self.find_installation(address, repo).await? else { continue };
            let body = json!({ "permissions": { "metadata": "read" } });
            let ask = Request { method: Method::Post, path: path.to_owned(), body: Some(body), etag: None };
            let answer = raw(&self.app, address, &ask).await.map_err(|error| failed(error.why))?;
            let Ok(token) = serde_json::from_slice::<Token>(&answer.body) else { continue };
            let client = with_token(address, &token.token).map_err(|error| failed(error.to_string()))?;
            let path = format!("/repositories/{number}");
            let read = Request { method: Method::Get, path, body: None, etag: None };
            let answer = raw(&client, address, &read).await.map_err(|error| failed(error.why))?;
            let present = serde_json::from_slice::<Repository>(&answer.body).ok().map(|found| found.full_name);
            if let Some(present) = present.filter(|present| present.owner().eq_ignore_ascii_case(&scope.owner)) {
                present.name().clone_into(name);
                any = true;
            }
        }
        Ok(any)
    }
}

fn failed(why: String) -> TransportError {
    TransportError { why, sent: false, barred: false }
}

fn barred(why: String) -> TransportError {
    TransportError { why, sent: false, barred: true }
}

fn suspended(repo: &RepoName, installation: &Installation) -> String {
    format!("the App’s installation for {repo} is suspended: end that on {}", installation.page())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_no_text() {
        let address = Address::new("https://api.github.com", None).unwrap();
        let token = Credentials::Token(SecretString::from("canary\ntoken".to_owned()));
        let app = Credentials::App { id: 7, key: SecretString::from("canary key".to_owned()) };
        for credentials in [token, app] {
            assert!(!format!("{credentials:?}").contains("canary"));
            let error = Auth::new(&credentials, &address, Reach::default()).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn a_key_that_cannot_sign_is_refused_at_once() {
        let address = Address::new("https://api.github.com", None).unwrap();
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "canary key ".repeat(60));
        let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n");
        for text in [pem.clone(), pem.replace("RSA ", ""), pem.replace("RSA PRIVATE", "PUBLIC"), "7".to_owned()] {
            let app = Credentials::App { id: 7, key: SecretString::from(text) };
            assert_eq!(Auth::new(&app, &address, Reach::default()).err(), Some(ConnectError::Key));
        }
    }

    #[test]
    fn a_token_is_for_no_more_than_its_calls() {
        let repo = |name: &str| -> RepoName { name.parse().unwrap() };
        let reach = Reach {
            repositories: vec![repo("octo/security"), repo("octo/mail"), repo("acme/web")],
            also: vec![repo("octo/server"), repo("else/where")],
        };
        let scope = |path: &str, body| {
            let Scope { owner, repositories, rights, needed } =
                scope_of(&Request { method: Method::Get, path: path.to_owned(), body, etag: None }, &reach);
            let names: Vec<String> = repositories.iter().map(ToString::to_string).collect();
            (owner, names.join(" "), rights, needed)
        };
        let is = |owner: &str, names: &str, rights, needed| (owner.to_owned(), names.to_owned(), rights, needed);
        let octo = is("octo", "octo/security octo/mail", Rights::Incidents, true);
        let query = Some(json!({"variables": {"owner": "Octo"}}));
        for (path, body) in [("/repos/Octo/mail/issues/1", None), ("/graphql", query), ("/users/x", None)] {
            assert_eq!(scope(path, body), octo, "{path}");
        }
        assert_eq!(scope("/repos/acme/web/issues", None), is("acme", "acme/web", Rights::Incidents, true));
        let releases = is("octo", "octo/server", Rights::Releases, false);
        assert_eq!(scope("/repos/octo/server/releases?per_page=1", None), releases);
        for (path, repo, needed) in [
            ("octo/server", "octo/server", false),
            ("octo/mail", "octo/mail", true),
            ("else/where", "else/where", false),
        ] {
            let owner = repo.split('/').next().unwrap();
            let path = format!("/repos/{path}/security-advisories?state=draft");
            assert_eq!(scope(&path, None), is(owner, repo, Rights::Advisories, needed));
        }
    }
}
