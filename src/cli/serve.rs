//! `wardroom serve`: the webhook receiver of an App, and the worker behind it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::checklist::Format;
use super::config::{self, Env, Settings};
use super::drive::Options;
use super::{Exit, Usage, log};
use crate::engine::{Engine, Guards};
use crate::github;
use crate::github::auth::ConnectError;
use crate::github::pace::Budget;
use crate::server::admin::{self, Admin, Clocked, Standing};
use crate::server::listen::listen;
use crate::server::metrics::Metrics;
use crate::server::rounds::Rounds;
use crate::server::run_worker;
use crate::server::webhook::{self, Receiver};
use crate::store::Store;
use crate::store::sqlite::{Location, OpenError, SqliteStore};

/// GitHub or the policy cannot be read at the start: the first wait; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Receives webhooks and runs incidents, until it is told to stop.
///
/// POST /webhook takes what GitHub signed. A delivery is on the disk before it is answered with 202, and is handled once in
/// effect, whatever crashes. SIGTERM and Ctrl-C end it within 25 seconds.
///
/// Environment: WARDROOM_WEBHOOK_SECRET (several, one a line, for rotation); WARDROOM_APP_ID and WARDROOM_PRIVATE_KEY of a
/// GitHub App, or WARDROOM_TOKEN for a single repository; each secret also as NAME_FILE, the file that holds it;
/// WARDROOM_TRACKER (owner/name); GITHUB_API_URL and GITHUB_GRAPHQL_URL on an Enterprise Server; WARDROOM_LOG (info, debug).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  WARDROOM_APP_ID=1234 WARDROOM_PRIVATE_KEY_FILE=app.pem \
                        WARDROOM_WEBHOOK_SECRET_FILE=secret.txt \\\n  WARDROOM_TRACKER=octo-org/security-reports \\\n    \
                        wardroom serve --listen 127.0.0.1:8787 --database sqlite:wardroom.db\n\nPut a server that \
                        speaks TLS in front of it; docs/operating.md shows how.")]
pub struct Args {
    /// Where webhooks are received.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// Where the operator asks /healthz, /readyz and /metrics. Nobody else may reach it.
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// The database; it is created where there is none.
    #[arg(long, value_name = "sqlite:PATH", default_value = "sqlite:wardroom.db")]
    pub database: Location,
    /// The policy, instead of .github/wardroom.yml on the tracker's default branch.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How the log is written, to standard error.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub log: Format,
}

/// Serves.
///
/// # Errors
/// If it cannot begin: settings, database, addresses.
pub async fn run(args: &Args, env: Env<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    log::start(log::TOLD, args.log, env)?;
    hush_panics();
    run_guarded(args, env, out, Guards::default()).await
}

/// Serves with some safeguards off: for tests that show that something breaks then.
///
/// # Errors
/// As [`run`].
pub async fn run_guarded(args: &Args, env: Env<'_>, out: &mut dyn Write, guards: Guards) -> anyhow::Result<Exit> {
    let settings = config::settings(env)?;
    let secrets = config::webhook_secrets(env)?;
    let stop = stop_when_asked()?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&args.database.0).map_err(not_opened)?);
    let metrics: Arc<Metrics> = Arc::default();
    let receiver = Receiver::new(store.clone(), Arc::new(Timestamp::now), secrets);
    let receiver = receiver.map_err(|error| Usage(error.to_string()))?.with_metrics(metrics.clone());
    let arrived = receiver.arrived();
    let (standing, stands) = watch::channel(Standing::Starting("it has just begun".to_owned()));
    let (listener, address) = bind(args.listen).await?;
    writeln!(out, "receiving webhooks on http://{address}/webhook")?;
    let admin = match args.admin_listen {
        Some(at) => {
            let (listener, address) = bind(at).await?;
            writeln!(out, "health and metrics on http://{address}")?;
            let admin = Admin { store: store.clone(), metrics: metrics.clone(), standing: stands };
            Some(tokio::spawn(listen(listener, admin::router(admin), stop.clone())))
        }
        None => None,
    };
    out.flush()?;
    let receiving = tokio::spawn(listen(listener, webhook::router(receiver), stop.clone()));
    let worker = Worker { settings, policy: args.policy.clone(), store, metrics, guards };
    let worked = worker.run(&arrived, standing, stop).await;
    // What was told to stop, or dies with this process.
    if worked.is_ok() {
        receiving.await.context("the receiver")?;
        if let Some(admin) = admin {
            admin.await.context("the operator's port")?;
        }
        tracing::info!("stopped");
    }
    worked.map(|()| Exit::Done)
}

/// A wrong file stays wrong. One that another process holds, or a disk that is full, is another matter a minute later.
fn not_opened(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::TooNew { .. } | OpenError::Foreign(_) => Usage(error.to_string()).into(),
        _ => error.into(),
    }
}

async fn bind(at: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(at).await.with_context(|| format!("{at} cannot be listened on"))?;
    let address = listener.local_addr().with_context(|| format!("{at} cannot be listened on"))?;
    Ok((listener, address))
}

/// What the worker begins with.
struct Worker {
    settings: Settings,
    policy: Option<PathBuf>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    guards: Guards,
}

impl Worker {
    async fn run(
        &self,
        arrived: &Notify,
        standing: watch::Sender<Standing>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let budget: Arc<Budget> = Arc::default();
        let Some(engine) = self.engine(&budget, &standing, &mut stop).await? else { return Ok(()) };
        tracing::info!(tracker = %engine.tracker, mode = ?engine.policy.mode, "working");
        standing.send_replace(Standing::Working(Clocked(engine.clock.clone())));
        run_worker(&engine, arrived, &self.metrics, Rounds::new(budget), stop).await;
        Ok(())
    }

    /// The engine, as soon as GitHub and the policy can be read; deliveries are kept meanwhile. `None`: it was told to stop.
    async fn engine(
        &self,
        budget: &Arc<Budget>,
        standing: &watch::Sender<Standing>,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Option<Engine>> {
        let options = Options { policy: self.policy.clone(), dry_run: false, check: false, format: Format::Text };
        let connect = |reach| {
            let config = self.settings.client(reach);
            let connected = github::connect_paced(&config, self.metrics.clone(), budget.clone());
            connected.map_err(|error: ConnectError| Usage(error.to_string()))
        };
        let mut wait = FIRST_WAIT;
        let mut is_first = true;
        loop {
            let store = self.store.clone();
            let made = tokio::select! {
                // The sender lives as long as the process.
                ended = stop.wait_for(|stop| *stop) => { let _ = ended; return Ok(None); }
                made = config::engine_over(&self.settings, &options, store, &connect) => made,
            };
            match made {
                Ok(mut engine) => {
                    engine.guards = self.guards;
                    return Ok(Some(engine));
                }
                // Someone is at the keyboard. Later, nobody is, and a policy may be put right.
                Err(error) if is_first && error.is::<Usage>() => return Err(error),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "not working yet; what arrives is kept");
                    standing.send_replace(Standing::Starting(error));
                }
            }
            is_first = false;
            tokio::select! {
                ended = stop.wait_for(|stop| *stop) => { let _ = ended; return Ok(None); }
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Becomes true at SIGTERM or Ctrl-C.
fn stop_when_asked() -> anyhow::Result<watch::Receiver<bool>> {
    let (ask, asked) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("signals cannot be received")?;
    tokio::spawn(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("told to stop: finishing what has begun");
        ask.send_replace(true);
        // A dropped sender would be an end too, but of another kind.
        ask.closed().await;
    });
    Ok(asked)
}

/// A panic tells its place only: its message may quote what it was working on.
fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a bug of Wardroom's; please report it");
    }));
}
