# Everything a user or a machine needs: each target installs what it needs by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SHARED := $(wildcard ../shared/data)
DATA   ?= $(SHARED)
ORACLE ?= $(wildcard ../shared/oracle)
WORKERS ?= 3 # tests wait more than they compute: three keep two cores busy
CLIENTS := .venv-clients
CLIENT_STAMPS := $(addprefix $(CLIENTS)/,$(addsuffix /.installed,ib_async ib_insync ibapi-9.81 ibapi-stable ibapi-latest))

.PHONY: setup run test golden chaos chaos-again test-clients soak check bench docs clean help
.DEFAULT_GOAL := help

help:
	@echo "make run            bring everything up, run one whole trading day, stay on schedule until Ctrl-C"
	@echo "make run ONCE=1     ... and end after the day; every call plays the next recorded day"
	@echo "make run AGAIN=1    ... the same day once more"
	@echo "make run DATA=DIR   ... on recorded prices in pysystemtrade's layout (default: generated markets)"
	@echo "make test           all tests          make check   ruff, mypy, import rules"
	@echo "make golden         our numbers against independent ones: ORACLE=DIR DATA=DIR, a line a case and a total"
	@echo "make chaos          the service as a process: killed, frozen, supervised, its documents executed"
	@echo "make chaos-again    those of its cases that failed, one after the other, each with the machine for itself"
	@echo "make test-clients   other people's IB clients, each in a venv of its own, against the simulated gateway"
	@echo "make soak           the long tests: every zone, thousands of courses of events, hundreds of kills"
	@echo "make bench          the speed table    make docs    check that every documented command exists"
	@echo "make clean          remove what was built; the state under ./var stays"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tradingd needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing tradingd into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $@

run: $(STAMP)
	@$(BIN)/tradingd --day $(if $(ONCE),--once) $(if $(AGAIN),--again) $(if $(DATA),--data "$(DATA)")

test: $(STAMP)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

golden: $(STAMP)
	@ORACLE="$(ORACLE)" DATA="$(DATA)" $(BIN)/python tests/golden/compare.py

chaos: $(STAMP)
	@$(BIN)/python -m pytest -m "chaos and not soak" -n $(WORKERS) --dist loadfile tests/end_to_end

chaos-again: $(STAMP)
	@$(BIN)/python -m pytest -m "chaos and not soak" --last-failed --last-failed-no-failures none tests/end_to_end

test-clients: $(STAMP) $(CLIENT_STAMPS)
	@$(BIN)/python -m pytest tests/clients -m clients

$(CLIENTS)/ib_async/.installed:     PACKAGE := ib_async==2.1.0
$(CLIENTS)/ib_insync/.installed:    PACKAGE := ib_insync==0.9.86
$(CLIENTS)/ibapi-9.81/.installed:   PACKAGE := ibapi==9.81.1.post1
$(CLIENTS)/ibapi-stable/.installed: PACKAGE := ibapi-stable==10.50.2
$(CLIENTS)/ibapi-latest/.installed: PACKAGE := ibapi-latest==10.51.1

$(CLIENT_STAMPS):
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo "Installing $(PACKAGE) into $(@D) ..."
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGE)
	@touch $@

soak: $(STAMP)
	@$(BIN)/python -m pytest -m soak -n 2 --dist loadfile

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

docs: $(STAMP)
	@$(BIN)/python -m pytest tests/architecture

clean:
	rm -rf $(VENV) $(CLIENTS) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
