//! `wardroom sweep`: a look at everything, whatever events were missed.

use std::io::Write;

use super::config::{self, Env};
use super::drive::{self, Options};
use super::voice;
use super::{Exit, Usage};
use crate::domain::incident::ReportId;
use crate::engine::Engine;

/// Looks at every report and every incident, and does what no event told of.
///
/// Environment: WARDROOM_TRACKER (owner/name), WARDROOM_TOKEN or WARDROOM_TOKEN_FILE, or WARDROOM_APP_ID with
/// WARDROOM_PRIVATE_KEY or WARDROOM_PRIVATE_KEY_FILE; GITHUB_API_URL and GITHUB_GRAPHQL_URL on an Enterprise Server.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wardroom sweep --dry-run --check     exit 3 if there is something to do\n  wardroom \
                        sweep --adopt 12            open the incident of an old report of the tracker\n  wardroom sweep \
                        --adopt octo-org/mail#12\n  wardroom sweep --adopt GHSA-2c3f-4gh5-6jm7    open the incident of a private report"
)]
pub struct Args {
    /// Open this report's incident although it is older than reports.since, or too many were opened this hour.
    #[arg(long, value_name = "NUMBER|GHSA|OWNER/NAME#NUMBER")]
    pub adopt: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a doc here instead of each option's own")]
    pub options: Options,
}

/// Sweeps once.
///
/// # Errors
/// Whatever kept it from its end; nothing is lost by it.
pub async fn run(args: &Args, env: Env<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = config::settings(env)?;
    let work = async {
        let engine = config::engine(&settings, &args.options).await?;
        let adopt = args.adopt.iter().map(|text| report(text, &engine)).collect::<Result<Vec<_>, _>>()?;
        Ok(drive::sweep(&engine, &adopt).await?)
    };
    voice::speak(env, &settings, &args.options, out, work).await
}

/// The report that `--adopt` names: a bare number is one of the only report repository, a bare id a private report.
fn report(text: &str, engine: &Engine) -> Result<ReportId, Usage> {
    let place =
        || {
            engine.policy.advisories.repository.clone().ok_or_else(|| {
                Usage(format!("--adopt {text}: private reports need advisories.repository in the policy"))
            })
        };
    if let Ok(advisory) = text.parse() {
        return Ok(ReportId::private(place()?, advisory));
    }
    let Ok(number) = text.trim_start_matches('#').parse() else {
        let id: ReportId = text.parse().map_err(|error| Usage(format!("--adopt: {error}")))?;
        if id.advisory().is_some() {
            let place = place()?;
            if place != id.repo {
                return Err(Usage(format!(
                    "--adopt: private reports are those of {place}, the policy's advisories.repository"
                )));
            }
            return Ok(id);
        }
        if !engine.policy.is_report_repository(&id.repo, &engine.tracker) {
            return Err(Usage(format!("--adopt: {} is not one of the policy's report repositories", id.repo)));
        }
        return Ok(id);
    };
    let repo = match engine.policy.reports.repositories.as_slice() {
        [] => engine.tracker.clone(),
        [one] => one.clone(),
        _ => {
            return Err(Usage(format!(
                "--adopt {number}: the policy names several report repositories; write owner/name#{number}"
            )));
        }
    };
    Ok(ReportId::issue(repo, number))
}
