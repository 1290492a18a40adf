import openai
import pytest
from openai_api.check import ECHO, Services, check


@check("Models", "The list has every model of the registry, as model objects")
def listed(services: Services) -> None:
    page = services.usual.client.models.list()
    assert page.object == "list"
    assert [model.id for model in page] == ["broken", "test/crawl", "test/echo", "test/slow"]
    for model in page:
        assert model.object == "model"
        assert isinstance(model.created, int)
        assert model.owned_by


@check("Models", "A model is retrieved by its id, slashes included")
def retrieved(services: Services) -> None:
    assert services.usual.client.models.retrieve(ECHO).id == ECHO
    assert services.usual.client.models.retrieve("broken").id == "broken"


@check("Models", "An unknown model is `NotFoundError` with the code `model_not_found`")
def unknown(services: Services) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        services.usual.client.models.retrieve("gpt-none")
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
