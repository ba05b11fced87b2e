//! `wardroom demo` as a process with a page, and a small HTTP client for it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A running demo. It ends with the value.
pub(crate) struct Demo {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// What it printed first.
    pub(crate) printed: String,
    child: Child,
    _out: BufReader<ChildStdout>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

impl Demo {
    /// Starts it and waits until it has told its address.
    pub(crate) fn start() -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
        // No variable of the person who runs the tests reaches it, not even a proxy.
        command.env_clear().args(["demo", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        while !printed.contains("--script") {
            assert!(out.read_line(&mut printed).unwrap() > 0, "the demo ended: {printed}");
        }
        let (_, rest) = printed.split_once("http://127.0.0.1:").unwrap();
        let port: u16 = rest.split('/').next().unwrap().parse().unwrap();
        Demo { url: format!("http://127.0.0.1:{port}"), printed, child, _out: out }
    }

    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, and returns how it ended.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// An HTTP client that follows nothing and adds nothing but what it is given.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(crate) fn new() -> Http {
        Http(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(url), |request, (name, value)| request.header(*name, *value));
        let answer = self.0.request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send("GET", url, &[], Vec::new()).await
    }
}
