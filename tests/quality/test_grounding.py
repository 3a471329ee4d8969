import pytest

from technoshare.quality.grounding import ungrounded

SAME = """
It has 1,200 users.|It has 1.2k users.|It has 1 200 users.|It has 1.2 thousand users.|It has twelve hundred users.
It cost 1,200,000 euros.|It cost €1.2 million.|It cost 1.2M EUR.
There were 181,674,817 rows.|There were 181.7 million rows.|There were about 180 million rows.|There were more than 180 million rows.|There were nearly 182 million rows.
It rose by 50 %.|It rose by 50 percent.|It rose by fifty per cent.|It rose by half.
The share is 0.5.|The share is 50 %.
It is 3 times faster.|It is 3x faster.|It is three times as fast.|It is a threefold gain.
It is 1.4 times as fast.|It is 40 % faster.
It began in 1994.|It began in the 1990s.
It takes 10–20 days.|It takes between 10 and 20 days.|It takes 10 to 20 days.
It costs $40.|It costs 40 dollars.|It costs USD 40.
It takes 250 ms.|It takes 250 milliseconds.|It takes 0.25 seconds.|It takes a quarter of a second.
It needs 512 kB.|It needs 512 KB.|It needs 512 kilobytes.
It needs 16 GiB.|It needs 16 gigabytes.
It is 2.5 km away.|It is 2.5 kilometres away.|It is 2,500 m away.
It ran for 36 hours.|It ran for 36 h.|It ran for a day and a half.
It ran for a fortnight.|It ran for 14 days.|It ran for two weeks.
It ran for a year.|It ran for twelve months.
It opens on 25 November 2026.|It opens on 2026-11-25.|It opens on Nov 25, 2026.|It opens on 25.11.2026.|It opens in November 2026.|It opens on November 25.|It opens in 2026.
It opens at 18:00.|It opens at 6 pm.|It opens at 6 p.m. every day.
It needs v1.2.|It needs version 1.2.|It needs release 1.2.
It needs Python 3.11.4.|It needs Python 3.11.|It needs Python 3.11 or newer.
Two of three users left.|About 67 % of users left.
A third of users left.|Some 33 percent of users left.
It serves a dozen towns.|It serves 12 towns.
He is 41 years old.|The 41-year-old left.
It is made in Germany.|It is a German product.|It is made by Germans.
It needs a Large Language Model.|It needs an LLM.|It needs LLMs.
It needs an HBM chip.|It needs High Bandwidth Memory.
We met Ada Quill.|It is Ada Quill's idea.|It is Quill’s idea.
It is open-source JavaScript.|It is Java Script, open source.|It is OpenSource.
She said “it was the best year of our lives”.|She said "it was the best year of our lives."|She said 'It was the best year of our lives'.|She said “it was … our lives”.|She said “[it] was the best year”.
See https://docs.example.org/a/.|See docs.example.org/a.|See https://docs.example.org/a.|It is on docs.example.org.
Read arXiv:2401.01234v2.|Read arXiv 2401.01234v2.
It is CVE-2026-1234.|It is cve-2026-1234.
It was PR #4471.|It was #4471.
Write to ada@example.org.|Write to Ada@example.org.
Thanks to @ada-q.|Thanks to @ada-q!
It uses the SQuAD set.|It uses the squad set.
It is written in ＧＯ １．２２.|It is written in Go 1.22.
"""

CHANGED = """
It has 1,200 users.|It has 1.3k users.|1.3k
It cost 1,200,000 euros.|It cost 1.4 million euros.|1.4 million euros
It cost 1,200,000 euros.|It cost 1.2 million dollars.|1.2 million dollars
There were 181,674,817 rows.|There were 187 million rows.|187 million
It rose by 50 %.|It rose by 60 %.|60 %
It rose by 50 %.|It hit 50 GB.|50 GB
It is 3 times faster.|It is 7x faster.|7x
It began in 1994.|It began in the 1980s.|1980s
It takes 10–20 days.|It takes between 10 and 30 days.|30 days
It needs 512 kB.|It needs 512 MB.|512 MB
It ran for 36 hours.|It ran for 36 minutes.|36 minutes
It opens on 25 November 2026.|It opens on 26 November 2026.|26 November 2026
It opens on 25 November 2026.|It opens in October.|October
It opens on 25 November 2026.|It opens in 2027.|2027
It opens at 18:00.|It opens at 7 pm.|7 pm
It needs version 1.2.|It needs version 1.20.|1.20
It needs Python 3.10.|It needs Python 3.1.|3.1
It needs v2.|It needs v3.|v3
We met Ada Quill.|We met Ada Brook.|Brook
We met Ada Quill.|Gideon Brook was there.|Gideon Brook
We met her in Porto.|We met her in Red Hook.|Red Hook
It runs on the NX-300.|It runs on the NX-400.|NX-400
She said it was good.|She said “it was the best year of our lives”.|it was the best year of our lives
She said “it was a good year for all of us”.|She said “it was a bad year for all of us”.|it was a bad year for all of us
See https://docs.example.org/a.|See https://docs.example.org/a/b.|https://docs.example.org/a/b
See https://docs.example.org/abc.|See https://docs.example.org/a.|https://docs.example.org/a
See https://docs.example.org/a.|See docs.example.org.evil.com.|docs.example.org.evil.com
See https://docs.example.org/a.|See https://docs.example.org@evil.com/a.|https://docs.example.org@evil.com/a
See docs.example.org.|See dοcs.example.org.|dοcs.example.org
See docs.example.org.|See evil\u200b.com.|evil\u200b.com
Read arXiv:2401.01234.|Read arXiv:2401.01235.|arXiv:2401.01235
It is CVE-2026-1234.|It is CVE-2026-12345.|CVE-2026-12345
It was #4471.|It was #447.|#447
It is 10.5555/zn.884213.|It is 10.5555/zn.884214.|10.5555/zn.884214
Write to ada@example.org.|Write to bob@example.org.|bob@example.org
Thanks to @ada-q.|Thanks to @bob.|@bob
It is for all.|Listen, <!channel>, now.|<!channel>
It is for all.|Listen, @here, now.|@here
Run `make all`.|Run `make none --force`.|make none --force
"""


def _rows(table: str) -> list[list[str]]:
    return [
        line.encode().decode("unicode_escape").encode("latin-1", "ignore").decode("utf-8", "ignore").split("|")
        if "\\u" in line and line.isascii()
        else line.split("|")
        for line in table.strip().splitlines()
    ]


@pytest.mark.parametrize(("source", "said"), [(one, other) for row in _rows(SAME) for one in row[:1] for other in row])
def test_the_same_said_in_another_way_is_grounded(source: str, said: str) -> None:
    assert ungrounded(said, f"We looked at it for long. {source} That is all.") == []


@pytest.mark.parametrize(("source", "said", "item"), _rows(CHANGED))
def test_a_detail_that_the_source_does_not_contain_is_named_as_it_stands(source: str, said: str, item: str) -> None:
    assert ungrounded(said, f"We looked at it for long. {source} That is all.") == [item]
