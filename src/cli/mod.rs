//! The command line: arguments, tracing, errors to exit codes. One thin file for each subcommand.
//!
//! To add one: a `pub mod`, a variant of [`Command`], a line in [`dispatch`].

pub mod action;
pub mod check;
pub mod checklist;
pub mod config;
pub mod demo;
pub mod drive;
pub mod inbox;
pub mod incidents;
pub mod log;
pub mod open;
pub mod policy_file;
pub mod replay;
pub mod serve;
pub mod sweep;
pub mod voice;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs a security incident of an open-source project as a GitHub issue.
#[derive(Debug, Parser)]
#[command(name = "wardroom", version, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or policy, 3 drift found (with --check).")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "a variant's help is the doc of its arguments")]
pub enum Command {
    Action(action::Args),
    Check(check::Args),
    Checklist(checklist::Args),
    Demo(demo::Args),
    Inbox(inbox::Args),
    Incidents(incidents::Args),
    Open(open::Args),
    Replay(replay::Args),
    Serve(serve::Args),
    Sweep(sweep::Args),
}

impl Command {
    /// Whether the subcommand starts the log itself, once it knows who reads it.
    fn starts_the_log(&self) -> bool {
        matches!(
            self,
            Command::Action(_) | Command::Open(_) | Command::Replay(_) | Command::Serve(_) | Command::Sweep(_)
        )
    }
}

/// How a subcommand ended, as the shell sees it. An error is [`Exit::Failed`], or [`Exit::Usage`] if it is a [`Usage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: it did not work; what went wrong is on standard error.
    Failed,
    /// 2: the arguments or the policy are wrong; nothing was done.
    Usage,
    /// 3: asked with `--check`, and there is something to do.
    Drift,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Drift => 3,
        }
    }
}

/// An error in what the person gave: arguments, environment or policy. Ends with exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Reads the arguments, runs the subcommand, and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if !cli.command.starts_the_log()
        && let Err(usage) = log::start(log::QUIET, checklist::Format::Text, &config::process_env)
    {
        report(&usage.into());
        return Exit::Usage.code().into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            report(&anyhow::Error::new(error).context("could not start the worker threads; nothing was done"));
            return Exit::Failed.code().into();
        }
    };
    let mut out = io::stdout();
    let ended = runtime
        .block_on(dispatch(cli.command, &mut out))
        .and_then(|exit| out.flush().map(|()| exit).map_err(anyhow::Error::new));
    exit_of(ended).code().into()
}

/// Runs one subcommand, which writes what a person asked for to `out`.
///
/// # Errors
/// Whatever kept the subcommand from its end.
pub async fn dispatch(command: Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        Command::Action(args) => action::run(&args, &config::process_env, out).await,
        Command::Check(args) => check::run(&args, out),
        Command::Checklist(args) => checklist::run(&args, out),
        Command::Demo(args) => demo::run(&args, out).await,
        Command::Open(args) => open::run(&args, &config::process_env, out).await,
        Command::Inbox(args) => inbox::run(&args, out),
        Command::Incidents(args) => incidents::run(&args, out),
        Command::Replay(args) => replay::run(&args, &config::process_env, out).await,
        Command::Serve(args) => serve::run(&args, &config::process_env, out).await,
        Command::Sweep(args) => sweep::run(&args, &config::process_env, out).await,
    }
}

/// The exit for an ended subcommand. A reader that closed the pipe (`wardroom … | head`) has what it wanted.
fn exit_of(ended: anyhow::Result<Exit>) -> Exit {
    match ended {
        Ok(exit) => exit,
        Err(error) if is_closed_pipe(&error) => Exit::Done,
        Err(error) => {
            report(&error);
            voice::exit_of(&error)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Says on standard error what went wrong, causes included. Where even that is closed, the exit code has to do.
fn report(error: &anyhow::Error) {
    let _closed = writeln!(io::stderr(), "error: {error:#}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_in_what_was_given_exits_with_two_and_any_other_with_one() {
        assert_eq!(exit_of(Err(anyhow::anyhow!("no answer"))), Exit::Failed);
        assert_eq!(exit_of(Err(anyhow::Error::new(Usage("no file".into())).context("reading"))), Exit::Usage);
        assert_eq!(exit_of(Ok(Exit::Drift)).code(), 3);
    }

    #[test]
    fn a_reader_that_closed_the_pipe_is_no_failure() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(exit_of(Err(anyhow::Error::new(closed).context("writing"))), Exit::Done);
    }
}
