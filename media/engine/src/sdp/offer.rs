//! What an offer holds that this engine can use; everything else is ignored or refused with a sentence.

use super::lines::{self, Attributes, Description, Media};
use super::{Direction, IceCredentials, MAX_SLOTS, OfferRefused};
use crate::certificate::Fingerprint;

const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// A usable offer.
#[derive(Debug)]
pub(crate) struct Offer {
    /// All sections in order; the answer repeats the order (RFC 3264 section 6).
    pub sections: Vec<Section>,
    pub ice: IceCredentials,
    pub fingerprint: Fingerprint,
}

/// One media section, as far as the answer needs it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// To be used.
    Audio(AudioSection),
    /// To be answered with port 0: video, data, or audio that carries nothing for us.
    Rejected {
        /// `video`, `application`, …
        kind: String,
        /// `UDP/TLS/RTP/SAVPF`, …
        protocol: String,
        /// The first format, repeated in the answer because an m= line needs one.
        format: String,
        mid: Option<String>,
    },
}

/// An audio section with Opus in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AudioSection {
    pub mid: String,
    /// As offered: SAVPF or, from some senders, SAVP.
    pub protocol: String,
    /// Opus's.
    pub payload_type: u8,
    /// Of redundant audio data made of that Opus (RFC 2198), where offered.
    pub red: Option<u8>,
    /// Whether lost packets of Opus may be asked for again (RFC 4585).
    pub nack: bool,
    /// RFC 6464's extension id, 1..=14, where offered.
    pub level_id: Option<u8>,
    /// RFC 5506.
    pub reduced_size_rtcp: bool,
}

impl Offer {
    /// Parse an offer for a session of `direction`.
    pub(crate) fn parse(text: &str, direction: Direction) -> Result<Self, OfferRefused> {
        let description = lines::parse(text)?;
        let sections = description.media.iter().map(|media| parse_section(media, direction)).collect::<Result<Vec<_>, _>>()?;
        check_number(&sections, direction)?;
        check_bundle(&description, &sections)?;
        check_setup(&description)?;
        Ok(Self { ice: ice_credentials(&description)?, fingerprint: fingerprint(&description)?, sections })
    }

    /// The sections to be used.
    pub(crate) fn audio(&self) -> impl Iterator<Item = &AudioSection> {
        self.sections.iter().filter_map(|section| match section {
            Section::Audio(audio) => Some(audio),
            Section::Rejected { .. } => None,
        })
    }
}

fn check_number(sections: &[Section], direction: Direction) -> Result<(), OfferRefused> {
    let audio = sections.iter().filter(|section| matches!(section, Section::Audio(_))).count();
    match (direction, audio) {
        (Direction::Listen, 0) => Err(OfferRefused::new("The offer has no audio section with direction recvonly or sendrecv.")),
        (Direction::Speak, 0) => Err(OfferRefused::new("The offer has no audio section with direction sendonly or sendrecv.")),
        (Direction::Listen, 1..=MAX_SLOTS) | (Direction::Speak, 1) => Ok(()),
        (Direction::Listen, _) => {
            Err(OfferRefused::new(format!("The offer has {audio} audio sections; at most {MAX_SLOTS} can be listened to.")))
        }
        (Direction::Speak, _) => Err(OfferRefused::new(format!("The offer has {audio} audio sections; one speaks with one."))),
    }
}

fn parse_section(media: &Media<'_>, direction: Direction) -> Result<Section, OfferRefused> {
    let mid = media.value("mid").map(checked_mid).transpose()?;
    let rejected = || Section::Rejected {
        kind: media.kind.to_owned(),
        protocol: media.protocol.to_owned(),
        format: media.formats.first().filter(|format| is_token(format)).map_or("0", |format| format).to_owned(),
        mid: mid.clone(),
    };
    let bundled_only = media.has("bundle-only");
    if media.kind != "audio" || (media.port == 0 && !bundled_only) || !flows(media, direction) {
        return Ok(rejected());
    }
    if !matches!(media.protocol, "UDP/TLS/RTP/SAVPF" | "UDP/TLS/RTP/SAVP") {
        return Err(OfferRefused::new("The audio section must use UDP/TLS/RTP/SAVPF: sound is sent by DTLS-SRTP only."));
    }
    if !media.has("rtcp-mux") {
        return Err(OfferRefused::new("The line a=rtcp-mux is missing: sound and its control share one port."));
    }
    let Some(mid) = mid else {
        return Err(OfferRefused::new("The line a=mid is missing in an audio section."));
    };
    let payload_type = opus_payload_type(media).ok_or_else(|| {
        OfferRefused::new("The audio section does not offer Opus at 48 kHz (a=rtpmap:… opus/48000/2), the only codec here.")
    })?;
    Ok(Section::Audio(AudioSection {
        mid,
        protocol: media.protocol.to_owned(),
        payload_type,
        red: red_payload_type(media, payload_type),
        nack: offers_nack(media, payload_type),
        level_id: extension_id(media, AUDIO_LEVEL),
        reduced_size_rtcp: media.has("rtcp-rsize"),
    }))
}

/// Whether the offered direction lets sound flow the way we need it.
fn flows(media: &Media<'_>, direction: Direction) -> bool {
    let wanted = match direction {
        Direction::Listen => "recvonly",
        Direction::Speak => "sendonly",
    };
    let other_ways = ["recvonly", "sendonly", "inactive"];
    media.has(wanted) || !other_ways.iter().any(|way| media.has(way)) // sendrecv is the default (RFC 8866 section 6.7)
}

fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+".contains(&byte))
}

fn checked_mid(mid: &str) -> Result<String, OfferRefused> {
    if is_token(mid) { Ok(mid.to_owned()) } else { Err(OfferRefused::new("An a=mid is longer than 64 characters or no word.")) }
}

/// The first payload type that maps to Opus and stands in the m= line.
fn opus_payload_type(media: &Media<'_>) -> Option<u8> {
    payload_types(media, "opus/48000/2").next()
}

/// RFC 2198 section 5: `a=fmtp` names the type of each block. Ours hold Opus alone, so that every block must be `opus`; two at least,
/// or nothing could be repeated.
fn red_payload_type(media: &Media<'_>, opus: u8) -> Option<u8> {
    payload_types(media, "red/48000/2").find(|red| {
        let blocks = media.values("fmtp").into_iter().find_map(|line| {
            let (number, blocks) = line.split_once(' ')?;
            (number.parse() == Ok(*red)).then_some(blocks.trim())
        });
        blocks.is_some_and(|blocks| blocks.contains('/') && blocks.split('/').all(|block| block.parse() == Ok(opus)))
    })
}

/// Payload types that map to `codec` and stand in the m= line.
fn payload_types(media: &Media<'_>, codec: &str) -> impl Iterator<Item = u8> {
    media.values("rtpmap").into_iter().filter_map(move |map| {
        let (number, name) = map.split_once(' ')?;
        let payload_type = number.parse::<u8>().ok().filter(|number| *number < 128)?;
        (name.trim().eq_ignore_ascii_case(codec) && media.formats.contains(&number)).then_some(payload_type)
    })
}

/// `a=rtcp-fb:<type> nack`, with nothing after it: `nack pli` asks for pictures. The type may be `*` (RFC 4585 section 4.2).
fn offers_nack(media: &Media<'_>, payload_type: u8) -> bool {
    media.values("rtcp-fb").into_iter().any(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_ours = words.next().is_some_and(|of| of == "*" || of.parse() == Ok(payload_type));
        is_ours && words.next() == Some("nack") && words.next().is_none()
    })
}

/// The id of `uri` if one byte of header can carry it (RFC 8285 section 4.2).
fn extension_id(media: &Media<'_>, uri: &str) -> Option<u8> {
    media.values("extmap").into_iter().find_map(|map| {
        let mut words = map.split_ascii_whitespace();
        let id = words.next()?.split('/').next()?.parse::<u8>().ok()?;
        (words.next()? == uri && (1..=14).contains(&id)).then_some(id)
    })
}

/// Several sections must share one transport (RFC 9143); a single one shares it with nobody.
fn check_bundle(description: &Description<'_>, sections: &[Section]) -> Result<(), OfferRefused> {
    let mids: Vec<&str> = sections
        .iter()
        .filter_map(|section| match section {
            Section::Audio(audio) => Some(audio.mid.as_str()),
            Section::Rejected { .. } => None,
        })
        .collect();
    let repeated = mids.iter().enumerate().any(|(at, mid)| mids[..at].contains(mid));
    if repeated {
        return Err(OfferRefused::new("Two sections have the same a=mid."));
    }
    let group = description.session.values("group").into_iter().find_map(|group| group.strip_prefix("BUNDLE"));
    let bundled: Vec<&str> = group.map(|mids| mids.split_ascii_whitespace().collect()).unwrap_or_default();
    if mids.len() > 1 && !mids.iter().all(|mid| bundled.contains(mid)) {
        return Err(OfferRefused::new("Every audio section must be in a=group:BUNDLE: all sound shares one transport."));
    }
    Ok(())
}

/// The first value of `name`, sections that are used before the session part (RFC 8839 and RFC 8842 allow both).
fn transport_value<'a>(description: &Description<'a>, name: &str) -> Option<&'a str> {
    description
        .media
        .iter()
        .filter(|media| media.kind == "audio")
        .find_map(|media| media.value(name))
        .or_else(|| description.session.value(name))
}

fn check_setup(description: &Description<'_>) -> Result<(), OfferRefused> {
    match transport_value(description, "setup") {
        Some("actpass" | "active") => Ok(()),
        Some(_) => Err(OfferRefused::new("a=setup must be actpass or active: the peer opens DTLS.")),
        None => Err(OfferRefused::new("The line a=setup is missing.")),
    }
}

fn ice_credentials(description: &Description<'_>) -> Result<IceCredentials, OfferRefused> {
    IceCredentials::parse(transport_value(description, "ice-ufrag"), transport_value(description, "ice-pwd"))
}

fn fingerprint(description: &Description<'_>) -> Result<Fingerprint, OfferRefused> {
    let in_media = description.media.iter().filter(|media| media.kind == "audio").flat_map(|media| media.values("fingerprint"));
    let mut all = in_media.chain(description.session.values("fingerprint")).peekable();
    if all.peek().is_none() {
        return Err(OfferRefused::new("The line a=fingerprint is missing."));
    }
    all.find_map(|value| {
        let (hash, bytes) = value.split_once(' ')?;
        hash.eq_ignore_ascii_case("sha-256").then(|| Fingerprint::parse(bytes.trim()))
    })
    .ok_or_else(|| OfferRefused::new("No a=fingerprint with sha-256."))?
    .ok_or_else(|| OfferRefused::new("The a=fingerprint of sha-256 is not 32 bytes of hexadecimal."))
}
