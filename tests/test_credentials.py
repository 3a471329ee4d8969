import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.credentials import without_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:hunter2@host.example/a", "https://***@host.example/a"),
        ("https://:hunter2@host.example/", "https://***@host.example/"),
        ("postgresql://bot:p%40ss@db.example:5432/jobs", "postgresql://***@db.example:5432/jobs"),
        ("https://ada:p@ss@host.example/", "https://***@host.example/"),
        ("https://0123456789abcdef0123@host.example/x.git", "https://***@host.example/x.git"),
        ("https://h.example/f?token=abc&page=2", "https://h.example/f?token=***&page=2"),
        ("https://h.example/f?page=2&access_token=abc#top", "https://h.example/f?page=2&access_token=***#top"),
        ("https://h.example/#access_token=abc&state=1", "https://h.example/#access_token=***&state=1"),
        (
            "https://h.example/f?X-Amz-Signature=ab&X-Amz-Date=1",
            "https://h.example/f?X-Amz-Signature=***&X-Amz-Date=***",
        ),
        ("https://h.example/f?sig=a%2Fb&se=2026", "https://h.example/f?sig=***&se=2026"),
        ("https://h.example/f?code=abc&key=def&PASSWORD=x", "https://h.example/f?code=***&key=***&PASSWORD=***"),
        ("https://h.example/f?client_secret=abc;apiKey=x", "https://h.example/f?client_secret=***;apiKey=***"),
        (
            "https://h.example/login?next=https%3A%2F%2Fi.example%2F%3Ftoken%3Dabc%26page%3D2",
            "https://h.example/login?next=https%3A%2F%2Fi.example%2F%3Ftoken%3D***%26page%3D2",
        ),
    ],
)
def test_credentials_of_an_address_are_masked(address, shown):
    assert without_credentials(address) == shown
    assert without_credentials(f'He wrote "{address}" and more.') == f'He wrote "{shown}" and more.'


@pytest.mark.parametrize(
    "text",
    [
        "https://medium.com/@ada/a-story-1234",
        "https://h.example/f?q=token&v=dQw4w9WgXcQ&utm_source=x&id=7&monkey=2&keyword=a&decode=1&design=b",
        "ssh://git@github.com/ada/repo.git",
        "Write to ada@h.example: the key=value form, code=7 and token=abc are no addresses.",
        "https://h.example/tokens/secret/key",
        "a ratio of 3:1@noon",
        "",
    ],
)
def test_what_opens_nothing_stays(text):
    assert without_credentials(text) == text


@given(st.text(alphabet="htps:/@?&=#%.token \n", max_size=80))
def test_masking_twice_is_masking_once(text):
    once = without_credentials(text)
    assert without_credentials(once) == once
