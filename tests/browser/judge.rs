//! axe-core, and the pictures.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Room;

/// Judges the state that a page is in.
pub(crate) struct Judge {
    axe: String,
}

impl Judge {
    /// From the installed packages.
    pub(crate) fn new(modules: &Path) -> Judge {
        Judge { axe: fs::read_to_string(modules.join("axe-core/axe.min.js")).unwrap() }
    }
}

impl Room {
    /// No serious and no critical finding, in light and in dark. What else axe-core finds is said.
    pub(crate) async fn expect_accessible(&self, state: &str) {
        for scheme in ["light", "dark"] {
            self.browser.scheme(scheme).await;
            self.judge_once(&format!("{state}, {scheme}")).await;
        }
        self.browser.scheme("light").await;
    }

    async fn judge_once(&self, state: &str) {
        self.browser.js(&format!("if (!window.axe) {{ {} }}", self.judge.axe)).await;
        let script = "return axe.run(document, { resultTypes: ['violations'] }).then((found) => ({ \
                      passed: found.passes.length, \
                      violations: found.violations.map((one) => ({ impact: one.impact, id: one.id, \
                      at: one.nodes.map((node) => `${node.target} ${node.failureSummary}`) })) }))";
        let found = self.browser.js(script).await;
        assert!(found["passed"].as_u64().unwrap() > 10, "axe-core judged nothing: {found}");
        let violations = found["violations"].as_array().unwrap();
        let bad = |one: &&Value| matches!(one["impact"].as_str(), Some("serious" | "critical"));
        let (bad, minor): (Vec<&Value>, Vec<&Value>) = violations.iter().partition(bad);
        assert!(bad.is_empty(), "{state}: {bad:#?}");
        for one in minor {
            eprintln!("{state}: axe-core finds {} ({}): {}", one["id"], one["impact"], one["at"]);
        }
    }

    /// Takes a picture of the window: into the docs where they are written anew, else into `target/`.
    pub(crate) async fn picture(&self, name: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::env::var_os("WARDROOM_WRITE_DOCS").is_some_and(|value| value == "1");
        let folder = root.join(if docs { "docs/pictures" } else { "target/pictures" });
        fs::create_dir_all(&folder).unwrap();
        let picture = self.browser.picture().await;
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000, "{} bytes", picture.len());
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}
