"""The engine in a process of its own, to be killed: commands come as JSON lines, answers go back so. For test_engine_outliving.py."""

import json
import sys

from salon.relay._engine import Engine, Speaker


def main() -> None:
    given = json.loads(sys.argv[1])
    engine = Engine(port=1, addresses=["127.0.0.1"], bind="127.0.0.1", listeners_at_home=0, **given)
    answer({"restored": [[found.session, found.tag.decode()] for found in engine.restored()], "emptied": engine.book_emptied()})
    for line in sys.stdin:
        command = json.loads(line)
        match command.pop("do"):
            case "open":
                opened = engine.open_session(**command | {"tag": command["tag"].encode()})
                answer({"answer": opened.answer})
            case "events":
                answer({"sessions": [event.session for event in engine.poll_events(command["secs"])]})
            case "stage":
                engine.set_stage("room", [Speaker(person, csrc, muted) for person, csrc, muted in command["speakers"]])
                answer({})
            case "close_person":
                answer({"closed": engine.close_person("room", command["person"], "removed")})
            case "stats":
                stats = engine.stats()
                per_thread = [[thread.sessions, thread.packets_out] for thread in stats.threads]
                answer({"threads": per_thread, "rooms": stats.rooms, "packets_in": stats.packets_in})
            case "restart_ice":
                fragment, _ = engine.restart_ice(command["session"], command["fragment"])
                answer({"fragment": fragment})
            case "release":
                engine.release()
                answer({})
            case "truth":
                answer({"connected": {truth.session: truth.transport for truth in engine.truth() if truth.connected}})


def answer(said: dict[str, object]) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
