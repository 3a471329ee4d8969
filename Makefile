# Every target sets up .venv by itself. `make` alone prints this help.
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
PORT   ?= 5000
ARGS   ?=
PROMPT ?=
N      ?= 200
MINUTES ?= 30

.DEFAULT_GOAL := help
.PHONY: help setup demo bot test check eval eval-bless bench mlflow prompts browser crash soak attack observe clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "TechnoShare needs Python 3.11 or newer; set PYTHON=…"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (a few minutes the first time) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

setup: $(READY) ## Create .venv and install everything into it

demo: $(READY) ## The main job with nothing but Python: local Slack page, MLflow, the bot, three sample links
	@$(BIN)/python -m technoshare.cli demo $(ARGS)

bot: $(READY) ## Run the bot against a real Slack workspace (docs/SLACK_SETUP.md)
	@$(BIN)/python bot.py

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(READY) ## Format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

eval: $(READY) ## Run the evaluation set and judge it; exit 0 only when it passes (PROMPT=staging: those prompts)
	@$(BIN)/python -m technoshare.cli eval run $(if $(PROMPT),--prompt $(PROMPT)) $(ARGS)

eval-bless: $(READY) ## Make the last passed evaluation the baseline that others are compared with
	@$(BIN)/python -m technoshare.cli eval bless $(ARGS)

bench: $(READY) ## Print figures: acks in a burst, first sign, time to comment with and without MLflow
	@$(BIN)/python -m tests.bench $(ARGS)

mlflow: $(READY) ## Start the MLflow server (./mlflow.db, ./mlartifacts, port 5000, or PORT=…)
	@$(BIN)/python -m technoshare.mlops.server --port $(PORT)

prompts: $(READY) ## Bring prompts/*.yaml into MLflow's prompt registry (alias staging); the same text twice changes nothing
	@$(BIN)/python -m technoshare.cli prompts sync $(ARGS)

browser: $(READY) ## Only the tests that drive the workspace page in real Chromium
	@$(BIN)/python -m pytest -m browser $(ARGS)

crash: $(READY) ## Kill the bot -9 N times at random points and count what was lost or doubled (N=200)
	@$(BIN)/python -m tests.crash --kills $(N)

soak: $(READY) ## Let the bot run for MINUTES with faults on and print memory, lost and doubled jobs
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

attack: $(READY) ## Forbidden addresses, redirects, hostile bodies; a model that obeys the attacker; pages that give orders
	@$(BIN)/python -m tests.attack
	@$(BIN)/python -m pytest tests/attack/test_compromised_model.py tests/attack/test_page_injection.py

observe: $(READY) ## Many jobs, a sick MLflow, the cost of a record, MLflow's pages in Chromium (ARGS="faults --shots DIR")
	@$(BIN)/python -m tests.observe $(ARGS)

clean: ## Remove caches (never data/)
	@rm -rf build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
