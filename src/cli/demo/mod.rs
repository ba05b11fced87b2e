//! `wardroom demo`: a whole incident in the terminal, on a simulated GitHub in the same process.

mod page;
mod screen;
mod stage;
mod story;

use std::io::{IsTerminal, Write};

use super::Exit;
use crate::sim::CallRecord;
use screen::{Ink, Screen};
use stage::Stage;

pub use stage::{Tally, Webhooks};

/// Plays a whole incident on a simulated GitHub: no account, no token, nothing leaves this machine.
///
/// People report, tick, fill in, comment and collide; Wardroom follows. Each look is shown with what it did, the labels
/// afterwards and every call it made. At the end stands the tracking issue as a page would show it. The simulated GitHub
/// and Wardroom speak HTTP on 127.0.0.1, with signed webhooks; the times are the simulated GitHub's own.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  wardroom demo\n  wardroom demo --script > demo.txt\n\nColours are for terminals \
                        only, and NO_COLOR=1 switches them off.\n\nExit codes: 0 the story went as it is told, 1 it did \
                        not, which is a bug.")]
pub struct Args {
    /// Without pauses, for scripts and tests.
    #[arg(long)]
    pub script: bool,
}

/// What a played demo amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Every call that reached the simulated GitHub; all are Wardroom's.
    pub calls: Vec<CallRecord>,
    /// How many boxes people ticked, one edit each.
    pub ticks: usize,
    /// What became of the webhooks.
    pub webhooks: Webhooks,
}

/// Plays the demo.
///
/// # Errors
/// If no port of 127.0.0.1 can be opened, if `out` takes no more, or if the story does not go as it is told.
pub async fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = std::io::stdout().is_terminal() && !no_color;
    play(out, colour, !args.script).await?;
    Ok(Exit::Done)
}

/// Plays the demo with or without colours and pauses.
///
/// # Errors
/// As [`run`].
pub async fn play(out: &mut dyn Write, colour: bool, pauses: bool) -> anyhow::Result<Played> {
    let mut screen = Screen::new(out, colour, pauses);
    screen.line(Ink::Bold, "Wardroom: one security incident from report to review")?;
    screen.paragraph(
        Ink::Plain,
        0,
        "A simulated GitHub and Wardroom run in this process and speak HTTP on 127.0.0.1; nothing leaves this machine. \
         octo/security is a private repository, R in the calls. alice is its admin, bob writes, rita only reads and \
         reports. The times are the simulated GitHub’s, from Monday 2026-03-02, in UTC.",
    )?;
    let mut stage = Stage::set(screen).await?;
    let told = story::tell(&mut stage).await?;
    let calls = stage.world.calls();
    page::show(&mut stage, told.incident)?;
    let Webhooks { taken, lost, forged } = stage.webhooks;
    let screen = &mut stage.screen;
    screen.line(Ink::Plain, "")?;
    screen.line(Ink::Bold, "What it took")?;
    let sum = format!(
        "{} ticks by people, {taken} webhooks taken, {lost} lost, {forged} forged and refused. Wardroom made {} in all; \
         GitHub allows 5000 in an hour.",
        told.ticks,
        Tally::of(&calls).words(),
    );
    screen.paragraph(Ink::Plain, 2, &sum)?;
    screen.paragraph(
        Ink::Plain,
        2,
        "Next: wardroom check reads your own policy, wardroom checklist your own checklist.",
    )?;
    Ok(Played { calls, ticks: told.ticks, webhooks: stage.webhooks })
}
