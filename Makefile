# The commands of this repository; `make` alone lists them.

PYTHON ?= python3
VENV := .venv

# Variables of the shell for libpq, Python and uv are meant for other projects: they are not passed on, apart from uv's
# index settings. pip gets its index settings from $(install).
uv_index_settings := UV_DEFAULT_INDEX UV_INDEX% UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_NO_INDEX UV_OFFLINE UV_INSECURE_HOST UV_CACHE_DIR \
	UV_KEYRING_PROVIDER UV_HTTP_TIMEOUT
unexport $(filter-out $(uv_index_settings),$(filter PG% PYTHON% UV_% VIRTUAL_ENV CONDA_PREFIX,$(.VARIABLES)))
export PYTHONUTF8 := 1
export LC_ALL := C.UTF-8

# Options are read from the command line only: a variable `v` of the shell may mean something else.
options := s m v sub email days edge load_images pooler quick fairness only strict UPGRADE
$(foreach option,$(options),$(if $(findstring environment,$(origin $(option))),$(eval $(option) :=)))

services := auth-gateway tasks users
members := libs/common libs/devkit $(services:%=services/%)
python := $(VENV)/bin/python
install := $(python) libs/devkit/src/devkit/cli/pip_install.py

# A virtual environment contains its own path: a checkout that was moved or copied gets a new one.
venv_created := $(VENV)/made-at-$(shell pwd | cksum | cut -d ' ' -f 1)
ready := $(VENV)/ready

# uv.lock would contain the URL of a package index, which must not be committed: hence compiled requirements.
compile := $(python) -m uv pip compile --quiet --system-certs --universal --generate-hashes --no-annotate \
	--custom-compile-command "make lock" $(foreach member,$(notdir $(members)),--no-emit-package $(member))

# Many tests wait for something, so one process more than there are processors keeps them busy. A file with few tests
# is not a quick one, so the order of the files stays (--no-loadscope-reorder).
workers := import os; print(min(4, 1 + (os.cpu_count() or 1)))

# $(call quoted,sub): the value of the option sub, character for character, as one word of the shell.
quoted = '$(subst ','\'',$(value $(1)))'

.DEFAULT_GOAL := help
.PHONY: help run client test check fix setup chart e2e bench screenshots up renew down migrate restored migration token explain lock

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(ready) ## Start the platform, sign-in and the app at one URL (PORT=8080; APP=off: no app); Ctrl-C stops it
	@$(python) -m devkit.cli.run

client: $(ready) ## Build the TypeScript client, as an archive for npm install
	@$(python) -m devkit.cli.client

test: $(ready) ## Run every suite against a real PostgreSQL (pooler=/usr/sbin/pgbouncer: through that one; only="FOLDER FILE")
	@POOLER="$(pooler)" $(python) -m pytest $(only) --numprocesses=$$($(python) -c '$(workers)') --dist=loadfile --no-loadscope-reorder

check: $(ready) ## Check lock files, format, lint, types, imports, sizes and requirements
	@echo "Lock files" && rm -rf var/lock-check && mkdir -p var && cp -R requirements var/lock-check
	@$(call compile_into,var/lock-check)
	@diff -r requirements var/lock-check || { echo "The lock files are out of date: make lock"; exit 1; }
	@echo "Format" && $(python) -m ruff format --check
	@echo "Lint" && $(python) -m ruff check
	@echo "Types" && $(python) -m pyright
	@echo "Imports" && $(VENV)/bin/lint-imports --no-logo
	@echo "TypeScript" && $(python) -m devkit.cli.typescript check
	@echo "Sizes, settings and requirements" && $(python) -m pytest --quiet tests

fix: $(ready) ## Fix what can be fixed automatically, and write docs/traceability.md, docs/openapi.json, its types and the SQL snapshots
	@$(python) -m ruff check --fix
	@$(python) -m ruff format
	@$(python) -m devkit.openapi.document
	@$(python) -m devkit.cli.traceability
	@$(python) -m devkit.cli.sql_snapshots
	@$(python) -m devkit.cli.typescript fix

setup: $(ready) ## Create the virtual environment; does nothing the second time

e2e: $(ready) ## Test the platform as a client sees it (E2E_BASE_URL=… for a running one; edge=traefik TRAEFIK=…; edge=compose; edge=kubernetes; only="browser api")
	@E2E_EDGE="$(edge)" TRAEFIK="$(TRAEFIK)" KUBECTL="$(KUBECTL)" HELM="$(HELM)" LOAD_IMAGES="$(load_images)" \
		$(python) -m pytest $(if $(only),$(addprefix e2e/,$(only)),e2e)

chart: $(ready) ## Check the Helm chart with Helm, kubeconform, kube-score, and the API server of KUBECONFIG, if there are any
	@$(python) -m pytest tests/kubernetes -rs

bench: $(ready) ## Measure the cost of a request (quick=1; TRAEFIK=…), PostgreSQL's through a pooler (pooler=…), or how one user can burden others (fairness=1 only=lists)
ifdef fairness
	@TRAEFIK="$(TRAEFIK)" $(python) -m bench.fairness --only "$(only)" $(if $(strict),--strict)
else ifdef pooler
	@POOLER="$(pooler)" $(python) -m bench.pooler
else
	@TRAEFIK="$(TRAEFIK)" $(python) -m bench $(if $(quick),--quick)
endif

screenshots: $(ready) ## Take the pictures of the README again, from the app with example data
	@$(python) -m e2e.screenshots

up: ## Start the platform in containers (PORT=8080); writes a .env with fresh secrets if there is none
	@$(PYTHON) deploy/compose.py up

renew: ## Replace containers by new ones without losing a request (s=tasks)
	@$(PYTHON) deploy/compose.py renew $(if $(s),"$(s)")

down: ## Stop the containers (v=1 forgets their data)
	@$(PYTHON) deploy/compose.py down $(if $(v),--forget)

migrate: $(ready) ## Bring both databases to the newest revision
	@$(python) -m devkit.cli.migrate

restored: $(ready) ## Declare that a backup was restored, if it was a copy of a disk: devices then read everything again
	@$(python) -m devkit.cli.restored

migration: $(ready) ## Write a migration from the models (s=tasks m="add a column")
	@$(python) -m devkit.cli.migration $(if $(s),"$(s)") $(if $(m),"$(m)")

token: $(ready) ## Print a development token (sub=… email=… days=1)
	@$(python) -m devkit.cli.mint_token $(if $(sub),--sub=$(call quoted,sub)) $(if $(email),--email=$(call quoted,email)) \
		$(if $(days),--days=$(call quoted,days))

explain: $(ready) ## Say why the gateway accepts or rejects a token (TOKEN=…)
	@$(python) -m devkit.cli.explain $(call quoted,TOKEN) || test $$? = 1

lock: $(ready) ## Compile the requirements again (UPGRADE=1 for newer versions)
	@$(call compile_into,requirements,$(if $(UPGRADE),--upgrade))

# $(1): the folder to compile into; $(2): further options. Versions in that folder stay, unless --upgrade is given.
define compile_into
for service in $(services); do \
	$(compile) $(2) -o $(1)/$$service.txt services/$$service/pyproject.toml || exit; \
done; $(compile) $(2) -o $(1)/dev.txt pyproject.toml --group dev && \
$(compile) -c $(1)/dev.txt -o $(1)/build.txt --group build
endef

$(venv_created):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: name one, as in make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Creating the virtual environment $(VENV)" >&2
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@touch $@

$(ready): $(venv_created) requirements/dev.txt $(members:%=%/pyproject.toml)
	@echo "Installing what requirements/dev.txt pins (about a minute the first time)" >&2
	@$(install) --require-hashes -r requirements/dev.txt
	@echo "Installing our own packages" >&2
	@$(install) --no-deps --no-build-isolation $(members:%=-e %)
	@touch $@
