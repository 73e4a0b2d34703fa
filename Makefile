# Two commands on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
# Both make the environment .venv first; later runs find it ready.

PYTHON ?= python3.11
VENV := .venv
ANYIR := $(VENV)/bin/anyir
READY := $(VENV)/.ready

# What `make demo` runs. The default is `small`; WEIGHTS=phone takes larger weights, WEIGHTS=anyir the paper's size.
WEIGHTS ?=
TILE ?= 256
RUNS ?= 15

with_weights = $(if $(WEIGHTS),--weights $(WEIGHTS))

.PHONY: demo test test-python test-fast android-test ios-test apk lint mixed docs clean

# A recipe that cannot be built is a row of the report and makes `make demo` fail at its end, not before.
demo: $(READY)
	rm -f build/report/results.json
	$(ANYIR) reference $(with_weights) --tile $(TILE) --out build/reference
	@failed=0; set -x; \
	$(ANYIR) convert $(with_weights) --tile $(TILE) --out build/artifacts || failed=1; \
	$(ANYIR) profile --artifacts build/artifacts --reference build/reference --runs $(RUNS) \
		--out build/report/results.json || failed=1; \
	$(ANYIR) report build/report/results.json --out build/report/index.html && exit $$failed

test: test-python
	@if command -v mvn >/dev/null && javac -version 2>&1 | grep -qE '^javac (1[7-9]|[2-9][0-9])'; then \
		$(MAKE) --no-print-directory android-test; \
	else \
		echo "The Android app's tests did NOT run: they need JDK 17 and Maven" \
			"(Debian: apt-get install openjdk-17-jdk-headless maven), then \`make android-test\`."; \
	fi
	@if ios_demo/check.sh --is-ready; then \
		$(MAKE) --no-print-directory ios-test; \
	else \
		echo "The iOS app's tests did NOT run: they need Swift 6, or the Debian 13 root that \`make ios-test\` makes" \
			"(as root, with debootstrap; 3 minutes, 3 GB)."; \
	fi

# A worker more than there are cores, as some wait for what another one builds, and four at most: each takes
# about 2 GB. The tests of a file stay together.
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
PYTEST = $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-python: $(READY)
	$(PYTEST) -m "not apk"

# What takes seconds and builds no programs.
test-fast: $(READY)
	$(PYTEST) -m "not slow"

# Compiles, lints and tests the Android app, with programs of the tiny network that Python converted, and the APK.
# What the app's benchmark wrote in its test must be a results file that `anyir report` reads.
android-test: build/android-test/.ready
	rm -rf build/android-test/phone.json android_demo/*/target/surefire-reports
	mvn --quiet --file android_demo/pom.xml test -Danyir.artifacts=$(CURDIR)/build/android-test \
		-Danyir.results=$(CURDIR)/build/android-test/phone.json
	@$(ANYIR) report build/android-test/phone.json --out build/android-test/phone.html
	$(VENV)/bin/python -m pytest -rs -m apk tests/android_demo
	@cat android_demo/*/target/surefire-reports/*.txt | awk -F '[:,]' '/^Tests run/ { run += $$2; skipped += $$8 } \
		END { print "The Android app: " (run - skipped) " tests passed, " skipped + 0 " skipped" }'

build/android-test/.ready: tests/helpers/make_android_artifacts.py tests/helpers/tiny.py $(shell find model conversion profiling -name '*.py') | $(READY)
	$(VENV)/bin/python tests/helpers/make_android_artifacts.py $(@D)
	touch $@

# Builds, lints and tests the iOS app as far as Linux can, with the same programs and an ExecuTorch one. What its
# benchmark wrote in its test must be a results file too.
ios-test: build/ios-test/.ready
	rm -f build/ios-test/phone.json
	ios_demo/check.sh build/ios-test
	@$(ANYIR) report build/ios-test/phone.json --out build/ios-test/phone.html

build/ios-test/.ready: build/android-test/.ready tests/helpers/make_ios_artifacts.py | $(READY)
	$(VENV)/bin/python tests/helpers/make_ios_artifacts.py build/android-test $(@D)
	touch $@

# The Android app with what `anyir android stage` put into it, signed with a debug key.
apk: $(READY)
	$(VENV)/bin/python android_demo/apk/make_apk.py build/anyir-demo.apk

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo --no-cache

# The choice of 8-bit convolutions, measured anew with some weights, its table and its plot.
mixed: $(READY)
	$(ANYIR) sensitivity $(with_weights)
	$(VENV)/bin/python docs/make/mixed.py $(or $(wildcard $(WEIGHTS)),model/weights/$(or $(WEIGHTS),small).safetensors)

# The documentation as a site: open build/site/index.html. Needs no network.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed (or set PYTHON=...)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "make: $(PYTHON) is not Python 3.11, which the mobile toolchain is pinned for"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "make: install your system's python3.11-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/pip install --quiet --editable '.[train,convert,report,analyze,dev,docs]'
	@# Apple has no wheels of it for every machine; all else works without.
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/pip install --quiet --only-binary :all: --editable '.[coreai]' || \
		echo "make: Core AI is NOT installed (see above): recipes coreai_* fail here, and their tests are left out"
	@# The packages' folders are not named as they are imported: mypy, mkdocs and editors read them through links.
	mkdir -p $(VENV)/packages/anyir
	for package in model conversion profiling; do ln -sfn ../../../$$package $(VENV)/packages/anyir/$$package; done
	touch $@

clean:
	rm -rf build
