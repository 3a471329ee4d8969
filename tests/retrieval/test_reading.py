"""Which adapter reads a link, and how little is too little."""

from pathlib import Path

import pytest

from technoshare.errors import Transient, Unusable
from technoshare.retrieval.frozen import FrozenFetcher, load_snapshot
from technoshare.retrieval.parser import open_parser
from technoshare.retrieval.reading import ADAPTERS, read
from tests.retrieval.answers import PROSE, SENTENCES, InlineParser, Web, article, page

SNAPSHOTS = Path(__file__).resolve().parents[2] / "evalsets" / "snapshots"
URL = "https://example.org/page"


def adapter_of(url: str) -> str:
    return next(adapter.NAME for adapter in ADAPTERS if adapter.matches(url))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://arxiv.org/abs/2611.99901", "ArxivAdapter"),
        ("https://arxiv.org/pdf/2611.99901v2.pdf", "ArxivAdapter"),
        ("https://arxiv.org/list/cs.CL/recent", "GenericAdapter"),
        ("https://github.com/owner/repo", "GithubAdapter"),
        ("https://github.com/owner/repo.git", "GithubAdapter"),
        ("https://github.com/owner/repo/issues/7", "GithubAdapter"),
        ("https://github.com/owner/repo/pull/7/files", "GithubAdapter"),
        ("https://github.com/owner/repo/releases/latest", "GithubAdapter"),
        ("https://github.com/owner/repo/blob/main/a.py", "GithubAdapter"),
        ("https://raw.githubusercontent.com/owner/repo/main/a.py", "GithubAdapter"),
        ("https://github.com/owner/repo/tree/main", "GithubAdapter"),
        ("https://github.com/owner/repo/commit/0123abc", "GithubAdapter"),
        ("https://gist.github.com/owner/0123456789abcdef0123", "GithubAdapter"),
        ("https://github.com/owner/repo/pulls", "GenericAdapter"),
        ("https://github.com/owner/repo/discussions/7", "GenericAdapter"),
        ("https://github.com/owner/repo/wiki/Home", "GenericAdapter"),
        ("https://github.com/owner/repo/actions/runs/7", "GenericAdapter"),
        ("https://docs.github.com/en/rest", "GenericAdapter"),
        ("https://owner.github.io/repo/", "GenericAdapter"),
        ("https://github.com/owner", "GenericAdapter"),
        ("https://github.com/topics/python", "GenericAdapter"),
        ("https://news.ycombinator.com/item?id=46000001", "HackerNewsAdapter"),
        ("https://news.ycombinator.com/newest", "GenericAdapter"),
        ("https://news.ycombinator.com/item?id=x", "GenericAdapter"),
        ("https://huggingface.co/papers/2611.99901", "ArxivAdapter"),
        ("https://huggingface.co/owner/model", "HuggingFaceAdapter"),
        ("https://pt.wikipedia.org/wiki/Fila", "WikipediaAdapter"),
        ("https://unix.stackexchange.com/q/7", "StackExchangeAdapter"),
        ("https://youtu.be/aB3_dE-7gHi", "YoutubeAdapter"),
        ("https://example.org/paper.pdf", "GenericAdapter"),
        ("http://127.0.0.1:8765/0380", "GenericAdapter"),
    ],
)
def test_each_link_has_one_reader(url, name):
    assert adapter_of(url) == name


async def read_text(text: str):
    return await read(URL, Web({URL: page(text, kind="text/plain")}), InlineParser())


async def test_too_few_words_are_counted_and_named():
    with pytest.raises(Unusable, match=r"too little text on the page to comment on \(50 words\)") as caught:
        await read_text("\n".join(f"Line {n} has five words." for n in range(10)))
    assert caught.value.obstacle == "too_short"


async def test_many_words_in_few_sentences_are_too_little_too():
    with pytest.raises(Unusable, match="too little text"):
        await read_text("\n".join(["word " * 30 + "end."] * 5))


async def test_sixty_words_in_six_sentences_are_enough():
    six = "\n".join(f"This is sentence number {n} and it has exactly ten words." for n in range(6))
    assert (await read_text(six)).words >= 60
    with pytest.raises(Unusable):
        await read_text(six.rpartition("\n")[0])


async def test_a_menu_is_not_a_text():
    with pytest.raises(Unusable):
        await read_text("\n".join(f"Menu item {n}" for n in range(100)))


async def test_chinese_needs_no_spaces_to_be_long_enough():
    text = "".join(f"第{n}个工作进程从队列中取出一个任务并且把结果写回数据库。" for n in "一二三四五六七八")
    assert (await read_text(text)).language == "zh"


async def test_the_reason_is_the_obstacle_where_there_is_one():
    teaser = f"{SENTENCES[0]}</p><p>Subscribe to continue reading"
    with pytest.raises(Unusable, match="paying readers only"):
        await read(URL, Web({URL: page(article(teaser))}), InlineParser())


async def test_a_dead_network_is_a_reason_to_try_again():
    with pytest.raises(Transient, match="did not answer"):
        await read(URL, Web({}), InlineParser())


async def test_the_samples_are_read_through_the_real_parser_process():
    async with open_parser(processes=1) as parser:
        paper = load_snapshot(SNAPSHOTS / "paper-quote-first.yaml")
        repository = load_snapshot(SNAPSHOTS / "repo-ledgerline.yaml")
        blog = load_snapshot(SNAPSHOTS / "blog-incremental-snapshots.yaml")
        web = FrozenFetcher((paper, repository, blog))
        read_ones = [await read(snapshot.url, web, parser) for snapshot in (paper, repository, blog)]
    assert [(one.adapter, one.coverage) for one in read_ones] == [
        ("ArxivAdapter", "full"),
        ("GithubAdapter", "full"),
        ("GenericAdapter", "full"),
    ]
    assert all(one.words > 300 for one in read_ones)


async def test_evidence_survives_a_checkpoint():
    evidence = await read_text(PROSE)
    assert type(evidence).model_validate(evidence.model_dump(mode="json")) == evidence
