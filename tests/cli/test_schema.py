from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from salon.cli import schema
from salon.cli.postgres import PrivateCluster, database_url
from salon.config.environment import Environment, environment


@pytest.fixture
def settings(cluster: PrivateCluster, tmp_path: Path) -> Environment:
    """An empty database of one's own."""
    with psycopg.connect(database_url(cluster.folder, "postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists schema_test")
        connection.execute("create database schema_test")
    return replace(environment(), data_dir=tmp_path, database_url=database_url(cluster.folder, "schema_test"))


def apply_migration(settings: Environment, name: str) -> None:
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            "create table if not exists django_migrations (id bigint generated always as identity, name text, applied timestamptz)"
        )
        connection.execute("insert into django_migrations (name, applied) values (%s, clock_timestamp())", [name])


def write_stamp(settings: Environment) -> None:
    (settings.data_dir / "schema").write_text(schema._stamp(settings))


def test_empty_database_is_not_up_to_date(settings: Environment) -> None:
    assert not schema.is_up_to_date(settings)


def test_unchanged_database_is(settings: Environment) -> None:
    apply_migration(settings, "0001_initial")
    write_stamp(settings)

    assert schema.is_up_to_date(settings)


def test_database_that_lost_or_won_a_migration_is_looked_at_again(settings: Environment) -> None:
    apply_migration(settings, "0001_initial")
    write_stamp(settings)

    apply_migration(settings, "0002_more")

    assert not schema.is_up_to_date(settings)


def test_new_code_is_looked_at_again(settings: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_migration(settings, "0001_initial")
    write_stamp(settings)

    monkeypatch.setattr(schema, "version", lambda name: f"newer {name}")

    assert not schema.is_up_to_date(settings)


def test_silent_database_is_said_to_be_so(settings: Environment) -> None:
    with pytest.raises(schema.DatabaseSilent):
        schema.is_up_to_date(replace(settings, database_url="postgresql:///x?host=/nowhere"))
