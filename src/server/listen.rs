//! HTTP for strangers: connections are counted, heads are short and quick, and an asked end lets go of everyone.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Connections at once; more wait in the system's own queue. GitHub opens few.
const CONNECTIONS: usize = 2048;

/// A request's head comes within so long, and a connection without a request is kept so long.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of a head at the most. GitHub's has about 1,000.
const HEAD_BYTES: usize = 16 * 1024;

/// Headers at the most. GitHub sends about 15.
const HEADERS: usize = 64;

/// After the asked end, so long for requests that have begun.
const LAST_REQUESTS: Duration = Duration::from_secs(12);

/// The wait after the system gave no connection, for lack of file handles.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until `stop` says true, then ends what has begun.
pub async fn listen(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    loop {
        let accepted = async {
            // It is never closed.
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            ended = stop.wait_for(|stop| *stop) => { let _ = ended; break; }
            accepted = accepted => accepted,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        // An answer is one small packet, which must not wait for another.
        let _slower = socket.set_nodelay(true);
        let connection = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(app.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Hang-ups, bad heads and time-outs are the client's affair.
            let _theirs = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _out_of_time = tokio::time::timeout(LAST_REQUESTS, graceful.shutdown()).await;
}
