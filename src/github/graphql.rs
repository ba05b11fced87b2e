//! The one GraphQL document that Wardroom sends, and its answer. REST does not tell who edited a body, whether a comment
//! was edited, or which reactions are one's own.

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::facts::{CommentFacts, Reaction, Revision, lenient_time};

/// The operation's name, by which a log or a simulator knows it.
pub const OPERATION: &str = "WardroomLook";

/// Edits of a body that one call asks for. Each may hold 65,536 characters.
pub const EDITS_PER_PAGE: usize = 25;

/// At most so many pages of edits are read: 5,000 edits. What lies before them is as if GitHub did not tell it.
pub const MOST_EDIT_PAGES: usize = 200;

/// Comments that one call asks about: GitHub takes at most 100 node ids.
pub const NODES_PER_CALL: usize = 100;

/// An issue's edit history, newest first (if `$history`), and the facts of comments by node id.
pub const LOOK: &str = "\
query WardroomLook($owner: String!, $name: String!, $number: Int!, $ids: [ID!]!, $history: Boolean!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) @include(if: $history) {
    issue(number: $number) {
      lastEditedAt
      userContentEdits(first: $first, after: $after) {
        nodes { editedAt editor { __typename login } diff deletedAt }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
  nodes(ids: $ids) {
    id
    ... on IssueComment {
      lastEditedAt
      reactionGroups { content viewerHasReacted }
    }
  }
}";

/// Who the token is, where REST refuses to tell.
pub const VIEWER: &str = "query WardroomViewer { viewer { login } }";

/// The whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) data: Option<Data>,
    #[serde(default)]
    pub(super) errors: Vec<Problem>,
}

/// Only the errors of an answer, whatever its data.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problems {
    #[serde(default)]
    pub(super) errors: Vec<Problem>,
}

/// An error inside an answer of status 200.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    extensions: Option<Extensions>,
}

#[derive(Debug, Deserialize)]
struct Extensions {
    #[serde(default)]
    code: Option<String>,
}

impl Problem {
    /// Whether the server's schema is older than the query.
    pub(super) fn is_old_schema(&self) -> bool {
        let code = self.extensions.as_ref().and_then(|extensions| extensions.code.as_deref());
        matches!(code, Some("undefinedField" | "undefinedType" | "argumentNotAccepted"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Data {
    #[serde(default)]
    pub(super) repository: Option<RepositoryNode>,
    #[serde(default)]
    pub(super) nodes: Option<Vec<Option<CommentNode>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RepositoryNode {
    #[serde(default)]
    pub(super) issue: Option<IssueNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueNode {
    #[serde(default, with = "lenient_time")]
    pub(super) last_edited_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) user_content_edits: Option<Edits>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Edits {
    #[serde(default)]
    pub(super) nodes: Option<Vec<Option<EditNode>>>,
    pub(super) page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    #[serde(default)]
    pub(super) has_next_page: bool,
    #[serde(default)]
    pub(super) end_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EditNode {
    #[serde(default, with = "lenient_time")]
    edited_at: Option<Timestamp>,
    #[serde(default)]
    editor: Option<Actor>,
    /// The whole body after this edit.
    #[serde(default)]
    diff: Option<String>,
    #[serde(default, with = "lenient_time")]
    deleted_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    #[serde(default, rename = "__typename")]
    kind: String,
    login: String,
}

impl Actor {
    /// The login as REST writes it: GraphQL leaves the `[bot]` of an App's account out.
    fn login(self) -> String {
        if self.kind == "Bot" && !self.login.ends_with("[bot]") { format!("{}[bot]", self.login) } else { self.login }
    }
}

impl EditNode {
    /// The revision; `None` if it names no time, without which it has no place in the order.
    pub(super) fn revision(self) -> Option<Revision> {
        let body = if self.deleted_at.is_some() { None } else { self.diff };
        Some(Revision { at: self.edited_at?, editor: self.editor.map(Actor::login), body })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommentNode {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default, with = "lenient_time")]
    last_edited_at: Option<Timestamp>,
    #[serde(default)]
    reaction_groups: Option<Vec<ReactionGroup>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReactionGroup {
    content: String,
    #[serde(default)]
    viewer_has_reacted: bool,
}

impl CommentNode {
    /// The facts of the comment with this numeric id.
    pub(super) fn facts(&self, id: u64) -> CommentFacts {
        let groups = self.reaction_groups.iter().flatten().filter(|group| group.viewer_has_reacted);
        let known = [Reaction::Rocket, Reaction::Confused, Reaction::Eyes];
        let own = groups.filter_map(|group| known.into_iter().find(|known| known.graphql_name() == group.content));
        CommentFacts { id, last_edited_at: self.last_edited_at, own_reactions: own.collect() }
    }
}
