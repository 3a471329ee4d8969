"""MLflow's own pages in real Chromium, over a morning's jobs: what a person opens, step by step."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from mlflow import MlflowClient
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests.observe.samples import BLOG, LINKS

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 60_000
"""Milliseconds for a page that is drawn by two megabytes of JavaScript."""

COLUMNS = ("total_seconds", "total_tokens", "cost_usd", "adapter_name", "outcome", "target_url")
"""What a person adds to the table of runs."""
EMPTY = ("Dataset", "Source", "Models")
"""What is shown there without being asked for and says nothing about a job."""


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield launched
        finally:
            await launched.close()


class Visit:
    """One person's walk through an experiment. `outside` collects what a page wanted from another server."""

    def __init__(self, page: Page, mlflow: str, experiment: str, shots: Path | None) -> None:
        self._page, self._mlflow, self._shots = page, mlflow, shots
        self._experiment = MlflowClient(mlflow).get_experiment_by_name(experiment).experiment_id
        self.outside: list[str] = []
        self.broken: list[str] = []

    async def walk(self) -> None:
        """Do everything that a person would; raises `AssertionError` where something is not to be seen."""
        await self._page.route("**/*", self._stay_here)
        self._page.on("pageerror", lambda error: self.broken.append(str(error)))
        await self.table_of_runs()
        await self.two_jobs_compared()
        await self.evidence()
        await self.latency_charted()
        await self.list_of_traces()
        await self.waterfall_with_a_span()

    # ---------------------------------------------------------------- runs

    async def table_of_runs(self) -> None:
        """The list holds the jobs alone, and the columns that tell them apart."""
        page = self._page
        await self._runs("tags.kind = 'job'", "TABLE")
        await page.get_by_role("button", name="Close").first.click()  # the assistant's panel
        await expect(page.get_by_text(f"{len(LINKS)} matching runs")).to_be_visible()
        await page.get_by_role("button", name="Columns", exact=True).click()
        await expect(page.get_by_text("total_tokens", exact=True)).to_be_visible()  # the tree has unfolded
        for name in (*EMPTY, *COLUMNS):
            await page.get_by_placeholder("Search columns").fill(name)
            await page.locator("[class*=tree-title]", has_text=re.compile(f"^{name}$")).click()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("link", name="job_")).to_have_count(len(LINKS))
        await expect(page.get_by_role("link", name="slack_post")).to_have_count(0)
        for outcome, count in (("success", 5), ("degraded", 1), ("duplicate", 1), ("failed", 1)):
            await expect(page.locator("[role=gridcell]").get_by_text(outcome, exact=True)).to_have_count(count)
        await self._shot("1-runs")

    async def two_jobs_compared(self) -> None:
        """Two jobs side by side, with the parameters in which they differ."""
        page = self._page
        for row in (0, 4):  # a web page and a paper
            await page.locator(f"[row-index='{row}'] .ag-selection-checkbox input").check()
        await page.get_by_role("button", name="Compare", exact=True).click()
        await expect(page.get_by_text("Comparing 2 Runs")).to_be_visible()
        await page.get_by_text("Visualizations").click()  # folds the plots away
        for cell in ("ArxivAdapter", "https://arxiv.org/abs/2611.99901"):
            await expect(page.locator("table").get_by_text(cell, exact=True)).to_be_visible()
        await self._shot("2-compared")

    async def evidence(self) -> None:
        """evidence.json in the artifact viewer, found from its job."""
        page = self._page
        await self._runs(f"tags.target_url = '{BLOG}' and tags.stage = 'retrieval'", "TABLE")
        await page.locator(".ag-row button").filter(visible=True).first.click()  # the job unfolds
        await page.get_by_role("link", name="retrieval").first.click()
        await page.get_by_role("tab", name="Artifacts").click()
        await page.get_by_text("evidence.json").first.click()
        await expect(page.get_by_text('"snippets"')).to_be_visible()
        await expect(page.get_by_text("incremental-snapshots").first).to_be_visible()
        await self._shot("3-evidence")

    async def latency_charted(self) -> None:
        """latency_seconds as a chart, a bar for each stage."""
        page = self._page
        await self._runs("tags.kind = 'stage'", "CHART")
        await expect(page.locator(".js-plotly-plot").first).to_be_visible()  # drawn, so that nothing moves any more
        await page.get_by_role("button", name="Group by").click()
        await page.get_by_text("stage", exact=True).click()
        await page.keyboard.press("Escape")
        await page.get_by_placeholder("Search metric charts").fill("latency_seconds")
        for stage in ("retrieval", "stage_a", "stage_b", "quality_gates", "slack_post"):
            await expect(page.get_by_text(stage, exact=True).last).to_be_visible()
        await expect(page.locator(".js-plotly-plot .bars .point, .js-plotly-plot .point")).to_have_count(5)
        await self._shot("4-latency")

    # ---------------------------------------------------------------- traces

    async def list_of_traces(self) -> None:
        """Each trace shows the link, the beginning of the answer, tokens and state."""
        page = self._page
        await self._go("traces")
        await page.get_by_role("button", name="Got it").click()  # an advertisement
        await expect(page.get_by_text(f"{len(LINKS)} of {len(LINKS)}")).to_be_visible()
        for told in (BLOG, "Already shared here", "No comment on", "Error"):
            await expect(page.get_by_text(told).first).to_be_visible()
        await self._shot("5-traces")

    async def waterfall_with_a_span(self) -> None:
        """A trace as a waterfall; its spans opened: documents, tokens, attributes."""
        page = self._page
        await page.get_by_text("https://arxiv.org/abs/2611.99901").first.click()
        await expect(page.get_by_text("stage_a.run")).to_be_visible()
        await self._shot("6-trace")
        await page.locator("[data-component-id*=timeline]").first.click()
        await page.get_by_text("retrieval.fetch_evidence").filter(visible=True).first.click()
        await expect(page.get_by_text("doc_uri").first).to_be_visible()
        await self._shot("7-documents")
        await page.get_by_text("stage_a.run").filter(visible=True).first.click()
        for told in ("gpt-4o", re.compile("[0-9,]+ tokens")):
            await expect(page.get_by_text(told).filter(visible=True).last).to_be_visible()
        await page.get_by_role("tab", name="Attributes").click()
        for name in ("tool_call_count", "sources"):
            await expect(page.get_by_text(name, exact=True).filter(visible=True).first).to_be_visible()
        await self._shot("8-span")

    # ---------------------------------------------------------------- ways

    async def _runs(self, search: str, mode: str) -> None:
        await self._go(f"runs?searchFilter={quote(search)}&compareRunsMode={mode}")

    async def _go(self, where: str) -> None:
        await self._page.goto("about:blank")  # the address differs behind the # alone: nothing would be loaded anew
        await self._page.goto(f"{self._mlflow}/#/experiments/{self._experiment}/{where}")

    async def _stay_here(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(self._mlflow).netloc:
            await route.continue_()
        else:
            self.outside.append(route.request.url)
            await route.abort()

    async def _shot(self, name: str) -> None:
        if self._shots is not None:
            await self._page.wait_for_timeout(1500)  # for the eye alone: charts and drawers slide in
            await self._page.screenshot(path=self._shots / f"{name}.png")


async def visit(browser: Browser, mlflow: str, experiment: str, shots: Path | None = None) -> Visit:
    """Walk through the experiment that `samples.record` made; screenshots go into the folder `shots`."""
    page = await browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    visitor = Visit(page, mlflow, experiment, shots)
    try:
        await visitor.walk()
    except BaseException:
        await visitor._shot("0-failed")
        raise
    finally:
        await page.close()
    return visitor
