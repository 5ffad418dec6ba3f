#!/bin/sh
# Makes speech.opus (20 ms frames, variable bit rate around 32 kb/s, mono) and speech.levels (RFC 6464 level of each frame, one a line)
# from a synthetic voice. The result is committed: the benches need neither flite nor ffmpeg.
# Pauses are cut, so that the active speaker stays the active speaker for as long as a bench measures.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flite -voice slt -t "Good evening, and welcome to the room. Tonight we talk about rivers: how they were mapped, who owned the mills along \
them, and why so many towns turned their backs on the water. Raise your hand if you grew up beside one, and tell us its name." "$work/voice.wav"
sox "$work/voice.wav" -r 48000 -c 1 "$work/dense.wav" silence 1 0 0.5% -1 0.03 1% norm -6
ffmpeg -nostdin -loglevel error -y -i "$work/dense.wav" -c:a libopus -b:a 32k -frame_duration 20 -application voip \
  -map_metadata -1 -fflags +bitexact -flags:a +bitexact speech.opus
# Decode without skipping the encoder's delay (-flags2 skip_manual leaves it in), so that sample 960*n is the start of frame n.
ffmpeg -nostdin -loglevel error -y -flags2 skip_manual -i speech.opus -f f32le -ac 1 "$work/decoded.f32"
python3 - "$work/decoded.f32" > speech.levels <<'PYTHON'
import array, math, sys
samples = array.array("f", open(sys.argv[1], "rb").read())
for start in range(0, len(samples) - 959, 960):
    power = sum(s * s for s in samples[start : start + 960]) / 960
    print(min(127, max(0, round(-10 * math.log10(power)))) if power > 0 else 127)
PYTHON
