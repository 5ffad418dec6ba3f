"""The `salon` command. Each subcommand imports what it needs and nothing else: starting fast is part of the product."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from salon.cli.failures import Failure
from salon.config.environment import ConfigurationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status. A failure that a person can mend is one sentence on stderr and status 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["manage"]:  # passed on as it is, `--help` included
        return _manage(given[1:])
    options = _parser().parse_args(given)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.config.settings")
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except (ConfigurationError, Failure) as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="salon", description="Live audio rooms that anyone can host.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    command("serve", "start all of Salon on this machine, and keep it running", _serve)
    command("web", "only the API and pages (Django)", _web)
    command("gateway", "only the front door: client, WebSocket, and the way to web", _gateway)
    command("media", "only the sound", _media)
    command("worker", "only what may be late: mail, presence, clean-up", _worker)
    restart = command("restart", "replace a running process by a new one, after an update", _restart)
    restart.add_argument("process", choices=["media"], help="media: no session is lost")
    doctor = command("doctor", "check this machine and this installation", _doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object, for programs")
    token = command("token", "print a bearer token for somebody, for scripts", _token)
    token.add_argument("handle")
    token.add_argument("--create", action="store_true", help="make the person if there is none with this handle")
    staff = command("staff", "let somebody use the operator's pages under /staff/", _staff)
    staff.add_argument("handle")
    command("manage", "Django's own commands: migrate, shell, dbshell…", _serve)
    return parser


# Imports inside the commands: `salon gateway` must not load Django, and `salon serve` must not load the engine.


def _serve(options: argparse.Namespace) -> int:
    from salon.cli.serve import serve  # noqa: PLC0415

    return serve()


def _web(options: argparse.Namespace) -> int:
    from salon.cli.web import run_web  # noqa: PLC0415

    return run_web()


def _gateway(options: argparse.Namespace) -> int:
    from salon.cli.logs import write_log_to_stderr  # noqa: PLC0415
    from salon.gateway.run import main as run  # noqa: PLC0415

    write_log_to_stderr()
    return run()


def _media(options: argparse.Namespace) -> int:
    from salon.cli.logs import write_log_to_stderr  # noqa: PLC0415
    from salon.relay.run import main as run  # noqa: PLC0415

    write_log_to_stderr()
    return run()


def _worker(options: argparse.Namespace) -> int:
    from salon.worker.run import main as run  # noqa: PLC0415

    return run()


def _restart(options: argparse.Namespace) -> int:
    from salon.cli.control import ask_supervisor  # noqa: PLC0415
    from salon.config.environment import environment  # noqa: PLC0415

    print(ask_supervisor(environment().data_dir, f"restart {options.process}"))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    _log_nothing_but_trouble()
    from salon.cli.doctor import report  # noqa: PLC0415

    return report(as_json=options.json)


def _token(options: argparse.Namespace) -> int:
    _log_nothing_but_trouble()
    from salon.cli.token import print_token  # noqa: PLC0415

    return print_token(options.handle, create=options.create)


def _staff(options: argparse.Namespace) -> int:
    _log_nothing_but_trouble()
    from salon.cli.staff import admit  # noqa: PLC0415

    return admit(options.handle)


def _log_nothing_but_trouble() -> None:
    """For commands whose output is for reading: what libraries tell of their own start is not."""
    logging.disable(logging.INFO)


def _manage(arguments: Sequence[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(["salon manage", *arguments])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
