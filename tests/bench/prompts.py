"""The dataset of a measurement: requests with varied prompts and lengths, the same for a seed."""

import random
from collections.abc import Iterator
from typing import Any

import orjson

Json = dict[str, Any]

_WORDS = [
    "candidate",
    "backend",
    "engineer",
    "payments",
    "Kubernetes",
    "Python",
    "nursing",
    "welding",
    "audit",
    "tax",
    "Lagos",
    "remote",
    "years",
    "experience",
    "production",
    "database",
    "latency",
    "certificate",
    "interview",
    "team",
    "lead",
    "hospital",
    "customer",
    "analysis",
    "research",
    "compiler",
    "translation",
    "logistics",
    "warehouse",
    "curriculum",
]


def varied(count: int, seed: int, longest: int = 64) -> list[Json]:
    """Chat requests of 10 to some 400 words that are answered with 8 to ``longest`` tokens.

    ``ignore_eos`` makes every contender generate the same number of tokens, whatever its numerics.
    """
    rng = random.Random(seed)
    return [_request(i, rng, longest) for i in range(count)]


def _request(i: int, rng: random.Random, longest: int) -> Json:
    # Most prompts are short and a few are long, as in real files.
    words = min(10 + int(rng.expovariate(1 / 60)), 400)
    text = f"Candidate {i}: {' '.join(rng.choices(_WORDS, k=words))}. Does this fit? Say why."
    body = {
        "messages": [{"role": "user", "content": text}],
        "max_tokens": rng.randint(8, longest),
        "temperature": 0,
        "ignore_eos": True,
    }
    return {"custom_id": f"r-{i}", "method": "POST", "url": "/v1/chat/completions", "body": body}


def short(count: int) -> Iterator[bytes]:
    """Lines of small requests, for what does not depend on a model."""
    for i in range(count):
        content = f"Is candidate {i} a good fit? {' '.join(_WORDS)}"
        body = {"messages": [{"role": "user", "content": content}], "max_tokens": 16}
        line = {"custom_id": f"r-{i}", "method": "POST", "url": "/v1/chat/completions"}
        yield orjson.dumps(line | {"body": body}, option=orjson.OPT_APPEND_NEWLINE)


def jsonl(requests: list[Json]) -> bytes:
    return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in requests)
