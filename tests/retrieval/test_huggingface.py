"""Hugging Face: models, data sets and spaces with their card, and the page itself when the API has had enough."""

import pytest

from technoshare.errors import FetchError, Transient, Unusable
from technoshare.retrieval.reading import ADAPTERS, read
from tests.retrieval.answers import BUSY, GONE, HOSTILE, PROSE, InlineParser, Web, article, as_json, page, told

SITE = "https://huggingface.co"
URL = f"{SITE}/sample-lab/fence-7b"
API = f"{SITE}/api/models/sample-lab/fence-7b"
RAW = f"{URL}/raw/main/README.md"
DATA, DATA_API = f"{SITE}/datasets/sample-lab/claims", f"{SITE}/api/datasets/sample-lab/claims"
SPACE, SPACE_API = f"{SITE}/spaces/sample-lab/fence-demo", f"{SITE}/api/spaces/sample-lab/fence-demo"
PRIVATE = page('{"error":"Invalid username or password."}', status=401, kind="application/json")

MODEL = as_json(
    200,
    _id="65a", id="sample-lab/fence-7b", modelId="sample-lab/fence-7b", author="sample-lab", sha="0f", private=False,
    gated="manual", disabled=False, downloads=12345, likes=67, library_name="transformers",
    pipeline_tag="text-generation", createdAt="2026-05-01T10:00:00.000Z", lastModified="2026-11-03T09:30:00.000Z",
    tags=["transformers", "safetensors", "text-generation", "base_model:sample-lab/fence-base", "license:apache-2.0"],
    cardData={"license": "apache-2.0", "base_model": ["sample-lab/fence-base"], "language": ["en"], "tags": ["x"]},
    siblings=[{"rfilename": "README.md"}], safetensors={"total": 7000000000},
)  # fmt: skip
DATASET = as_json(
    200,
    id="sample-lab/claims", author="sample-lab", gated=False, downloads=9, likes=0, private=False,
    description="\n\t Claims   of workers, one a row.\n", createdAt="2026-02-03T00:00:00.000Z",
    lastModified="2026-02-04T00:00:00.000Z", tags=["task_categories:text-classification", "license:cc-by-4.0"],
    cardData={"license": ["cc-by-4.0", "mit"]},
)  # fmt: skip
DEMO = as_json(
    200,
    id="sample-lab/fence-demo", author="sample-lab", sdk="gradio", likes=5, tags=["gradio", "region:us"],
    lastModified="2026-11-03T09:30:00.000Z", cardData={"title": "Fence demo", "short_description": "Try the counters"},
)  # fmt: skip
CARD = page(
    f"---\nlicense: apache-2.0\ntags:\n- x\n---\n\n# Fence 7B\n\n{PROSE}\n\n## Limits\n\nOne process.\n",
    kind="text/plain",
)
WHOLE = {API: MODEL, RAW: CARD}


async def read_repository(answers, url=URL):
    web = Web(answers)
    return await read(url, web, InlineParser()), web


async def test_a_model_has_its_facts_and_its_card():
    evidence, _ = await read_repository(WHOLE)
    assert (evidence.adapter, evidence.domain, evidence.coverage) == ("HuggingFaceAdapter", "huggingface.co", "full")
    assert (evidence.title, evidence.authors, evidence.published) == (
        "sample-lab/fence-7b",
        ("sample-lab",),
        "2026-05-01",
    )
    assert told(evidence) == {
        "kind": "model",
        "licence": "apache-2.0",
        "downloads": "12345",
        "likes": "67",
        "parent": "sample-lab/fence-base",
        "categories": "text-generation",
        "topics": "transformers safetensors text-generation",
        "updated": "2026-11-03",
        "comment": "gated: its owner decides who may download it",
    }
    assert [(snippet.section, snippet.source) for snippet in evidence.snippets] == [("Fence 7B", RAW), ("Limits", RAW)]
    assert "license" not in evidence.snippets[0].text


async def test_a_data_set_has_its_description_and_its_card():
    evidence, _ = await read_repository({DATA_API: DATASET, f"{DATA}/raw/main/README.md": CARD}, DATA)
    assert [snippet.section for snippet in evidence.snippets] == ["About", "Fence 7B", "Limits"]
    assert evidence.snippets[0].text == "Claims of workers, one a row."
    assert told(evidence) == {
        "kind": "dataset", "licence": "cc-by-4.0 mit", "downloads": "9", "likes": "0",
        "categories": "text-classification", "updated": "2026-02-04",
    }  # fmt: skip


async def test_a_space_has_its_title_and_its_card():
    evidence, _ = await read_repository({SPACE_API: DEMO, f"{SPACE}/raw/main/README.md": CARD}, SPACE)
    assert evidence.title == "sample-lab/fence-demo: Fence demo"
    assert evidence.snippets[0].text == "Try the counters"
    assert told(evidence) == {"likes": "5", "topics": "gradio", "updated": "2026-11-03"}


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}/",
        "http://www.huggingface.co/sample-lab/fence-7b?library=transformers",
        "https://hf.co/sample-lab/fence-7b",
        f"{URL}/tree/main",
        f"{URL}/blob/main/README.md",
        f"{URL}#limits",
    ],
)
async def test_odd_forms_of_the_address_are_the_same_model(url):
    evidence, _ = await read_repository(WHOLE, url)
    assert (evidence.url, evidence.final_url) == (url, URL)


async def test_an_old_name_leads_to_the_name_of_today():
    answers = {f"{SITE}/api/datasets/claims": DATASET, f"{DATA}/raw/main/README.md": CARD}
    evidence, _ = await read_repository(answers, f"{SITE}/datasets/claims")
    assert evidence.final_url == DATA


@pytest.mark.parametrize("answer", [PRIVATE, GONE], ids=["401", "404"])
async def test_what_is_private_or_not_there_is_not_found(answer):
    with pytest.raises(Unusable, match="no such repository, or it is private") as caught:
        await read_repository({API: answer})
    assert caught.value.obstacle == "not_found"


@pytest.mark.parametrize("answer", [BUSY, *HOSTILE.values()], ids=["429", *HOSTILE])
async def test_when_the_api_is_in_trouble_the_page_is_read(answer):
    evidence, _ = await read_repository({API: answer, URL: page(article())}, f"{URL}/tree/main")
    assert (evidence.adapter, evidence.coverage, evidence.url) == ("HuggingFaceAdapter", "partial", f"{URL}/tree/main")


@pytest.mark.parametrize(
    "answer", [PRIVATE, GONE, BUSY, page(""), page("---\nlicense: mit\n---\n"), FetchError("no answer", transient=True)]
)
async def test_without_a_card_there_is_too_little(answer):
    with pytest.raises(Unusable, match="too little text"):
        await read_repository({API: MODEL, RAW: answer})


async def test_when_nothing_answers_the_link_is_tried_again_later():
    with pytest.raises(Transient):
        await read_repository({API: BUSY, URL: page("", status=429)})


@pytest.mark.parametrize(
    "text",
    ["---\n" * 200_000, "---\n" + "a: b\n" * 150_000, "#" * 500_000, "[" * 500_000],
    ids=["rules", "front", "#", "["],
)
async def test_a_monstrous_card_ends_in_a_reason(text):
    with pytest.raises(Unusable):
        await read_repository({API: MODEL, RAW: page(text, kind="text/plain")})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/papers/2611.00042", "ArxivAdapter"),
        ("/blog/fences", "GenericAdapter"),
        ("/blog/sample-lab/fences", "GenericAdapter"),
        ("/docs/transformers", "GenericAdapter"),
        ("/collections/sample-lab/fences-65a", "GenericAdapter"),
        ("/datasets", "GenericAdapter"),
        ("/spaces/sample-lab", "GenericAdapter"),
        ("/sample-lab", "GenericAdapter"),
        ("/sample-lab/fence-7b/discussions/4", "GenericAdapter"),
        ("/sample-lab/fence-7b/blob/main/config.json", "GenericAdapter"),
        ("/sample-lab/fence-7b", "HuggingFaceAdapter"),
        ("/datasets/squares", "HuggingFaceAdapter"),
    ],
)
def test_each_page_of_the_site_has_one_reader(path, name):
    assert next(adapter.NAME for adapter in ADAPTERS if adapter.matches(SITE + path)) == name
