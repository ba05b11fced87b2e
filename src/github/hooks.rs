//! The App's delivery log: GitHub keeps it for three days and sends nothing again by itself (GitHub Docs, "Handling failed
//! webhook deliveries").

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::rest::{Identity, Rest, next_cursor, segment};
use super::transport::Transport;
use super::{Error, Result};

/// Pages that one walk reads at the most: 100 attempts each.
const MOST_PAGES: u32 = 50;

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// The attempt's number.
    pub id: u64,
    /// The delivery's GUID, the same for each attempt.
    pub guid: String,
    /// When it was tried.
    pub delivered_at: Timestamp,
    /// The receiver's status; 0 where it gave none.
    pub status_code: u16,
    /// The event's name.
    pub event: String,
}

#[derive(Deserialize)]
struct Whole {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    payload: Value,
}

impl<T: Transport> Rest<T> {
    pub(super) async fn attempts(&self, since: Timestamp) -> Result<Vec<Attempt>> {
        let what = "the App’s delivery log";
        if self.identity() != Identity::App {
            return Err(Error::Unsupported(format!("{what} to a token")));
        }
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let response = self.read(what, &format!("/app/hook/deliveries?per_page=100{cursor}"), false).await?;
            let page: Vec<Value> = serde_json::from_slice(&response.body)
                .map_err(|_| Error::Unavailable { what: what.to_owned(), why: "it cannot be read".to_owned() })?;
            let page: Vec<Attempt> = page.into_iter().filter_map(readable).collect();
            let done = page.iter().any(|attempt| attempt.delivered_at < since);
            attempts.extend(page.into_iter().filter(|attempt| attempt.delivered_at >= since));
            match response.header("link").and_then(|link| next_cursor(link, "cursor")).filter(|_| !done) {
                Some(next) => cursor = format!("&cursor={}", segment(&next)),
                None => return Ok(attempts),
            }
        }
        // The newest are worth more than none: older ones are left to the sweep.
        tracing::warn!(attempts = attempts.len(), %since, "the App's delivery log is longer than is read at once");
        Ok(attempts)
    }

    pub(super) async fn sent_payload(&self, attempt: u64) -> Result<Option<Value>> {
        let response = self.read("a delivery of the App", &format!("/app/hook/deliveries/{attempt}"), false).await?;
        let whole: Option<Whole> = serde_json::from_slice(&response.body).ok();
        Ok(whole.map(|whole| whole.request.payload))
    }
}

/// One entry. A strange one does not hide the others.
fn readable(entry: Value) -> Option<Attempt> {
    let id = entry.get("id").and_then(Value::as_u64);
    let attempt = serde_json::from_value(entry).ok();
    if attempt.is_none() {
        tracing::warn!(id, "an entry of the App's delivery log cannot be read");
    }
    attempt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cursor_of_a_next_page_is_taken() {
        let link = "<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v1_17>; rel=\"next\"";
        assert_eq!(next_cursor(link, "cursor").as_deref(), Some("v1_17"));
        assert_eq!(
            next_cursor(
                "<https://x/y?cursor=a%2Fb>; rel=\"prev\", <https://evil/?cursor=c%2Fd&x>; rel=\"next\"",
                "cursor"
            )
            .as_deref(),
            Some("c/d")
        );
        for none in ["", "<https://x>; rel=\"next\"", "<https://x?cursor=1>; rel=\"prev\""] {
            assert_eq!(next_cursor(none, "cursor"), None, "{none}");
        }
    }
}
