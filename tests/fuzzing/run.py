"""One target under libFuzzer, by atheris: python -m tests.fuzzing.run TARGET [libFuzzer's arguments]. See scripts/fuzz-python."""

import os
import sys

import atheris
import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "salon.config.settings", "SALON_SECRET_KEY": "0" * 64}
django.setup()  # for the sentences of refusals; no database is asked
# Branches are counted in what is ours: counting those of every library makes a tenth of the inputs a second, and finds their code anew.
with atheris.instrument_imports(include=["salon", "tests.fuzzing"]):
    from tests.fuzzing.targets import TARGETS


def main() -> None:
    name, *arguments = sys.argv[1:]
    # To merge, libFuzzer runs itself by its first argument, through a shell.
    atheris.Setup([f"{sys.executable} -m tests.fuzzing.run {name}", *arguments], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
