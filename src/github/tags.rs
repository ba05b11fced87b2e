//! Answers kept with their tags, so that a read that changed nothing does not count on the rate limit (GitHub Docs, "Best
//! practices for using the REST API", conditional requests).
//!
//! Only single things are kept. A page of a list is not: its tag may stay the same while a next page appears behind it.

use std::collections::VecDeque;

use super::transport::Response;

/// At most so many answers are kept.
const MOST_KEPT: usize = 128;

/// A longer body is not kept (bytes): 128 of them stay below 32 MiB.
const MOST_KEPT_BYTES: usize = 256 * 1024;

/// The kept answers of one client, and so of one account: oldest first, each with its path.
#[derive(Default)]
pub(super) struct Tags {
    kept: VecDeque<(String, String, Response)>,
}

impl Tags {
    /// The tag to ask with, if an answer of this path is kept.
    pub(super) fn tag(&self, path: &str) -> Option<String> {
        self.kept.iter().find(|(kept, ..)| kept == path).map(|(_, tag, _)| tag.clone())
    }

    /// What stands for an answer that says "not modified": the kept one, if it was asked about with this very tag.
    pub(super) fn unchanged(&self, path: &str, tag: &str) -> Option<Response> {
        let same = |(kept, kept_tag, _): &&(String, String, Response)| kept == path && kept_tag == tag;
        self.kept.iter().find(same).map(|(_, _, response)| response.clone())
    }

    /// Keeps an answer if it has a tag and is worth keeping; what was kept for the path goes.
    pub(super) fn keep(&mut self, path: &str, response: &Response) {
        self.kept.retain(|(kept, ..)| kept != path);
        let Some(tag) = response.header("etag") else { return };
        if response.status != 200 || response.body.len() > MOST_KEPT_BYTES {
            return;
        }
        if self.kept.len() >= MOST_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((path.to_owned(), tag.to_owned(), response.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(tag: &str, body: usize) -> Response {
        Response { status: 200, headers: vec![("etag".to_owned(), tag.to_owned())], body: vec![b' '; body] }
    }

    #[test]
    fn the_newest_answer_of_a_path_is_kept_and_the_number_is_bounded() {
        let mut tags = Tags::default();
        tags.keep("/a", &answer("1", 3));
        tags.keep("/a", &answer("2", 4));
        assert_eq!(tags.tag("/a").as_deref(), Some("2"));
        assert_eq!(tags.unchanged("/a", "2").unwrap().body.len(), 4);
        assert_eq!(tags.unchanged("/a", "1"), None, "a late answer to an old question");
        for n in 0..MOST_KEPT {
            tags.keep(&format!("/b{n}"), &answer("x", 0));
        }
        assert_eq!((tags.tag("/a"), tags.kept.len()), (None, MOST_KEPT));
        tags.keep("/b5", &answer("y", MOST_KEPT_BYTES + 1));
        assert_eq!(tags.tag("/b5"), None, "an old answer does not stand for a longer one");
    }
}
