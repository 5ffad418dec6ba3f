//! The grammar: lines of `type=value`, a session part and media sections (RFC 8866 section 5).

use super::{MAX_LINES, MAX_SDP_LEN, MAX_SECTIONS, OfferRefused};

/// A description split into its parts, borrowed from the text; attributes in the order they stand.
#[derive(Debug)]
pub(super) struct Description<'a> {
    pub session: Vec<Attribute<'a>>,
    pub media: Vec<Media<'a>>,
}

/// `a=name` or `a=name:value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub name: &'a str,
    pub value: Option<&'a str>,
}

/// One `m=` line and its attributes.
#[derive(Debug)]
pub(super) struct Media<'a> {
    pub kind: &'a str,
    pub port: u16,
    pub protocol: &'a str,
    pub formats: Vec<&'a str>,
    pub attributes: Vec<Attribute<'a>>,
}

/// Attributes of one part, looked up by name.
pub(super) trait Attributes<'a> {
    fn all(&self) -> &[Attribute<'a>];

    /// The first value of `name`.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.all().iter().find(|attribute| attribute.name == name)?.value
    }

    fn has(&self, name: &str) -> bool {
        self.all().iter().any(|attribute| attribute.name == name)
    }

    /// Every value of `name`.
    fn values(&self, name: &str) -> Vec<&'a str> {
        self.all().iter().filter(|attribute| attribute.name == name).filter_map(|attribute| attribute.value).collect()
    }
}

impl<'a> Attributes<'a> for [Attribute<'a>] {
    fn all(&self) -> &[Attribute<'a>] {
        self
    }
}

impl<'a> Attributes<'a> for Media<'a> {
    fn all(&self) -> &[Attribute<'a>] {
        &self.attributes
    }
}

/// Split a whole description; it must begin with `v=0`.
pub(super) fn parse(text: &str) -> Result<Description<'_>, OfferRefused> {
    if text.len() > MAX_SDP_LEN {
        return Err(OfferRefused::new(format!("The SDP is longer than {} KiB.", MAX_SDP_LEN / 1024)));
    }
    let mut lines = text.lines().filter(|line| !line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(OfferRefused::new("This is not SDP: the first line must be v=0."));
    }
    parse_lines(lines)
}

/// Split a fragment, which has no `v=` line (RFC 8840 section 9).
pub(super) fn parse_fragment(text: &str) -> Result<Description<'_>, OfferRefused> {
    if text.len() > MAX_SDP_LEN {
        return Err(OfferRefused::new(format!("The SDP fragment is longer than {} KiB.", MAX_SDP_LEN / 1024)));
    }
    parse_lines(text.lines().filter(|line| !line.is_empty()))
}

fn parse_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Description<'a>, OfferRefused> {
    let mut description = Description { session: Vec::new(), media: Vec::new() };
    for (at, line) in lines.enumerate() {
        if at == MAX_LINES {
            return Err(OfferRefused::new(format!("The SDP has more than {MAX_LINES} lines.")));
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err(OfferRefused::new(format!("Line {} of the SDP is not of the form x=….", at + 2)));
        };
        match kind {
            "m" => {
                if description.media.len() == MAX_SECTIONS {
                    return Err(OfferRefused::new(format!("The SDP has more than {MAX_SECTIONS} media sections.")));
                }
                description.media.push(parse_media(value)?);
            }
            "a" => {
                let attribute = parse_attribute(value);
                description.media.last_mut().map_or(&mut description.session, |media| &mut media.attributes).push(attribute);
            }
            _ => {} // o=, s=, t=, c=, b=: nothing in them concerns us
        }
    }
    Ok(description)
}

fn parse_attribute(value: &str) -> Attribute<'_> {
    match value.split_once(':') {
        Some((name, value)) => Attribute { name, value: Some(value.trim()) },
        None => Attribute { name: value, value: None },
    }
}

fn parse_media(value: &str) -> Result<Media<'_>, OfferRefused> {
    let mut words = value.split_ascii_whitespace();
    let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
        return Err(OfferRefused::new("An m= line must name kind, port, protocol and formats."));
    };
    if !kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !protocol.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
    {
        return Err(OfferRefused::new("An m= line names a kind or protocol that is no word."));
    }
    let port = port.parse().map_err(|_| OfferRefused::new("The port of an m= line is no number from 0 to 65535."))?;
    Ok(Media { kind, port, protocol, formats: words.collect(), attributes: Vec::new() })
}
