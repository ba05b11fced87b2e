//! `wardroom replay`: a recorded delivery once more, from a shell. `wardroom action` takes the same path.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::config::{self, Env};
use super::drive::{self, Options, Report};
use super::voice;
use super::{Exit, Usage};
use crate::domain::policy::Mode;
use crate::engine::{Engine, intake};
use crate::store::Delivery;

/// GitHub sends no larger payload (GitHub Docs, "Webhook events and payloads").
const MOST_BYTES: u64 = 25 * 1024 * 1024;

/// Does what a recorded webhook delivery asks for.
///
/// It looks at the issue as it is now; the payload only says which one, and what a body was before an edit. Doing it
/// twice is harmless.
///
/// Environment: WARDROOM_TRACKER (owner/name), WARDROOM_TOKEN or WARDROOM_TOKEN_FILE, or WARDROOM_APP_ID with
/// WARDROOM_PRIVATE_KEY or WARDROOM_PRIVATE_KEY_FILE; GITHUB_API_URL and GITHUB_GRAPHQL_URL on an Enterprise Server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: what would this delivery do?\n  WARDROOM_TRACKER=octo-org/security-reports \
                        WARDROOM_TOKEN_FILE=token.txt \\\n    wardroom replay --event issues --payload delivery.json \
                        --dry-run")]
pub struct Args {
    /// The event's name, as in the header X-GitHub-Event: issues or issue_comment.
    #[arg(long, value_name = "NAME")]
    pub event: String,
    /// The delivery's JSON; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub payload: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a doc here instead of each option's own")]
    pub options: Options,
}

/// Replays one delivery.
///
/// # Errors
/// Whatever kept it from its end; nothing is lost by it.
pub async fn run(args: &Args, env: Env<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let bytes = read(&args.payload)?;
    let payload = parse(&bytes, &args.payload.display().to_string())?;
    let settings = config::settings(env)?;
    let work = async {
        let engine = config::engine(&settings, &args.options).await?;
        deliver(&engine, &args.event, &payload, bytes).await
    };
    voice::speak(env, &settings, &args.options, out, work).await
}

/// Does what an event asks for.
///
/// # Errors
/// If the payload is not one of such an event; or the store's.
pub async fn deliver(engine: &Engine, event: &str, payload: &Value, body: Vec<u8>) -> anyhow::Result<Report> {
    if engine.policy.mode == Mode::Off {
        return Ok(Report { dry_run: !engine.write, ..Report::nothing("the policy says mode: off".to_owned()) });
    }
    let now = engine.now();
    // Who we are only spares a look at what we did ourselves; if it cannot be told, the look will say why.
    let me = engine.me().await.ok();
    let asked = match intake::intake(event, payload, &engine.policy, &engine.tracker, me, now) {
        Ok(asked) => asked,
        Err(why @ intake::Ignored::Unreadable) => {
            return Err(Usage(format!("{why}: is it really one of the event {}? Nothing was done", name(event))).into());
        }
        Err(why) => return Ok(Report::nothing(format!("nothing to do: {why}"))),
    };
    let delivery = Delivery { guid: "replayed".to_owned(), event: event.to_owned(), at: now, body };
    Ok(drive::event(engine, delivery, asked).await?)
}

/// An event's name as it may be printed.
pub fn name(event: &str) -> String {
    event.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}

/// Reads a payload.
///
/// # Errors
/// A [`Usage`] error if it cannot be read or is longer than any that GitHub sends.
pub fn read(path: &Path) -> Result<Vec<u8>, Usage> {
    let shown = path.display();
    let unreadable = |error| Usage(format!("could not read the payload {shown}: {error}. Nothing was done"));
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Usage(format!("the payload {shown} is longer than 25 MiB, and GitHub sends none so long")));
    }
    Ok(bytes)
}

/// The JSON of a payload.
///
/// # Errors
/// A [`Usage`] error that says where it stops being JSON, and quotes nothing of it.
pub fn parse(bytes: &[u8], shown: &str) -> Result<Value, Usage> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Usage(format!("the payload {shown} is empty. Nothing was done")));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = if error.is_eof() { "ends too early" } else { "is not JSON" };
        Usage(format!(
            "the payload {shown} {what}, at line {line}, column {column}. Nothing was done; \
             give it the delivery's whole body"
        ))
    })
}
