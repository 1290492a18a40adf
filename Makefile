# Benchmark Runner. `make` alone lists what there is.

PYTHON3 ?= python3
BIN     := .venv/bin
CLI     := $(BIN)/benchmark-runner

.PHONY: help install install-dev demo serve test check format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## install into .venv; CUDA where there is an NVIDIA GPU: [ENGINE=cpu|cuda] [PYTHON=path]
	@$(PYTHON3) cluster/bootstrap.py

install-dev:
	@$(PYTHON3) cluster/bootstrap.py --dev

demo: install ## run two real models over a dataset and keep serving: [DATASET=file] [MODELS=a,b] [PORT=n]
	@$(CLI) demo $(if $(DATASET),--dataset "$(DATASET)") $(if $(MODELS),--models "$(MODELS)") $(if $(PORT),--port $(PORT))

serve: install ## start the service: [PORT=n]
	@$(CLI) serve $(if $(PORT),--port $(PORT))

test: check ## install, check, and run every test: [TESTS=paths or options of pytest]
	$(BIN)/python -m pytest $(TESTS)

check: install-dev ## format, lint, types, import contracts, generated API description
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m serve_app.openapi --check

format: install-dev ## format, fix what can be fixed, generate the API description anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m serve_app.openapi

lock: ## resolve the dependencies of pyproject.toml anew into requirements/ (Python 3.11)
	$(PYTHON3) requirements/lock.py

clean: ## remove what was installed and prepared, but no data
	rm -rf .venv data/models
