import pytest
from django.db import IntegrityError, transaction

from salon.accounts.domain.handles import is_reserved, is_well_formed, skeleton
from salon.accounts.models import Person
from tests.accounts.browser import Browser, refusals


@pytest.mark.parametrize("handle", ["zoe", "a_b", "0to9", "_x_", "a" * 24])
def test_well_formed(handle):
    assert is_well_formed(handle)


@pytest.mark.parametrize("handle", ["", "zo", "a" * 25, "Zoe", "zoé", "zo e", "zo-e", "zoe\n", "___", "zое"])
def test_not_well_formed(handle):
    assert not is_well_formed(handle)


@pytest.mark.parametrize(
    ("one", "other"),
    [("zoe", "z0e"), ("lili", "1i1l"), ("bernard", "bemard"), ("marie_curie", "mariecurie"), ("vvanda", "wanda"), ("r_n", "rn_")],
)
def test_look_alikes_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("zoe", "zoo"), ("anna", "hanna"), ("user2", "user3")])
def test_different_handles_have_different_skeletons(one, other):
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize("handle", ["admin", "adm1n", "a_d_m_i_n", "salon", "sa1on", "rnoderator"])
def test_reserved_names_and_their_look_alikes(handle):
    assert is_reserved(handle)


@pytest.mark.django_db
@pytest.mark.parametrize("handle", ["zoe", "0i1l_rn_vv_r_n", "rrnn", "vvv", "___a___", "r0_1n"])
def test_database_computes_the_same_skeleton(handle):
    Person.objects.create_user(handle)
    assert Person.objects.values_list("handle_skeleton", flat=True).get() == skeleton(handle)


@pytest.mark.django_db
@pytest.mark.parametrize("handle", ["Zoe", "zo", "zo e", "a" * 25, "z0e"])
def test_database_refuses_what_the_rules_refuse(handle):
    Person.objects.create_user("zoe")
    with pytest.raises(Exception, match=r"person_handle|value too long") as refused, transaction.atomic():
        Person.objects.create_user(handle)
    assert isinstance(refused.value, IntegrityError) or "value too long" in str(refused.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("handle", "code"),
    [
        ("zo", "invalid"),
        ("zoé", "invalid"),
        ("x" * 101, "max_length"),
        ("", "required"),
        ("admin", "handle_taken"),
        ("a11ce", "handle_taken"),
    ],
)
def test_sign_up_refuses_the_handle_by_name(alice, handle, code):
    assert refusals(Browser().sign_up(handle=handle)) == [("handle", code)]


@pytest.mark.django_db
def test_sign_up_writes_the_handle_in_lower_case(browser):
    assert browser.sign_up_completely(handle="zoe").handle == "zoe"
    assert refusals(Browser().sign_up("other@example.org", "ZOE")) == [("handle", "handle_taken")]
