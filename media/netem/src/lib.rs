//! An emulated network for tests: what goes in at one moment comes out later, twice, in another order, or not at all.
//!
//! Nothing here reads a clock: time is what the caller says, so a minute of bad network takes a moment, and a seed brings the same
//! minute back.

#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How bad a link is. Probabilities are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// Every datagram takes this long at least.
    pub delay: Duration,
    /// And up to this much more; with more than the sending interval, datagrams overtake each other.
    pub jitter: Duration,
    /// Lost.
    pub loss: f64,
    /// How many are lost in a row on average, by a chain of two states (Gilbert, Bell System Technical Journal 39, 1960). None: each by
    /// its own luck.
    pub mean_burst: Option<f64>,
    /// Delivered twice, each with a delay of its own.
    pub duplication: f64,
}

impl Weather {
    /// Nothing is lost, late, or repeated.
    pub const FAIR: Self = Self { delay: Duration::ZERO, jitter: Duration::ZERO, loss: 0.0, mean_burst: None, duplication: 0.0 };
    /// A mobile network with poor reception: 5 % loss, 1 % duplicates, 40 to 120 ms.
    pub const ROUGH: Self =
        Self { delay: Duration::from_millis(40), jitter: Duration::from_millis(80), loss: 0.05, duplication: 0.01, ..Self::FAIR };
}

/// One direction of a path, carrying `T`s.
#[derive(Debug)]
pub struct Link<T> {
    weather: Weather,
    random: StdRng,
    in_flight: BinaryHeap<InFlight<T>>,
    sent: u64,
    is_in_burst: bool,
}

#[derive(Debug)]
struct InFlight<T> {
    arrives: Instant,
    /// Keeps the order of sending between datagrams that arrive together.
    number: u64,
    datagram: T,
}

impl<T: Clone> Link<T> {
    /// A link whose luck follows from `seed`.
    #[must_use]
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self { weather, random: StdRng::seed_from_u64(seed), in_flight: BinaryHeap::new(), sent: 0, is_in_burst: false }
    }

    /// The weather changes; what is in flight already arrives as it would have.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Send a datagram.
    pub fn send(&mut self, now: Instant, datagram: T) {
        if self.loses() {
            return;
        }
        if self.random.random_bool(self.weather.duplication) {
            self.put_in_flight(now, datagram.clone());
        }
        self.put_in_flight(now, datagram);
    }

    fn loses(&mut self) -> bool {
        let Weather { loss, mean_burst, .. } = self.weather;
        let Some(mean) = mean_burst.filter(|_| loss < 1.0) else {
            return self.random.random_bool(loss);
        };
        let share = if self.is_in_burst { 1.0 - 1.0 / mean } else { (loss / (mean * (1.0 - loss))).min(1.0) };
        self.is_in_burst = self.random.random_bool(share);
        self.is_in_burst
    }

    fn put_in_flight(&mut self, now: Instant, datagram: T) {
        let jitter = self.weather.jitter.mul_f64(self.random.random_range(0.0..=1.0));
        self.sent += 1;
        self.in_flight.push(InFlight { arrives: now + self.weather.delay + jitter, number: self.sent, datagram });
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.peek().map(|next| next.arrives)
    }

    /// The next datagram that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<T> {
        if self.next_arrival()? > now {
            return None;
        }
        self.in_flight.pop().map(|next| next.datagram)
    }
}

/// Earliest first in a heap that gives the greatest.
impl<T> Ord for InFlight<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.arrives, other.number).cmp(&(self.arrives, self.number))
    }
}

impl<T> PartialOrd for InFlight<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for InFlight<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for InFlight<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(weather: Weather, seed: u64, count: u32) -> Vec<u32> {
        let start = Instant::now();
        let mut link = Link::new(weather, seed);
        for number in 0..count {
            link.send(start + Duration::from_millis(20) * number, number);
        }
        let end = start + Duration::from_secs(3_600);
        std::iter::from_fn(|| link.receive(end)).collect()
    }

    #[test]
    fn fair_weather_delivers_everything_in_order_at_once() {
        assert_eq!(delivered(Weather::FAIR, 1, 100), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn rough_weather_loses_repeats_and_reorders_about_as_said() {
        let came = delivered(Weather::ROUGH, 1, 10_000);
        let mut sorted = came.clone();
        sorted.sort_unstable();
        let repeated = sorted.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let lost = 10_000 - (came.len() - repeated);
        assert!((400..600).contains(&lost), "{lost} lost");
        assert!((60..140).contains(&repeated), "{repeated} repeated");
        assert_ne!(came, sorted, "none overtook another");
    }

    #[test]
    fn bursts_are_as_long_and_as_many_as_said() {
        let came = delivered(Weather { loss: 0.1, mean_burst: Some(3.0), ..Weather::FAIR }, 1, 100_000);
        let lost = 100_000 - came.len();
        let bursts = came.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
        assert!((9_000..11_000).contains(&lost), "{lost} lost");
        assert!((28 * bursts..32 * bursts).contains(&(10 * lost)), "{lost} in {bursts} bursts");
    }

    #[test]
    fn a_seed_brings_the_same_luck_back() {
        assert_eq!(delivered(Weather::ROUGH, 7, 500), delivered(Weather::ROUGH, 7, 500));
        assert_ne!(delivered(Weather::ROUGH, 7, 500), delivered(Weather::ROUGH, 8, 500));
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let start = Instant::now();
        let mut link = Link::new(Weather { delay: Duration::from_millis(50), ..Weather::FAIR }, 1);
        link.send(start, ());
        assert_eq!(link.receive(start + Duration::from_millis(49)), None);
        assert_eq!(link.receive(start + Duration::from_millis(50)), Some(()));
    }
}
