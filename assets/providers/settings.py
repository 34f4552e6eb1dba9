"""What the operator sets about AI services, as plain data; Django's settings fill it from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
from pydantic import SecretStr

_KEY = re.compile(r"[\x21-\x7e]*")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a service is, the key to it, and the models that are used where a request names none."""

    base_url: str
    key: SecretStr = field(default_factory=lambda: SecretStr(""))
    text_model: str = ""
    image_model: str = ""
    video_model: str = ""

    def problem(self) -> str:
        """What is wrong with it, for a check at start; empty if nothing is. Says nothing of the key but that."""
        if not _KEY.fullmatch(self.key.get_secret_value()):
            return "the key holds spaces or characters that no key has"
        try:
            url = httpx.URL(self.base_url)
        except (httpx.InvalidURL, ValueError):
            return "the base URL can't be read"
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            return "the base URL has to be http(s)://host…, without user name and password"
        return ""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a model costs, in US dollars: a million tokens in and out, a picture, a second."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    image: Decimal = Decimal(0)
    second: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long each kind of call may take as a whole, in seconds, and how large an answer may be."""

    connect: float = 10.0
    text: float = 240.0  # below the 300 s that an extraction has
    submit: float = 60.0  # of services that only take the order
    image: float = 300.0  # of services that answer with the picture
    video: float = 1800.0  # of services that answer with the clip
    poll: float = 30.0
    unseen: float = 120.0  # a task that is younger may be unknown to its own service
    answer_bytes: int = 96 * 1024 * 1024  # a picture of 50 MB in base64, and a little

    @property
    def longest(self) -> float:
        """So long may an order be on its way."""
        return self.connect + max(self.submit, self.image, self.video)


@dataclass(frozen=True, kw_only=True)
class Downloading:
    """Fetching what was made. `waits`: seconds before each further try, while it is not there yet."""

    image_bytes: int = 64 * 1024 * 1024
    video_bytes: int = 2 * 1024 * 1024 * 1024
    seconds: float = 600.0  # for one try
    waits: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
    inner_hosts: tuple[str, ...] = ()  # that may be inner all the same; see `jobs.outbound`


DEFAULTS: Mapping[str, Endpoint] = {
    "anthropic": Endpoint(base_url="https://api.anthropic.com", text_model="claude-sonnet-5-5"),
    "openai": Endpoint(
        base_url="https://api.openai.com/v1", text_model="gpt-6.1-terra", image_model="gpt-image-2.5-flare"
    ),
    "http": Endpoint(base_url=""),
    "replicate": Endpoint(
        base_url="https://api.replicate.com/v1",
        image_model="black-forest-labs/flux-1.1-pro",
        video_model="bytedance/seedance-1-pro",
    ),
    "fal": Endpoint(
        base_url="https://queue.fal.run",
        image_model="fal-ai/flux/dev",
        video_model="fal-ai/bytedance/seedance/v1/pro/text-to-video",
    ),
    "ark": Endpoint(
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        image_model="doubao-seedream-4-0-250828",
        video_model="doubao-seedance-2-0-260128",
    ),
}


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """All of it. `prices` are by `provider/model`; `provider` alone stands for each model that is not listed."""

    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: DEFAULTS)
    prices: Mapping[str, Price] = field(default_factory=dict)
    patience: Patience = Patience()
    downloading: Downloading = Downloading()
    threads: int = 1  # of ffmpeg, for clips that are made offline
