//! The simulated GitHub as a transport in memory: the real client's code runs on it without a socket.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::handle::Call;
use super::world::World;
use crate::github::transport::{Request, Response, Transport, TransportError};

/// A transport into a world, with a token.
pub struct SimTransport {
    world: Arc<World>,
    token: String,
    base: String,
}

impl SimTransport {
    /// A transport for the owner of this token.
    pub fn new(world: Arc<World>, token: &str) -> Self {
        let base = world.state().base.clone();
        SimTransport { world, token: token.to_owned(), base }
    }
}

#[async_trait]
impl Transport for SimTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let call = Call {
            method: request.method.as_str().to_owned(),
            path: request.path,
            token: Some(self.token.clone()),
            if_none_match: request.etag,
            if_match: false,
            body: request.body,
        };
        match self.world.handle(&call) {
            Ok(answer) => Ok(Response { status: answer.status, headers: answer.headers, body: answer.body }),
            Err(broken) => {
                let why = if broken.crashed { "the process died" } else { "no answer came" };
                Err(TransportError { why: why.to_owned(), sent: broken.sent, barred: false })
            }
        }
    }

    fn base(&self) -> &str {
        &self.base
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }
}
