//! `wardroom demo`: a whole incident on a simulated GitHub in the same process, as a page in the browser to play with, or
//! as a story in the terminal.

mod live;
mod open;
mod page;
mod screen;
mod stage;
mod story;
mod wires;

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;

use super::Exit;
use crate::server;
use crate::sim::CallRecord;
use live::Live;
use screen::{Ink, Screen};
use stage::Stage;

pub use stage::Webhooks;
pub use wires::Tally;

/// Plays a security incident on a simulated GitHub: no account, no token, nothing leaves this machine.
///
/// Serves a page on 127.0.0.1: file a report, label it, tick, fill in and comment as different people, lose webhooks,
/// switch GitHub off, and watch what Wardroom does. The simulated GitHub and Wardroom speak HTTP on 127.0.0.1, with signed
/// webhooks. It runs until Ctrl-C, and keeps nothing. With --script it plays a whole incident in the terminal instead.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  wardroom demo --open\n  wardroom demo --script > demo.txt\n\nColours are for \
                        terminals only, and NO_COLOR=1 switches them off.\n\nExit codes: 0 it was ended, or the story \
                        went as it is told; 1 it did not, which is a bug.")]
pub struct Args {
    /// Opens the page in the browser.
    #[arg(long, conflicts_with = "script")]
    pub open: bool,
    /// The port of the page; 0 is a free one.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "script")]
    pub port: u16,
    /// Plays a whole incident in the terminal; with pauses only where a person reads along.
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

/// Serves the page until Ctrl-C, or plays the story.
///
/// # Errors
/// If no port of 127.0.0.1 can be opened, if `out` takes no more, or if the story does not go as it is told.
pub async fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.script {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let terminal = std::io::stdout().is_terminal();
        play(out, terminal && !no_color, terminal).await?;
        return Ok(Exit::Done);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = tokio::net::TcpListener::bind(address).await.with_context(|| {
        format!("port {} of 127.0.0.1 could not be opened; take another one, or none for a free one", args.port)
    })?;
    let url = format!("http://{}/", listener.local_addr()?);
    let stage = Arc::new(live::Shared::new(Live::start().await?));
    writeln!(out, "The demo is at {url}\n")?;
    writeln!(out, "Open that address in a browser on this machine. Ctrl-C ends it; nothing is kept.")?;
    writeln!(out, "No browser here? `wardroom demo --script` plays a whole incident in the terminal.")?;
    out.flush()?;
    if args.open && !open::in_browser(&url) {
        writeln!(out, "No program to open a browser was found: please open the address yourself.")?;
        out.flush()?;
    }
    tokio::select! {
        served = server::page::serve(stage, listener) => served?,
        // Requests for news wait for long; the end does not wait for them.
        pressed = tokio::signal::ctrl_c() => pressed.context("waiting for Ctrl-C")?,
    }
    writeln!(out, "\nThe demo has ended.")?;
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
