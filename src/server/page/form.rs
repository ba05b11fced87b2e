//! A sent form as an act.

use super::scene::{Act, Fault};

/// The longest form that is read, in bytes: a whole issue's text, percent-encoded, and some more.
pub(super) const MOST_BYTES: usize = 512 * 1024;

/// So much of a longer one is taken before the connection is cut.
pub(super) const MOST_TAKEN: usize = 16 * 1024 * 1024;

/// The fields of a form, in their order. A name may come more than once.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(bytes: &[u8]) -> Form {
        Form(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of a field; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The number of the issue that is shown, if there is one.
    pub(super) fn issue(&self) -> Option<u64> {
        self.get("issue").parse().ok()
    }

    /// What it asks for.
    ///
    /// # Errors
    /// What is missing, in words for the person.
    pub(super) fn act(&self) -> Result<Act, String> {
        let issue = self.issue();
        let on_issue =
            || issue.ok_or_else(|| "That form names no issue. Open the issue again and repeat it.".to_owned());
        let filled = |name: &str, what: &str| match self.get(name).trim() {
            "" => Err(format!("{what} is empty, so nothing was sent. Write something and send it again.")),
            _ => Ok(self.get(name).to_owned()),
        };
        Ok(match self.get("do") {
            "file" => {
                Act::File { title: filled("title", "The title")?.trim().to_owned(), text: self.get("text").to_owned() }
            }
            "label" | "unlabel" => Act::Label {
                issue: on_issue()?,
                name: filled("name", "The label")?.trim().to_owned(),
                on: self.get("do") == "label",
            },
            "boxes" => Act::Boxes { issue: on_issue()?, set: self.boxes() },
            "field" => Act::Field {
                issue: on_issue()?,
                name: filled("name", "The field's name")?,
                value: self.get("value").replace(['\r', '\n'], " ").trim().to_owned(),
            },
            "body" => Act::Body { issue: on_issue()?, text: self.get("text").to_owned() },
            "comment" => Act::Comment { issue: on_issue()?, text: filled("text", "The comment")? },
            "close" => {
                let known = ["completed", "not_planned", "duplicate"];
                let reason = known.into_iter().find(|reason| *reason == self.get("reason")).unwrap_or("completed");
                Act::Close { issue: on_issue()?, reason }
            }
            "reopen" => Act::Reopen { issue: on_issue()? },
            "skip" => Act::SkipWait,
            "sweep" => Act::Sweep,
            word => {
                let fault = Fault::ALL.into_iter().find(|fault| fault.word() == word);
                let fault = fault.ok_or_else(|| "The page does not know that button. Load it again.".to_owned())?;
                Act::Try { fault, issue }
            }
        })
    }

    /// The boxes that the sender changed: those that were shown ticked are in `was`, those that are ticked now in `done`.
    /// Boxes that others changed meanwhile are in neither difference, so they stay as they are.
    fn boxes(&self) -> Vec<(String, bool)> {
        let (was, done) = (self.all("was"), self.all("done"));
        let on = done.iter().filter(|key| !was.contains(key)).map(|key| ((*key).to_owned(), true));
        let off = was.iter().filter(|key| !done.contains(key)).map(|key| ((*key).to_owned(), false));
        on.chain(off).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_boxes_that_the_sender_changed_are_set() {
        let form = Form::parse(b"do=boxes&issue=2&was=a&was=b&done=b&done=c");
        let set = vec![("c".to_owned(), true), ("a".to_owned(), false)];
        assert_eq!(form.act(), Ok(Act::Boxes { issue: 2, set }));
    }

    #[test]
    fn a_form_that_lacks_something_says_what() {
        for (form, words) in [
            ("do=file&title=+&text=x", "title is empty"),
            ("do=comment&issue=2&text=%0D%0A", "comment is empty"),
            ("do=comment&text=x", "names no issue"),
            ("do=comment&issue=-1&text=x", "names no issue"),
            ("do=shutdown", "does not know that button"),
            ("", "does not know that button"),
        ] {
            assert!(Form::parse(form.as_bytes()).act().unwrap_err().contains(words), "{form}");
        }
    }

    #[test]
    fn a_field_stays_one_line_and_an_unknown_reason_is_the_usual_one() {
        let field = Form::parse(b"do=field&issue=2&name=CWE&value=a%0D%0A-+%5Bx%5D+b").act();
        let value = "a  - [x] b".to_owned();
        assert_eq!(field, Ok(Act::Field { issue: 2, name: "CWE".to_owned(), value }));
        let close = Form::parse(b"do=close&issue=2&reason=spite").act();
        assert_eq!(close, Ok(Act::Close { issue: 2, reason: "completed" }));
        let fault = Form::parse(b"do=two-ticks&issue=2").act();
        assert_eq!(fault, Ok(Act::Try { fault: Fault::TwoTicks, issue: Some(2) }));
    }
}
