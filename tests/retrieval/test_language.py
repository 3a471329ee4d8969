import pytest

from technoshare.retrieval.language import language_of
from technoshare.text import count_words

ENGLISH = "The cache keeps the pages that were read last, so that the second reader does not wait for the disk again."
GERMAN = "Der Zwischenspeicher hält die zuletzt gelesenen Seiten, damit der zweite Leser nicht noch einmal warten muss."
CHINESE = "缓存把最近读过的页面放在内存里，所以第二次读取几乎不花时间，而且磁盘可以休息。"
JAPANESE = "キャッシュは最近読んだページをメモリに置くので、二回目はほとんど待たない。"
KOREAN = "캐시는 최근에 읽은 페이지를 메모리에 두기 때문에 두 번째는 거의 기다리지 않는다."


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        (ENGLISH, "", "en"),
        (GERMAN, "", "de"),
        (GERMAN, "de-AT", "de"),
        ("Kurz.", "de_DE", "de"),
        ("Kurz.", "", ""),
        ("", "", ""),
        (CHINESE, "", "zh"),
        (CHINESE, "zh-Hans", "zh"),
        (CHINESE[:12], "", "zh"),
        (CHINESE, "en", "zh"),
        (JAPANESE, "", "ja"),
        (JAPANESE, "en-US", "ja"),
        (JAPANESE[:12], "", "ja"),
        (KOREAN, "", "ko"),
        (KOREAN[:12], "en", "ko"),
        (f"{CHINESE} 这里用 asyncio TaskGroup 和 SQLite。", "en", "zh"),
        (f"{ENGLISH} Its name is 缓存.", "en", "en"),
        (f"{ENGLISH} Its name is キャッシュ.", "", "en"),
        (JAPANESE, "jp", "ja"),
        (ENGLISH, "x", "en"),
        (ENGLISH, "english", "en"),
        ("12 34 !?", "", ""),
    ],
)
def test_the_language_is_told_by_the_script_the_page_and_a_guess(text, declared, language):
    assert language_of(text, declared) == language


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("Two words.", 2), ("缓存页面", 2), ("キャッシュ", 3), ("SQLite 缓存", 2), ("แคชเก็บหน้าไว้", 3)],
)
def test_words_are_counted_where_no_spaces_are_written_too(text, words):
    assert count_words(text) == words
