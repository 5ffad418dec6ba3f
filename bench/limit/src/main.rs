//! What one core can send at most through the kernel's UDP path, paced as speech is: 50 rounds a second (or fewer, for packets
//! that hold several frames), in each round one packet to every receiver, encrypted with the receiver's own key (AES-128-GCM, as SRTP's RFC 7714 does it) and
//! handed over in batches by `sendmmsg`. No server that sends encrypted packets through ordinary sockets can be cheaper.
//!
//! Each receiver is a socket of its own on loopback, and a thread waits for them with epoll, reads and decrypts, and rests a
//! millisecond when it has read everything, as the load client does. That matters, because on loopback the sender's system call also
//! does the receiver's half of the kernel's work and wakes a reader that waits.
//!
//! Prints one JSON line for each run: the sending thread's CPU (getrusage) over the packets that were received and decrypted.

mod packet;
mod receivers;
mod sender;

use std::process::ExitCode;
use std::time::Duration;

/// What to send, from the command line.
pub struct Load {
    pub receivers: usize,
    /// Size of one encrypted packet as UDP payload, bytes.
    pub packet_bytes: usize,
    /// From one round to the next: how much speech a packet holds.
    pub round: Duration,
    pub rounds: u32,
    pub runs: u32,
}

/// How long the reader may lag behind at the end before what it has not read counts as lost.
const PATIENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let load = match parse(std::env::args().skip(1)) {
        Ok(load) => load,
        Err(problem) => {
            eprintln!("limit: {problem}\nusage: limit [--receivers N] [--packet-bytes N] [--round-ms N] [--rounds N] [--runs N]");
            return ExitCode::from(2);
        }
    };
    for _ in 0..load.runs {
        match run(&load) {
            Ok(line) => println!("{line}"),
            Err(problem) => {
                eprintln!("limit: {problem}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn run(load: &Load) -> std::io::Result<String> {
    let receivers = receivers::Receivers::open(load)?;
    let addresses = receivers.addresses()?;
    let reading = receivers.start();
    let sent = sender::send_rounds(load, &addresses)?;
    let received = reading.stop(sent.packets, PATIENCE);
    let cpu_us = sent.cpu.as_secs_f64() * 1e6;
    Ok(format!(
        "{{\"us_per_packet\":{:.4},\"receivers\":{},\"packet_bytes\":{},\"sent\":{},\"received\":{},\"cpu_secs\":{:.6},\"late_rounds\":{}}}",
        cpu_us / received.max(1) as f64,
        load.receivers,
        load.packet_bytes,
        sent.packets,
        received,
        sent.cpu.as_secs_f64(),
        sent.late_rounds,
    ))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Load, String> {
    let mut load = Load { receivers: 1000, packet_bytes: 130, round: Duration::from_millis(20), rounds: 200, runs: 3 };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a number"))?;
        let number: u32 = value.parse().map_err(|_| format!("{name}: {value:?} is not a number"))?;
        match name.as_str() {
            "--receivers" => load.receivers = number as usize,
            "--packet-bytes" => load.packet_bytes = number as usize,
            "--round-ms" => load.round = Duration::from_millis(number.into()),
            "--rounds" => load.rounds = number,
            "--runs" => load.runs = number,
            _ => return Err(format!("no such option: {name}")),
        }
    }
    if load.receivers == 0 || load.rounds == 0 || load.runs == 0 {
        return Err("receivers, rounds and runs must be at least 1".into());
    }
    if load.round.is_zero() {
        return Err("round-ms must be at least 1".into());
    }
    if load.rounds > packet::LARGEST_SEQUENCE {
        return Err(format!("rounds must be at most {}", packet::LARGEST_SEQUENCE));
    }
    if !(packet::OVERHEAD + 1..=1200).contains(&load.packet_bytes) {
        return Err(format!("packet-bytes must be from {} to 1200", packet::OVERHEAD + 1));
    }
    Ok(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> impl Iterator<Item = String> {
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn options_are_read() {
        let load = parse(arguments("--receivers 7 --packet-bytes 99 --round-ms 60 --rounds 5 --runs 2")).unwrap();
        assert_eq!((load.receivers, load.packet_bytes, load.round.as_millis(), load.rounds, load.runs), (7, 99, 60, 5, 2));
    }

    #[test]
    fn wrong_options_are_named() {
        assert_eq!(parse(arguments("--receivers many")).err().unwrap(), "--receivers: \"many\" is not a number");
        assert_eq!(parse(arguments("--speed 3")).err().unwrap(), "no such option: --speed");
        assert_eq!(parse(arguments("--rounds")).err().unwrap(), "--rounds needs a number");
        assert_eq!(parse(arguments("--round-ms 0")).err().unwrap(), "round-ms must be at least 1");
        assert_eq!(parse(arguments("--rounds 65536")).err().unwrap(), "rounds must be at most 65535");
        assert_eq!(parse(arguments("--packet-bytes 20")).err().unwrap(), "packet-bytes must be from 33 to 1200");
    }

    #[test]
    fn every_packet_sent_is_received_and_decrypted() {
        let load = Load { receivers: 20, packet_bytes: 130, round: Duration::from_millis(20), rounds: 3, runs: 1 };
        let line = run(&load).unwrap();
        assert!(line.contains("\"sent\":60,\"received\":60,"), "{line}");
    }
}
