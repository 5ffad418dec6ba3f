//! Values that cross the border, field by field as the stub names them.

use std::collections::HashMap;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use salon_driver::engine::{self, Direction, Transport};

pub(crate) fn parse_direction(text: &str) -> PyResult<Direction> {
    match text {
        "listen" => Ok(Direction::Listen),
        "speak" => Ok(Direction::Speak),
        other => Err(PyValueError::new_err(format!("direction must be 'listen' or 'speak', not {other:?}"))),
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Listen => "listen",
        Direction::Speak => "speak",
    }
}

/// Somebody on the stage.
#[pyclass(frozen, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct Speaker {
    #[pyo3(get)]
    person: String,
    #[pyo3(get)]
    csrc: u32,
    #[pyo3(get)]
    muted: bool,
}

#[pymethods]
impl Speaker {
    #[new]
    fn new(person: String, csrc: u32, muted: bool) -> PyResult<Self> {
        if csrc == 0 {
            return Err(PyValueError::new_err("csrc must be from 1 to 2**32-1"));
        }
        Ok(Self { person, csrc, muted })
    }
}

impl Speaker {
    pub(crate) fn to_engine(&self) -> engine::Speaker {
        engine::Speaker { person: self.person.clone(), csrc: self.csrc, muted: self.muted }
    }
}

/// An answered offer.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct SessionOpened {
    pub session: String,
    pub answer: String,
    pub etag: String,
}

/// A session that another process began.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct SessionRestored {
    session: String,
    room: String,
    person: String,
    direction: &'static str,
    tag: Vec<u8>,
}

impl From<&engine::Restored> for SessionRestored {
    fn from(restored: &engine::Restored) -> Self {
        Self {
            session: restored.session.to_string(),
            room: restored.room.to_string(),
            person: restored.person.to_string(),
            direction: direction_word(restored.direction),
            tag: restored.tag.to_vec(),
        }
    }
}

/// ICE and DTLS are done.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct SessionConnected {
    session: String,
    room: String,
    person: String,
    direction: &'static str,
}

impl From<engine::Connected> for SessionConnected {
    fn from(connected: engine::Connected) -> Self {
        Self {
            session: connected.session.to_string(),
            room: connected.room.to_string(),
            person: connected.person.to_string(),
            direction: direction_word(connected.direction),
        }
    }
}

#[pymethods]
impl SessionConnected {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// The session is gone.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct SessionClosed {
    session: String,
    room: String,
    person: String,
    direction: &'static str,
    reason: String,
}

impl From<engine::Closed> for SessionClosed {
    fn from(closed: engine::Closed) -> Self {
        Self {
            session: closed.session.to_string(),
            room: closed.room.to_string(),
            person: closed.person.to_string(),
            direction: direction_word(closed.direction),
            reason: closed.reason.as_str().to_owned(),
        }
    }
}

#[pymethods]
impl SessionClosed {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// What one session really does.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct SessionTruth {
    session: String,
    room: String,
    person: String,
    direction: &'static str,
    connected: bool,
    may_be_heard: bool,
    last_in_secs: Option<f64>,
    last_out_secs: Option<f64>,
    packets_in: u64,
    packets_out: u64,
    packets_dropped: u64,
    transport: Option<&'static str>,
    lost_share: Option<f32>,
    round_trip_secs: Option<f64>,
}

impl From<engine::SessionReport> for SessionTruth {
    fn from(report: engine::SessionReport) -> Self {
        Self {
            session: report.session.to_string(),
            room: report.room.to_string(),
            person: report.person.to_string(),
            direction: direction_word(report.direction),
            connected: report.connected,
            may_be_heard: report.may_be_heard,
            last_in_secs: report.since_in.map(|since| since.as_secs_f64()),
            last_out_secs: report.since_out.map(|since| since.as_secs_f64()),
            packets_in: report.packets_in,
            packets_out: report.packets_out,
            packets_dropped: report.packets_dropped,
            transport: report.transport.map(|transport| match transport {
                Transport::Udp => "udp",
                Transport::Tcp => "tcp",
            }),
            lost_share: report.loss,
            round_trip_secs: report.round_trip.map(|round_trip| round_trip.as_secs_f64()),
        }
    }
}

#[pymethods]
impl SessionTruth {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// What was said in one room since it was last asked for.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct RoomTalk {
    room: String,
    talked_ms: HashMap<String, u64>,
    talking: Vec<String>,
}

impl From<engine::RoomTalk> for RoomTalk {
    fn from(talk: engine::RoomTalk) -> Self {
        Self {
            room: talk.room.to_string(),
            talked_ms: talk.talked_ms.into_iter().map(|(person, ms)| (person.to_string(), ms)).collect(),
            talking: talk.talking.iter().map(ToString::to_string).collect(),
        }
    }
}

#[pymethods]
impl RoomTalk {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// What one thread of the engine does.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug, Clone)]
pub(crate) struct ThreadStats {
    cpu_seconds: f64,
    sessions: usize,
    packets_in: u64,
    packets_out: u64,
    is_realtime: bool,
}

#[pymethods]
impl ThreadStats {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// Counters since the start.
#[pyclass(frozen, get_all, module = "salon.relay._engine")]
#[derive(Debug)]
pub(crate) struct EngineStats {
    threads: Vec<ThreadStats>,
    sessions: usize,
    rooms: usize,
    packets_in: u64,
    packets_out: u64,
    bytes_out: u64,
    bypassed: u64,
    send_errors: u64,
    packets_dropped: u64,
    dropped: HashMap<&'static str, u64>,
    nacked: u64,
    retransmitted: u64,
    requested: u64,
    reported_expected: u64,
    reported_lost: f64,
    red_legs: Vec<usize>,
    cpu_seconds: f64,
    forward_delay_p50_ms: f64,
    forward_delay_p99_ms: f64,
    forward_delay_bounds_secs: Vec<f64>,
    forward_delay_counts: Vec<u64>,
    forward_delay_sum_secs: f64,
}

impl From<salon_driver::Stats> for EngineStats {
    fn from(stats: salon_driver::Stats) -> Self {
        let thread = |thread: &salon_driver::ThreadStats| ThreadStats {
            cpu_seconds: thread.cpu.as_secs_f64(),
            sessions: thread.sessions,
            packets_in: thread.packets_in,
            packets_out: thread.packets_out,
            is_realtime: thread.is_realtime,
        };
        Self {
            threads: stats.threads.iter().map(thread).collect(),
            sessions: stats.totals.sessions,
            rooms: stats.totals.rooms,
            packets_in: stats.totals.packets_in,
            packets_out: stats.totals.packets_out,
            bytes_out: stats.bytes_out,
            bypassed: stats.bypassed,
            send_errors: stats.send_errors,
            packets_dropped: stats.totals.dropped.sum(),
            dropped: dropped_by_kind(stats.totals.dropped),
            nacked: stats.totals.repaired.nacked,
            retransmitted: stats.totals.repaired.retransmitted,
            requested: stats.totals.repaired.requested,
            reported_expected: stats.totals.repaired.reported,
            reported_lost: stats.totals.repaired.reported_lost_256ths as f64 / 256.0,
            red_legs: stats.totals.legs_by_depth.to_vec(),
            cpu_seconds: stats.cpu.as_secs_f64(),
            forward_delay_p50_ms: stats.forward_delay_p50.as_secs_f64() * 1e3,
            forward_delay_p99_ms: stats.forward_delay_p99.as_secs_f64() * 1e3,
            forward_delay_bounds_secs: salon_driver::DELAY_BOUNDS.iter().map(Duration::as_secs_f64).collect(),
            forward_delay_counts: stats.forward_delays.counts.to_vec(),
            forward_delay_sum_secs: stats.forward_delays.sum.as_secs_f64(),
        }
    }
}

#[pymethods]
impl EngineStats {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

fn dropped_by_kind(dropped: engine::Dropped) -> HashMap<&'static str, u64> {
    let engine::Dropped { stun, dtls, rtp, rtcp, unheard, other } = dropped;
    HashMap::from([("stun", stun), ("dtls", dtls), ("rtp", rtp), ("rtcp", rtcp), ("unheard", unheard), ("other", other)])
}
