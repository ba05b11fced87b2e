//! Releases: by tag and in a list. A draft has no tag that a reader could find it by.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::handle::Reply;
use super::json::time;
use super::routes::Target;
use super::world::{Identity, Repo, State};
use crate::domain::facts::Role;

/// A release.
#[derive(Clone, Debug)]
pub(super) struct ReleaseRow {
    pub(super) id: u64,
    pub(super) tag: String,
    pub(super) author: u64,
    pub(super) draft: bool,
    pub(super) prerelease: bool,
    pub(super) created: Timestamp,
    pub(super) published: Option<Timestamp>,
    /// Names of files, each with an id.
    pub(super) assets: Vec<(u64, String)>,
}

impl State {
    pub(super) fn release_call(&self, route: &str, repo: &Repo, identity: &Identity, target: &Target) -> Reply {
        let pushes = self.access(repo, identity) >= Role::Write;
        if route == "R/releases" {
            let newest_first = repo.releases.iter().rev().filter(|row| !row.draft || pushes);
            let items = newest_first.map(|row| self.release_json(repo, row)).collect();
            return self.page(items, &format!("/repositories/{}/releases", repo.id), target);
        }
        let tag = target.segments.get(5).map(String::as_str).unwrap_or_default();
        match repo.releases.iter().find(|row| row.tag == tag && !row.draft) {
            Some(row) => Reply::ok(self.release_json(repo, row)),
            None => Reply::not_found(),
        }
    }

    fn release_json(&self, repo: &Repo, row: &ReleaseRow) -> Value {
        let url = format!("{}/releases/{}", self.repo_url(&repo.name), row.id);
        let page = format!("https://github.test/{}/releases", repo.name);
        let assets: Vec<Value> = row
            .assets
            .iter()
            .map(|(id, name)| {
                json!({
                    "id": id, "node_id": format!("RA_{id}"), "name": name, "label": null, "state": "uploaded",
                    "url": format!("{}/releases/assets/{id}", self.repo_url(&repo.name)),
                    "browser_download_url": format!("{page}/download/{}/{id}", row.id), "size": 1024, "digest": null,
                    "content_type": "application/octet-stream", "download_count": 0, "uploader": self.user_json(Some(row.author)),
                    "created_at": time(row.created), "updated_at": time(row.created),
                })
            })
            .collect();
        json!({
            "id": row.id, "node_id": format!("RE_{}", row.id), "url": url, "assets_url": format!("{url}/assets"),
            "upload_url": format!("{url}/assets{{?name,label}}"), "html_url": format!("{page}/tag/{}", row.tag),
            "tarball_url": null, "zipball_url": null, "tag_name": row.tag, "target_commitish": "main", "name": row.tag,
            "body": null, "draft": row.draft, "prerelease": row.prerelease, "created_at": time(row.created),
            "published_at": row.published.map(time), "author": self.user_json(Some(row.author)), "assets": assets,
        })
    }
}
