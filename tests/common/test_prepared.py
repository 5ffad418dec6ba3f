"""Reads that are composed and planned once find what the ORM would find, each time anew."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q
from django.db.models.functions import Upper
from django.utils import timezone

from salon.accounts.models import AccessToken, Person
from salon.common.prepared import AnyOf, Parameter, Prepared, prepared_cursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    handles = ("alice", "bob", "carol")
    return [Person.objects.create(handle=handle, name=f"{handle}%s", languages=["en", handle]) for handle in handles]


def by_handle():
    return Prepared(lambda: Person.objects.filter(handle=Parameter("handle")))


def test_each_run_finds_what_is_true_then(people):
    read = by_handle()
    assert read(handle="bob") == [people[1]]
    assert read(handle="nobody") == []
    Person.objects.filter(handle="bob").update(name="Robert")
    assert [person.name for person in read(handle="bob")] == ["Robert"]


def test_rows_become_whole_instances_with_their_relations(people, django_assert_num_queries):
    token = AccessToken.objects.create(person=people[2], name="t", secret_sha256="digest", last_used_on=timezone.now().date())
    read = Prepared(lambda: AccessToken.objects.select_related("person__inviter").filter(secret_sha256=Parameter("digest")))
    with django_assert_num_queries(1):
        found = read(digest="digest")[0]
        assert (found, found.person, found.person.languages, found.person.inviter) == (token, people[2], ["en", "carol"], None)
    found.person.save()
    assert {**vars(found), "_state": None} == {**vars(AccessToken.objects.get()), "_state": None}


def test_query_is_composed_once_and_prepared_under_its_values(people):
    composed = []
    read = Prepared(lambda: composed.append(1) or Person.objects.filter(handle=Parameter("handle"), name="bob%s"))
    assert [read(handle=handle) for handle in ("alice", "bob")] == [[], [people[1]]]
    assert composed == [1]
    with connection.cursor() as cursor:
        cursor.execute("select statement from pg_prepared_statements where statement like '%%accounts_person%%'")
        statements = [statement for (statement,) in cursor.fetchall() if "bob" in statement]
    # The one value that runs differ in is a parameter, the other stands there for partial indexes to be found.
    assert len(statements) == 1
    assert "$1" in statements[0] and "'bob%s'" in statements[0] and "$2" not in statements[0]


def test_subqueries_share_a_value_and_lists_have_any_length(people):
    alice, bob, carol = people
    bob.inviter = alice
    bob.save()
    recently = Parameter("since", DateTimeField())
    invited = Person.objects.filter(inviter=OuterRef("pk"), joined_at__gt=recently)
    read = Prepared(
        lambda: Person.objects.filter(AnyOf("id", Parameter("among")), Exists(invited) | Q(inviter=Parameter("by"))).order_by("handle")
    )
    before = timezone.now() - timedelta(minutes=1)
    everybody = [person.id for person in people]
    assert read(among=everybody, by=alice.id, since=before) == [alice, bob]
    assert read(among=everybody, by=carol.id, since=timezone.now()) == []
    assert read(among=[bob.id], by=alice.id, since=before) == [bob]
    assert read(among=[], by=alice.id, since=before) == []


def test_annotations_are_attributes(people):
    read = Prepared(lambda: Person.objects.annotate(loud=Upper("handle")).select_related("inviter").order_by("handle"))
    assert [(person.handle, person.loud) for person in read()] == [("alice", "ALICE"), ("bob", "BOB"), ("carol", "CAROL")]


def test_value_that_is_missing_is_a_fault(people):
    with pytest.raises(KeyError, match="handle"):
        by_handle()(name="bob")


def test_hostile_value_is_a_value(people):
    assert by_handle()(handle="' OR true --") == []
    assert Person.objects.count() == len(people)


def test_statements_survive_a_transaction_that_failed(people):
    read = by_handle()
    read(handle="bob")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        read(handle="bob")
        raise ZeroDivisionError
    assert read(handle="bob") == [people[1]]


def test_one_plan_serves_all_values():
    """Every test that counts the rows that are read is thereby about the plan that installations use."""
    with connection.cursor() as cursor:
        cursor.execute("show plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)


def test_prepared_cursor_is_counted_and_prepares(django_assert_num_queries):
    with django_assert_num_queries(2):
        for number in (1, 2):
            with prepared_cursor() as cursor:
                cursor.execute("select %s::int + 40", [number])
                assert cursor.fetchone() == (40 + number,)
