//! Live audio rooms without sockets, clocks or threads: what speakers send in, what listeners get out.
//!
//! # The loop, and the invariant it keeps
//!
//! **Every input is followed by polling until [`Output::Deadline`] comes back; only then comes the next input.**
//!
//! ```text
//!   loop {
//!       engine.handle_input(now, Input::Datagram { .. } | Input::Timeout)     or a command such as engine.open_session(now, ..)
//!       loop {
//!           match engine.poll_output(now) {
//!               Output::Transmit(batch) => send all of it,
//!               Output::Event(event)    => tell whoever wants to know,
//!               Output::Deadline(at)    => break: wait for a datagram, a command, or `at`
//!           }
//!       }
//!   }
//! ```
//!
//! Inputs change state; polling hands out what follows from it, and changes nothing that another input could see half done. So a
//! command takes effect between packets, never inside one: when [`Engine::close_person`] has returned and its output is drained,
//! not one more packet flows in either direction.
//!
//! A packet to a thousand listeners is not a thousand outputs: [`Output::Transmit`] hands out batches, each ready for `sendmmsg`,
//! and the engine remembers where in the room it stopped.
//!
//! # Who may send what
//!
//! One port carries everything (RFC 7983). STUN is answered if it proves knowledge of a session's password. DTLS is taken from
//! addresses that such a check has validated, SRTP and SRTCP from the selected one, and only if authentic and not seen before.
//! Addresses are never learned from media. A speaker's packet is forwarded if the room's stage says that the person may be heard, and
//! if it is not more or longer than speech can be.
//!
//! # Failure
//!
//! Nothing a peer sends is an error to the caller: it is dropped and counted. A panic inside one session's code ends that session,
//! with reason `internal`, and no other.

#![forbid(unsafe_code)]

mod certificate;
mod dtls;
mod engine;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod ice;
mod rate;
mod record;
mod room;
mod route;
mod rtp;
mod sdp;
mod session;
mod slab;
mod speech;
mod srtp;
mod tally;
mod transmit;

pub use engine::{
    Closed, Config, Connected, Engine, Event, Input, MAX_SHARDS, NewOffer, Opened, Output, RestartRefused, Restored, RoomTalk,
    SessionReport, SessionUnknown, Speaker, StartFailed, Totals,
};
pub use ice::{addressed_shard, answered_shard};
pub use record::{Book, MAX_TAG_LEN, Mark, RECORD_FORMAT, RECORD_LEN};
pub use route::{Route, Transport};
pub use sdp::{Direction, MAX_SDP_LEN, MAX_SLOTS, OfferRefused};
pub use session::CloseReason;
pub use speech::{Speech, SpeechFrame, SpeechStream};
pub use tally::{Dropped, Repaired};
pub use transmit::Transmits;
