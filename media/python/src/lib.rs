//! `salon.relay._engine`: salon-driver as Python sees it. What each name means stands in `salon/relay/_engine.pyi`.
//!
//! Converts values and errors and decides nothing. The GIL is released while the engine works or waits.

mod errors;
mod values;

use std::net::IpAddr;
use std::os::fd::RawFd;
use std::time::Duration;

use pyo3::prelude::*;
use salon_driver::engine::{CloseReason, Event, RestartRefused};
use salon_driver::{Driver, DriverError, Inherited, NewSession, Options};

use errors::{EngineError, OfferRefused, SessionUnknown, engine_error, offer_refused};
use values::{
    EngineStats, RoomTalk, SessionClosed, SessionConnected, SessionOpened, SessionRestored, SessionTruth, Speaker, ThreadStats,
    parse_direction,
};

/// The engine with its socket and threads.
#[pyclass(frozen, module = "salon.relay._engine")]
struct Engine {
    driver: Driver,
}

#[pymethods]
impl Engine {
    #[new]
    #[allow(clippy::too_many_arguments)] // Keywords in Python.
    #[pyo3(signature = (*, port, addresses, bind = "0.0.0.0", tcp_ports = vec![], threads = 1, listeners_at_home = 256, bypass = None, long_packets_from = Some(200), realtime = false, sockets = vec![], listener = None, book = None))]
    fn new(
        py: Python<'_>,
        port: u16,
        addresses: Vec<String>,
        bind: &str,
        tcp_ports: Vec<u16>,
        threads: usize,
        listeners_at_home: usize,
        bypass: Option<String>,
        long_packets_from: Option<usize>,
        realtime: bool,
        sockets: Vec<RawFd>,
        listener: Option<RawFd>,
        book: Option<RawFd>,
    ) -> PyResult<Self> {
        let addresses = addresses.iter().map(|text| parse_ip(text)).collect::<PyResult<_>>()?;
        let options =
            Options { port, bind: parse_ip(bind)?, addresses, tcp_ports, threads, listeners_at_home, bypass, long_packets_from, realtime };
        let inherited = Inherited::from_descriptors(&sockets, listener, book).map_err(engine_error)?;
        let driver = py.detach(|| Driver::take_over(&options, inherited)).map_err(engine_error)?;
        Ok(Self { driver })
    }

    #[pyo3(signature = (*, session, room, person, direction, offer, tag = None))]
    #[allow(clippy::too_many_arguments)] // Named, where they are called.
    fn open_session(
        &self,
        py: Python<'_>,
        session: String,
        room: String,
        person: String,
        direction: &str,
        offer: String,
        tag: Option<Vec<u8>>,
    ) -> PyResult<SessionOpened> {
        let direction = parse_direction(direction)?;
        let id = session.clone();
        let new = NewSession { session, room, person, direction, offer, tag: tag.unwrap_or_default() };
        let opened = py.detach(|| self.driver.open_session(new)).map_err(engine_error)?;
        let opened = opened.map_err(offer_refused)?;
        Ok(SessionOpened { session: id, answer: opened.answer, etag: opened.etag })
    }

    fn restart_ice(&self, py: Python<'_>, session: String, fragment: String) -> PyResult<(String, String)> {
        let restarted = py.detach(|| self.driver.restart_ice(&session, &fragment)).map_err(engine_error)?;
        restarted.map_err(|refused| match refused {
            RestartRefused::Offer(refused) => offer_refused(refused),
            RestartRefused::Unknown(_) => SessionUnknown::new_err(session),
        })
    }

    fn close_session(&self, py: Python<'_>, session: String, reason: String) -> PyResult<bool> {
        py.detach(|| self.driver.close_session(&session, &CloseReason::Asked(reason))).map_err(engine_error)
    }

    fn set_stage(&self, py: Python<'_>, room: String, speakers: Vec<PyRef<'_, Speaker>>) -> PyResult<()> {
        let speakers: Vec<_> = speakers.iter().map(|speaker| speaker.to_engine()).collect();
        py.detach(|| self.driver.set_stage(&room, &speakers)).map_err(engine_error)
    }

    fn close_person(&self, py: Python<'_>, room: String, person: String, reason: String) -> PyResult<usize> {
        py.detach(|| self.driver.close_person(&room, &person, &CloseReason::Asked(reason))).map_err(engine_error)
    }

    fn close_room(&self, py: Python<'_>, room: String, reason: String) -> PyResult<usize> {
        py.detach(|| self.driver.close_room(&room, &CloseReason::Asked(reason))).map_err(engine_error)
    }

    fn poll_events(&self, py: Python<'_>, timeout_secs: f64) -> PyResult<Vec<Py<PyAny>>> {
        let timeout = Duration::try_from_secs_f64(timeout_secs.max(0.0)).unwrap_or(Duration::MAX);
        let events = py.detach(|| self.driver.poll_events(timeout));
        if events.is_empty() && self.driver.is_closed() {
            return Err(EngineError::new_err("The engine is stopped."));
        }
        events.into_iter().map(|event| to_python(py, event)).collect()
    }

    #[pyo3(signature = (room = None))]
    fn truth(&self, py: Python<'_>, room: Option<String>) -> PyResult<Vec<SessionTruth>> {
        let reports = py.detach(|| self.driver.report(room.as_deref())).map_err(engine_error)?;
        Ok(reports.into_iter().map(SessionTruth::from).collect())
    }

    fn take_talk(&self, py: Python<'_>) -> PyResult<Vec<RoomTalk>> {
        let taken = py.detach(|| self.driver.take_talk()).map_err(engine_error)?;
        Ok(taken.into_iter().map(RoomTalk::from).collect())
    }

    fn stats(&self, py: Python<'_>) -> PyResult<EngineStats> {
        py.detach(|| self.driver.stats()).map(EngineStats::from).map_err(engine_error)
    }

    fn restored(&self) -> Vec<SessionRestored> {
        self.driver.restored().iter().map(SessionRestored::from).collect()
    }

    fn bypass_refused(&self) -> Option<&str> {
        self.driver.bypass_refused()
    }

    fn book_emptied(&self) -> Option<String> {
        self.driver.book_emptied()
    }

    fn release(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.driver.release()).map_err(engine_error)
    }

    fn settle(&self) {
        self.driver.settle();
    }

    fn leave(&self, py: Python<'_>) {
        py.detach(|| self.driver.leave());
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.driver.close());
    }
}

fn parse_ip(text: &str) -> PyResult<IpAddr> {
    text.parse().map_err(|_| engine_error(DriverError(format!("{text} is not an IP address."))))
}

fn to_python(py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
    Ok(match event {
        Event::Connected(connected) => Py::new(py, SessionConnected::from(connected))?.into_any(),
        Event::Closed(closed) => Py::new(py, SessionClosed::from(closed))?.into_any(),
    })
}

#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<Engine>()?;
    module.add_class::<Speaker>()?;
    module.add_class::<SessionOpened>()?;
    module.add_class::<SessionRestored>()?;
    module.add_class::<SessionConnected>()?;
    module.add_class::<SessionClosed>()?;
    module.add_class::<SessionTruth>()?;
    module.add_class::<RoomTalk>()?;
    module.add_class::<EngineStats>()?;
    module.add_class::<ThreadStats>()?;
    module.add("EngineError", py.get_type::<EngineError>())?;
    module.add("OfferRefused", py.get_type::<OfferRefused>())?;
    module.add("SessionUnknown", py.get_type::<SessionUnknown>())?;
    Ok(())
}
