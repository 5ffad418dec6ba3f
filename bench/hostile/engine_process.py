"""The media engine in a process of its own, so that its CPU is nobody else's: requests as JSON lines in, answers out."""

import json
import sys

from salon.relay._engine import Engine, SessionClosed, Speaker


def main() -> None:
    port = int(sys.argv[1])
    engine = Engine(port=port, addresses=["127.0.0.1"], bind="127.0.0.1")
    engine.set_stage("room", [Speaker("ada", 7, False), Speaker("eve", 8, False)])
    print(json.dumps({"ready": port}), flush=True)
    ended: dict[str, str] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "ended" in request:
            ended |= {event.person: event.reason for event in engine.poll_events(0) if isinstance(event, SessionClosed)}
            print(json.dumps(ended), flush=True)
            continue
        opened = engine.open_session(room="room", **request)
        print(json.dumps({"answer": opened.answer}), flush=True)
    engine.close()


if __name__ == "__main__":
    main()
