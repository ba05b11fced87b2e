//! What the client learned of repositories: their new names, and what the token may not do there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Error;
use super::pace::route_of;
use super::rest::repo_path;
use super::transport::Method;
use super::types::RepoName;

/// A call that the token may not make is made again after so long, in case nobody told that rights have changed.
const REFUSED_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How GitHub begins the message of a 403 that a missing permission is behind, whatever the call is about.
const NO_RIGHT: &str = "Resource not accessible by ";

/// It starts empty with the process, which is how a person makes sure that it asks anew.
#[derive(Default)]
pub(super) struct Known {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// From the old name, as it is configured, to the name that GitHub says.
    renamed: HashMap<RepoName, RepoName>,
    /// By method, repository and route.
    refused: HashMap<String, (Error, Timestamp)>,
}

impl Known {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path under the repository's present name.
    pub(super) fn present(&self, path: &str) -> String {
        let moved = repo_of(path).and_then(|(old, rest)| Some(repo_path(self.inner().renamed.get(&old)?, rest)));
        moved.unwrap_or_else(|| path.to_owned())
    }

    /// The present name of a repository, if it has another one than this.
    pub(super) fn new_name(&self, repo: &RepoName) -> Option<RepoName> {
        self.inner().renamed.get(repo).cloned()
    }

    /// Notes a repository's present name.
    pub(super) fn renamed(&self, old: RepoName, new: RepoName) {
        tracing::warn!(%old, %new, "a repository was renamed; put its new name into the configuration");
        self.inner().renamed.insert(old, new);
    }

    /// All new names, each with the old one.
    pub(super) fn new_names(&self) -> Vec<(RepoName, RepoName)> {
        self.inner().renamed.iter().map(|(old, new)| (new.clone(), old.clone())).collect()
    }

    /// Why this call is not made: the same was refused for lack of a right, and nothing has changed since.
    pub(super) fn refused(&self, method: Method, path: &str, now: Timestamp) -> Option<Error> {
        self.inner().refused.get(&key(method, path)?).filter(|(_, until)| *until > now).map(|(error, _)| error.clone())
    }

    /// Notes a failure if it says that the token lacks a right.
    pub(super) fn see(&self, method: Method, path: &str, failure: &Error, now: Timestamp) {
        if let (Error::Forbidden { message, .. }, Some(key)) = (failure, key(method, path))
            && message.starts_with(NO_RIGHT)
        {
            self.inner().refused.insert(key, (failure.clone(), now + REFUSED_LIFE));
        }
    }

    /// Rights have changed.
    pub(super) fn forget_refused(&self) {
        self.inner().refused.clear();
    }
}

/// The repository that a path is about, and the rest of the path.
pub(super) fn repo_of(path: &str) -> Option<(RepoName, &str)> {
    let inside = path.strip_prefix("/repos/")?;
    let (owner, rest) = inside.split_once('/')?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    Some((format!("{owner}/{}", &rest[..end]).parse().ok()?, &rest[end..]))
}

fn key(method: Method, path: &str) -> Option<String> {
    let (repo, _) = repo_of(path)?;
    Some(format!("{} {} {}", method.as_str(), repo.to_string().to_ascii_lowercase(), route_of(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_under_the_present_name() {
        let known = Known::default();
        let name = |text: &str| -> RepoName { text.parse().unwrap() };
        known.renamed(name("octo/old"), name("octo/new"));
        for (path, present) in [
            ("/repos/octo/old", "/repos/octo/new"),
            ("/repos/Octo/Old/issues/7?x=/repos/octo/old", "/repos/octo/new/issues/7?x=/repos/octo/old"),
            ("/repos/octo/old?x", "/repos/octo/new?x"),
            ("/repos/octo/older/issues", "/repos/octo/older/issues"),
            ("/repos/octo", "/repos/octo"),
            ("/users/octo", "/users/octo"),
        ] {
            assert_eq!(known.present(path), present);
        }
        assert_eq!(known.new_names(), [(name("octo/new"), name("octo/old"))]);
    }

    #[test]
    fn a_missing_right_is_for_the_kind_of_call_and_a_locked_issue_is_none() {
        let known = Known::default();
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let forbidden = |message: &str| Error::Forbidden {
            what: "x".to_owned(),
            message: message.to_owned(),
            hint: "y".to_owned(),
        };
        known.see(Method::Post, "/repos/octo/a/issues/1/comments", &forbidden("issue is locked"), now);
        assert_eq!(known.refused(Method::Post, "/repos/octo/a/issues/1/comments", now), None);
        let error = forbidden("Resource not accessible by integration");
        known.see(Method::Post, "/repos/octo/a/issues/1/comments", &error, now);
        let asked =
            |path: &str, hours| known.refused(Method::Post, path, now + SignedDuration::from_hours(hours)).is_some();
        assert!(asked("/repos/Octo/A/issues/2/comments", 23));
        assert!(!asked("/repos/octo/a/issues/1/comments", 24));
        assert!(!asked("/repos/octo/b/issues/1/comments", 0) && !asked("/repos/octo/a/issues/1/labels", 0));
        known.forget_refused();
        assert!(!asked("/repos/octo/a/issues/1/comments", 0));
    }
}
