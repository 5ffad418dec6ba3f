"""The vectors that every client replays, replayed by the reference."""

import copy
import json
from pathlib import Path

import pytest

from salon.rooms.domain.apply import KINDS, apply

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "streams.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_apply_follows_the_vector(vector):
    seq, state = vector["snapshot"]["seq"], vector["snapshot"]["state"]
    untouched = copy.deepcopy(state)
    for event in vector["events"]:
        assert event["seq"] == seq + 1
        seq, state = event["seq"], apply(vector["stream"], state, event["kind"], event["data"])
    assert {"seq": seq, "state": state} == vector["expected"]
    assert vector["snapshot"]["state"] == untouched


def test_vectors_cover_every_kind():
    covered = {(vector["stream"].split("/")[0], event["kind"]) for vector in VECTORS for event in vector["events"]}
    assert covered == {(stream, kind) for stream, kinds in KINDS.items() for kind in kinds}


def test_apply_refuses_a_kind_the_stream_does_not_have():
    with pytest.raises(KeyError):
        apply("hallway", {"rooms": []}, "hand_raised", {})
