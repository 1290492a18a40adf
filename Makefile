# Benchmark Runner. `make` alone lists what there is.

PYTHON3 ?= python3
BIN     := .venv/bin
CLI     := $(BIN)/benchmark-runner
demo_options := $(if $(DATASET),--dataset "$(DATASET)") $(if $(MODELS),--models "$(MODELS)") $(if $(PORT),--port $(PORT))

.PHONY: help install install-dev demo serve test check format lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "make %-12s %s\n", $$1, $$2}'

install: ## install everything into .venv (CUDA build of vLLM where there is an NVIDIA GPU)
	@$(PYTHON3) cluster/bootstrap.py

install-dev:
	@$(PYTHON3) cluster/bootstrap.py --dev

demo: install ## run two real models over a dataset and keep serving: [DATASET=file] [MODELS=a,b] [PORT=n]
	@$(CLI) demo $(demo_options)

serve: install ## start the service: [PORT=n]
	@$(CLI) serve $(if $(PORT),--port $(PORT))

test: install-dev check ## install and run everything: checks, unit, integration, end to end
	$(BIN)/python -m pytest $(TESTS)

check: install-dev ## format, lint, types, import contracts, generated API description
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m serve_app.openapi --check

format: install-dev ## format, and fix what can be fixed; regenerate docs/openapi.json
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m serve_app.openapi

lock: install-dev ## resolve the dependencies of pyproject.toml anew into requirements/
	$(BIN)/python requirements/lock.py

clean: ## remove what was installed and prepared, but no data
	rm -rf .venv data/models
