//! The App's delivery log: GitHub keeps it for three days and sends nothing again by itself (GitHub Docs, "Handling failed
//! webhook deliveries").

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::rest::{Identity, Rest, segment};
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
            let page: Vec<Attempt> = serde_json::from_slice(&response.body)
                .map_err(|_| Error::Unavailable { what: what.to_owned(), why: "it cannot be read".to_owned() })?;
            let done = page.iter().any(|attempt| attempt.delivered_at < since);
            attempts.extend(page.into_iter().filter(|attempt| attempt.delivered_at >= since));
            match response.header("link").and_then(next_cursor).filter(|_| !done) {
                Some(next) => cursor = format!("&cursor={}", segment(&next)),
                None => return Ok(attempts),
            }
        }
        Err(Error::Unavailable { what: what.to_owned(), why: "it does not end".to_owned() })
    }

    pub(super) async fn sent_payload(&self, attempt: u64) -> Result<Value> {
        let whole: Whole = self.get("a delivery of the App", &format!("/app/hook/deliveries/{attempt}")).await?;
        Ok(whole.request.payload)
    }
}

/// The cursor of the page after this one. Its address is not followed: only the cursor is taken from it.
fn next_cursor(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let query = next.split('?').nth(1)?.split('>').next()?;
    let cursor = query.split('&').find_map(|part| part.strip_prefix("cursor="))?;
    Some(percent_encoding::percent_decode_str(cursor).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cursor_of_a_next_page_is_taken() {
        let link = "<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v1_17>; rel=\"next\"";
        assert_eq!(next_cursor(link).as_deref(), Some("v1_17"));
        assert_eq!(
            next_cursor("<https://x/y?cursor=a%2Fb>; rel=\"prev\", <https://evil/?cursor=c%2Fd&x>; rel=\"next\"")
                .as_deref(),
            Some("c/d")
        );
        for none in ["", "<https://x>; rel=\"next\"", "<https://x?cursor=1>; rel=\"prev\""] {
            assert_eq!(next_cursor(none), None, "{none}");
        }
    }
}
