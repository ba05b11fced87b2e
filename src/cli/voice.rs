//! What a run may say. The log of a workflow is as public as its repository: where that is not private, a run says
//! "done" or "failed" and nothing else, whatever happened.

use std::io::Write;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::checklist::Format;
use super::config::{self, Env, Settings};
use super::drive::{Options, Report};
use super::{Exit, Usage, log};
use crate::domain::facts::{RepoName, Repository};
use crate::github::Reach;

/// How much may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Everything: only people of the repository, or the one at the shell, read it.
    Open,
    /// "done" or "failed".
    Hushed,
}

impl Voice {
    /// The voice of a run from a shell; in a workflow, that of the repository it runs for.
    ///
    /// # Errors
    /// As [`Voice::of_workflow`].
    pub async fn of_shell(env: Env<'_>, settings: &Settings) -> anyhow::Result<Voice> {
        match env("GITHUB_ACTIONS").as_deref() {
            Some("true") => Voice::of_workflow(settings, None).await,
            _ => Ok(Voice::Open.begin()?),
        }
    }

    /// The voice of a workflow. A payload that says its repository is public is believed; otherwise GitHub is asked, for
    /// a run that waited or is run again may find the repository public by now.
    ///
    /// # Errors
    /// GitHub could not be asked, so nobody knows who reads this log. The words name only the workflow's own repository.
    pub async fn of_workflow(settings: &Settings, payload: Option<&Value>) -> anyhow::Result<Voice> {
        let told = payload.and_then(|payload| payload.get("repository"));
        let told = told.and_then(|repository| Repository::deserialize(repository).ok());
        // The log belongs to the repository that the workflow runs for, not to the one that a payload names.
        let told = told.filter(|told| settings.repository.as_ref().is_none_or(|own| *own == told.full_name));
        let told_public = told.as_ref().is_some_and(|told| !told.is_private());
        let own = settings.repository.as_ref().or(told.as_ref().map(|told| &told.full_name));
        let private = match own {
            Some(own) if !told_public => is_private(settings, own).await?,
            _ => false,
        };
        Ok(if private { Voice::Open.begin()? } else { Voice::Hushed.begin()? })
    }

    /// Starts the log where there may be one, and keeps even a crash quiet where there may not.
    fn begin(self) -> Result<Voice, Usage> {
        match self {
            Voice::Open => log::start(log::QUIET, Format::Text, &config::process_env)?,
            Voice::Hushed => std::panic::set_hook(Box::new(|_| {})),
        }
        Ok(self)
    }
}

async fn is_private(settings: &Settings, own: &RepoName) -> anyhow::Result<bool> {
    let github = config::connect(settings, Reach { repositories: vec![own.clone()], ..Reach::default() })?;
    let repository = github.repository(own).await;
    let repository = repository.with_context(|| {
        format!("GitHub could not be asked whether {own} is private, so nothing was done and nothing is said here")
    })?;
    Ok(repository.is_private())
}

/// Refuses `--check` where its exit code would tell everyone that there is something to do.
///
/// # Errors
/// A [`Usage`] error.
pub fn may_check(voice: Voice, options: &Options) -> Result<(), Usage> {
    if voice == Voice::Hushed && options.check {
        return Err(Usage(
            "--check tells by its exit code whether there is something to do, and this workflow's log is public. Run it \
             in a private repository"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The exit of a failed run.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    if error.chain().any(|cause| cause.is::<Usage>()) { Exit::Usage } else { Exit::Failed }
}

/// Runs something from a shell, and prints how it ended as far as it may be said.
///
/// # Errors
/// The run's own, where it may be said; that nobody knows who reads the log; or that `out` cannot be written.
pub async fn speak(
    env: Env<'_>,
    settings: &Settings,
    options: &Options,
    out: &mut dyn Write,
    work: impl Future<Output = anyhow::Result<Report>>,
) -> anyhow::Result<Exit> {
    let voice = Voice::of_shell(env, settings).await?;
    may_check(voice, options)?;
    finish(voice, work.await, options, out)
}

fn finish(voice: Voice, ended: anyhow::Result<Report>, options: &Options, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match (voice, ended) {
        (Voice::Open, ended) => {
            let report = ended?;
            print(&report, options.format, out)?;
            Ok(report.exit(options.check))
        }
        (Voice::Hushed, ended) => {
            let exit = ended.as_ref().map_or_else(exit_of, |report| report.exit(options.check));
            writeln!(out, "{}", hushed(exit))?;
            Ok(exit)
        }
    }
}

/// All that a public log may say.
pub fn hushed(exit: Exit) -> &'static str {
    if exit == Exit::Done { "done" } else { "failed" }
}

/// Prints a report. No line of it is taken for a command by a workflow's runner, which looks for `##[` anywhere.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(report: &Report, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    match format {
        Format::Text => write!(out, "{}", report.text().replace("##[", "# #["))?,
        Format::Json => writeln!(out, "{}", serde_json::to_string(report)?.replace("##[", "##\\u005b"))?,
    }
    Ok(())
}
