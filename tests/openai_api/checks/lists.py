from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest
from openai_api.check import Services, check, request


def _files(services: Services, count: int) -> list[str]:
    """Ids of new files, oldest first."""
    return [services.usual.upload(request(f"r-{i}")).id for i in range(count)]


def _batches(services: Services, count: int) -> list[str]:
    file = services.usual.upload(request("a"))
    return [services.usual.create(file.id).id for _ in range(count)]


@check("Lists", "Files come newest first, or oldest first with `order=asc`")
def orders(services: Services) -> None:
    made = _files(services, 3)
    newest = services.usual.client.files.list(limit=3, purpose="batch").data
    assert [file.id for file in newest] == made[::-1]
    oldest = [file.id for file in services.usual.client.files.list(order="asc", purpose="batch")]
    assert oldest[-3:] == made


@check("Lists", "Batches come newest first")
def batch_order(services: Services) -> None:
    made = _batches(services, 3)
    assert [batch.id for batch in services.usual.client.batches.list(limit=3).data] == made[::-1]


@check("Lists", "`purpose` filters files")
def purpose(services: Services) -> None:
    client = services.usual.client
    services.usual.run(request("a"))
    for wanted in ("batch", "batch_output"):
        listed = client.files.list(purpose=wanted)
        assert {file.purpose for file in listed} == {wanted}
    assert list(client.files.list(purpose="fine-tune")) == []


@check("Lists", "A page has `data`, `has_more`, `first_id` and `last_id`")
def fields(services: Services) -> None:
    client = services.usual.client
    files = partial(client.files.with_raw_response.list, purpose="batch")
    for make, listed in ((_files, files), (_batches, client.batches.with_raw_response.list)):
        made = make(services, 3)
        page = listed(limit=2).http_response.json()
        assert page.keys() >= {"object", "data", "has_more", "first_id", "last_id"}
        assert page["object"] == "list"
        assert [item["id"] for item in page["data"]] == made[:0:-1]
        assert (page["first_id"], page["last_id"]) == (made[2], made[1])
        assert page["has_more"] is True


@check("Lists", "The client pages through all with `after`, each item once")
def pages(services: Services) -> None:
    _files(services, 5)
    _batches(services, 5)
    client = services.usual.client
    listed: Callable[..., Any]
    for listed in (partial(client.files.list, purpose="batch"), client.batches.list):
        all_ids = [item.id for item in listed(limit=100)]
        paged = [item.id for item in listed(limit=2)]
        assert paged == all_ids
        assert len(set(paged)) == len(paged)
        last = listed(after=paged[-1])
        assert (list(last.data), last.has_more) == ([], False)


@check("Lists", "Paging goes on when the last item seen has been deleted")
def deleting(services: Services) -> None:
    made = set(_files(services, 5))
    seen: list[str] = []
    for file in services.usual.client.files.list(limit=2):
        if file.id in made:
            services.usual.client.files.delete(file.id)
            seen.append(file.id)
    assert len(seen) == 5
    assert set(seen) == made


@check("Lists", "An empty page has no ids")
def nothing(services: Services) -> None:
    page = services.usual.client.files.with_raw_response.list(purpose="vision")
    assert page.http_response.json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@check("Lists", "A limit out of bounds is `BadRequestError`")
def limits(services: Services) -> None:
    client = services.usual.client
    listed: Callable[..., Any]
    for listed, most in ((client.files.list, 10_000), (client.batches.list, 100)):
        assert listed(limit=most).data is not None
        for limit, code in (
            (0, "integer_below_min_value"),
            (most + 1, "integer_above_max_value"),
        ):
            with pytest.raises(openai.BadRequestError) as caught:
                listed(limit=limit)
            assert (caught.value.code, caught.value.param) == (code, "limit")


@check("Lists", "An unknown `after` or `order` is `BadRequestError`")
def unknown(services: Services) -> None:
    client = services.usual.client
    for param, call in (
        ("after", lambda: client.files.list(after="file-none")),
        ("after", lambda: client.batches.list(after="batch_none")),
        ("order", lambda: client.files.list(order="sideways")),  # type: ignore[arg-type]
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            call()
        assert (caught.value.code, caught.value.param) == ("invalid_value", param)
