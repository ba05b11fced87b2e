//! Credentials, and the tokens that are made from them. Secrets are never logged, shown or put into an error.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use octocrab::Octocrab;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Reach;
use super::octo::{Address, Proof, raw};
use super::rest::{Identity, repo_path, segment};
use super::transport::{Method, Request, Response, TransportError};
use super::types::RepoName;

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
    /// One token an owner. The lock is held while one is made: many calls at once make one token.
    minted: Mutex<HashMap<String, Minted>>,
}

struct Minted {
    client: Octocrab,
    ends: Timestamp,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
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
            Kind::App(auth) => auth.installation(address, &owner_of(request, &auth.reach.repositories)).await,
        }
    }

    /// Drops the token that a 401 refused. Returns whether a new one can be made.
    pub(super) async fn renew(&self, request: &Request) -> bool {
        match &self.kind {
            Kind::Token(_) => false,
            Kind::App(_) if request.path.starts_with("/app") => false,
            Kind::App(auth) => auth.minted.lock().await.remove(&owner_of(request, &auth.reach.repositories)).is_some(),
        }
    }
}

/// The owner whose installation a call needs, in lower case.
fn owner_of(request: &Request, repositories: &[RepoName]) -> String {
    let in_path = request.path.strip_prefix("/repos/").and_then(|rest| rest.split('/').next());
    let in_query = request.body.as_ref().and_then(|body| body.pointer("/variables/owner")?.as_str());
    let tracker = repositories.first().map(RepoName::owner);
    in_path.or(in_query).or(tracker).unwrap_or_default().to_ascii_lowercase()
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
    async fn installation(&self, address: &Address, owner: &str) -> Result<Option<Octocrab>, TransportError> {
        let mut minted = self.minted.lock().await;
        let now = Timestamp::now();
        if let Some(known) = minted.get(owner).filter(|known| known.ends > now + RENEW_BEFORE) {
            return Ok(Some(known.client.clone()));
        }
        let Some(fresh) = self.mint(address, owner, now).await? else { return Ok(None) };
        let client = fresh.client.clone();
        minted.insert(owner.to_owned(), fresh);
        Ok(Some(client))
    }

    async fn mint(&self, address: &Address, owner: &str, now: Timestamp) -> Result<Option<Minted>, TransportError> {
        let failed = |why: String| TransportError { why, sent: false };
        let of_owner = |all: &[RepoName]| -> Vec<RepoName> {
            all.iter().filter(|repo| repo.owner().eq_ignore_ascii_case(owner)).cloned().collect()
        };
        let (needed, also) = (of_owner(&self.reach.repositories), of_owner(&self.reach.also));
        let Some(first) = needed.first().or(also.first()) else {
            return Err(failed(format!("the App was not set up for repositories of {}", segment(owner))));
        };
        let find = Request { method: Method::Get, path: repo_path(first, "/installation"), body: None, etag: None };
        let response = raw(&self.app, address, &find).await.map_err(|error| failed(error.why))?;
        let installation: Installation = match response.status {
            200 => serde_json::from_slice(&response.body)
                .map_err(|_| failed("the App’s installation cannot be read".into()))?,
            401 => {
                return Err(failed(
                    "GitHub does not accept the App’s key: check WARDROOM_APP_ID and WARDROOM_PRIVATE_KEY".into(),
                ));
            }
            404 if needed.is_empty() => return Ok(None),
            404 => {
                return Err(failed(format!(
                    "the App is not installed on {first}: install it under Settings, Developer settings, GitHub Apps, \
                     Install App"
                )));
            }
            status => return Err(failed(format!("the App’s installation cannot be found (status {status})"))),
        };
        let names = |repositories: &[RepoName]| -> Vec<String> {
            repositories.iter().map(|repo| repo.name().to_owned()).collect()
        };
        let mut asked = vec![names(&[needed.clone(), also.clone()].concat())];
        if !also.is_empty() && !needed.is_empty() {
            asked.push(names(&needed));
        }
        // What the installation may lack, by what works without it: the policy file, then advisories.
        let least = json!({ "issues": "write", "metadata": "read" });
        let with = |more: &[(&str, &str)]| {
            let mut permissions = least.clone();
            more.iter().for_each(|(name, level)| permissions[*name] = json!(level));
            permissions
        };
        let (contents, advisories) = (("contents", "read"), ("repository_advisories", "write"));
        let wishes = [with(&[contents, advisories]), with(&[contents]), with(&[advisories]), least.clone()];
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let mut response = Response::default();
        let mut bodies = Vec::new();
        for repositories in &asked {
            bodies.extend(wishes.iter().map(|wish| json!({ "repositories": repositories, "permissions": wish })));
        }
        for body in bodies {
            let ask = Request { method: Method::Post, path: path.clone(), body: Some(body), etag: None };
            response = raw(&self.app, address, &ask).await.map_err(|error| failed(error.why))?;
            // 422: the installation does not have all that was asked for, permissions or repositories.
            if response.status != 422 {
                break;
            }
        }
        if response.status == 422 && needed.is_empty() {
            return Ok(None);
        }
        if response.status != 201 {
            return Err(failed(format!(
                "GitHub gave the App no token (status {}). It needs “Issues: read and write” and “Contents: read” on the \
                 tracker and the report repositories",
                response.status
            )));
        }
        let token: Token =
            serde_json::from_slice(&response.body).map_err(|_| failed("the App’s token cannot be read".into()))?;
        let client = with_token(address, &token.token).map_err(|error| failed(error.to_string()))?;
        Ok(Some(Minted { client, ends: token.expires_at.unwrap_or(now + TOKEN_LIFE) }))
    }
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
    fn a_call_uses_the_installation_of_its_owner() {
        let repositories = vec!["octo/security".parse().unwrap()];
        let call = |path: &str, body| Request { method: Method::Get, path: path.to_owned(), body, etag: None };
        assert_eq!(owner_of(&call("/repos/Acme/mail/issues/1", None), &repositories), "acme");
        assert_eq!(owner_of(&call("/graphql", Some(json!({"variables": {"owner": "Acme"}}))), &repositories), "acme");
        assert_eq!(owner_of(&call("/users/x", None), &repositories), "octo");
    }
}
