//! The client: the port over a transport. Reads are repeated a little, writes are sent exactly once.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::known::{Known, repo_of};
use super::tags::Tags;
use super::transport::{Method, Request, Response, Transport};
use super::types::{RepoName, Repository};
use super::{Error, Result, classify, graphql};

/// What may stand in a path segment as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A read that failed for the moment is tried so many times in all.
const READ_TRIES: u32 = 3;

/// Redirects that a read follows, within the same API.
const REDIRECTS: u32 = 3;

/// At most so many pages of a list: 100 items each, far beyond any list that Wardroom reads.
const MOST_PAGES: u32 = 200;

/// The client. See [`super::GitHub`] for what it can do.
pub struct Rest<T> {
    transport: T,
    identity: Identity,
    /// Seconds since 1970 of the newest `Date`; 0 before the first.
    date: AtomicI64,
    tags: Mutex<Tags>,
    known: Known,
}

/// What kind of account the transport acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The owner of a token: `GET /user` tells who.
    Token,
    /// A GitHub App: `GET /app` tells its slug.
    App,
}

impl<T: Transport> Rest<T> {
    /// A client over a transport.
    pub fn new(transport: T, identity: Identity) -> Self {
        Rest { transport, identity, date: AtomicI64::new(0), tags: Mutex::default(), known: Known::default() }
    }

    /// The transport, for those who own it.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    pub(super) fn newest_date(&self) -> Option<Timestamp> {
        let seconds = self.date.load(Ordering::Relaxed);
        if seconds == 0 { None } else { Timestamp::from_second(seconds).ok() }
    }

    fn see_date(&self, response: &Response) {
        if let Some(date) = self.date_of(response) {
            self.date.fetch_max(date.as_second(), Ordering::Relaxed);
        }
    }

    /// The answer's `Date`. One that is ten years off is nonsense.
    fn date_of(&self, response: &Response) -> Option<Timestamp> {
        let date = jiff::fmt::rfc2822::parse(response.header("date")?).ok()?.timestamp();
        let off = date.duration_since(self.transport.now()).abs();
        (off < SignedDuration::from_hours(24 * 3653)).then_some(date)
    }

    fn tags(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that an answer was given, by GitHub's clock where it says so.
    fn now_by(&self, response: &Response) -> Timestamp {
        self.date_of(response).unwrap_or_else(|| self.transport.now())
    }

    /// A read: tried a little, redirects followed within the API. A read of a `single` thing asks whether it changed.
    pub(super) async fn read(&self, what: &str, path: &str, single: bool) -> Result<Response> {
        let mut path = self.known.present(path);
        if let Some(refused) = self.known.refused(Method::Get, &path, self.transport.now()) {
            return Err(refused);
        }
        for _ in 0..=REDIRECTS {
            let response = self.read_once(what, &path, single).await?;
            match response.status {
                200..=299 => return Ok(response),
                301 | 302 | 307 | 308 => {
                    let next = match response.header("location").and_then(|to| self.within_api(to)) {
                        Some(next) => Some(next),
                        None => self.follow_rename(what, &path).await?,
                    };
                    match next {
                        Some(next) => path = next,
                        None => return Err(self.failure(what, (Method::Get, &path), &response)),
                    }
                }
                _ => return Err(self.failure(what, (Method::Get, &path), &response)),
            }
        }
        Err(Error::Moved { what: what.to_owned(), to: None })
    }

    /// The path under the new name of a repository that was renamed; `None` if it was not. GitHub's redirects go by the
    /// repository's number, for a renamed one as for an issue that moved to another: only what the repository itself is
    /// called tells them apart. One that went to another owner is not followed: that is a person's decision.
    async fn follow_rename(&self, what: &str, path: &str) -> Result<Option<String>> {
        let Some((repo, _)) = repo_of(path) else { return Ok(None) };
        let mut at = repo_path(&repo, "");
        for _ in 0..=REDIRECTS {
            let response = self.read_once(what, &at, false).await?;
            if response.status == 200 {
                let found: Option<Repository> = serde_json::from_slice(&response.body).ok();
                let Some(name) = found.map(|found| found.full_name).filter(|name| *name != repo) else { break };
                if !name.owner().eq_ignore_ascii_case(repo.owner()) {
                    break;
                }
                self.known.renamed(repo, name);
                return Ok(Some(self.known.present(path)));
            }
            let to = response.header("location").and_then(|to| to.strip_prefix(self.transport.base()));
            let by_number = |to: &&str| {
                let number = to.strip_prefix("/repositories/");
                number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            };
            match to.filter(|to| by_number(to) || repo_of(to).is_some_and(|(_, rest)| rest.is_empty())) {
                Some(to) if response.status == 301 => at = to.to_owned(),
                _ => break,
            }
        }
        Ok(None)
    }

    async fn read_once(&self, what: &str, path: &str, single: bool) -> Result<Response> {
        let mut last = None;
        for _ in 0..READ_TRIES {
            let etag = if single { self.tags().tag(path) } else { None };
            let request = Request { method: Method::Get, path: path.to_owned(), body: None, etag: etag.clone() };
            match self.transport.send(request).await {
                Ok(response) if response.status >= 500 => {
                    self.see_date(&response);
                    last = Some(format!("status {}", response.status));
                }
                Ok(response) if (200..300).contains(&response.status) && !is_json(&response) => {
                    last = Some("an answer that is no JSON".to_owned());
                }
                Ok(response) => {
                    self.see_date(&response);
                    let unchanged = etag.filter(|_| response.status == 304);
                    if let Some(kept) = unchanged.and_then(|tag| self.tags().unchanged(path, &tag)) {
                        return Ok(kept);
                    }
                    if single {
                        self.tags().keep(path, &response);
                    }
                    return Ok(response);
                }
                Err(error) if error.barred => return Err(Error::Barred(error.why)),
                Err(error) => last = Some(error.why),
            }
        }
        Err(Error::Unavailable { what: what.to_owned(), why: last.unwrap_or_else(|| "no answer".to_owned()) })
    }

    /// The path of an address below our own API; `None` for any other. A redirect by numeric id is a move.
    fn within_api(&self, address: &str) -> Option<String> {
        let rest = address.strip_prefix(self.transport.base())?;
        let moved = rest.starts_with("/repositories/");
        (rest.starts_with('/') && !moved).then(|| rest.to_owned())
    }

    pub(super) async fn get<A: DeserializeOwned>(&self, what: &str, path: &str) -> Result<A> {
        let response = self.read(what, path, true).await?;
        decode(&response).map_err(|why| Error::Unavailable { what: what.to_owned(), why })
    }

    /// All pages of a list. Each page is asked for by its number on our own path: an absolute `next` address could lead
    /// elsewhere, and octocrab sends it without authentication on servers other than github.com.
    pub(super) async fn list<A: DeserializeOwned>(&self, what: &str, path: &str) -> Result<Vec<A>> {
        let mut all = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        for page in 1..=MOST_PAGES {
            let response = self.read(what, &format!("{path}{joint}per_page=100&page={page}"), false).await?;
            let items: Vec<A> = decode(&response).map_err(|why| Error::Unavailable { what: what.to_owned(), why })?;
            let count = items.len();
            all.extend(items);
            let next = response.header("link").map(|link| link.contains("rel=\"next\""));
            // GitHub-like servers may leave the header out; a page that is not full is the last one then.
            if !next.unwrap_or(count == 100) || count == 0 {
                return Ok(all);
            }
        }
        Err(Error::Unavailable {
            what: what.to_owned(),
            why: format!("the list does not end after {MOST_PAGES} pages"),
        })
    }

    /// The first page of a list, 100 items: for lists that come newest first and whose end does not matter.
    pub(super) async fn first_page<A: DeserializeOwned>(&self, what: &str, path: &str) -> Result<Vec<A>> {
        let response = self.read(what, &format!("{path}?per_page=100"), false).await?;
        decode(&response).map_err(|why| Error::Unavailable { what: what.to_owned(), why })
    }

    /// All pages of a list that knows no page numbers: each page's `Link` names the cursor of the next one. Only the
    /// cursor is taken from it, for the reason given at [`Rest::list`].
    pub(super) async fn list_by_cursor<A: DeserializeOwned>(&self, what: &str, path: &str) -> Result<Vec<A>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        for _ in 1..=MOST_PAGES {
            let response = self.read(what, &format!("{path}&per_page=100{cursor}"), false).await?;
            let items: Vec<A> = decode(&response).map_err(|why| Error::Unavailable { what: what.to_owned(), why })?;
            all.extend(items);
            match response.header("link").and_then(|link| next_cursor(link, "after")) {
                // A cursor that leads to itself would go round for ever.
                Some(next) if format!("&after={}", segment(&next)) != cursor => {
                    cursor = format!("&after={}", segment(&next));
                }
                _ => return Ok(all),
            }
        }
        Err(Error::Unavailable {
            what: what.to_owned(),
            why: format!("the list does not end after {MOST_PAGES} pages"),
        })
    }

    /// A write: one request. Its answer as it is, whatever the status; an answer that was lost is `Unknown`.
    pub(super) async fn write(&self, what: &str, method: Method, path: &str, body: Option<Value>) -> Result<Response> {
        let path = self.known.present(path);
        if let Some(refused) = self.known.refused(method, &path, self.transport.now()) {
            return Err(refused);
        }
        let response = self.write_once(what, method, &path, body.clone()).await?;
        if response.status != 301 {
            return Ok(response);
        }
        // A redirect did nothing: under the new name the same call is made for the first time.
        match self.follow_rename(what, &path).await? {
            Some(next) => self.write_once(what, method, &next, body).await,
            None => Ok(response),
        }
    }

    async fn write_once(&self, what: &str, method: Method, path: &str, body: Option<Value>) -> Result<Response> {
        let request = Request { method, path: path.to_owned(), body, etag: None };
        match self.transport.send(request).await {
            Ok(response) => {
                self.see_date(&response);
                Ok(response)
            }
            Err(error) if error.barred => Err(Error::Barred(error.why)),
            Err(error) if error.sent => Err(Error::Unknown { what: what.to_owned(), why: error.why }),
            Err(error) => Err(Error::Unavailable { what: what.to_owned(), why: error.why }),
        }
    }

    /// A write whose answer is decoded. An answer of success that cannot be read is `Unknown`: it was done.
    pub(super) async fn send<A: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<A> {
        let response = self.write(what, method, path, Some(body)).await?;
        if !(200..300).contains(&response.status) {
            return Err(self.failure(what, (method, path), &response));
        }
        decode(&response).map_err(|why| Error::Unknown { what: what.to_owned(), why })
    }

    /// A write whose answer does not matter beyond success.
    pub(super) async fn send_only(&self, what: &str, method: Method, path: &str, body: Option<Value>) -> Result<()> {
        let response = self.write(what, method, path, body).await?;
        self.done(what, (method, path), &response)
    }

    /// Whether a write succeeded. A success that is not GitHub's own JSON may come from something in between, which
    /// passed nothing on: it is `Unknown`.
    pub(super) fn done(&self, what: &str, asked: (Method, &str), response: &Response) -> Result<()> {
        if !(200..300).contains(&response.status) {
            return Err(self.failure(what, asked, response));
        }
        if is_json(response) {
            return Ok(());
        }
        Err(Error::Unknown { what: what.to_owned(), why: "an answer that is no JSON".to_owned() })
    }

    /// The failure that an answer stands for. A limit ends by GitHub's clock, which tells when the next hour begins.
    pub(super) fn failure(&self, what: &str, asked: (Method, &str), response: &Response) -> Error {
        let failure = classify::failure(what, asked, response, self.now_by(response));
        self.known.see(asked.0, asked.1, &failure, self.transport.now());
        failure
    }

    /// A GraphQL query. It reads, so it is tried like a read.
    pub(super) async fn query<A: DeserializeOwned>(&self, what: &str, body: &Value) -> Result<A> {
        let mut body = body.clone();
        let variable = |name: &str| body.pointer(&format!("/variables/{name}")).and_then(Value::as_str);
        let repo = variable("owner").zip(variable("name")).map(|(owner, name)| format!("{owner}/{name}"));
        if let Some(new) = repo.and_then(|repo| self.known.new_name(&repo.parse().ok()?)) {
            body["variables"]["name"] = Value::from(new.name());
        }
        let mut last = "no answer".to_owned();
        for _ in 0..READ_TRIES {
            let request =
                Request { method: Method::Post, path: "/graphql".to_owned(), body: Some(body.clone()), etag: None };
            let response = match self.transport.send(request).await {
                Ok(response) => response,
                Err(error) if error.barred => return Err(Error::Barred(error.why)),
                Err(error) => {
                    last = error.why;
                    continue;
                }
            };
            self.see_date(&response);
            match response.status {
                // Over the limit GraphQL may answer 200 with an error inside; the headers say until when.
                200 if graphql_limited(&response) => return Err(classify::limited(&response, self.now_by(&response))),
                200 => match decode(&response) {
                    Ok(answer) => return Ok(answer),
                    Err(why) => last = why,
                },
                404 | 405 => return Err(Error::Unsupported("GraphQL".to_owned())),
                500.. => last = format!("status {}", response.status),
                _ => return Err(self.failure(what, (Method::Post, "/graphql"), &response)),
            }
        }
        Err(Error::Unavailable { what: what.to_owned(), why: last })
    }
}

fn graphql_limited(response: &Response) -> bool {
    let answer: graphql::Problems = serde_json::from_slice(&response.body).unwrap_or_default();
    answer.errors.iter().any(|problem| problem.kind.as_deref() == Some("RATE_LIMITED"))
}

fn is_json(response: &Response) -> bool {
    response.status == 204 || serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok()
}

/// Decodes a body. The words of an error say where, never what stood there.
fn decode<A: DeserializeOwned>(response: &Response) -> std::result::Result<A, String> {
    serde_json::from_slice(&response.body)
        .map_err(|error| format!("an answer that cannot be read (line {}, column {})", error.line(), error.column()))
}

/// One decoded value of the address that a `Link` header calls `next`: the cursor of the page after this one. The address
/// itself is not followed.
pub(super) fn next_cursor(link: &str, key: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (_, query) = next.split_once('<')?.1.split_once('>')?.0.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
}

/// One path segment, percent-encoded.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// `/repos/{owner}/{name}` and what follows.
pub(super) fn repo_path(repo: &RepoName, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", segment(repo.owner()), segment(repo.name()))
}
