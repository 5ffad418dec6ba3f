"""Text to the phonemes that the Kokoro model was trained on, by way of espeak-ng.

espeak-ng speaks IPA with stress; Kokoro's alphabet writes English diphthongs and affricates as one letter each
(its model card lists the alphabet). Punctuation carries the melody, so it is kept in place, word group by word group.
"""

import re
import subprocess

ESPEAK_VOICES = {"en-gb": "en-gb-x-rp", "en-us": "en-us", "fr": "fr-fr"}
_PAUSES = re.compile(r"([.,!?;:…—]+)")
_ENGLISH = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("ɔ^ɪ", "Y"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ə^ʊ", "Q"),
    ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y"), ("eɪ", "A"), ("oʊ", "O"), ("əʊ", "Q"),
    ("t^ʃ", "ʧ"), ("d^ʒ", "ʤ"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("ə^l", "ᵊl"), ("əl", "ᵊl"), ("r", "ɹ"), ("ɐ", "ə"), ("x", "k"),
)  # fmt: skip
_AMERICAN = (("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɾ", "T"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"))
_BRITISH = (("e^ə", "ɛː"), ("eə", "ɛː"), ("iə", "ɪə"))


def phonemes(text: str, accent: str) -> str:
    """accent: a key of ESPEAK_VOICES."""
    # Typographic quotes and spaces mean nothing to the voice; the long dash is a pause.
    text = text.replace("’", "'").replace("\u202f", " ").replace("\u00a0", " ").translate({ord(sign): None for sign in "«»“”"})
    parts = (part.strip() for part in _PAUSES.split(text))
    spoken = "".join(f"{part[0]} " if _PAUSES.fullmatch(part) else _ipa(part, accent) for part in parts if part)
    return re.sub(r"\s+", " ", spoken).strip()


def _ipa(words: str, accent: str) -> str:
    said = subprocess.run(
        ["espeak-ng", "-q", "--ipa=1", "--tie=^", "-v", ESPEAK_VOICES[accent], words], capture_output=True, text=True, check=True
    ).stdout
    said = " ".join(said.split())
    table = () if accent == "fr" else _ENGLISH + (_AMERICAN if accent == "en-us" else _BRITISH)
    for ipa, letter in table:
        said = said.replace(ipa, letter)
    return re.sub(r"\([a-z-]+\)", "", said).replace("^", "").replace("-", "")
