//! Which thread a processor takes next.
//!
//! A burst to a large audience lasts milliseconds. In normal scheduling it is interrupted for whatever else wakes up meanwhile, and
//! every listener who was not served yet waits.

use std::io;
use std::thread::available_parallelism;

/// The lowest there is: nothing in normal scheduling comes before it, and whatever else of the machine is real-time does.
const PRIORITY: libc::c_int = 1;

/// Whether something can run beside so many threads that never wait. With a flood of packets they would not.
pub(crate) fn leaves_a_processor(threads: usize) -> bool {
    available_parallelism().is_ok_and(|processors| threads < processors.get())
}

/// From now on the calling thread runs as soon as it can and until it waits (SCHED_RR, sched(7)).
///
/// # Errors
///
/// The system's, above all that this process may not: it takes CAP_SYS_NICE, or RLIMIT_RTPRIO.
pub(crate) fn come_first() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `parameters` lives through the call.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether the calling thread does.
pub(crate) fn comes_first() -> bool {
    // SAFETY: no pointers.
    let policy = unsafe { libc::sched_getscheduler(0) };
    policy & !libc::SCHED_RESET_ON_FORK == libc::SCHED_RR
}
